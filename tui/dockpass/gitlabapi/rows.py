"""What GitLab's answers say, read with care: a field that is missing or of another type is told, not guessed.

The shapes are those of GitLab's documentation of its REST API (variables of projects, groups and instances,
pipelines, protected branches and tags, environments, lint), and of `InheritedCiVariable` in GraphQL.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Definition, Level, Value
from dockpass.variables.snapshot import HIDDEN, NOT_READABLE

LONGEST_NAME = 1024
MOST_JOBS = 10_000

_KEY = re.compile(r"[A-Za-z0-9_]{1,255}", re.ASCII)
_GROUP_OF_SETTINGS = re.compile(r"(?:^|/)groups/(?P<path>.+)/-/settings/ci_cd$")
_TYPES = frozenset({"env_var", "file"})
_NO_VALUE = Unknown("GitLab's answer has no value for it", is_set=True)


@dataclass(slots=True)
class Oddities:
    """Counts what is odd in the rows of one list, and says it in a sentence each."""

    counted: Counter[str] = field(default_factory=Counter)

    def notes(self, what: str) -> Iterator[str]:
        """Yield the sentences; `what` names the list, such as `variables of the project`."""
        for odd, count in self.counted.items():
            yield f"{what}: {count:,} {odd}"


def variables_of(rows: Sequence[Any], level: Level, origin: str, odd: Oddities) -> tuple[Definition, ...]:
    """Return the variables of a level as its list gives them; what is no variable is left out and told.

    The last of several rows with one key and scope counts, as where a page moved while it was read.
    """
    found: dict[tuple[str, str], Definition] = {}
    for row in rows:
        definition = _variable(row, level, origin, odd)
        if definition is not None:
            found.pop((definition.key, definition.scope), None)
            found[definition.key, definition.scope] = definition
    return tuple(found.values())


def _variable(row: Any, level: Level, origin: str, odd: Oddities) -> Definition | None:
    key = row.get("key") if isinstance(row, dict) else None
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        odd.counted["left out: no valid name"] += 1
        return None
    fields = _Fields(row, odd)
    has_flags = level is not Level.PIPELINE
    kind = fields.text("variable_type", "env_var").lower()
    if kind not in _TYPES:
        odd.counted[f"of unknown type {clean(kind, 40)}, taken as plain variables"] += 1
    return Definition(
        key=key,
        value=_value(row, odd),
        level=level,
        origin=origin,
        protected=fields.flag("protected", expected=has_flags),
        masked=fields.flag("masked", expected=has_flags),
        hidden=fields.flag("hidden"),
        raw=fields.flag("raw"),
        file=kind == "file",
        scope=fields.text("environment_scope", "*") or "*",
    )


def _value(row: Mapping[str, Any], odd: Oddities) -> Value:
    if "value" not in row:
        odd.counted["without a value"] += 1
        return _NO_VALUE
    value = row["value"]
    if value is None:
        return HIDDEN
    if not isinstance(value, str):
        odd.counted["with a value that is not text"] += 1
        return _NO_VALUE
    return value


@dataclass(frozen=True, slots=True)
class _Fields:
    """The fields of a row; GitLab treats null in a flag as false."""

    row: Mapping[str, Any]
    odd: Oddities

    def flag(self, name: str, *, expected: bool = False) -> bool:
        value = self.row.get(name)
        if expected and name not in self.row:
            self.odd.counted[f"without a {name} flag, taken as not {name}"] += 1
        elif value is not None and not isinstance(value, bool):
            self.odd.counted[f"with an invalid {name} flag, taken as not {name}"] += 1
        return value is True

    def text(self, name: str, missing: str) -> str:
        value = self.row.get(name)
        if value is None:
            return missing
        if not isinstance(value, str) or len(value) > LONGEST_NAME:
            self.odd.counted[f"with an invalid {name}, ignored"] += 1
            return missing
        return value


def inherited_of(nodes: Sequence[Any], odd: Oddities) -> tuple[Definition, ...]:
    """Return the group variables that GraphQL lists without their values; the origin is the group's path.

    Older servers do not tell the path; the group's name stands for it then.
    """
    found = []
    for node in nodes:
        if not isinstance(node, dict):
            odd.counted["left out: no valid name"] += 1
            continue
        settings = node.get("groupCiCdSettingsPath")
        match = _GROUP_OF_SETTINGS.search(settings) if isinstance(settings, str) else None
        name = node.get("groupName")
        origin = match["path"] if match else clean(name, 200) if isinstance(name, str) else ""
        row = {
            "key": node.get("key"),
            "value": None,
            "variable_type": node.get("variableType"),
            "environment_scope": node.get("environmentScope"),
            **{flag: node[flag] for flag in ("protected", "masked", "raw", "hidden") if flag in node},
        }
        definition = _variable(row, Level.GROUP, origin, odd)
        if definition is not None:
            found.append(_unreadable(definition))
    return tuple(found)


def _unreadable(definition: Definition) -> Definition:
    return definition if definition.hidden else replace(definition, value=NOT_READABLE)


def names_of(rows: Sequence[Any], odd: Oddities) -> tuple[str, ...]:
    """Return the names in a list of protected refs or environments, in its order."""
    found: dict[str, None] = {}
    for row in rows:
        name = row.get("name") if isinstance(row, dict) else None
        if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME:
            found[name] = None
        else:
            odd.counted["left out: no name"] += 1
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Lint:
    """What `ci/lint` says of the configuration; all texts are GitLab's own, not clean, and may hold values.

    `jobs` are those of the dry run, None where they are not told.
    """

    valid: bool
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    merged: str | None = field(default=None, repr=False)
    jobs: tuple[str, ...] | None = None


def lint_of(found: Mapping[str, Any]) -> Lint | None:
    """Read the answer of `ci/lint`; None where it does not say whether the configuration is valid."""
    valid, merged, jobs = found.get("valid"), found.get("merged_yaml"), found.get("jobs")
    if not isinstance(valid, bool):
        return None
    names = None
    if isinstance(jobs, list):
        listed = (job.get("name") for job in jobs[:MOST_JOBS] if isinstance(job, dict))
        names = tuple(name for name in listed if isinstance(name, str) and len(name) <= LONGEST_NAME)
    return Lint(
        valid,
        _texts(found.get("errors")),
        _texts(found.get("warnings")),
        merged if isinstance(merged, str) else None,
        names,
    )


def _texts(found: Any) -> tuple[str, ...]:
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()
