"""Any number of lines, of which only the visible ones are ever drawn."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.visual import RenderOptions

from dockpass.ui.text import PlainText, content, selected_in
from dockpass.ui.views.words import Line, length, plain, wrapped
from dockpass.ui.widgets.moving import MOVES, NOWHERE, Moving, Place


class Lines(PlainText, ScrollView, Moving, can_focus=True):
    """Lines in a frame; long ones are read by going sideways, or wrapped."""

    BINDINGS = MOVES

    def __init__(self, title: str, *, id: str, framed: bool = True, most: int | None = None) -> None:  # noqa: A002 - Textual's name
        """`most` is how many lines are kept: the last ones."""
        super().__init__(id=id, classes="panel" if framed else "text")
        self.border_title = title
        self._most = most
        self._lines: list[Line] = []
        self._widest = 0
        self._wraps = False
        self._starts: list[int] = []
        """Where they are wrapped: the row on which each line begins, and the number of rows."""
        self._found: list[int] = []
        """The lines that hold what is searched."""
        self._at = 0

    @property
    def allow_horizontal_scroll(self) -> bool:
        """Long lines are read by going sideways, though no bar takes a row for it."""
        return not self._wraps and self._widest > self.scrollable_content_region.width

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown, and what can be scrolled to."""
        return self._lines

    def write(self, lines: Sequence[Line]) -> None:
        """Append lines; the oldest go where there are too many."""
        if not lines:
            return
        kept = lines[-self._most :] if self._most is not None else lines
        self._lines += kept
        if self._most is not None:
            del self._lines[: -self._most]
        self._widest = max(self._widest, *map(length, kept))
        self._measure()

    def replace(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        self._lines, self._widest = [], 0
        self._measure()
        self.write(lines)

    def _measure(self) -> None:
        """Say how much there is to scroll through."""
        self._starts = []
        if self._wraps and (width := self._room) > 0:
            heights = (1 if length(line) <= width else len(wrapped(line, width)) for line in self._lines)
            self._starts = [0, *accumulate(heights)]
            self.virtual_size = Size(width, self._starts[-1])
        else:
            self.virtual_size = Size(self._widest, len(self._lines))
        self.refresh()

    def on_resize(self) -> None:
        """Wrap for the new width."""
        if self._wraps:
            self._measure()

    @property
    def _room(self) -> int:
        return self.scrollable_content_region.width

    def _row(self, y: int) -> Line | None:
        """Return what stands on a row: a line, or a part of one where they are wrapped."""
        if not self._starts:
            return self._lines[y] if y < len(self._lines) else None
        if y >= self._starts[-1]:
            return None
        at = bisect_right(self._starts, y) - 1
        return wrapped(self._lines[at], self._room)[y - self._starts[at]]

    def _row_of(self, line: int) -> int:
        return self._starts[line] if self._starts else line

    def render_line(self, y: int) -> Strip:
        """Draw one visible row."""
        offset_x, offset_y = self.scroll_offset
        width, number = self._room, y + offset_y
        row = self._row(number)
        if row is None:
            return Strip.blank(width, self.rich_style)
        shown = selected_in(self, content(row), number)
        options = RenderOptions(self._get_style, {})
        strip = shown.render_strips(max(self._widest, width), 1, self.visual_style, options)[0]
        strip = strip.apply_offsets(0, number).crop(offset_x, offset_x + width)
        return strip.extend_cell_length(width, self.rich_style)

    @property
    def shows_whole(self) -> bool:
        """Whether long lines are wrapped."""
        return self._wraps

    def show_whole(self, whole: bool) -> None:
        """Wrap long lines, or let them be read by going sideways; the line at the top stays there."""
        top = self.scroll_offset.y
        line = bisect_right(self._starts, top) - 1 if self._starts else top
        self._wraps = whole
        self._measure()
        if self._lines:
            top = self._row_of(min(line, len(self._lines) - 1))
            self.call_after_refresh(self.scroll_to, x=0, y=top, animate=False)

    def move(self, lines: int) -> None:
        """Go so many rows down, or up."""
        self.scroll_to(y=self.scroll_target_y + lines, animate=False)

    def move_to(self, end: bool) -> None:
        """Go to the last row, or to the first."""
        self.scroll_end(animate=False, x_axis=False) if end else self.scroll_home(animate=False, x_axis=False)

    def find(self, text: str) -> Place:
        """Go to the first line from here on that holds a text, without regard to case."""
        words = text.casefold()
        self._found = (
            [at for at, line in enumerate(plain(self._lines)) if words in line.casefold()] if text else []
        )
        here = self.scroll_offset.y
        self._at = next((at for at, line in enumerate(self._found) if self._row_of(line) >= here), 0)
        return self._go_to_match()

    def find_next(self, step: int) -> Place:
        """Go to the next line that holds the text, or to the one before."""
        self._at = (self._at + step) % max(len(self._found), 1)
        return self._go_to_match()

    def _go_to_match(self) -> Place:
        if not self._found:
            return NOWHERE
        self.scroll_to(y=self._row_of(self._found[self._at]), animate=False)
        return Place(self._at + 1, len(self._found))

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the text that was selected with the mouse."""
        rows = self._lines
        if self._starts:
            rows = [part for line in self._lines for part in wrapped(line, self._room)]
        return selection.extract("\n".join(plain(rows))), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002
        """Draw what is selected."""
        self.refresh()
