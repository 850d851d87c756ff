"""The overview: what each command logs in with, why, and what it was decided from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockpass.auth.ci import GITLAB
from dockpass.auth.command import Command
from dockpass.auth.decision import Decision, Outcome, Refusal, RuleId
from dockpass.auth.facts import Facts, SourceKind, edits_in_words
from dockpass.auth.rules import rule
from dockpass.auth.whynot import WhyNot
from dockpass.engines.choice import Engines
from dockpass.findings import Finding
from dockpass.marks import (
    GLYPH_DONE,
    GLYPH_EDITED,
    GLYPH_FAILED,
    GLYPH_LOOK,
    GLYPH_METHOD,
    GLYPH_NOT_REACHED,
    OF_SEVERITY,
)
from dockpass.secrets import Secret
from dockpass.text import clean, plural
from dockpass.ui.views.words import (
    OF_LEVEL,
    WIDE,
    Line,
    Span,
    badge_spans,
    cell,
    cells,
    end_within,
    fitted,
    hanging,
    length,
    method_role,
    shorten,
)
from dockpass.unknown import Unknown
from dockpass.variables.catalogue import Entry, Group
from dockpass.variables.place import Place
from dockpass.variables.token_kind import token_kind

if TYPE_CHECKING:
    from dockpass.engines.base import EngineInfo
    from dockpass.session.health import Health

Decided = Decision | Refusal

LONGEST_NAME = 31


def why_lines(
    decided: Decided, instead: Sequence[WhyNot], findings: Sequence[Finding], width: int, own: str = ""
) -> list[Line]:
    """Return the sentence, the trace, what would be instead, the notices, and what is wrong in the config.

    `own` says which logins the job's scripts make themselves; it is clean, and empty where there are none.
    """
    if isinstance(decided, Refusal):
        return [((decided.message, "look"),), (), ((decided.hint, "text"),)]
    lines: list[Line] = [_emphasised(decided), (), *_trace_lines(decided, width)]
    if instead:
        lines += [(), (("Instead", "heading"),)]
        for found in instead:
            lines += _instead_lines(found, width)
    if decided.warnings or findings or own:
        lines += [(), (("Notice", "heading"),)]
        if own:
            lines += hanging(((f"{GLYPH_LOOK} ", "look"),), own, "text", width)
        for notice in decided.warnings:
            lines += hanging(((f"{GLYPH_LOOK} ", "look"),), notice.message, "text", width)
        for finding in findings:
            lines += hanging(((f"{GLYPH_FAILED} ", "bad"),), finding.in_words, "text", width)
            lines += hanging((("  ", "text"),), finding.hint, "label", width)
    return lines


def _emphasised(decision: Decision) -> Line:
    """Put weight on what the sentence is about: command, hosts, user and variable."""
    strong = {str(decision.command), *decision.login}
    strong |= {word for word in (decision.username, decision.secret_from, decision.config_dir) if word}
    spans: list[Span] = []
    for word in decision.sentence.split(" "):
        bare = word.rstrip(",.:")
        role = "strong" if clean(bare) in {clean(found) for found in strong} else "text"
        if spans:
            spans.append((" ", "text"))
        spans.append((bare, role))
        spans.append((word[len(bare) :], "text"))
    return tuple(spans)


_GAP = "  "
_LEAST_NAME = 8
"""Characters of a place's name that are worth showing."""

_ROLES = {
    Outcome.CHOSEN: "",
    Outcome.HOLDS: "look",
    Outcome.NOT_MET: "label",
    Outcome.OFF: "look",
    Outcome.NOT_REACHED: "absent",
}


def _trace_lines(decision: Decision, width: int) -> list[Line]:
    lines: list[Line] = []
    for step in decision.trace:
        glyph, role = step.mark, _ROLES[step.outcome]
        title = rule(step.rule).title
        chosen = method_role(decision.method)
        # A rule that could have switched autologin off, and did not, is good news.
        if not step.known:
            role = "look"
        elif step.rule in {RuleId.GOOGLE, RuleId.IGNORE} and step.outcome is Outcome.NOT_MET:
            glyph, role, title = GLYPH_DONE, "good", f"not {title}"
        word = {Outcome.CHOSEN: chosen, Outcome.NOT_REACHED: "absent"}.get(step.outcome, "text")
        because = {Outcome.CHOSEN: "text", Outcome.NOT_REACHED: "absent"}.get(step.outcome, "label")
        head = ((f"{glyph} ", role or chosen), (cell(title, 17), word))
        lines += hanging(head, step.because, because, width)
    return lines


