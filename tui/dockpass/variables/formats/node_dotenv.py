"""The dialect of node's dotenv: three kinds of quotes, any `#` ends a plain value, nothing is replaced."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dockpass.variables.formats.reading import Collector, Reading

_S = "[ \t\n\v\f\r\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
_SPACE = re.compile(f"{_S}*")
_BLANKS = re.compile(_S.replace("\n", "").replace("\u2028\u2029", "") + "*")
_EXPORT = re.compile(f"export{_S}+(?=[A-Za-z0-9_.-])")
_KEY = re.compile(r"[A-Za-z0-9_.-]+")
_EQUALS = re.compile(f"{_S}*=|:{_S}")
_PLAIN = re.compile(r"[^#\n]*")
_TRIMMED = " \t\n\v\f\r\xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def read_node_dotenv(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001
    """Read a file as `dotenv.parse` does; a line that is no assignment is left out, as there."""
    found = Collector()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    at, number, counted = 0, 1, 0
    while at < len(text):
        at = _end(_SPACE, text, at)
        number, counted = number + text.count("\n", counted, at), at
        if at >= len(text):
            break
        start = _end(_EXPORT, text, at) if text.startswith("export", at) else at
        key = _KEY.match(text, start)
        equals = _EQUALS.match(text, key.end()) if key else None
        if start > at and not equals:  # `export = x` names a variable
            key = _KEY.match(text, at)
            equals = _EQUALS.match(text, key.end()) if key else None
        if not key or not equals:
            if text[at] != "#":
                found.problem(number, "The line is not NAME=value; dotenv leaves it out.")
            at = _line_end(text, at)
            continue
        value, at = _value(text, equals.end())
        found.add(key[0], value, number)
    return found.reading()


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    matched = pattern.match(text, at)
    return matched.end() if matched else at


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _value(text: str, at: int) -> tuple[str, int]:
    start = _end(_SPACE, text, at)
    quote = text[start : start + 1]
    if quote and quote in "'\"`":
        end = _closing(text, start + 1, quote)
        if end >= 0:
            return _unescaped(quote, text[start + 1 : end]), _comment(text, end + 1)
    plain = _PLAIN.match(text, at)
    value = (plain[0] if plain else "").strip(_TRIMMED)
    after = _line_end(text, plain.end() if plain else at)
    first = value[:1]
    if len(value) > 1 and first in "'\"`" and value.endswith(first):
        value = value[1:-1]
    return _unescaped(first, value), after


def _unescaped(quote: str, value: str) -> str:
    return value.replace("\\n", "\n").replace("\\r", "\r") if quote == '"' else value


def _closing(text: str, at: int, quote: str) -> int:
    """Return the quote that ends the value: the first without a backslash, else the last with one."""
    escaped = -1
    while (at := text.find(quote, at)) >= 0:
        ends = _ends_a_line(text, at + 1)
        if text[at - 1] != "\\":
            return at if ends else escaped
        escaped = at if ends else escaped
        at += 1
    return escaped


def _ends_a_line(text: str, at: int) -> bool:
    at = _end(_BLANKS, text, at)
    return at >= len(text) or text[at] in "\n#\u2028\u2029"


def _comment(text: str, at: int) -> int:
    at = _end(_BLANKS, text, at)
    return _line_end(text, at) if text.startswith("#", at) else at
