"""Words of a Dockerfile: splitting, quotes, escapes and the substitution of variables.

Known are `$NAME`, `${NAME}` and `${NAME:-word}` with `-`, `+` and `?`, with and without the colon. Other
substitutions are a problem that is reported, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|\d+|[@*#?!$-]")
_OPERATOR = re.compile(r":?[-+?]")
_ESCAPED_IN_QUOTES = '"$'
NOT_CLOSED = "a substitution is not closed; with blanks in it, it needs double quotes around it"


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
        if char.isspace() and not quote:
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
    """A word after substitution. `unset` are names without a value, `problem` is what cannot be read.

    `demand` is what `${NAME:?words}` says of a name without a value: an error for a build.
    """

    text: str = ""
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

    def until(self, stop: str) -> str:
        """Read up to the character `stop`, which is taken, or to the end."""
        text = ""
        while self.position < len(self.word):
            char = self._take()
            if stop and char == stop:
                return text
            if char == "'":
                text += self._single_quoted()
            elif char == '"':
                text += self._double_quoted()
            elif char == "$":
                text += self._variable()
            elif char == self.escape:
                text += self._take()
            else:
                text += char
        if stop:
            self._cannot(NOT_CLOSED)
        return text

    def _take(self) -> str:
        char = self.word[self.position : self.position + 1]
        self.position += 1
        return char

    def _single_quoted(self) -> str:
        end = self.word.find("'", self.position)
        if end < 0:
            self._cannot("a quote is not closed")
            end = len(self.word)
        text = self.word[self.position : end]
        self.position = end + 1
        return text

    def _double_quoted(self) -> str:
        text = ""
        while self.position < len(self.word):
            char = self._take()
            if char == '"':
                return text
            if char == "$":
                text += self._variable()
            elif char == self.escape:
                following = self._take()
                kept = "" if following in _ESCAPED_IN_QUOTES + self.escape else char
                text += kept + following
            else:
                text += char
        self._cannot("a quote is not closed")
        return text

    def _variable(self) -> str:
        if self.word[self.position : self.position + 1] != "{":
            name = _NAME.match(self.word, self.position)
            if not name:
                return "$"
            self.position = name.end()
            return self._value(name[0])
        name = _NAME.match(self.word, self.position + 1)
        if not name:
            return self._cannot_go_on()
        self.position = name.end()
        if self.word[self.position : self.position + 1] == "}":
            self.position += 1
            return self._value(name[0])
        operator = _OPERATOR.match(self.word, self.position)
        if not operator:
            return self._cannot_go_on()
        self.position = operator.end()
        return self._operated(name[0], operator[0], self.until("}"))

    def _value(self, name: str) -> str:
        value = self.lookup(name)
        if value is None:
            self.result.unset.append(name)
        return value or ""

    def _operated(self, name: str, operator: str, word: str) -> str:
        value = self.lookup(name)
        has = bool(value) if operator.startswith(":") else value is not None
        if operator.endswith("+"):
            return word if has else ""
        if not has and operator.endswith("?"):
            self.result.unset.append(name)
            self.result.demand = self.result.demand or f"{name}: {word or 'it has no value'}"
            return ""
        return value or "" if has else word

    def _cannot(self, problem: str) -> None:
        self.result.problem = self.result.problem or problem

    def _cannot_go_on(self) -> str:
        self._cannot("it has a substitution that is not read here")
        self.position = len(self.word)
        return ""
