"""A quiet frame with a title on its line; the text in it scrolls."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.widgets import Static

from dockpass.ui.text import PlainText, contents, is_same
from dockpass.ui.views.words import Line, length, wrapped
from dockpass.ui.widgets.moving import LEAST_WHOLE, MOVES, NOWHERE, Moving, Place, room_of
from dockpass.ui.widgets.rows import Row, Rows

__all__ = ["Panel", "Row", "Rows", "Text", "View"]

View = Sequence[Line] | Callable[[int], Sequence[Line]]
"""Lines, or what makes them for a width in cells."""

MATCH, MATCH_HERE = "underline $role-look", "bold reverse $role-look"
"""How each match of a search is drawn, and the one that was gone to."""


class Text(PlainText, VerticalScroll, Moving):
    """Lines of text that scroll. What depends on the width is made when the width is known, and anew when it
    changes: a hidden widget has none.

    Long lines are wrapped; shown whole, they are read by going sideways.
    """

    BINDINGS = MOVES

    def __init__(self, view: View = (), *, id: str, classes: str = "") -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=f"{classes} text")
        self._text = Static(markup=False)
        self._view = view
        self._drawn: Content | None = None
        self._whole = False
        self._sought = ""
        self._at = 0
        self._matches: list[tuple[int, int]] = []
        """Where each match begins and ends in the text that is drawn."""

    def compose(self) -> ComposeResult:
        """Make the text."""
        yield self._text

    def on_mount(self) -> None:
        """Show the first lines."""
        self._draw()

    def show(self, view: View) -> None:
        """Replace the lines; the place in them stays."""
        self._view = view
        self._draw()

    def on_resize(self) -> None:
        """Make the lines for the new width."""
        self._draw()

    def _draw(self) -> None:
        drawn, before = contents(self._lines()), self._drawn
        if self._sought:
            drawn = self._marked(drawn)
        if before is None or not is_same(drawn, before):
            self._drawn = drawn
            grows = self._whole or before is None or drawn.plain.count("\n") != before.plain.count("\n")
            self._text.update(drawn, layout=grows)

    def _lines(self) -> Sequence[Line]:
        width = room_of(self)
        room = max(width, LEAST_WHOLE) if self._whole else width
        if width > 0:
            lines = self._view(room) if callable(self._view) else self._view
        else:
            lines = () if callable(self._view) else self._view
        if self._whole:
            self._text.styles.width = max(width, *map(length, lines), 1) + 1
            return lines
        # Wrapped here and not by Textual, whose height for it does not count the column of the scrollbar.
        return [part for line in lines for part in wrapped(line, width)]

    @property
    def shows_whole(self) -> bool:
        """Whether long lines are whole."""
        return self._whole

    def show_whole(self, whole: bool) -> None:
        """Show long lines whole, or wrap them."""
        self._whole = whole
        self.set_class(whole, "-whole")
        if not whole:
            self._text.styles.clear_rule("width")
            self.scroll_to(x=0, animate=False)
        self._draw()

    def move(self, lines: int) -> None:
        """Go so many lines down, or up."""
        self.scroll_to(y=self.scroll_target_y + lines, animate=False)

    def move_to(self, end: bool) -> None:
        """Go to the last line, or to the first."""
        self.scroll_end(animate=False, x_axis=False) if end else self.scroll_home(animate=False)

    def find(self, text: str) -> Place:
        """Mark what holds a text, without regard to case, and go to the first match from here on."""
        self._sought, self._at, self._matches = text, 0, []
        self._draw()
        here = self.scroll_offset.y
        self._at = next((at for at in range(len(self._matches)) if self._row_of(at) >= here), 0)
        return self._go_to_match()

    def find_next(self, step: int) -> Place:
        """Go to the next match, or to the one before; after the last one comes the first."""
        self._at = (self._at + step) % max(len(self._matches), 1)
        return self._go_to_match()

    def _row_of(self, at: int) -> int:
        return self._drawn.plain.count("\n", 0, self._matches[at][0]) if self._drawn is not None else 0

    def _go_to_match(self) -> Place:
        if not self._matches or self._drawn is None:
            return NOWHERE
        self._draw()
        start, end = self._matches[self._at]
        column = start - self._drawn.plain.rfind("\n", 0, start) - 1
        self.scroll_to_region(Region(column, self._row_of(self._at), end - start, 1), animate=False)
        return Place(self._at + 1, len(self._matches))

    def _marked(self, drawn: Content) -> Content:
        """Mark each match, and more so the one that is gone to."""
        found = re.finditer(re.escape(self._sought), drawn.plain, re.IGNORECASE)
        self._matches = [each.span() for each in found]
        self._at = min(self._at, max(len(self._matches) - 1, 0))
        for at, (start, end) in enumerate(self._matches):
            drawn = drawn.stylize(MATCH_HERE if at == self._at else MATCH, start, end)
        return drawn


class Panel(Text):
    """Lines of text in a frame."""

    def __init__(self, title: str, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="panel")
        self.border_title = title
