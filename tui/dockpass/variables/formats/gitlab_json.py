"""GitLab's variables as JSON: the API's answers, also several pages in a row, and `glab variable export`."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from typing import Any

from dockpass.text import clean
from dockpass.variables.formats.reading import HIDDEN, WITHOUT_VALUE, Collector, Entry, Reading

_HEADLINE = re.compile(r"[^\[{\n]*\n", re.ASCII)
_KEY = re.compile(r'"(?:key|name)"\s*:\s*"([^"\\]*)"')
_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def read_gitlab_json(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001
    """Read the variables of a project, a group or an instance; what is hidden is unknown."""
    found = Collector()
    _each(text, found, _gitlab_row)
    return found.reading()


def read_gh_json(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001
    """Read `gh secret list --json` and `gh variable list --json`; secrets never have a value."""
    found = Collector()
    _each(text, found, _gh_row)
    return found.reading()


def first_row(text: str) -> Mapping[str, Any] | None:
    """Return the first object of an array, or the object that a text is; None where there is none.

    Of an array no more is read: the rest may be cut off or broken.
    """
    start = _skip_headline(text, 0)
    if text[start : start + 1] == "[":
        start = _BLANK.match(text, start + 1).end()  # type: ignore[union-attr]
    try:
        first, _ = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return first if isinstance(first, dict) else None


def _skip_headline(text: str, at: int) -> int:
    while True:
        while at < len(text) and text[at] in " \t\r\n\ufeff":
            at += 1
        line = _HEADLINE.match(text, at)
        if not line:
            return at
        at = line.end()


def _each(text: str, found: Collector, row: Any) -> None:
    at, number, counted = 0, 1, 0
    while (at := _skip_headline(text, at)) < len(text):
        number, counted = number + text.count("\n", counted, at), at
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            line = number + (
                error.lineno - text.count("\n", 0, at) - 1 if isinstance(error, json.JSONDecodeError) else 0
            )
            at = _salvage(text, at, line, found, row)
            continue
        lines = _lines_of(text, at, end, number)
        for each in value if isinstance(value, list) else [value]:
            row(each, _line_in(lines, each, number), found)
        at = end


def _salvage(text: str, at: int, line: int, found: Collector, row: Any) -> int:
    """Read the whole objects of an array that is cut or broken; return the end of the text."""
    found.problem(line, "The text is no whole JSON; the variables that are whole were read.")
    number, counted = text.count("\n", 0, at) + 1, at
    while (at := text.find("{", at)) >= 0:
        number, counted = number + text.count("\n", counted, at), at
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        row(value, number, found)
    return len(text)


def _lines_of(text: str, at: int, end: int, number: int) -> dict[str, deque[int]]:
    """Return the lines of each name between two places, in order; `number` is the line of the first."""
    found: dict[str, deque[int]] = {}
    counted = at
    for match in _KEY.finditer(text, at, end):
        number, counted = number + text.count("\n", counted, match.start()), match.start()
        found.setdefault(match[1], deque()).append(number)
    return found


def _line_in(lines: Mapping[str, deque[int]], row: Any, number: int) -> int:
    key = row.get("key", row.get("name")) if isinstance(row, dict) else None
    of_key = lines.get(key) if isinstance(key, str) else None
    if not of_key:
        return number
    return of_key.popleft() if len(of_key) > 1 else of_key[0]


def _gitlab_row(row: Any, number: int, found: Collector) -> None:
    if not isinstance(row, dict) or not isinstance(row.get("key"), str) or not row["key"]:
        message = row.get("message", row.get("error")) if isinstance(row, dict) else None
        said = f" GitLab says: {clean(str(message), 200)}." if message else ""
        found.problem(number, f"This is no variable of GitLab's API.{said}")
        return
    value = row.get("value")
    if not isinstance(value, str):
        value = HIDDEN if row.get("hidden") or "value" in row else WITHOUT_VALUE
    scope = row.get("environment_scope", row.get("environmentScope"))
    found.put(
        Entry(
            key=row["key"],
            value=value,
            line=number,
            protected=row.get("protected") is True,
            masked=row.get("masked") is True,
            hidden=row.get("hidden") is True,
            raw=row.get("raw") is True,
            file=str(row.get("variable_type", row.get("variableType"))).lower() == "file",
            scope=scope if isinstance(scope, str) and scope else "*",
            origin=clean(str(row.get("groupName") or ""), 200),
        )
    )


def _gh_row(row: Any, number: int, found: Collector) -> None:
    name = row.get("name") if isinstance(row, dict) else None
    if not isinstance(name, str) or not name:
        found.problem(number, "This is no row of `gh secret list` or `gh variable list`.")
        return
    value = row.get("value")
    found.add(name.upper(), value if isinstance(value, str) else WITHOUT_VALUE, number)
