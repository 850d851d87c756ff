"""What would bring a variable or a job, as lines and as objects, with what it does to the logins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dockpass.cli.variables import Looked
from dockpass.cli.variables_text import login_words
from dockpass.text import clean
from dockpass.variables.bring import Way, what_would_bring
from dockpass.variables.bring_job import JobWay, what_would_include
from dockpass.variables.changes import Change, where
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.logins import JobLogin, login_effects

_NO_WAY = ("No change of branch, source, variables or files that was tried brings it into the pipeline.",)
_OPEN = (
    "It depends on what is not known here, named above. Give a variable its value with --set, or say that it"
    " is not set with --unset;",
    "`dockpass vars import gitlab` reads the project's settings.",
)


def ways_of(looked: Looked, name: str) -> tuple[Way, ...]:
    """Return what would bring a variable of the job."""
    return what_would_bring(looked.loaded, looked.view.name, name)


def job_ways_of(looked: Looked) -> tuple[JobWay, ...]:
    """Return what would bring the job into the pipeline; the refs of the clone are tried too."""
    refs = tuple(looked.settings.protected(ref) for ref in looked.clone.refs())
    return what_would_include(looked.loaded, looked.view.name, refs=refs)


def way_lines(looked: Looked, ways: Sequence[Way]) -> Iterator[str]:
    """Yield what would bring a variable, one definition after the other."""
    if not ways:
        return
    yield ""
    yield "what would bring it"
    last = None
    for way in ways:
        if way.definition is not None and way.definition != last:
            last = way.definition
            yield f"  the one in {where(way.definition)}"
        indent = "    " if way.definition is not None else "  "
        yield from _one(looked, way.changes, way.view, indent)


def job_way_lines(looked: Looked, ways: Sequence[JobWay]) -> Iterator[str]:
    """Yield what would bring the job into the pipeline."""
    if looked.view.included is True or looked.view.problems:
        return
    yield ""
    if not ways:
        yield from _NO_WAY if looked.view.included is False else _OPEN
        return
    yield "what would bring it into the pipeline"
    for way in ways:
        yield from _one(looked, way.changes, way.view, "  ")


def _one(looked: Looked, changes: Sequence[Change], view: JobView, indent: str) -> Iterator[str]:
    yield f"{indent}• {' and '.join(change.in_words() for change in changes)}"
    yield from (f"{indent}    {line}" for line in effect_lines(looked, view))


def effect_lines(looked: Looked, view: JobView) -> Iterator[str]:
    """Yield what another view of the job does to its logins; commands with the same change share a line."""
    changed: dict[str, list[str]] = {}
    for before, after in login_effects(looked.view, view, looked.home, looked.cwd):
        changed.setdefault(_effect(before, after), []).append(str(before.command))
    for effect, commands in changed.items():
        yield f"{', '.join(commands)}: {effect}"


def _effect(before: JobLogin, after: JobLogin) -> str:
    address = before.address != after.address
    return f"{login_words(after, address=address)}, now {login_words(before, address=address)}"


def ways_json(looked: Looked, ways: Sequence[Way]) -> list[dict[str, Any]]:
    """Return what would bring a variable as objects."""
    return [
        {
            "definition": None
            if way.definition is None
            else {
                "level": clean(way.definition.source, 255),
                "file": way.definition.place.file or None,
                "line": way.definition.place.line or None,
                "scope": clean(way.definition.scope, 255),
            },
            **_way_json(looked, way.changes, way.view),
        }
        for way in ways
    ]


def job_ways_json(looked: Looked, ways: Sequence[JobWay]) -> list[dict[str, Any]]:
    """Return what would bring the job as objects."""
    return [_way_json(looked, way.changes, way.view) for way in ways]


def _way_json(looked: Looked, changes: Sequence[Change], view: JobView) -> dict[str, Any]:
    return {
        "changes": [{"kind": str(change.kind), "text": change.in_words()} for change in changes],
        "logins": [
            {"command": str(before.command), "before": login_words(before), "after": login_words(after)}
            for before, after in login_effects(looked.view, view, looked.home, looked.cwd)
        ],
    }
