"""Aligned columns for the command line."""

from __future__ import annotations

from collections.abc import Sequence

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
