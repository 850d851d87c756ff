"""The dialogs before a program runs: which one, and in which way."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.events import Key
from textual.widgets import Button, Input, OptionList, Static

from dockpass.programs.typed import typed_line
from dockpass.ui.screens.dialogs import BODY_KEYS, Dialog, Frame
from dockpass.ui.views.program import line_rows, typed_words
from dockpass.ui.widgets.panel import Rows, Text, View
from dockpass.ui.widgets.too_small import TooSmall
from dockpass.ui.widgets.value_input import PlainInput


class AskProgram(Dialog[str | None]):
    """Asks for a command line; it ends with one that has words, or with None.

    `recent` and `examples` are lines to take: the keys put one after the other into the field.
    """

    BINDINGS = [
        Binding("escape", "leave", "cancel"),
        Binding("down", "take(1)", show=False, priority=True),
        Binding("up", "take(-1)", show=False, priority=True),
    ]
    AUTO_FOCUS = "#value"

    def __init__(
        self, title: str, means: str, recent: Sequence[str], examples: Sequence[str], *, line: str = ""
    ) -> None:
        super().__init__()
        self._title = title
        self._means = means
        self._rows = line_rows(recent, examples)
        self._line = line

    def compose(self) -> ComposeResult:
        """What it runs with, a field, and lines to take."""
        yield TooSmall()
        with Frame(self._title, "enter shows the plan · ↑ ↓ take a line · esc cancels"):
            yield Static(self._means, markup=False, classes="means")
            yield PlainInput(self._line, placeholder="PROGRAM ARGUMENTS", id="value")
            yield Static(id="odd", markup=False)
            yield Rows("", id="body")

    def on_mount(self) -> None:
        """Show the lines, none of them taken."""
        rows = self.query_one("#body", Rows)
        rows.can_focus = False
        rows.show(self._rows)
        rows.highlighted = None
        self._say(self._line)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what is odd about the line."""
        self._say(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the line, if it is one."""
        if typed_line(event.value).words:
            self.dismiss(event.value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Put a clicked line into the field."""
        self._put(str(event.option.id))

    def action_take(self, step: int) -> None:
        """Put the next line into the field, or the one before."""
        rows = self.query_one("#body", Rows)
        if step > 0:
            rows.action_cursor_down()
        else:
            rows.action_cursor_up()
        if rows.selected_id:
            self._put(rows.selected_id)

    def _put(self, line: str) -> None:
        field = self.query_one("#value", Input)
        field.value = line
        field.cursor_position = len(line)

    def _say(self, text: str) -> None:
        words = typed_words(typed_line(text))
        line = self.query_one("#odd", Static)
        line.update(words)
        line.display = bool(words)
        self.call_after_refresh(self.fit)


class Choose(Dialog[str | None]):
    """A question with several answers, each with its key; it ends with the id of one, or with None for no."""

    BINDINGS = [
        Binding("n,escape,q", "leave", "no"),
        *BODY_KEYS,
    ]
    AUTO_FOCUS = "#no"

    def __init__(
        self,
        title: str,
        view: View,
        answers: Sequence[tuple[str, str, str]],
        more: Sequence[tuple[str, str, str]] = (),
    ) -> None:
        """`answers` are a key, an id and a title each; `more` stand on the frame, without a button."""
        super().__init__()
        self._title = title
        self._view = view
        self._answers = {key: (answer, words) for key, answer, words in answers}
        self._more = {key: (answer, words) for key, answer, words in more}

    def compose(self) -> ComposeResult:
        """The reasons, and a button for each answer."""
        yield TooSmall()
        keys = " · ".join(f"{key} {words}" for key, (_, words) in self._more.items())
        with Frame(self._title, keys):
            yield Text(self._view, id="body", classes="dialog-body")
            with Horizontal(classes="buttons"):
                for key, (answer, words) in self._answers.items():
                    yield Button(f"{key}  {words}", id=answer, variant="primary")
                yield Button("n  no", id="no")

    def action_leave(self) -> None:
        """Leave a search, else answer no."""
        if not self.end_search():
            super().action_leave()

    def on_key(self, event: Key) -> None:
        """Answer by a key of this question."""
        if found := self._answers.get(event.key) or self._more.get(event.key):
            event.stop()
            self.dismiss(found[0])

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer by button."""
        self.dismiss(None if event.button.id == "no" else event.button.id)
