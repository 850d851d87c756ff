"""A quiet frame with a title on its line; what it shows scrolls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Click
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from dockpass.ui.text import PlainText, content, contents, is_same
from dockpass.ui.views.words import Line, wrapped

View = Sequence[Line] | Callable[[int], Sequence[Line]]
"""Lines, or what makes them for a width in cells."""

Row = tuple[str | None, Line]
"""The id of a row, None for a heading, and what it shows."""

RowsView = Sequence[Row] | Callable[[int], Sequence[Row]]

SCROLL_KEYS: list[BindingType] = [
    Binding("j", "scroll_down", "down", show=False),
    Binding("k", "scroll_up", "up", show=False),
    Binding("g", "scroll_home", "first", show=False),
    Binding("G", "scroll_end", "last", show=False),
]
"""The keys of vi, for whatever scrolls."""


class Text(PlainText, VerticalScroll):
    """Lines of text that scroll. What depends on the width is made when the width is known, and anew when it
    changes: a hidden widget has none.
    """

    BINDINGS = SCROLL_KEYS

    def __init__(self, view: View = (), *, id: str, classes: str = "") -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=f"{classes} text")
        self._text = Static(markup=False)
        self._view = view
        self._drawn: Content | None = None

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
        width = room_of(self)
        if width > 0:
            lines = self._view(width) if callable(self._view) else self._view
        else:
            lines = () if callable(self._view) else self._view
        # Wrapped here and not by Textual, whose height for it does not count the column of the scrollbar.
        parts = [part for line in lines for part in wrapped(line, width)]
        drawn, before = contents(parts), self._drawn
        if before is None or not is_same(drawn, before):
            self._drawn = drawn
            grows = before is None or drawn.plain.count("\n") != before.plain.count("\n")
            self._text.update(drawn, layout=grows)


class Panel(Text):
    """Lines of text in a frame."""

    def __init__(self, title: str, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="panel")
        self.border_title = title


class Rows(PlainText, OptionList):
    """Selectable rows in a frame; a row without an id is a heading.

    A click selects a row. A second click on it, or enter, chooses it.
    """

    BINDINGS = [
        Binding("j", "cursor_down", "down", show=False),
        Binding("k", "cursor_up", "up", show=False),
        Binding("g", "first", "first", show=False),
        Binding("G", "last", "last", show=False),
    ]

    def __init__(self, title: str, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="panel", markup=False)
        self.border_title = title
        self._ids: list[str | None] = []
        self._view: RowsView = ()
        self._clicked: str | None = None

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
        # The ids stand whatever the width is, so that keys work before the rows are seen.
        view = self._view(width if width > 0 else 80) if callable(self._view) else self._view
        rows = list(view)
        ids = [row_id for row_id, _ in rows]
        if ids == self._ids:
            for index, (_, line) in enumerate(rows):
                self.replace_option_prompt_at_index(index, content(line))
            return
        selected = self.selected_id
        self._ids = ids
        self.set_options([Option(content(line), id=row_id, disabled=row_id is None) for row_id, line in rows])
        if selected and selected in ids:
            self.highlighted = ids.index(selected)
        elif any(ids):
            self.highlighted = next(index for index, row_id in enumerate(ids) if row_id)

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

    async def _on_click(self, event: Click) -> None:
        """Select a row; choose it if it is clicked again. Textual's own list chooses it at once."""
        event.prevent_default()
        index = event.style.meta.get("option")
        if index is None or index >= len(self._ids) or self._ids[index] is None:
            return
        again = self._clicked == self._ids[index] == self.selected_id
        self._clicked = self._ids[index]
        self.highlighted = index
        if again or event.chain > 1:
            self.action_select()


def room_of(widget: VerticalScroll | OptionList) -> int:
    """Return the cells for text: one is left blank before the scrollbar."""
    return widget.scrollable_content_region.width - 1
