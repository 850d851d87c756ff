"""A Dockerfile as instructions: continuations, comments, heredocs and the directives at its top.

The grammar is that of BuildKit's parser, which the Dockerfile reference describes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dockpass.buildfiles.words import BLANKS, expand, split_words

_DIRECTIVE = re.compile(r"\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$", re.ASCII)
_KNOWN_DIRECTIVES = frozenset({"syntax", "escape", "check"})
_HEREDOC = re.compile(r"\d*<<(-?)([^<]+)$")
_WITH_HEREDOC = frozenset({"RUN", "COPY", "ADD"})
_BETWEEN = re.compile(r"[\t\v\f\r ]+")
_LEADING = re.compile(f"[{BLANKS}]+")
_AROUND = re.compile(f"^[{BLANKS}]+|[{BLANKS}]+$")


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

    Flags have lost their quotes and escapes, words keep theirs; those of FROM are split at blanks alone.
    `text` is everything behind the flags, as it is written, continued lines joined.
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


@dataclass(frozen=True, slots=True)
class Directive:
    """A parser directive (`# name=value`), its name in lower case."""

    name: str
    value: str
    line: int


def directives(text: str) -> list[Directive]:
    """Return the parser directives at the top, also the ones that are there twice."""
    return list(_directives(_lines(text), 0, "#"))


def syntax(text: str) -> Directive | None:
    """Return the directive that names a frontend, in the ways in which BuildKit looks for one."""
    lines = _lines(text)
    skipped = int(lines[0].startswith("#!"))
    for comment in ("#", "//"):
        for found in _directives(lines, skipped, comment, strict=True):
            if found.name == "syntax":
                return Directive("syntax", found.value.split(" ")[0], found.line)
    return _syntax_of_json("\n".join(lines[skipped:]))


def escape_character(text: str) -> str:
    """Return the character that continues lines and escapes: a backslash or a backtick."""
    found = next((each.value for each in directives(text) if each.name == "escape"), "")
    return "`" if found == "`" else "\\"


def instructions(text: str) -> Iterator[Instruction]:
    """Yield the instructions in order; one without a keyword is an escape that nothing follows."""
    escape = escape_character(text)
    lines = _lines(text)
    number = 0
    while number < len(lines):
        begin, number, joined = _join(lines, number, escape)
        if not joined:
            continue
        joined = _stripped(joined)
        keyword, _, rest = _divide(joined)
        flags, rest = split_flags(rest)
        heredocs = []
        for word, strips_tabs in _heredocs(keyword, rest, joined):
            heredoc, number = _heredoc(lines, number, word, strips_tabs)
            heredocs.append(heredoc)
        words = _BETWEEN.split(rest) if keyword == "FROM" and rest else split_words(rest, escape)
        yield Instruction(keyword, flags, tuple(words), begin + 1, rest, tuple(heredocs))


def split_flags(text: str) -> tuple[tuple[str, ...], str]:
    """Return the flags at the beginning of a text, without their quotes, and what stands behind them."""
    flags: list[str] = []
    rest = _LEADING.sub("", text, count=1) if _LEADING.match(text) else text
    while rest.startswith("--"):
        flag, rest = _flag(rest)
        if flag == "--":
            break
        flags.append(flag)
    return tuple(flags), _stripped(rest)


def _flag(text: str) -> tuple[str, str]:
    flag, quote, position = "", "", 0
    while position < len(text):
        char = text[position]
        position += 1
        if char == "\\":
            flag += text[position : position + 1]
            position += 1
        elif quote:
            quote, flag = ("", flag) if char == quote else (quote, flag + char)
        elif char in "\"'":
            quote = char
        elif _LEADING.match(char):
            break
        else:
            flag += char
    return flag, _stripped(text[position:])


def _lines(text: str) -> list[str]:
    return [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")]


def _stripped(text: str) -> str:
    return _AROUND.sub("", text)


def _divide(joined: str) -> tuple[str, str, str]:
    found = _BETWEEN.search(joined)
    if found is None:
        return joined.upper(), "", ""
    return joined[: found.start()].upper(), found[0], joined[found.end() :]


def _directives(lines: list[str], skipped: int, comment: str, *, strict: bool = False) -> Iterator[Directive]:
    """Yield directives; blanks may stand before one unless `strict`."""
    for number, line in enumerate(lines[skipped:], skipped + 1):
        begin = line if strict else _LEADING.sub("", line, count=1) if _LEADING.match(line) else line
        match = _DIRECTIVE.match(begin.removeprefix(comment)) if begin.startswith(comment) else None
        if match is None or match[1].lower() not in _KNOWN_DIRECTIVES:
            return
        yield Directive(match[1].lower(), match[2], number)


def _syntax_of_json(text: str) -> Directive | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text).get("syntax")
    except (ValueError, RecursionError):
        return None
    return Directive("syntax", value, 1) if isinstance(value, str) else None


def _join(lines: list[str], number: int, escape: str) -> tuple[int, int, str]:
    """Join the lines of one instruction; return where it begins, what comes next, and the text."""
    continued = re.compile(rf"(?:^|[^{re.escape(escape)}])({re.escape(escape)}[ \t]*)$")
    begin = number
    joined = ""
    while number < len(lines):
        line = lines[number]
        number += 1
        begun = _LEADING.sub("", line, count=1) if _LEADING.match(line) else line
        if begun.startswith("#") or not begun:  # also between continued lines
            if not joined:
                return begin, number, ""
            continue
        found = continued.search(line)
        joined += line[: found.start(1)] if found else line
        if not found:
            break
        joined = joined or " "  # an escape alone on its line begins an instruction too
    return begin, number, joined


def _heredocs(keyword: str, rest: str, joined: str) -> list[tuple[str, bool]]:
    if keyword == "ONBUILD":
        keyword, _, rest = _divide(rest)
        _, rest = split_flags(rest)
    if keyword not in _WITH_HEREDOC or "<<" not in joined or _is_json(rest):
        return []
    if expand(joined, lambda _: "").problem:  # the parser looks for documents in whole words only
        return []
    found = (_HEREDOC.match(word) for word in split_words(joined))
    return [(match[2], bool(match[1])) for match in found if match]


def _is_json(text: str) -> bool:
    try:
        found = json.loads(text) if text.startswith("[") else None
    except (ValueError, RecursionError):
        return False
    return isinstance(found, list) and all(isinstance(each, str) for each in found)


def _heredoc(lines: list[str], number: int, word: str, strips_tabs: bool) -> tuple[Heredoc, int]:
    """Return the document and the line behind it; one that never ends is empty."""
    name = expand(word, lambda _: None).text
    expands = name == word
    found: list[str] = []
    for index in range(number, len(lines)):
        line = lines[index].lstrip("\t") if strips_tabs else lines[index]
        if line == name:
            return Heredoc(name, "".join(f"{each}\n" for each in found), expands), index + 1
        found.append(line)
    return Heredoc(name, "", expands, is_closed=False), number
