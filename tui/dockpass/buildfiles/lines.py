"""A Dockerfile as instructions: continuations, comments, heredocs and the escape directive.

The grammar is that of the Dockerfile reference, where it is silent that of the engine's parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dockpass.buildfiles.words import split_words

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
_HEREDOC = re.compile(r"\d*<<(-?)([^<]+)$")
_WITH_HEREDOC = frozenset({"RUN", "COPY", "ADD"})


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A document within a Dockerfile. `expands` tells whether variables in it are replaced."""

    name: str
    text: str
    expands: bool
    is_closed: bool = True


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: upper-case keyword, its leading flags, its other words, the line where it begins.

    Words keep their quotes. `text` is everything behind the flags, as it is written, continued lines
    joined.
    """

    keyword: str
    flags: tuple[str, ...]
    words: tuple[str, ...]
    line: int
    text: str = ""
    heredocs: tuple[Heredoc, ...] = ()

    @property
    def has_heredoc(self) -> bool:
        """Whether documents stand behind it."""
        return bool(self.heredocs)


def directives(text: str) -> dict[str, str]:
    """Return the parser directives at the top, names in lower case."""
    found: dict[str, str] = {}
    for line in _lines(text):
        match = _DIRECTIVE.match(line.strip())
        if not match or match[1].lower() in found:
            break
        found[match[1].lower()] = match[2]
    return found


def escape_character(text: str) -> str:
    """Return the character that continues lines and escapes: a backslash or a backtick."""
    return "`" if directives(text).get("escape") == "`" else "\\"


def instructions(text: str) -> Iterator[Instruction]:
    """Yield the instructions in order."""
    escape = escape_character(text)
    lines = _lines(text)
    number = 0
    while number < len(lines):
        begin, number, joined = _join(lines, number, escape)
        words = split_words(joined, escape)
        if not words:
            continue
        keyword, *arguments = words
        heredocs = []
        for word, strips_tabs in _heredocs(keyword.upper(), arguments):
            heredoc, number = _heredoc(lines, number, word, strips_tabs)
            heredocs.append(heredoc)
        count = next((at for at, word in enumerate(arguments) if not word.startswith("--")), len(arguments))
        flags, rest = tuple(arguments[:count]), tuple(arguments[count:])
        text = _without_words(joined, [keyword, *flags])
        yield Instruction(keyword.upper(), flags, rest, begin + 1, text, tuple(heredocs))


def _lines(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]


def _join(lines: list[str], number: int, escape: str) -> tuple[int, int, str]:
    """Join the lines of one instruction; return where it begins, what comes next, and the text."""
    continued = re.compile(rf"(?:^|[^{re.escape(escape)}])({re.escape(escape)}[ \t]*)$")
    begin = number
    joined = ""
    while number < len(lines):
        line = lines[number]
        number += 1
        if line.lstrip().startswith("#") or not line.strip():  # also between continued lines
            if not joined:
                return begin, number, ""
            continue
        found = continued.search(line)
        joined += line[: found.start(1)] if found else line
        if not found:
            break
        joined = joined or " "  # an escape alone on its line begins an instruction too
    return begin, number, joined


def _heredocs(keyword: str, arguments: list[str]) -> list[tuple[str, bool]]:
    if keyword == "ONBUILD" and arguments:
        keyword = arguments[0].upper()
    if keyword not in _WITH_HEREDOC:
        return []
    found = (_HEREDOC.match(word) for word in arguments)
    return [(match[2], bool(match[1])) for match in found if match]


def _heredoc(lines: list[str], number: int, word: str, strips_tabs: bool) -> tuple[Heredoc, int]:
    """Return the document and the line behind it; one that never ends is empty."""
    name = word.strip("\"'")
    expands = name == word
    found: list[str] = []
    for index in range(number, len(lines)):
        line = lines[index].lstrip("\t") if strips_tabs else lines[index]
        if line == name:
            return Heredoc(name, "".join(f"{each}\n" for each in found), expands), index + 1
        found.append(line)
    return Heredoc(name, "", expands, is_closed=False), number


def _without_words(text: str, words: list[str]) -> str:
    """Return what stands behind the first words of a text."""
    rest = text.strip()
    for word in words:
        rest = rest[len(word) :].lstrip()
    return rest
