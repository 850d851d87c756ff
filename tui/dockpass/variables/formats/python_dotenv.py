"""The dialect of python-dotenv 1.2: `${NAME}` and `${NAME:-default}`, escapes in quotes, names alone."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

from dockpass.variables.formats.reading import Collector, Reading

_SPACE = re.compile(r"\s*")
_BLANKS = r"[^\S\r\n]*"
_EXPORT = re.compile(r"(?:export[^\S\r\n]+)?")
_QUOTED_KEY = re.compile(r"'([^']+)'" + _BLANKS)
_PLAIN_KEY = re.compile(r"([^=#\s]+)" + _BLANKS)
_EQUALS = re.compile(r"=" + _BLANKS)
_SINGLE = re.compile(r"'((?:\\.|[^'\\])*)'", re.DOTALL)
_DOUBLE = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_REST = re.compile(r"[^\r\n]*")
_COMMENT = re.compile(r"\s#")
_END = re.compile(r"(?:[^\S\r\n]*#[^\r\n]*)?[^\S\r\n]*(?:\r\n|\n|\r|$)")
_SKIPPED = re.compile(r"[^\r\n]*(?:\r|\n|\r\n)?")
_DOUBLE_ESCAPES = re.compile(r"\\[\\'\"abfnrtv]")
_SINGLE_ESCAPES = re.compile(r"\\[\\']")
_LONGEST_REFERENCE = 4096
_BOUNDED = re.compile(r"\$\{([^}:]{0,255})(?::-([^}]{0,255}))?\}")
_REFERENCE = re.compile(r"\$\{([^}:]*)(?::-([^}]*))?\}")


def read_python_dotenv(text: str, environ: Mapping[str, str]) -> Reading:
    """Read a file as `dotenv_values` does: a value of the file wins over one of the process."""
    found = Collector()
    text = text.removeprefix("\ufeff")
    values: dict[str, str | None] = {}
    at, number = 0, 1
    while at < len(text):
        start = _after(_SPACE, text, at)
        number += _ends(text, at, start)
        if start >= len(text):
            break
        end, key, value = _binding(text, start)
        if end < 0:  # the rest is left out from where the reading ended, as python-dotenv does
            end = _after(_SKIPPED, text, ~end)
            found.problem(number, "python-dotenv cannot parse the line, and leaves it out.")
        elif key and value is None:
            values[key] = None
            found.name(key, number)
        elif key is not None and value is not None:
            resolved = _resolved(value, environ, values)
            values[key] = resolved
            found.add(key, resolved, number)
        number += _ends(text, start, end)
        at = end
    return found.reading()


def _ends(text: str, start: int, end: int) -> int:
    return len(re.findall(r"\r\n|\n|\r", text[start:end]))


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    matched = pattern.match(text, at)
    return matched.end() if matched else at


def _binding(text: str, at: int) -> tuple[int, str | None, str | None]:
    """Return where the line ends, its key and its value; ~position where it cannot be parsed."""
    at = _after(_EXPORT, text, at)
    key: str | None = None
    if not text.startswith("#", at):
        matched = (_QUOTED_KEY if text.startswith("'", at) else _PLAIN_KEY).match(text, at)
        if not matched:
            return ~at, None, None
        key, at = matched[1], matched.end()
    value: str | None = None
    if text.startswith("=", at):
        at, value = _value(text, _after(_EQUALS, text, at), at)
        if value is None:
            return ~at, None, None
    end = _END.match(text, at)
    return (end.end(), key, value) if end else (~at, None, None)


def _value(text: str, at: int, equals: int) -> tuple[int, str | None]:
    letter = text[at : at + 1]
    if letter == "#" and at > equals + 1:
        return at, ""
    if letter in {"'", '"'}:
        matched = (_SINGLE if letter == "'" else _DOUBLE).match(text, at)
        if not matched:
            return at, None
        escapes = _SINGLE_ESCAPES if letter == "'" else _DOUBLE_ESCAPES
        return matched.end(), escapes.sub(lambda found: codecs.decode(found[0], "unicode-escape"), matched[1])
    rest = _after(_REST, text, at)
    value = text[at:rest]
    comment = _COMMENT.search(value)
    return rest, (value[: comment.start()] if comment else value).rstrip()


def _resolved(value: str, environ: Mapping[str, str], values: Mapping[str, str | None]) -> str:
    def one(found: re.Match[str]) -> str:
        name, default = found[1], found[2] or ""
        if name in values:
            return values[name] or ""
        return environ.get(name, default)

    if len(value) > _LONGEST_REFERENCE:  # a bound, for a reference that is never closed is sought in vain
        return _BOUNDED.sub(one, value)
    return _REFERENCE.sub(one, value)
