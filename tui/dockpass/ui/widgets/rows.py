"""A list in a frame, of which only the rows are made and drawn that are seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from textual.content import Content
from textual.css.styles import RulesMap
from textual.events import Click
from textual.geometry import Region, Size
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from dockpass.ui.text import PlainText, content, selected_in
from dockpass.ui.views.words import Line, plain
from dockpass.ui.widgets.moving import LEAST_WHOLE, MOVES, NOWHERE, Moving, Place, room_of

MadeLine = Line | Callable[[], Line]
"""A line, or what makes it when it is drawn."""

Row = tuple[str | None, MadeLine]
"""The id of a row, None for a heading, and what it shows."""

RowsView = Sequence[Row] | Callable[[int], Sequence[Row]]

_ON_ONE_LINE = RulesMap(text_wrap="nowrap", text_overflow="ellipsis")


class RowOption(Option):
    """A row of a list, made when it is first drawn."""

    def __init__(self, row_id: str | None, made: MadeLine) -> None:
        super().__init__("", id=row_id, disabled=row_id is None)
        self._made = made

    @property
    def line(self) -> Line:
        """What the row shows."""
        if callable(self._made):
            self._made = self._made()
        return self._made

    @property
    def prompt(self) -> Content:
        """What the row shows, as Textual draws it."""
        return content(self.line)


class Rows(PlainText, OptionList, Moving):
    """Selectable rows in a frame; a row without an id is a heading.

    A click selects a row. A second click on it, or enter, chooses it. Only the rows that are seen are made
    and drawn, each on one line; Textual's own list measures and draws all of them. A row is made for the
    width that there is; shown whole, it is read by going sideways.
    """

    ALLOW_SELECT = True
    BINDINGS = MOVES

    def __init__(self, title: str, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="panel", markup=False)
        self.border_title = title
        self._ids: list[str | None] = []
        self._view: RowsView = ()
        self._clicked: str | None = None
        self._drawn: dict[tuple[RowOption, Style], Strip] = {}
        """Rows as they were drawn, each in each style that it had."""
        self._whole = False
        self._found: list[int] = []
        """The rows that hold what is searched."""

    def show(self, view: RowsView) -> None:
        """Replace the rows; the selection stays where it was."""
        self._view = view
        self._draw()

    def on_resize(self) -> None:
        """Make the rows for the new width."""
        if callable(self._view):
            self._draw()

    def _draw(self) -> None:
        width = room_of(self)
        if self._whole:
            width = max(width, LEAST_WHOLE)
        # The ids stand whatever the width is, so that keys work before the rows are seen.
        view = self._view(width if width > 0 else 80) if callable(self._view) else self._view
        rows = [RowOption(row_id, made) for row_id, made in view]
        ids = [row.id for row in rows]
        if ids == self._ids:
            self._replace(rows)
            return
        selected = self.selected_id
        self._ids = ids
        self._drawn.clear()
        self.set_options(rows)
        if selected and selected in ids:
            self.highlighted = ids.index(selected)
        elif any(ids):
            self.highlighted = next(index for index, row_id in enumerate(ids) if row_id)

    def _replace(self, rows: Sequence[RowOption]) -> None:
        """Show rows with the ids of those that are there; the place in them stays."""
        self._options[:] = rows
        self._id_to_option = {row.id: row for row in rows if row.id is not None}
        self._option_to_index = {row: at for at, row in enumerate(rows)}
        self._clear_caches()

    @property
    def ids(self) -> list[str | None]:
        """The ids of the rows, None for a heading."""
        return self._ids

    @property
    def selected_id(self) -> str | None:
        """The id of the selected row."""
        if self.highlighted is None or self.highlighted >= len(self._ids):
            return None
        return self._ids[self.highlighted]

    @property
    def shows_whole(self) -> bool:
        """Whether long rows are whole."""
        return self._whole

    def show_whole(self, whole: bool) -> None:
        """Show long rows whole, or cut."""
        if whole and not callable(self._view):
            return
        self._whole = whole
        self._draw()
        self._update_lines()
        if not whole:
            self.scroll_to(x=0, animate=False, force=True)

    def move_aside(self, cells: int) -> None:
        """Go to the right in whole rows, and back until they are cut again."""
        if self._whole and cells < 0 and self.scroll_target_x <= 0:
            self.show_whole(False)
        elif cells > 0 and not self._whole:
            self.show_whole(True)
        if self._whole:
            self.scroll_to(x=self.scroll_target_x + cells, animate=False, force=True)

    def move(self, lines: int) -> None:
        """Go so many rows down, or up; from the last one by one to the first."""
        if abs(lines) > 1:
            self._move_rows(lines)
        elif lines > 0:
            self.action_cursor_down()
        else:
            self.action_cursor_up()

    def move_to(self, end: bool) -> None:
        """Go to the last row, or to the first."""
        self.action_last() if end else self.action_first()

    def find(self, text: str) -> Place:
        """Go to the first row from here on that holds a text, without regard to case."""
        rows = enumerate(self._options) if text else ()
        self._found = [
            at
            for at, row in rows
            if isinstance(row, RowOption) and not row.disabled and text.casefold() in _words(row)
        ]
        here = self.highlighted or 0
        return self._go_to(next((at for at in self._found if at >= here), None))

    def find_next(self, step: int) -> Place:
        """Go to the next row that holds the text, or to the one before."""
        here = self.highlighted or 0
        ahead = [at for at in self._found if (at > here if step > 0 else at < here)]
        return self._go_to((ahead or self._found)[0 if step > 0 else -1] if self._found else None)

    def _go_to(self, row: int | None) -> Place:
        if not self._found:
            return NOWHERE
        row = self._found[0] if row is None else row
        self.highlighted = row
        return Place(self._found.index(row) + 1, len(self._found))

    # Each row is one line, so that none has to be made to know where it stands.

    @property
    def _row_width(self) -> int:
        width = self.scrollable_content_region.width
        return max(width, LEAST_WHOLE + 1) if self._whole else width

    def _update_lines(self) -> None:
        width = self._row_width
        size = Size(width, len(self._options))
        if width > 0 and size != self.virtual_size:
            self.virtual_size = size
            self._scroll_update(size)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Return the number of rows."""
        return len(self._options)

    def scroll_to_highlight(self, top: bool = False) -> None:
        """Bring the selected row into sight."""
        if self.highlighted is None or not self.is_mounted:
            return
        self._update_lines()
        row = Region(self.scroll_offset.x, self.highlighted, self.scrollable_content_region.width, 1)
        self.scroll_to_region(row, force=True, animate=False, top=top, immediate=True)

    def _move_page(self, direction: Literal[-1, 1]) -> None:
        self._move_rows(direction * self.scrollable_content_region.height)

    def _move_rows(self, rows: int) -> None:
        """Go so many rows down or up, to one that can be selected."""
        if not self._options or self.highlighted is None:
            return
        at = min(max(self.highlighted + rows, 0), len(self._options) - 1)
        step = 1 if rows > 0 else -1
        ahead = range(at, len(self._ids) if step > 0 else -1, step)
        behind = range(at, self.highlighted, -step)
        found = next((each for each in (*ahead, *behind) if self._ids[each] is not None), None)
        if found is not None:
            self.highlighted = found

    def render_line(self, y: int) -> Strip:
        """Draw one row that is seen."""
        at, width = y + self.scroll_offset.y, self._row_width
        base = self.get_visual_style("option-list--option")
        row = self._options[at] if at < len(self._options) else None
        if not isinstance(row, RowOption):
            return Strip.blank(width, base.rich_style)
        state = "highlighted" if self.highlighted == at else "hover"
        if row.disabled:
            state = "disabled"
        if state != "hover" or self._mouse_hovering_over == at:
            base = self.get_visual_style("option-list--option", f"option-list--option-{state}")
        if (drawn := self._drawn.get((row, base))) is None:
            shown = selected_in(self, row.prompt, at)
            strips = shown.render_strips(width, 1, base, RenderOptions(self._get_style, _ON_ONE_LINE))
            drawn = strips[0] if strips else Strip.blank(width, base.rich_style)
            drawn = drawn.extend_cell_length(width, base.rich_style).apply_meta({"option": at})
            drawn = self._drawn[row, base] = drawn.apply_offsets(0, at)
        if not self._whole:
            return drawn
        left = self.scroll_offset.x
        return drawn.crop(left, left + self.scrollable_content_region.width)

    def _clear_caches(self) -> None:
        self._drawn.clear()
        super()._clear_caches()

    def notify_style_update(self) -> None:
        """Draw anew with other colours."""
        self._drawn.clear()
        super().notify_style_update()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the text that was selected with the mouse."""
        rows = (row.line for row in self._options if isinstance(row, RowOption))
        return selection.extract("\n".join(plain(rows))), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002
        """Draw what is selected."""
        self._clear_caches()

    async def _on_click(self, event: Click) -> None:
        """Select a row; choose it if it is clicked again. Textual's own list chooses it at once."""
        event.prevent_default()
        index = event.style.meta.get("option")
        if index is None or index >= len(self._ids) or self._ids[index] is None:
            return
        if self.text_selection is not None:
            return  # the end of a selection with the mouse is no click
        again = self._clicked == self._ids[index] == self.selected_id
        self._clicked = self._ids[index]
        self.highlighted = index
        if again or event.chain > 1:
            self.action_select()


def _words(row: RowOption) -> str:
    return plain([row.line])[0].casefold()
