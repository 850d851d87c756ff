"""Reads the assignments that `export -p` and `declare -x` print. Nothing in them is ever run."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DECLARES = re.compile(r"(?:export|declare|typeset)(?:[ \t]+-[A-Za-z-]+)*[ \t]+(?=[A-Za-z_])")
_NAME = re.compile(r"([A-Za-z_]\w*)(=?)", re.ASCII)
_ASSIGNS = re.compile(r"[A-Za-z_]\w*=", re.ASCII)
_BLANK = " \t"
_ENDS = "\n;"
_NEVER_LITERAL = "&|()<>"
_BYTE = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3}))")
_ANSI = re.compile(
    r"((?:\\x[0-9A-Fa-f]{1,2}|\\[0-7]{1,3})+)|\\(?:u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|(.))", re.DOTALL
)
_ANSI_LETTERS = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}


@dataclass(frozen=True, slots=True)
class Word:
    """A value as a shell would set it; where `computed`, parts of it are what a shell would replace.

    `value` is None for a name that gets no value.
    """

    name: str
    value: str | None
    computed: bool


class NotLiteral(ValueError):
    """The text is no assignment of this form; the message repeats nothing of it."""


def is_shell_line(line: str) -> bool:
    """Tell whether a line begins as `export NAME` or `declare -x NAME` does."""
    return bool(_DECLARES.match(line))


def read_words(text: str, start: int) -> tuple[list[Word], int]:
    """Return the assignments of the line at `start` of a text, and how many lines they take.

    They follow `export` or `declare`, or stand alone as `NAME=value`. Raises `NotLiteral`.
    """
    words: list[Word] = []
    at = start
    while True:
        found = _DECLARES.match(text, at)
        assigned = None if found else _ASSIGNS.match(text, at)
        if not found and not assigned:
            break
        more, at = _statement(text, found.end() if found else at)
        words += more
        if not text.startswith(";", at):
            break
        at = _blanks(text, at + 1)
    if at < len(text) and text[at] not in "\n#":
        raise NotLiteral("something other than assignments is in it")
    return words, text.count("\n", start, at) + 1


def _statement(text: str, at: int) -> tuple[list[Word], int]:
    words: list[Word] = []
    while (at := _blanks(text, at)) < len(text) and text[at] not in _ENDS + "#":
        name = _NAME.match(text, at)
        if not name:
            raise NotLiteral("the shell's assignment is not NAME=value")
        at = name.end()
        if name[2]:
            value, computed, at = _value(text, at)
            words.append(Word(name[1], value, computed))
        elif at < len(text) and text[at] not in _BLANK + _ENDS:
            raise NotLiteral("the shell's assignment is not NAME=value")
        else:
            words.append(Word(name[1], None, computed=False))
    return words, at


def read_word(text: str, at: int) -> tuple[str, bool, int]:
    """Return the word at a position as a shell reads it, whether it is computed, and where it ends.

    Raises `NotLiteral`.
    """
    return _value(text, at)


def _blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _value(text: str, at: int) -> tuple[str, bool, int]:
    parts: list[str] = []
    computed = False
    while at < len(text) and text[at] not in _BLANK + _ENDS:
        if text.startswith("$'", at):
            end = _closing(text, at + 2, "'", escapes=True)
            parts.append(unescaped(text[at + 2 : end]))
            at = end + 1
        elif text[at] == "'":
            end = _closing(text, at + 1, "'", escapes=False)
            parts.append(text[at + 1 : end])
            at = end + 1
        elif text[at] == '"':
            end = _closing(text, at + 1, '"', escapes=True)
            inside = text[at + 1 : end]
            computed = computed or bool(re.search(r"(?<!\\)(?:\\\\)*[$`]", inside))
            parts.append(re.sub(r'\\(["\\$`])', r"\1", inside.replace("\\\n", "")))
            at = end + 1
        elif text[at] == "\\":
            parts.append(text[at + 1 : at + 2].replace("\n", ""))
            at += 2
        elif text[at] in _NEVER_LITERAL:
            raise NotLiteral("it is a list or a command, and no text")
        else:
            if text.startswith("$(", at):
                at, before = _command(text, at), at
                parts.append(text[before:at])
                computed = True
                continue
            computed = computed or text[at] in "$`"
            parts.append(text[at])
            at += 1
    return "".join(parts), computed, min(at, len(text))


def _command(text: str, at: int) -> int:
    end = text.find(")", at)
    if end < 0:
        raise NotLiteral("a command in it is not closed")
    return end + 1


def _closing(text: str, at: int, quote: str, *, escapes: bool) -> int:
    while at < len(text) and text[at] != quote:
        at += 2 if escapes and text[at] == "\\" else 1
    if at >= len(text):
        raise NotLiteral("a quote in it is not closed")
    return at


def unescaped(text: str) -> str:
    """Return what stands between `$'` and `'`, its escapes replaced as bash does."""
    return _ANSI.sub(_ansi, text)


def _ansi(found: re.Match[str]) -> str:
    if found[1]:  # these are bytes, and several of them make one letter
        raw = bytes(
            int(byte[1], 16) if byte[1] else int(byte[2], 8) & 0xFF for byte in _BYTE.finditer(found[1])
        )
        return raw.decode("utf-8", "surrogateescape")
    if code := found[2] or found[3]:
        return chr(int(code, 16)) if int(code, 16) <= 0x10FFFF else ""
    return _ANSI_LETTERS.get(found[4], found[4] if found[4] in "\\'\"?" else found[0])
