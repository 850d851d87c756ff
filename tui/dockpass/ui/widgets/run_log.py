"""The log of a run: any number of lines, of which only the visible ones are ever drawn."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import RenderOptions

from dockpass.ui.text import content
from dockpass.ui.views.words import Line

MOST_LINES = 20_000


class RunLog(ScrollView, can_focus=True):
    """Lines in a frame; it follows its end until it is told to stay."""

    BINDINGS = [
        Binding("j", "scroll_down", "down", show=False),
        Binding("k", "scroll_up", "up", show=False),
        Binding("g", "scroll_home", "first", show=False),
        Binding("G", "scroll_end", "last", show=False),
    ]

    following = reactive(True)

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="panel")
        self.border_title = "Log"
        self._lines: list[Line] = []
        self._widest = 0

    def write(self, lines: Sequence[Line]) -> None:
        """Append lines; the oldest go where there are too many."""
        if not lines:
            return
        self._lines += lines
        del self._lines[:-MOST_LINES]
        self._widest = max(self._widest, *(sum(len(text) for text, _ in line) for line in lines))
        self.virtual_size = Size(self._widest, len(self._lines))
        self._follow()
        self.refresh()

    def on_resize(self) -> None:
        """Keep the end in sight."""
        self._follow()

    def _follow(self) -> None:
        if self.following:
            self.call_after_refresh(self.scroll_end, animate=False)

    def replace(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        self._lines, self._widest = [], 0
        self.virtual_size = Size(0, 0)
        self.refresh()
        self.write(lines)

    def watch_following(self, following: bool) -> None:
        """Say whether the end is followed."""
        self.border_subtitle = "following" if following else "staying"

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