def _instead_lines(found: WhyNot, width: int) -> list[Line]:
    glyph = GLYPH_METHOD if found.possible else GLYPH_NOT_REACHED
    role = method_role(found.method) if found.possible else "absent"
    words = edits_in_words(found.changes) or found.because
    head = ((f"{glyph} ", role), (cell(found.method.label, 17), role))
    return hanging(head, words, "label" if found.possible else "absent", width)


_MOST_PROBLEMS = 2
"""More would cover the screen."""


def problem_words(problems: Sequence[str]) -> list[str]:
    """Return what is wrong in the settings, a notice each; of many, the first and where to read the rest."""
    if len(problems) <= _MOST_PROBLEMS:
        return list(problems)
    return [
        problems[0],
        f"{len(problems) - 1} more problems in the settings: `dockpass settings` lists them.",
    ]


def fallen_back_lines(job: str, why: str, key: str) -> list[Line]:
    """Return why these are not the logins of the job, which were wanted; `key` shows them again."""
    return [
        ((f"{GLYPH_LOOK} These are this process's logins, not those of {job}.", "look"),),
        ((why, "text"),),
        ((f"Once that is fixed, {key} shows the job's again.", "label"),),
        (),
    ]


def health_line(health: Health | None, key: str) -> Line:
    """Return how many findings of each level the doctor has, and the key that shows them; empty before."""
    if health is None:
        return ()
    counted: Line = tuple(
        (f"{'  ' if at else ''}{OF_SEVERITY[level]} {words}", OF_LEVEL[level])
        for at, (level, words) in enumerate(health.counts)
    )
    return (*(counted or (("nothing found", "label"),)), ("  ", "text"), (key, "accent"))


@dataclass(frozen=True, slots=True)
class EnvironmentRow:
    """One row of the environment; a heading has no entry."""

    entry: Entry | None
    line: Line


def environment_rows(
    entries: Sequence[Entry],
    facts: Facts,
    findings: Sequence[Finding],
    read_by: Mapping[str, str],
    edited: Collection[str],
    width: int,
) -> list[EnvironmentRow]:
    """Return the listed variables and options by group.

    `read_by` gives the role of the method that uses a name, `edited` the names that edits are about.
    """
    rows: list[EnvironmentRow] = []
    group: Group | None = None
    odd = {finding.about for finding in findings}
    for entry in entries:
        if entry.group is not group:
            if rows:
                rows.append(EnvironmentRow(None, ()))
            group = entry.group
            rows.append(EnvironmentRow(None, (("  ", "text"), (group.upper(), "heading"))))
        mark = _mark(entry, facts, odd, read_by, edited)
        rows.append(EnvironmentRow(entry, _row(entry, facts, mark, entry.name in edited, width)))
    return rows


def _mark(
    entry: Entry, facts: Facts, odd: Collection[str], read_by: Mapping[str, str], edited: Collection[str]
) -> Span:
    """Return what looks wrong first, then what was edited, then what the chosen rule reads."""
    if entry.name in odd:
        return (f"{GLYPH_LOOK} ", "look")
    if entry.name in edited:
        return (f"{GLYPH_EDITED} ", "look")
    if entry.name in read_by and value_of(entry, facts) is not None:
        return (f"{GLYPH_METHOD} ", read_by[entry.name])
    return ("  ", "text")


def _row(entry: Entry, facts: Facts, mark: Span, edited: bool, width: int) -> Line:
    room = max(width - LONGEST_NAME - 3, 8)
    shown, role = shown_value(entry, facts, room)
    source = "edit" if edited else _source(entry, facts)
    suffix = f"  {source}" if source and cells(shown) + cells(source) + 2 <= room else ""
    named: Span = (cell(option_name(entry), LONGEST_NAME + 1), "absent" if role == "absent" else "text")
    return (mark, named, (cut_path(shown, room), role), (suffix, "label"))


def cut_path(text: str, width: int) -> str:
    """Shorten a value to `width` cells; behind a whole part of a path, where one has room."""
    if cells(text) <= width:
        return text
    kept = text[: end_within(text, 0, width - 1)].rpartition("/")[0]
    return f"{kept}/…" if cells(kept) + 2 <= width and cells(kept) >= width // 3 else fitted(text, width)


def matching(entries: Sequence[Entry], facts: Facts, text: str) -> list[Entry]:
    """Return the entries whose name or value holds a text, without regard to case; no secret is looked at."""

    def holds(entry: Entry) -> bool:
        value = value_of(entry, facts)
        seen = value if isinstance(value, str) and not entry.secret else ""
        return text in f"{entry.name}\n{option_name(entry)}\n{clean(seen)}".casefold()

    return [entry for entry in entries if holds(entry)]


def option_name(entry: Entry) -> str:
    """Return the name that a person reads."""
    names = {"registry-username": "user name", "registry-password": "password", "from": "base images"}
    return names.get(entry.name, entry.name)


