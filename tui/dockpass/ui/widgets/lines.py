"""Any number of lines, of which only the visible ones are ever drawn."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import RenderOptions

from dockpass.ui.text import PlainText, content
from dockpass.ui.views.words import Line
from dockpass.ui.widgets.panel import SCROLL_KEYS

MOST_LINES = 20_000


class Lines(PlainText, ScrollView, can_focus=True):
    """Lines in a frame; long ones are read by going sideways."""

    BINDINGS = [
        *SCROLL_KEYS,
        Binding("h", "scroll_left", "left", show=False),
        Binding("l", "scroll_right", "right", show=False),
    ]

    def __init__(self, title: str, *, id: str, framed: bool = True) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="panel" if framed else "text")
        self.border_title = title
        self._lines: list[Line] = []
        self._widest = 0

    @property
    def allow_horizontal_scroll(self) -> bool:
        """Long lines are read by going sideways, though no bar takes a row for it."""
        return self._widest > self.scrollable_content_region.width

    def write(self, lines: Sequence[Line]) -> None:
        """Append lines; the oldest go where there are too many."""
        if not lines:
            return
        self._lines += lines
        del self._lines[:-MOST_LINES]
        self._widest = max(self._widest, *(sum(len(text) for text, _ in line) for line in lines))
        self.virtual_size = Size(self._widest, len(self._lines))
        self.refresh()

    def replace(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        self._lines, self._widest = [], 0
        self.virtual_size = Size(0, 0)
        self.refresh()
        self.write(lines)

    def render_line(self, y: int) -> Strip:
        """Draw one visible line."""
        offset_x, offset_y = self.scroll_offset
        width = self.scrollable_content_region.width
        number = y + offset_y
        if number >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        options = RenderOptions(self._get_style, {})
        shown = content(self._lines[number])
        strips = shown.render_strips(max(self._widest, width), 1, self.visual_style, options)
        return strips[0].crop(offset_x, offset_x + width).extend_cell_length(width, self.rich_style)
