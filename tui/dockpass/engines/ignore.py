"""`.dockerignore`: which files of a build context stay out, by the rules of docker's own matcher.

A pattern is a path in Go's notation (`*`, `?`, `[a-z]`, `[^a]`, `\\x`), with `**` for any directories.
Case counts. The last pattern that matches a file or a directory above it decides, and `!` brings files back.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from dockpass.buildfiles.words import BLANKS

_AROUND = re.compile(f"^[{BLANKS}]+|[{BLANKS}]+$")
_SPECIAL = frozenset(".+()|{}$")
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": "\\x00-\\x7f", "blank": "\\t ",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\v\\f\\r ", "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_LETTERS = {
    "d": "[0-9]", "D": "[^0-9]", "w": "[0-9A-Za-z_]", "W": "[^0-9A-Za-z_]", "s": "[\\t\\n\\f\\r ]",
    "S": "[^\\t\\n\\f\\r ]", "b": "(?a:\\b)", "B": "(?a:\\B)", "A": "\\A", "z": "\\Z", "a": "\\a", "f": "\\f",
    "t": "\\t", "n": "\\n", "r": "\\r", "v": "\\v",
}  # fmt: skip
_ONLY_OUTSIDE = frozenset("bBAz")


class PatternError(ValueError):
    """A pattern that docker refuses; the text says why."""


@dataclass(frozen=True)
class Pattern:
    """One line: a cleaned path pattern, and whether it brings files back. `line` is for messages."""

    text: str
    brings_back: bool = False
    line: int = 0

    def matches(self, path: str) -> bool:
        """Tell whether a path is like this; raises `PatternError` for what cannot be read."""
        return self._test.fullmatch(path) is not None

    @cached_property
    def _test(self) -> re.Pattern[str]:
        try:
            return re.compile(_python(_go_expression(self.text)))
        except re.error as error:
            raise PatternError(f"{self.text}: syntax error in pattern") from error


@dataclass(frozen=True)
class Ignored:
    """The patterns of an ignore file, in order."""

    patterns: tuple[Pattern, ...] = ()
    brings_back: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "brings_back", any(pattern.brings_back for pattern in self.patterns))

    def look(self, path: str, above: Sequence[bool]) -> tuple[bool, tuple[bool, ...]]:
        """Tell whether a path stays out, and which patterns match it or a directory above it.

        `above` is the second answer for the directory that it is in, empty for the context itself.
        """
        out = False
        matched: list[bool] = []
        for index, pattern in enumerate(self.patterns):
            match = bool(above) and above[index]
            if not match and pattern.brings_back == out:
                match = pattern.matches(path)
            matched.append(match)
            if match:
                out = not pattern.brings_back
        return out, tuple(matched)


def read_patterns(text: str) -> tuple[Pattern, ...]:
    """Return the patterns of an ignore file; raises `PatternError` that names the line."""
    found: list[Pattern] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        word = _AROUND.sub("", line)
        if line.startswith("#") or not word:
            continue
        brings_back = word.startswith("!")
        if brings_back:
            word = _AROUND.sub("", word[1:])
            if not word.strip("/"):
                raise PatternError(f"line {number}: nothing stands behind the `!`")
        word = _AROUND.sub("", _cleaned(word))
        if brings_back or not word.startswith("!"):
            _check(word, number)
            found.append(Pattern(word, brings_back, number))
        else:  # cleaning brought a `!` to the front, which then counts
            _check(word[1:], number)
            found.append(Pattern(word[1:], True, number))
    return tuple(found)


def kept(
    root: Path, ignored: Ignored, *, always: frozenset[str] = frozenset(), classic: bool = False
) -> Iterator[str]:
    """Yield the names in a directory that do not stay out, parents first; those of `always` never do.

    BuildKit looks for files to bring back in every directory, and a directory comes with its files.
    The classic builder looks only where a pattern with `!` begins with the directory's whole name.
    """
    yield from _below(str(root), "", ignored, (), always=always, classic=classic)


def _below(
    folder: str,
    name: str,
    ignored: Ignored,
    above: tuple[bool, ...],
    *,
    always: frozenset[str],
    classic: bool,
) -> Iterator[str]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path = f"{name}/{entry.name}" if name else entry.name
        out, matched = ignored.look(path, above)
        out = out and path not in always
        is_directory = entry.is_dir(follow_symlinks=False)
        if not out:
            yield path
        if not is_directory or (out and not _may_bring_back(path, ignored, always, classic=classic)):
            continue
        inside = _below(entry.path, path, ignored, matched, always=always, classic=classic)
        for each in inside:
            if out and not classic:
                yield path
                out = False
            yield each


def _may_bring_back(path: str, ignored: Ignored, always: frozenset[str], *, classic: bool) -> bool:
    if any(name.startswith(f"{path}/") for name in always):
        return True
    if not classic:
        return ignored.brings_back
    back = (pattern.text for pattern in ignored.patterns if pattern.brings_back)
    return any(f"{text}/".startswith(f"{path}/") for text in back)


def _cleaned(word: str) -> str:
    """Return the shortest form of a path, relative to the context."""
    cleaned = posixpath.normpath(word)
    if cleaned.startswith("//"):
        cleaned = cleaned[1:]
    return cleaned[1:] if len(cleaned) > 1 and cleaned.startswith("/") else cleaned


def _check(pattern: str, number: int) -> None:
    """Raise for what Go's path matcher refuses: an open class, a class without an end, a final backslash."""
    if not _is_sound(pattern):
        raise PatternError(f"line {number}: {pattern}: syntax error in pattern")


