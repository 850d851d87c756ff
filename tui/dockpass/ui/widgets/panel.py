"""A quiet frame with a title on its line; what it shows scrolls."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from dockpass.ui.text import content, contents
from dockpass.ui.views.words import Line


class Panel(VerticalScroll):
    """Lines of text in a frame."""

    def __init__(self, title: str, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="panel")
        self.border_title = title
        self._text = Static(markup=False)

    def compose(self):  # type: ignore[no-untyped-def]
        """Make the text."""
        yield self._text

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines; the place in them stays."""
        self._text.update(contents(lines))


class Rows(OptionList):
    """Selectable rows in a frame; a row without an id is a heading."""

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

    def show(self, rows: Sequence[tuple[str | None, Line]]) -> None:
        """Replace the rows; the selection stays where it was."""
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
    def selected_id(self) -> str | None:
        """The id of the selected row."""
        if self.highlighted is None or self.highlighted >= len(self._ids):
            return None
        return self._ids[self.highlighted]
