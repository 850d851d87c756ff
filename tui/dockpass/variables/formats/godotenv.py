"""The dialect of godotenv 1.5, which act uses: `$NAME` of earlier lines of the file only."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dockpass.variables.formats.go_scan import (
    BLANKS,
    key_end,
    line_end,
    skip_blanks,
    skip_to_statement,
    without_export,
)
from dockpass.variables.formats.reading import Collector, Reading

_REFERENCE = re.compile(r"(\\)?(\$)(\()?\{?([A-Z0-9_]+)?\}?")
_COMMENT = re.compile(f"[{BLANKS}]#")


def read_godotenv(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001
    """Read a file as godotenv does; what it refuses is a problem, and the next line is read."""
    found = Collector()
    text = text.removeprefix("\ufeff").replace("---\n", "\n").replace("\r\n", "\n")
    values: dict[str, str] = {}
    at, number, counted = 0, 1, 0
    while (at := skip_to_statement(text, at)) < len(text):
        number, counted = number + text.count("\n", counted, at), at
        start = without_export(text, at)
        end = key_end(text, start, "_.", "=:")
        key = text[start:end].strip(BLANKS) if end >= 0 else ""
        if not key or end >= len(text):
            found.problem(
                number, "The line is not NAME=value; godotenv answers with an error and refuses the file.",
                refuses=True,
            )  # fmt: skip
            at = line_end(text, at)
            continue
        value, at = _value(text, skip_blanks(text, end + 1), values)
        if value is None:
            found.problem(number, "A quote is not closed; godotenv refuses the file.", refuses=True)
            continue
        values[key] = value
        found.add(key, value, number)
    return found.reading()


def _value(text: str, at: int, values: Mapping[str, str]) -> tuple[str | None, int]:
    quote = text[at : at + 1]
    if quote in {"'", '"'}:
        end = at + 1
        while (end := text.find(quote, end)) >= 0 and text[end - 1] == "\\":
            end += 1
        if end < 0:
            return None, line_end(text, at)
        value = text[at:end].strip(quote)
        if quote == '"':
            value = re.sub(r"\\(.)", lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[0]), value)
            value = _expanded(re.sub(r"\\([^$])", r"\1", value), values)
        return value, end + 1
    stop = re.compile(r"[\r\n]").search(text, at)
    end = stop.start() if stop else len(text)
    line = text[at:end]
    comment = _COMMENT.search(line)
    value = line[: comment.start()] if comment else line
    return _expanded(value.strip(BLANKS), values), end


def _expanded(value: str, values: Mapping[str, str]) -> str:
    def one(found: re.Match[str]) -> str:
        if found[1] or found[3]:
            return found[0][1:]
        return values.get(found[4], "") if found[4] else found[0]

    return _REFERENCE.sub(one, value)