def _is_sound(pattern: str) -> bool:
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "\\":
            if at == len(pattern):
                return False
            at += 1
        elif char == "[":
            at = _class_end(pattern, at)
            if at < 0:
                return False
    return True


def _class_end(pattern: str, at: int) -> int:
    """Return where a class ends that begins before `at`; -1 for one that is none."""
    at += pattern[at : at + 1] == "^"
    ranges = 0
    while True:
        if pattern[at : at + 1] == "]" and ranges:
            return at + 1
        at = _character_end(pattern, at)
        if at >= 0 and pattern[at] == "-":
            at = _character_end(pattern, at + 1)
        if at < 0:
            return -1
        ranges += 1


def _character_end(pattern: str, at: int) -> int:
    if pattern[at : at + 1] in {"", "-", "]"}:
        return -1
    at += pattern[at] == "\\"
    return at + 1 if at + 1 < len(pattern) else -1


def _go_expression(pattern: str) -> str:
    """Return the regular expression that docker makes of a pattern, in Go's notation.

    Classes are not told apart there, so a star within one is replaced like any other.
    """
    made, at, wild, ends_open, begins_open = "", 0, False, False, False
    while at < len(pattern):
        char = pattern[at]
        start, at = at, at + 1
        if char == "*" and pattern[at : at + 1] == "*":
            at += 1
            at += pattern[at : at + 1] == "/"
            if at < len(pattern):
                made += "(.*/)?"
                wild = True
            elif start and (wild or begins_open):
                made += ".*"
                wild = True
            else:
                ends_open = True
            if start == 0:
                begins_open, wild = True, False
        elif char == "*":
            made, wild = f"{made}[^/]*", True
        elif char == "?":
            made, wild = f"{made}[^/]", True
        elif char == "\\":
            made, wild, at = f"{made}\\{pattern[at : at + 1]}", True, at + 1
        elif char in _SPECIAL:
            made += f"\\{char}"
        else:
            made += char
            wild = wild or char in "[]"
    if wild:
        return made
    if begins_open:  # by its end alone: `**.md`, `**/docs`, and `**` itself
        suffix = pattern[2:]
        begin = "(.*/)?" if suffix.startswith("/") else ".*"
        return f"(?s:{begin}){_quoted(suffix.removeprefix('/'))}"
    return f"{_quoted(pattern[:-2])}(?s:.*)" if ends_open else _quoted(pattern)


def _quoted(text: str) -> str:
    """Escape what is no letter, digit or underscore: an escaped one of these would mean something else."""
    return "".join(f"\\{char}" if char.isascii() and not re.match(r"\w", char) else char for char in text)


def _python(expression: str) -> str:
    """Return a regular expression of Go's as one of Python's; raises `PatternError` where Go would."""
    made, at = "", 0
    while at < len(expression):
        char = expression[at]
        at += 1
        if char == "\\":
            made, at = made + _escaped(expression, at, inside=False), at + 1
        elif char == "[":
            part, at = _set(expression, at)
            made += part
        else:
            made += char
    return made


def _set(expression: str, at: int) -> tuple[str, int]:
    made = "["
    if expression[at : at + 1] == "^":
        made, at = f"{made}^", at + 1
    first = True
    while at < len(expression):
        char = expression[at]
        if char == "]" and not first:
            return f"{made}]", at + 1
        named = re.compile(r"\[:(\^?)(\w+):\]").match(expression, at)
        if named:
            if named[1] or named[2] not in _CLASSES:
                raise PatternError(f"{named[0]}: syntax error in pattern")
            made, at = made + _CLASSES[named[2]], named.end()
        elif char == "\\":
            made, at = made + _escaped(expression, at + 1, inside=True), at + 2
        else:
            made, at = made + (f"\\{char}" if char in "[]&~|^" else char), at + 1
        first = False
    raise PatternError(f"{expression}: syntax error in pattern")


def _escaped(expression: str, at: int, *, inside: bool) -> str:
    char = expression[at : at + 1]
    if not char.isascii() or not char.isalnum():  # Go takes an escaped underscore for itself
        return re.escape(char)
    if char not in _LETTERS or (inside and char in _ONLY_OUTSIDE):
        raise PatternError(f"\\{char}: syntax error in pattern")
    found = _LETTERS[char]
    if inside and found.startswith("[^"):
        return f"\\{char}"
    return found.strip("[]") if inside and found.startswith("[") else found
