"""`dockpass explain`: a decision as text for people and as one JSON object for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dockpass.auth.command import Command
from dockpass.auth.decision import Decision, Outcome, Refusal, Step
from dockpass.auth.facts import Edit, EditKind, Facts, UnknownImage, edits_in_words
from dockpass.auth.rules import host_of_image, rule
from dockpass.auth.whynot import WhyNot, why_not
from dockpass.cli.table import columns
from dockpass.findings import Finding, finding_json
from dockpass.marks import GLYPH_LOOK, OF_SEVERITY
from dockpass.secrets import Secret
from dockpass.text import clean

_SWITCHES = {Outcome.HOLDS: "applies", Outcome.NOT_MET: "does not apply"}


def explain_json(
    decided: Decision | Refusal, facts: Facts, findings: Sequence[Finding] = ()
) -> dict[str, Any]:
    """Return the object of `--json`; no secret value is ever in it."""
    if isinstance(decided, Refusal):
        return error_json(decided.id, decided.message, decided.hint)
    return {
        "command": decided.command,
        "repo": clean(decided.repo) or None,
        "method": decided.method,
        "username": None if decided.username is None else clean(decided.username),
        "secret_from": decided.secret_from,
        "config_dir": None if decided.config_dir is None else clean(decided.config_dir),
        "login": [clean(key) for key in decided.login],
        "warnings": [{"id": notice.id, "message": notice.message} for notice in decided.warnings],
        "trace": [
            {"rule": step.rule, "outcome": step.outcome, "because": step.because} for step in decided.trace
        ],
        "why_not": [
            {
                "method": found.method,
                "changes": [_edit_json(edit) for edit in found.changes],
                "because": found.because,
            }
            for found in why_not(decided.command, facts)
        ],
        "base_images": _base_images_json(facts) if decided.command is Command.BUILD else None,
        "findings": [finding_json(found) for found in findings],
        "unknown": list(decided.unknown),
    }


def _base_images_json(facts: Facts) -> list[dict[str, str]] | None:
    """Return each image that a build pulls, then each that is not known; None where no file names any."""
    if facts.base_images is None:
        return None
    known = [
        {
            "reference": clean(each.reference),
            "host": host_of_image(each.reference),
            "from": clean(each.origin),
        }
        for each in facts.base_images
    ]
    return [*known, *map(_unknown_json, facts.unknown_images)]


def _unknown_json(image: UnknownImage) -> dict[str, str]:
    return {"text": image.text, "from": image.origin, "because": image.because}


def finding_lines(found: Finding) -> list[str]:
    """Return a finding in lines: what it is, and below it what to do."""
    return [f"{OF_SEVERITY[found.severity]} {found.in_words}", *([f"  {found.hint}"] if found.hint else [])]


def error_json(error_id: str, message: str, hint: str) -> dict[str, Any]:
    """Return the object of an error."""
    return {"error": {"id": error_id, "message": message, "hint": hint}}


def explain_text(decided: Decision, facts: Facts, findings: Sequence[Finding]) -> str:
    """Return the explanation for people: what, with what, why, what to look at, and what else."""
    return "\n".join(
        [
            decided.sentence,
            "",
            *columns(_summary(decided)),
            *_block("rules", columns([_step(step) for step in decided.trace])),
            *_block("base images", columns(_base_images(decided, facts))),
            *_block("warnings", [f"  {GLYPH_LOOK} {notice.message}" for notice in decided.warnings]),
            *_block("instead", columns([_instead(each) for each in why_not(decided.command, facts)])),
            *_block("findings", [f"  {line}" for found in findings for line in finding_lines(found)]),
        ]
    )


def _summary(decided: Decision) -> list[tuple[str, ...]]:
    rows = [("repo", clean(decided.repo))] if decided.repo else []
    rows.append(("method", decided.method.label))
    if decided.method.logs_in:
        source = "the given password" if decided.secret_from == "option" else decided.secret_from or ""  # noqa: S105
        source += ", value not known here" if decided.secret_from in decided.unknown else ""
        rows.append(("login", ", ".join(map(clean, decided.login)) or "not known here"))
        rows.append(("user", clean(decided.username or "")))
        rows.append(("secret", source))
        rows.append(("config", "a temporary one, removed after the run"))
    else:
        rows.append(("login", "none"))
        directory = clean(decided.config_dir) if decided.config_dir else "an unknown directory"
        whose = f"{directory} of the job" if decided.elsewhere and decided.config_dir else directory
        entries = decided.config if decided.config_of_runner else f"the entries in {whose}, if any"
        rows.append(("config", entries))
    return [(name, value) for name, value in rows]


def _base_images(decided: Decision, facts: Facts) -> list[tuple[str, ...]]:
    """Return a row for each image that a build pulls, and for each that is not known, with the reason."""
    if decided.command is not Command.BUILD:
        return []
    known = [(clean(each.reference), clean(each.origin)) for each in facts.base_images or ()]
    unknown = [(each.text, f"{each.origin}: not known, {each.because}") for each in facts.unknown_images]
    return [*known, *unknown]


def _step(step: Step) -> tuple[str, ...]:
    """Return mark, title, outcome and reason; a rule that only switches others off applies or does not."""
    row = rule(step.rule)
    if not step.known:
        return f"{step.mark} {row.title}", "not known here", step.because
    outcome = _SWITCHES.get(step.outcome) if row.method is None else None
    because = "" if step.outcome is Outcome.NOT_REACHED else step.because
    return f"{step.mark} {row.title}", outcome or step.outcome.replace("-", " "), because


def _instead(found: WhyNot) -> tuple[str, ...]:
    changes = edits_in_words(found.changes, _edit_text) if found.possible else found.because
    return found.method.label, changes


def _edit_text(edit: Edit) -> str:
    """Return the edit in words, with an example where the program made one up that can be shown."""
    if edit.example and edit.name == "from":
        return f"{edit.in_words()} with an image like {clean(str(edit.value))}"
    return edit.in_words()


def _edit_json(edit: Edit) -> dict[str, Any]:
    """Return an edit as an object; the value of a secret is null, and any will do."""
    hidden = isinstance(edit.value, Secret) or edit.value is None
    return {
        "kind": edit.kind,
        "name": edit.name,
        "option": edit.kind in {EditKind.GIVE, EditKind.DROP},
        "value": None if hidden else clean(str(edit.value)),
        "example": edit.example,
        "text": edit.in_words(),
    }


def _block(title: str, lines: Iterable[str]) -> list[str]:
    listed = list(lines)
    return ["", title, *listed] if listed else []
