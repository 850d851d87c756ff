"""What `env`, `printenv` and `env -0` print."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dockpass.text import plural
from dockpass.variables.formats.reading import Collector, Reading, shown_key

_ASSIGNS = re.compile(r"([A-Za-z_][\w.-]*)=", re.ASCII)
_EXACT = "`env -0` prints values of several lines without doubt."


def read_env(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001
    """Read `env`'s lines; one that assigns nothing is a part of the value before, and told as ambiguous."""
    found = Collector()
    lines = text.removeprefix("\ufeff").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if all(line.endswith("\r") for line in lines):  # it came with the line endings of another system
        lines = [line.removesuffix("\r") for line in lines]
    key, value, start = "", [""], 0
    for number, line in enumerate(lines, 1):
        assigned = _ASSIGNS.match(line)
        if assigned:
            _close(found, key, value, start)
            key, value, start = assigned[1], [line[assigned.end() :]], number
        elif key:
            value.append(line)
        elif line.strip():
            found.problem(number, "The line is not NAME=value, and no variable stands before it.")
    _close(found, key, value, start)
    return found.reading()


def _close(found: Collector, key: str, value: list[str], start: int) -> None:
    if not key:
        return
    if len(value) > 1:
        taken = f"{plural(len(value) - 1, 'more line')} {'was' if len(value) == 2 else 'were'}"
        found.problem(
            start + 1,
            f"It is ambiguous whether the line goes on with {key}: `env` does not mark values of several"
            f" lines. {taken} taken as its value.",
            _EXACT,
        )
    found.add(key, "\n".join(value), start)


def read_glab(text: str, environ: Mapping[str, str]) -> Reading:
    """Read `glab variable export -F env` and `-F export`: values as they stand, below a headline or not."""
    lines = text.removeprefix("\ufeff").split("\n")
    headline = re.compile(r"Exporting variables from .*")
    bare = ["" if headline.match(line) else line.removeprefix("export ") for line in lines]
    return read_env("\n".join(bare), environ)


def read_env0(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001
    """Read `env -0`: a NUL ends each variable, and every value is exact."""
    found = Collector()
    number = 1
    records = text.removeprefix("\ufeff").split("\0")
    for position, record in enumerate(records):
        last = position == len(records) - 1
        key, equals, value = record.partition("=")
        if equals and key:
            found.add(key, value, number)
            if last:
                found.problem(number, f"The text ends inside {shown_key(key)}: its value may be cut.")
        elif record.strip():
            found.problem(number, "The record is not NAME=value, and was left out.")
        number += record.count("\n")
    return found.reading()