def value_of(entry: Entry, facts: Facts) -> str | Secret | Unknown | None:
    """Return the value of a variable or an option; None where it is not set."""
    if entry.option:
        return option_value(entry, facts)
    variable = facts.variables.get(entry.name)
    return None if variable is None else variable.value


def shown_value(entry: Entry, facts: Facts, room: int) -> tuple[str, str]:
    """Return a value as it is shown, and its role; a secret only as length and kind."""
    value = value_of(entry, facts)
    if value is None:
        return ("not given" if entry.option else "not set"), "absent"
    if isinstance(value, Unknown) and value.may_be_missing:
        return clean(f"may be missing ({value.why})", 200), "label"
    if isinstance(value, Unknown):
        return clean(value.in_words(), 200), "look"
    if not value:
        return "empty, counts as not set", "look"
    if not isinstance(value, Secret):
        return clean(value, 200), "text"
    kind = token_kind(value).removeprefix("GitLab ")
    what = f", {kind}" if kind else ""
    whole = f"•••• {len(value)} characters{what}"
    return (whole if cells(whole) <= room else f"•••• {len(value)}{what}"), "look"


def option_value(entry: Entry, facts: Facts) -> str | Secret | None:
    """Return what is given for an option."""
    options = facts.options
    match entry.name:
        case "repo":
            return options.repo
        case "registry-username":
            return options.registry_username
        case "registry-password":
            return options.registry_password
        case "from" if facts.base_images is not None:
            known = [image.reference for image in facts.base_images]
            unknown = [f"{image.text} (not known)" for image in facts.unknown_images]
            return " ".join([*known, *unknown]) or "none"
    return None


def _source(entry: Entry, facts: Facts) -> str:
    variable = facts.variables.get(entry.name)
    if entry.option or variable is None or variable.source.kind is SourceKind.PROCESS:
        return ""
    return str(variable.source.detail or variable.source.kind)


def read_by(decided: Decided) -> dict[str, str]:
    """Return the names that the chosen rule reads, each with the role of its method."""
    if isinstance(decided, Refusal):
        return {}
    names = [name for name in decided.chosen.looked_at if name != "from" or decided.command is Command.BUILD]
    if decided.command is not Command.BUILD:
        names += ["repo", GITLAB.image]
    return dict.fromkeys(names, method_role(decided.method))


def engine_words(info: EngineInfo) -> str:
    """Return the engine for the status line: where it answers, or why the embedded one is taken."""
    if info.name == Engines.EMBEDDED:
        return "embedded engine" + ("" if info.how.endswith("for it") else "  no Docker here")
    kind = info.endpoint.partition("://")[0]
    where = f"{kind} socket" if kind == "unix" else kind
    return f"{info.name} {info.version.partition('+')[0]}  {where}"


def status_line(
    place: Place, edits: int, engine: tuple[str, str], width: int, badges: Sequence[str] = ()
) -> tuple[Line, Line]:
    """Return the left and the right half of the status line; the left one gives way from its end.

    Where the name of the place has no room, first the engine loses what stands behind its own name, then both
    are shortened: the name says whose logins these are.
    """
    right: list[Span] = []
    if edits:
        words = plural(edits, "edit") if width >= WIDE else str(edits)
        right += [(f"{GLYPH_EDITED} {words}", "look"), ("   ", "text")]
    words, role = engine
    left: list[Span] = [("dockpass", "brand"), *badge_spans(badges)]
    name = place.label or str(place.kind)
    both = width - 4 - length((*left, *right)) - len(GLYPH_METHOD) - 1 - len(_GAP)
    if cells(words) + cells(name) > both:
        words = words.partition(_GAP)[0]
    words = shorten(words, max(both - min(cells(name), _LEAST_NAME), len("engine")))
    right += [(f"{GLYPH_METHOD} ", role), (words, "text")]
    room = width - 4 - length(right)
    free = room - length(left) - len(_GAP)
    if free >= min(cells(name), _LEAST_NAME):
        left += [(_GAP, "text"), (shorten(name, free), "strong")]
    for part in _where_parts(place, width):
        if length((*left, *part)) > room:
            break
        left += part
    return tuple(left), tuple(right)


def _where_parts(place: Place, width: int) -> list[Line]:
    """Return what tells where we are behind the name of the place, the first to give way last."""
    parts: list[Line] = []
    if place.project:
        parts.append(((f"  {place.project}", "label"),))
    if place.job and width >= WIDE:
        parts.append(((f"{' › ' if place.project else '  '}{place.job}", "label"),))
    if place.ref and width >= WIDE:
        parts.append(((f"  {place.ref}", "text"),))
        if place.protected is not None:
            words = " protected" if place.protected else " not protected"
            parts.append(((words, "good" if place.protected else "look"),))
    return parts
