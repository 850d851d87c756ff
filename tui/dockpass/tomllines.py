"""In which line each key of a TOML text stands: the standard library's reader does not tell.

The text is one that the reader took, so that nothing is checked here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r'"""(?:[^\\]|\\.)*?"{3,5}(?!")',
        r"'''.*?'{3,5}(?!')",
        r'"(?:[^"\\]|\\.)*"',
        r"'[^']*'",
    )
)
_SCALAR = re.compile(r"[^,\]}\r\n#]*")


def lines_of(text: str) -> Mapping[Path, int]:
    """Return the line, counted from 1, of every key and of every entry of an array."""
    scan = _Scan(text)
    with suppress(RecursionError):  # what was seen so far is enough to say where something stands
        scan.document()
    return scan.found


def line_at(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of a key, else of what it is in; 0 where neither is known."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 0)


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.counted = 0
        self.found: dict[Path, int] = {}
        self.last: dict[Path, int] = {}  # of an array of tables the number of the last

    def document(self) -> None:
        here: Path = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                here = self._header()
            else:
                self._pair(here)
            self._skip(_BLANK)

    def _header(self) -> Path:
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        path = self._placed(self._keys())
        self._note_all(path, 0)
        self.at += 2 if many else 1
        if not many:
            return path
        number = self.last.get(path, -1) + 1
        self.last[path] = number
        self._note((*path, number))
        return (*path, number)

    def _placed(self, keys: Path) -> Path:
        """Return the whole path of a header: within an array of tables it goes on in the last one."""
        path: Path = ()
        for number, key in enumerate(keys):
            path = (*path, key)
            if number < len(keys) - 1 and path in self.last:
                path = (*path, self.last[path])
        return path

    def _pair(self, here: Path) -> None:
        path = (*here, *self._keys())
        self._note_all(path, len(here))
        self.at += 1  # the =
        self._skip(_SPACE)
        self._value(path)

    def _keys(self) -> Path:
        keys: list[str | int] = []
        while True:
            self._skip(_SPACE)
            if self.text[self.at] in "\"'":
                end = self._string()
                keys.append(tomllib.loads(f"k = {self.text[self.at : end]}")["k"])
                self.at = end
            else:
                start = self.at
                self._skip(_BARE)
                keys.append(self.text[start : self.at])
            self._skip(_SPACE)
            if self.text[self.at : self.at + 1] != ".":
                return tuple(keys)
            self.at += 1

    def _value(self, path: Path) -> None:
        match self.text[self.at : self.at + 1]:
            case "[":
                self._array(path)
            case "{":
                self._inline(path)
            case '"' | "'":
                self.at = self._string()
            case _:
                self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        self.at += 1
        number = 0
        while True:
            self._skip(_BLANK)
            if self.text[self.at] == "]":
                break
            self._note((*path, number))
            self._value((*path, number))
            number += 1
            self._skip(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        while True:
            self._skip(_BLANK)
            if self.text[self.at] == "}":
                break
            self._pair(path)
            self._skip(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1

    def _string(self) -> int:
        """Return the end of the string that begins here."""
        for pattern in _STRINGS:
            if found := pattern.match(self.text, self.at):
                return found.end()
        return len(self.text)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if found := pattern.match(self.text, self.at):
            self.at = found.end()

    def _note_all(self, path: Path, known: int) -> None:
        for depth in range(known + 1, len(path) + 1):
            self._note(path[:depth])

    def _note(self, path: Path) -> None:
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        self.found.setdefault(path, self.line)
