"""Everything that a colleague needs to help, as Markdown that is safe to paste."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dockpass import __version__
from dockpass.auth.command import Command
from dockpass.auth.decision import Decision, Refusal
from dockpass.auth.rules import READ_BY_RULES
from dockpass.doctor.check import Patient
from dockpass.doctor.examine import Found
from dockpass.doctor.objects import visit_json
from dockpass.doctor.visit import Visit, by_level, jobs_in_words, skipped_lines
from dockpass.marks import OF_SEVERITY
from dockpass.probe.model import Probe
from dockpass.redacting import redacted
from dockpass.secrets import Redactor, Secret
from dockpass.session.patient import surroundings_of
from dockpass.text import clean, masked, plural
from dockpass.unknown import Unknown
from dockpass.variables.catalogue import listed
from dockpass.variables.gitlab.model import OF_GITLAB, Level
from dockpass.variables.inwords import flag_letters, source_words
from dockpass.variables.token_kind import kind_of

_NOT_TOLD = OF_GITLAB | {Level.RUNNER}
_FOLD = "````"
_SIGNS = re.compile(r"[\\`*_{}\[\]<>|~#!@$%^]")
_MENTIONS = re.compile(r"(?<!\w)@(?=\w)|#(?=\d)")
_MOST_NAMED = 20


def report_text(visit: Visit, redactor: Redactor, home: Path) -> str:
    """Return the report as Markdown. Every secret that is known is masked, and the home directory is `~`."""
    patient = next(each for each in visit.patients if each.files is None)
    lines = [
        "# dockpass report",
        "",
        *_table(("what", ""), _place(patient)),
        *_block("Logins", _table(("command", "login", "why"), _logins(patient))),
        *_block("Variables", _table(("name", "from", "flags", "length", "looks like"), _variables(patient))),
        *_block(f"Findings: {_counted(visit)}", _findings(visit)),
        *_block("What the registry answered", _answers(patient.probe) if patient.probe else ()),
        "",
        "<details><summary>JSON</summary>",
        "",
        f"{_FOLD}json",
        json.dumps(redacted(_json(visit, patient), redactor), ensure_ascii=True, indent=1).replace(
            "`", "\\u0060"
        ),
        _FOLD,
        "",
        "</details>",
    ]
    return _without_home(redactor("\n".join(lines) + "\n"), str(home).rstrip("/"))


def _without_home(text: str, home: str) -> str:
    """Return a report with `~` for the home directory, as it is spelled in its cells and in its JSON too."""
    if len(home) > 1:
        for spelled in (_inert(home), json.dumps(home)[1:-1], home):
            text = text.replace(spelled, "~")
    return text


def _counted(visit: Visit) -> str:
    return ", ".join(words for _, words in by_level(visit.found)) or "none"


def _block(title: str, lines: Iterable[str]) -> list[str]:
    listed_lines = list(lines)
    return ["", f"## {title}", "", *listed_lines] if listed_lines else []


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a Markdown table with every cell inert."""
    cells = [[_cell(text) for text in row] for row in rows]
    if not cells:
        return []
    return [_row(head), _row(["---"] * len(head)), *map(_row, cells)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Return a text that is no Markdown and no HTML, whatever is in it."""
    return _inert(clean(masked(text), 400))  # masked before signs are escaped: a secret may hold some


def _inert(text: str) -> str:
    """Return a text that is no Markdown and no HTML, names nobody, and refers to nothing on a code host.

    Code hosts look for `@name` and `#1` in what Markdown has made of a text, where no escape is left: a space
    without width parts them.
    """
    parted = _MENTIONS.sub("\\g<0>\0", text.replace("\0", "").replace("&", "&amp;"))
    return _SIGNS.sub(r"\\\g<0>", parted).replace("\0", "&#8203;")


def _place(patient: Patient) -> Iterator[tuple[str, str]]:
    view, loaded = patient.view, patient.loaded
    yield "dockpass", f"{__version__}, Python {platform.python_version()}, {platform.system()}"
    if view is not None and loaded is not None:
        ref = loaded.situation.ref
        state = {True: "protected", False: "not protected", None: "protection not known"}[ref.protected]
        yield "job", view.title or "what every job gets"
        yield "ref", f"{ref.name} ({ref.type}, {state})"
        yield "in the pipeline", {True: "yes", False: "no", None: "not known"}[view.included]
        return
    place = surroundings_of(patient)
    yield "place", place.label
    rows = (("project", place.project), ("job", place.job), ("ref", place.ref), ("remark", place.remark))
    yield from (row for row in rows if row[1])


def _logins(patient: Patient) -> Iterator[tuple[str, str, str]]:
    for command in Command:
        decided = patient.decisions[command]
        if isinstance(decided, Refusal):
            yield str(command), "none", decided.message
        else:
            yield str(command), _login(decided), decided.sentence


def _login(decided: Decision) -> str:
    user = f" as {decided.username}" if decided.username else ""
    at = f" at {', '.join(decided.login)}" if decided.login else ""
    return f"{decided.method.label}{user}{at}"


def _variables(patient: Patient) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield names, sources, flags and lengths, and what kind of token a secret seems to be; no value."""
    if patient.view is not None:
        for name, found in sorted(patient.view.variables.items()):
            if found.winner.level not in _NOT_TOLD or name in READ_BY_RULES:
                value = found.value if found.content is None else found.content
                yield name, source_words(found.winner), flag_letters(found.winner), *_told(value)
        for name, absent in sorted(patient.view.absent.items()):
            yield name, "missing", "", "", absent.losers[0].reason if absent.losers else ""
        return
    for entry in listed(patient.facts):
        variable = patient.facts.variables.get(entry.name)
        if variable is not None and not entry.option:
            source = f"{variable.source.kind} {variable.source.detail}".strip()
            yield entry.name, source, "", *_told(variable.value)


def _told(value: str | Secret | Unknown) -> tuple[str, str]:
    if isinstance(value, Unknown):
        return "", value.in_words()
    secret = value if isinstance(value, Secret) else Secret(value)
    return str(len(secret)), kind_of(secret).name


def _findings(visit: Visit) -> Iterator[str]:
    for each in visit.found:
        told = f"{each.finding.in_words}{jobs_in_words(each.jobs)}"
        yield f"- {OF_SEVERITY[each.finding.severity]} {_cell(told)} ({each.check.id})"
        yield from _singles(each)
    for each, mute in visit.muted:
        yield f"- muted: {_cell(each.finding.in_words)} ({each.check.id}): {_cell(mute.because)}"
        yield from _singles(each)
    yield f"- {plural(visit.clear, 'check')} found nothing."
    yield from (f"- {line}" for line in skipped_lines(visit))


def _singles(found: Found) -> Iterator[str]:
    """Yield what is told as one: a line for each, the first ones."""
    for each in found.members[:_MOST_NAMED]:
        yield f"    - {_cell(each.finding.in_words)}"
    if (rest := len(found.members) - _MOST_NAMED) > 0:
        yield f"    - and {rest:,} more, in the JSON below"


def _answers(probe: Probe) -> Iterator[str]:
    rows = [("login", str(probe.login.state), probe.login.words)]
    rows += [(found.asked, str(found.verdict), found.evidence) for found in probe.actions]
    yield from _table(("asked", "answer", "evidence"), rows)
    yield ""
    requests = (
        (f"{each.method} {each.url}", each.scope, str(each.status or "no answer"), each.words)
        for each in probe.requests
    )
    yield from _table(("request", "scope", "status", "answer"), requests)


def _json(visit: Visit, patient: Patient) -> dict[str, Any]:
    return {
        "dockpass": __version__,
        "place": [list(row) for row in _place(patient)],
        "logins": [list(row) for row in _logins(patient)],
        "variables": [list(row) for row in _variables(patient)],
        **visit_json(visit, None),
    }
