"""Aligned columns for the command line, and lines that are broken between words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import combining, east_asian_width

from dockpass.text import inert


def columns(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Align columns, two blanks between them, with every cell inert; the last one is not padded."""
    if not rows:
        return []
    rows = [[inert(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        indent + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


_GAP = re.compile(r"(?<=\S) {2,}(?=\S)")
_TOKEN = re.compile(r"\S+| +")
_BESIDE = 2
"""How far a line goes on to the right of where it begins, if it has no columns."""


def wrapped(line: str, width: int) -> list[str]:
    """Break a line at its blanks to so many cells; what follows stands below its last column.

    No word is broken: one that has no room there begins further to the left, and one that is wider than
    the terminal stays whole.
    """
    if cells(line) <= width:
        return [line]
    begin = len(line) - len(line.lstrip(" "))
    columns_ = [found.end() for found in _GAP.finditer(line)]
    hang = max((each for each in columns_ if cells(line[:each]) <= width // 2), default=begin + _BESIDE)
    lines, current, gap = [], line[:begin], ""
    for token in _TOKEN.findall(line[begin:]):
        if token.isspace():
            gap = token
            continue
        if current.strip() and cells(current + gap + token) > width:
            lines.append(current)
            current, gap = " " * max(min(hang, width - cells(token)), 0), ""
        current += gap + token
        gap = ""
    return [*lines, current]


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(each) in "WF" else not combining(each) for each in text)
