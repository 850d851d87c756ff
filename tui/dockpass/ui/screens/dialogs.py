"""Questions: a confirmation, an edit with what follows from it, and a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from dockpass.ui.actions import ACTIONS, SCOPES, key_name
from dockpass.ui.text import contents
from dockpass.ui.views.words import Line, cell


class Confirm(ModalScreen[bool]):
    """A question with its reasons; `danger` makes it red, and no is always the default."""

    BINDINGS = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape,q", "answer(False)", "no"),
    ]
    AUTO_FOCUS = "#no"

    def __init__(self, title: str, lines: Sequence[Line], *, yes: str, danger: bool = False) -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._yes = yes
        self._danger = danger

    def compose(self) -> ComposeResult:
        """Title, reasons, two buttons."""
        with Vertical(classes="dialog -danger" if self._danger else "dialog") as dialog:
            dialog.border_title = self._title
            with VerticalScroll(classes="dialog-body"):
                yield Static(contents(self._lines), markup=False)
            with Horizontal(classes="buttons"):
                yield Button(f"y  {self._yes}", id="yes", variant="error" if self._danger else "primary")
                yield Button("n  no", id="no")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer by button."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """Answer by key."""
        self.dismiss(yes)


class EditValue(ModalScreen[str | None]):
    """Asks for a value and shows, while it is typed, what would follow."""

    BINDINGS = [Binding("escape", "leave", "leave it as it is")]
    AUTO_FOCUS = "#value"

    def __init__(
        self, name: str, means: str, value: str, *, secret: bool, preview: Callable[[str], Sequence[Line]]
    ) -> None:
        super().__init__()
        self._name = name
        self._means = means
        self._value = value
        self._secret = secret
        self._preview = preview

    def compose(self) -> ComposeResult:
        """The input, what the value means, and what follows."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._name
            dialog.border_subtitle = "enter takes it · esc leaves it"
            yield Static(self._means, markup=False, classes="means")
            yield Input(self._value, password=self._secret, id="value", select_on_focus=True)
            yield Static(id="odd", markup=False)
            yield Static(id="preview", markup=False)

    def on_mount(self) -> None:
        """Show what follows from the value as it is."""
        self._follow(self._value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what follows from what is typed."""
        self._follow(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the value."""
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)

    def _follow(self, text: str) -> None:
        odd = "▲ begins or ends with a blank, which counts" if text != text.strip() else ""
        self.query_one("#odd", Static).update(odd)
        self.query_one("#preview", Static).update(contents(self._preview(text)))


class Help(ModalScreen[None]):
    """Every key."""

    BINDINGS = [Binding("escape,q,question_mark,enter", "close", "close")]

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        """The table of keys."""
        with VerticalScroll(classes="dialog -wide") as dialog:
            dialog.border_title = "Keys"
            dialog.border_subtitle = "esc closes"
            yield Static(contents(self._lines), markup=False)

    def action_close(self) -> None:
        """Close."""
        self.dismiss(None)


def help_lines() -> list[Line]:
    """Return every key with what it does, by where it works."""
    lines: list[Line] = []
    for scope, title in SCOPES.items():
        lines += [*([()] if lines else []), ((title.upper(), "heading"),)]
        lines += [
            ((cell(key_name(action), 11), "accent"), (action.help, "text"))
            for action in ACTIONS
            if action.scope == scope
        ]
    return [
        *lines,
        (),
        (("ctrl+p", "accent"), ("     The command palette: themes and everything else.", "text")),
    ]
