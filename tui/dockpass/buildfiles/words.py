"""Words of a Dockerfile: splitting, quotes, escapes and the substitution of variables.

The forms are those of BuildKit: `$NAME`, `${NAME}`; `-`, `+` and `?` with and without a colon; `#`, `##`,
`%` and `%%` with a pattern; `/` and `//` with a pattern and what takes its place. Anything else is a
problem that is reported, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

BLANKS = " \t\n\v\f\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What Go calls white space, as a class of a regular expression."""

_NAME = re.compile(r"\d+|[@*#?!$-]|\w+")
_BLANK = re.compile(f"[{BLANKS}]")
_ESCAPED_IN_QUOTES = '"$'
NOT_CLOSED = "a substitution is not closed; if it contains blanks, put it in double quotes"
QUOTE_NOT_CLOSED = "a quote is not closed"
UNKNOWN_FORM = "it has a substitution that docker does not support"


def split_words(text: str, escape: str = "\\") -> list[str]:
    """Split at blanks outside of quotes; the words keep their quotes and escapes."""
    words: list[str] = []
    word, quote, position = "", "", 0
    while position < len(text):
        char = text[position]
        if char == escape and quote != "'":
            word += text[position : position + 2]
            position += 2
            continue
        if not quote and _BLANK.match(char):
            if word:
                words.append(word)
            word = ""
        else:
            word += char
            if quote == char:
                quote = ""
            elif not quote and char in "\"'":
                quote = char
        position += 1
    return [*words, word] if word else words


@dataclass
class Expansion:
    """A word after substitution.

    `names` are all names that were looked up, `unset` those without a value, `problem` is what cannot
    be read. `demand` is what `${NAME:?words}` says of a name without a value: an error for a build.
    """

    text: str = ""
    names: list[str] = field(default_factory=list)
    unset: list[str] = field(default_factory=list)
    problem: str = ""
    demand: str = ""


def expand(word: str, lookup: Callable[[str], str | None], escape: str = "\\") -> Expansion:
    """Substitute variables and take off quotes; `lookup` returns None for a name without a value."""
    reader = _Reader(word, lookup, escape)
    reader.result.text = reader.until("")
    return reader.result


class _Reader:
    def __init__(self, word: str, lookup: Callable[[str], str | None], escape: str) -> None:
        self.word = word
        self.lookup = lookup
        self.escape = escape
        self.position = 0
        self.result = Expansion()

    def until(self, stop: str, *, raw: bool = False) -> str:
        """Read up to the character `stop`, which is taken, or to the end; `raw` keeps the escapes."""
        text = ""
        while self.position < len(self.word):
            char = self._take()
            if stop and char == stop:
                return text
            if char == "'":
                text += self._single_quoted()
            elif char == '"':
                text += self._double_quoted(raw=raw)
            elif char == "$":
                text += self._variable()
            elif char == self.escape:
                text += (char if raw else "") + self._take()
            else:
                text += char
        if stop:
            self._cannot(NOT_CLOSED)
        return text

    def _take(self) -> str:
        char = self.word[self.position : self.position + 1]
        self.position += 1
        return char

    def _next(self) -> str:
        return self.word[self.position : self.position + 1]

    def _single_quoted(self) -> str:
        end = self.word.find("'", self.position)
        if end < 0:
            self._cannot(QUOTE_NOT_CLOSED)
            end = len(self.word)
        text = self.word[self.position : end]
        self.position = end + 1
        return text

    def _double_quoted(self, *, raw: bool) -> str:
        text = ""
        while self.position < len(self.word):
            char = self._take()
            if char == '"':
                return text
            if char == "$":
                text += self._variable()
            elif char == self.escape:
                escapes = bool(self._next()) and self._next() in _ESCAPED_IN_QUOTES + self.escape
                text += (char if raw or not escapes else "") + (self._take() if escapes else "")
            else:
                text += char
        self._cannot(QUOTE_NOT_CLOSED)
        return text

    def _variable(self) -> str:
        if self._next() != "{":
            name = _NAME.match(self.word, self.position)
            if not name:
                return "$"
            self.position = name.end()
            return self._value(name[0]) or ""
        name = _NAME.match(self.word, self.position + 1)
        if not name:
            return self._cannot_go_on()
        self.position = name.end()
        operator = self._take()
        if operator == "}":
            return self._value(name[0]) or ""
        if operator == "/":
            return self._replaced(name[0])
        empty_counts = operator != ":"
        if not empty_counts:
            operator = self._take()
        if not operator or operator not in "-+?#%":
            return self._cannot_go_on()
        word = self.until("}", raw=operator in "#%")
        if operator in "#%":
            return self._trimmed(self._value(name[0]) or "", operator, word)
        return self._operated(name[0], operator, word, empty_counts=empty_counts)

    def _value(self, name: str) -> str | None:
        value = self._looked_up(name)
        if value is None:
            self.result.unset.append(name)
        return value

    def _looked_up(self, name: str) -> str | None:
        self.result.names.append(name)
        return self.lookup(name)

    def _operated(self, name: str, operator: str, word: str, *, empty_counts: bool) -> str:
        value = self._looked_up(name)
        has = value is not None if empty_counts else bool(value)
        if operator == "+":
            return word if has else ""
        if has or operator == "-":
            return value or "" if has else word
        self.result.unset.append(name)
        self.result.demand = self.result.demand or f"{name}: {word or 'it has no value'}"
        return ""

    def _trimmed(self, value: str, operator: str, pattern: str) -> str:
        """Take the shortest or, with the operator twice, the longest match off one end."""
        longest = pattern.startswith(operator)
        parts = self._pattern(pattern.removeprefix(operator))
        at_end = operator == "%"
        if at_end:  # from behind, so that the shortest match is found first there too
            value, parts = value[::-1], parts[::-1]
        found = _regex(parts, longest=longest).match(value)
        left = value[found.end() :] if found else value
        return left[::-1] if at_end else left

    def _replaced(self, name: str) -> str:
        every = self._next() == "/"
        self.position += every
        parts = self._pattern(self.until("/", raw=True))
        replacement = self.until("}", raw=True)
        value = self._value(name) or ""
        return _regex(parts, longest=True).sub(lambda _: replacement, value, count=0 if every else 1)

    def _pattern(self, pattern: str) -> list[str]:
        """Return `*`, `?` and single characters, the escaped ones with their backslash."""
        parts: list[str] = []
        position = 0
        while position < len(pattern):
            part = pattern[position]
            following = pattern[position + 1 : position + 2]
            position += 1
            if part == "\\":
                if following in ("}", "/"):
                    continue
                if not following or following not in "*?\\":
                    self._cannot(f"its pattern has a backslash before {following or 'its end'}")
                part += following
                position += 1
            parts.append(part)
        return parts

    def _cannot(self, problem: str) -> None:
        self.result.problem = self.result.problem or problem

    def _cannot_go_on(self) -> str:
        self._cannot(UNKNOWN_FORM)
        self.position = len(self.word)
        return ""


def _regex(parts: Sequence[str], *, longest: bool) -> re.Pattern[str]:
    wild = {"*": ".*" if longest else ".*?", "?": "."}
    return re.compile("".join(wild.get(part) or re.escape(part[-1:]) for part in parts))
