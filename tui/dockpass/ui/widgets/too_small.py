"""What stands on every screen where the terminal is too small for it."""

from __future__ import annotations

from textual.widgets import Static

SMALLEST_WIDTH, SMALLEST_HEIGHT = 60, 16


class TooSmall(Static):
    """Seen only below the smallest size; the style sheet hides everything else there."""

    def __init__(self) -> None:
        words = f"dockpass needs at least {SMALLEST_WIDTH} columns and {SMALLEST_HEIGHT} rows."
        super().__init__(words, id="small", markup=False)
