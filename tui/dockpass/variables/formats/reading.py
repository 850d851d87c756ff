"""What a reader makes of a text: entries, names without a value, and problems with their line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Definition, Level, Place, Value

MOST_VARIABLES = 30_000
"""A text with more is read up to here: GitLab lets no project or group have more."""
MOST_PROBLEMS = 100
"""How many problems a reading names; the last one then says how many more there are."""

MASKED = Unknown("masked in the log", is_set=True)
PARTLY_MASKED = Unknown("partly masked in the log", is_set=True)
HIDDEN = Unknown("GitLab does not show it", is_set=True)
COMPUTED = Unknown("a shell would compute it, and nothing is run")
WITHOUT_VALUE = Unknown("the file names it without its value")

_MASK = "[MASKED]"
_NAME = re.compile(r"(?:export[ \t]+)?[\w.-]*")
_WHOLLY_MASKED = re.compile(r"(?:\[MASKED\])+x*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One variable as a text gives it; `line` counts from 1. `origin` names the part of the file."""

    key: str
    value: Value = field(repr=False)
    line: int
    protected: bool = False
    masked: bool = False
    hidden: bool = False
    raw: bool = False
    file: bool = False
    scope: str = "*"
    origin: str = ""

    def definition(self, level: Level, file: str) -> Definition:
        """Return it as a definition of a level."""
        flags = {name: getattr(self, name) for name in ("protected", "masked", "hidden", "raw", "file")}
        place = Place(file, self.line)
        return Definition(
            key=self.key,
            value=self.value,
            level=level,
            origin=self.origin,
            place=place,
            scope=self.scope,
            **flags,
        )


@dataclass(frozen=True, slots=True)
class Name:
    """A name without a value. `inherits` tells that the tool takes the value of the process."""

    key: str
    line: int
    inherits: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line. `refuses` tells that the tool would refuse the whole file for it.

    The texts are clean sentences without any value. Line 0 stands for the whole text.
    """

    line: int
    message: str
    hint: str = ""
    refuses: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that a text gives, in the order in which it stands there."""

    entries: tuple[Entry, ...] = ()
    names: tuple[Name, ...] = ()
    problems: tuple[Problem, ...] = ()

    def values(self) -> Mapping[str, Value]:
        """Return the values by key; of two entries with one key the last counts."""
        return {entry.key: entry.value for entry in self.entries}


class TooManyVariables(Exception):
    """A reader found more than `MOST_VARIABLES`; `found` has those, and `line` is where the next stands."""

    def __init__(self, found: Collector, line: int) -> None:
        super().__init__()
        self.found = found
        self.line = line


class Collector:
    """Gathers what a reader finds; raises `TooManyVariables` where it is too much."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.names: list[Name] = []
        self.problems: list[Problem] = []
        self._unnamed = 0

    def add(self, key: str, value: Value, line: int) -> None:
        """Add a variable with its value."""
        self.put(Entry(key=key, value=value, line=line))

    def put(self, entry: Entry) -> None:
        """Add an entry."""
        self._require_room(entry.line)
        self.entries.append(entry)

    def name(self, key: str, line: int, *, inherits: bool = False) -> None:
        """Add a name without a value."""
        self._require_room(line)
        self.names.append(Name(key, line, inherits))

    def _require_room(self, line: int) -> None:
        if len(self.entries) + len(self.names) >= MOST_VARIABLES:
            raise TooManyVariables(self, line)

    def problem(self, line: int, message: str, hint: str = "", *, refuses: bool = False) -> None:
        """Add a problem; beyond `MOST_PROBLEMS` they are only counted."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(line, message, hint, refuses))
        else:
            self._unnamed += 1

    def reading(self) -> Reading:
        """Return everything."""
        if self._unnamed:
            self.problems.append(Problem(0, f"{self._unnamed:,} more problems are not listed.", ""))
            self._unnamed = 0
        return Reading(tuple(self.entries), tuple(self.names), tuple(self.problems))


def from_log(value: str) -> Value:
    """Return a value that a runner's log shows: unknown where it is masked, wholly or in part."""
    if _MASK not in value:
        return value
    return MASKED if _WHOLLY_MASKED.fullmatch(value) else PARTLY_MASKED


def without_mask(value: Value) -> Value:
    """Return a value of any text: unknown if it is what a runner's log puts in place of it."""
    return MASKED if isinstance(value, str) and _WHOLLY_MASKED.fullmatch(value) else value


def shown_key(key: str) -> str:
    """Return a key for a message, up to where it is no name any more: behind that may be a value.

    In a line such as `TOKEN: c2VjcmV0==` everything before the first `=` would be the key.
    """
    rest = _NAME.sub("", key, count=1)
    return f"“{clean(key.removesuffix(rest), 80)}{'…' if rest else ''}”"


def decode(raw: bytes) -> tuple[str, tuple[Problem, ...]]:
    """Return the text of bytes: UTF-8, or UTF-16 with a byte order mark; other bytes stay as surrogates."""
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        text = raw.decode("utf-16", "replace")
        return text, (
            Problem(1, "The text is UTF-16, which docker and shells do not read.", "Save it as UTF-8."),
        )
    try:
        return raw.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        told = Problem(line, f"Byte {error.start} is not UTF-8; it was taken as it is.")
        return raw.decode("utf-8-sig", "surrogateescape"), (told,)
