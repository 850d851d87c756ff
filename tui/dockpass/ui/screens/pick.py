"""A question with a list of answers, which is narrowed by typing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Input, OptionList, Static

from dockpass.ui.screens.dialogs import Dialog, Frame, body_bindings
from dockpass.ui.views.words import Line
from dockpass.ui.widgets.panel import Row, Rows
from dockpass.ui.widgets.too_small import TooSmall
from dockpass.ui.widgets.value_input import PlainInput

Answers = Callable[[str], Sequence[tuple[str, Line]]]
"""Makes the answers, each with its id, for what is typed."""


class Pick(Dialog[str | None]):
    """Asks for one of several answers; it ends with the id of one, or with None."""

    BINDINGS = [
        Binding("escape", "leave", "cancel"),
        *body_bindings(
            {"down": "cursor_down", "up": "cursor_up", "pagedown": "page_down", "pageup": "page_up"},
            priority=True,
        ),
    ]
    AUTO_FOCUS = "#typed"

    def __init__(self, title: str, means: str, answers: Answers, *, now: str = "") -> None:
        """`now` is the id of the answer that holds now."""
        super().__init__()
        self._title = title
        self._means = means
        self._answers = answers
        self._now = now

    def compose(self) -> ComposeResult:
        """A field to narrow the list, and the list."""
        yield TooSmall()
        with Frame(self._title, "type to search · ↑ ↓ · enter chooses · esc cancels"):
            yield Static(self._means, markup=False, classes="means")
            yield PlainInput(id="typed")
            yield Rows("", id="body")

    def on_mount(self) -> None:
        """Show all answers, the present one selected."""
        self._show("")
        rows = self.query_one("#body", Rows)
        ids = [answer for answer, _ in self._answers("")]
        if self._now in ids:
            rows.highlighted = ids.index(self._now)

    def action_search(self) -> None:
        """Type what narrows the list."""
        if isinstance(self.focused, Input):
            raise SkipAction  # there it is a character like others
        self.query_one("#typed").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list."""
        self._show(event.value.strip())
        self.call_after_refresh(self.fit)

    def on_input_submitted(self) -> None:
        """Choose the selected answer."""
        self._take(self.query_one("#body", Rows).selected_id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose an answer in the list itself."""
        self._take(event.option.id)

    def _show(self, text: str) -> None:
        rows: list[Row] = list(self._answers(text))
        self.query_one("#body", Rows).show(rows or [(None, (("nothing matches", "label"),))])

    def _take(self, answer: str | None) -> None:
        if answer is not None:
            self.dismiss(answer)
