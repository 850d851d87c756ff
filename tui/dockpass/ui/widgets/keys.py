"""The keys at the foot: as many as there is room for, whole."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import ActiveBinding
from textual.events import Resize
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from dockpass.actions import ACTIONS
from dockpass.ui.actions import action_string

ALWAYS = frozenset({"help", "app.quit", "quit"})
"""Actions that lead to all others, and out."""

PADDING = 1
"""Cells before the first key, as in the style sheet."""


class Keys(Footer):
    """Textual's footer, in which no key is cut: those that do not fit are behind `?`."""

    def __init__(self, scopes: Sequence[str] = ()) -> None:
        """`scopes` are those of the screen's actions: keys stand in the order of the table."""
        super().__init__(compact=True)
        self._places = _places(scopes)
        self._chosen_for = 0
        self._chosen_from: list[ActiveBinding] = []

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Choose anew only where other keys hold: Textual calls this after every movement of the focus."""
        if screen is not self.screen or self._chosen_from != list(screen.active_bindings.values()):
            super().bindings_changed(screen)

    def compose(self) -> ComposeResult:
        """Leave out what does not fit."""
        if self._bindings_ready:
            self._chosen_from = list(self.screen.active_bindings.values())
        keys = [each for each in super().compose() if isinstance(each, FooterKey)]
        docked = [each for each in keys if each.has_class("-command-palette")]
        # A key of a person's own keeps the place of its action.
        rest = sorted(
            (each for each in keys if each not in docked),
            key=lambda each: self._places.get(each.action, len(ACTIONS)),
        )
        room = self.app.size.width - PADDING - sum(_width(each) + 1 for each in docked)
        fit = fitting([(_width(each), each.action in ALWAYS) for each in rest], room)
        yield from (each for each, fits in zip(rest, fit, strict=True) if fits)
        yield from docked

    def on_resize(self, event: Resize) -> None:
        """Choose anew where there is more room, or less."""
        if event.size.width != self._chosen_for and self.is_attached:
            self._chosen_for = event.size.width
            self.call_after_refresh(self.recompose)


def _places(scopes: Sequence[str]) -> dict[str, int]:
    """Return the place of each action among the others, by what Textual runs; rows' own keys come first."""
    actions = [action for action in ACTIONS if action.scope in scopes]
    return {"select": -1} | {action_string(action): at for at, action in enumerate(actions)}


def fitting(keys: Sequence[tuple[int, bool]], room: int) -> list[bool]:
    """Tell of each key, given its width in cells and whether it always stands, whether it fits.

    Those at the end give way first.
    """
    left = room - sum(width for width, always in keys if always)
    shown = []
    full = False
    for width, always in keys:
        full = full or (not always and width > left)
        if not always and not full:
            left -= width
        shown.append(always or not full)
    return shown


def _width(key: Widget) -> int:
    """Return the cells of a key, its words, and the blank before the next."""
    if not isinstance(key, FooterKey):
        return 0
    return len(key.key_display) + len(key.description) + 2
