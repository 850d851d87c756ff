"""Finds the line of a settings file that gives a setting its value."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

MOST_LINES = 2_000
"""Of a longer file no line is named: each look at it reads all lines before it again."""


def line_of(text: str, where: Sequence[str | int]) -> int:
    """Return the line, counted from 1, that gives a value to a setting; 0 where none is known.

    `where` leads to the value: names of tables and settings, and places in lists. `text` is valid TOML. A
    beginning of it that is valid too ends between two statements: no multi-line text is taken for a setting.
    """
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        return 0
    before = 0
    for number in range(1, len(lines) + 1):
        try:
            found = tomllib.loads("\n".join(lines[:number]) + "\n")
        except tomllib.TOMLDecodeError:
            continue
        if _has(found, where):
            return before + 1
        before = number
    return 0


def _has(found: object, where: Sequence[str | int]) -> bool:
    for step in where:
        if isinstance(step, int):
            if not isinstance(found, list) or step >= len(found):
                return False
            found = found[step]
        elif isinstance(found, dict) and step in found:
            found = found[step]
        else:
            return False
    return True
