"""Compose's `.env` and `env_file`, by compose-go: quotes, ` #`, and `$NAME`, `${NAME:-x}` and `$$`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from dockpass.variables.formats.docker import GO_SPACE
from dockpass.variables.formats.go_scan import (
    key_end,
    line_end,
    skip_blanks,
    skip_to_statement,
    without_export,
)
from dockpass.variables.formats.reading import Collector, Reading, shown_key

_ESCAPE = re.compile(r"\\(?:[abcfnrtv$\"\\]|0\d{0,3})")
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}
_NAMED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEEPEST = 20


class _Invalid(ValueError):
    """The value is no template that Compose takes; the message repeats nothing of it."""


def read_compose(text: str, environ: Mapping[str, str]) -> Reading:
    """Read a file as Compose does: in references a value of the process wins over one of the file."""
    found = Collector()
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    values: dict[str, str] = {}
    at, number, counted = 0, 1, 0
    while (at := skip_to_statement(text, at)) < len(text):
        number, counted = number + text.count("\n", counted, at), at
        start = without_export(text, at)
        end = key_end(text, start, "_.-[]", "=:\n")
        key = text[start:end].rstrip(GO_SPACE) if end >= 0 else ""
        if not key or " " in key:
            why = f"{shown_key(key)} holds a blank" if key else "The line is not NAME=value"
            found.problem(number, f"{why}; Compose answers with an error and refuses the file.", refuses=True)
            at = line_end(text, at)
        elif end >= len(text):
            found.problem(number, "A name alone on the last line needs a line end; Compose leaves it out.")
            at = end
        elif text[end] == "\n":
            found.name(key, number, inherits=True)
            if key in environ:
                values[key] = environ[key]
            at = end
        else:
            at = _assign(text, skip_blanks(text, end + 1), key, number, values, environ, found)
    return found.reading()


def _assign(
    text: str,
    at: int,
    key: str,
    number: int,
    values: dict[str, str],
    environ: Mapping[str, str],
    found: Collector,
) -> int:
    try:
        value, at = _value(text, at, lambda name: environ.get(name, values.get(name)))
    except _Invalid as error:
        found.problem(number, f"{error}; Compose answers with an error and refuses the file.", refuses=True)
        return line_end(text, at)
    values[key] = value
    found.add(key, value, number)
    return at


def _value(text: str, at: int, lookup: Callable[[str], str | None]) -> tuple[str, int]:
    quote = text[at : at + 1]
    if quote not in {"'", '"'}:
        end = line_end(text, at)
        return substituted(text[at:end].partition(" #")[0].rstrip(GO_SPACE), lookup), end
    closed = re.compile(rf"{quote}((?:\\.|[^{quote}\\])*){quote}", re.DOTALL).match(text, at)
    if not closed:
        raise _Invalid("A quote is not closed")
    value = closed[1].replace(f"\\{quote}", quote) if "\\" in closed[1] else closed[1]
    if quote == '"':
        value = substituted(_ESCAPE.sub(_unescape, re.sub(r'\\"', '"', closed[1])), lookup)
    return value, closed.end()


def _unescape(found: re.Match[str]) -> str:
    letter = found[0][1]
    if letter == "$":
        return "$$"
    if letter == "0":
        digits = found[0][2:]
        octal = len(digits) == 3 and all(digit in "01234567" for digit in digits)
        return chr(int(digits, 8)) if octal and int(digits, 8) <= 255 else found[0]
    return _LETTERS.get(letter, found[0])


def substituted(text: str, lookup: Callable[[str], str | None], depth: int = 0) -> str:
    """Return a text with its references replaced as compose-go's template does; raises `ValueError`."""
    if depth > _DEEPEST:
        raise _Invalid("References are nested too deeply")
    parts: list[str] = []
    at = 0
    while (dollar := text.find("$", at)) >= 0:
        parts.append(text[at:dollar])
        if text.startswith("$$", dollar):
            parts.append("$")
            at = dollar + 2
        elif text.startswith("${", dollar):
            end = _brace(text, dollar)
            parts.append(_braced(text[dollar + 2 : end], lookup, depth))
            at = end + 1
        elif named := _NAMED.match(text, dollar + 1):
            parts.append(lookup(named[0]) or "")
            at = named.end()
        else:
            parts.append("$")
            at = dollar + 1
    return "".join([*parts, text[at:]])


def _brace(text: str, at: int) -> int:
    level = 0
    for found in re.compile(r"\$\{|\}").finditer(text, at):
        level += 1 if found[0] == "${" else -1
        if level == 0:
            return found.start()
    raise _Invalid("A ${ is not closed")


def _braced(inside: str, lookup: Callable[[str], str | None], depth: int) -> str:
    named = _NAMED.match(inside)
    found = re.compile(r":?[-+?]").match(inside, named.end()) if named else None
    if not named or (not found and named.end() < len(inside)):
        raise _Invalid("A reference in it is no ${NAME}")
    value = lookup(named[0])
    if not found:
        return value or ""
    there = value is not None and (value != "" or not found[0].startswith(":"))
    if found[0].endswith("?") and not there:
        raise _Invalid(f"The required variable {shown_key(named[0])} is missing a value")
    if found[0].endswith("+"):
        return substituted(inside[found.end() :], lookup, depth + 1) if there else ""
    return value or "" if there else substituted(inside[found.end() :], lookup, depth + 1)
