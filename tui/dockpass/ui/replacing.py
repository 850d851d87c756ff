"""Asks before a file that a person named is replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockpass.text import clean
from dockpass.typedpath import is_there
from dockpass.ui.screens.dialogs import Confirm
from dockpass.ui.views.words import Line

if TYPE_CHECKING:
    from textual.app import App


def write_or_ask(
    app: App[Any], path: Path, write: Callable[[bool], None], *, title: str, lost: Sequence[Line] = ()
) -> None:
    """Call `write(False)` for a new file; for one that exists ask first, and call `write(True)` after a yes.

    `lost` are lines that say what goes with the file.
    """
    if not is_there(path):
        write(False)
        return
    lines: list[Line] = [((f"{clean(str(path), 1000)} already exists.", "text"),), *lost]
    dialog = Confirm(title, lines, yes="replace it", danger=True)
    app.push_screen(dialog, lambda yes: write(True) if yes else None)
