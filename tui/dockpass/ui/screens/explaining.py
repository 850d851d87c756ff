"""The dialog that asks for an error message: typed, or pasted with all its lines."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Input, Static

from dockpass.doctor.symptoms import explaining
from dockpass.doctor.table import TABLE
from dockpass.ui.screens.dialogs import Dialog, Frame
from dockpass.ui.views.words import Line, hanging
from dockpass.ui.widgets.panel import Text
from dockpass.ui.widgets.too_small import TooSmall
from dockpass.ui.widgets.value_input import PlainInput

_MOST = 6
_MEANS = "Paste what docker, the registry or the job said. The checks that explain it then come first."


class Lines(PlainInput):
    """A field that takes a paste of several lines as a whole."""

    def takes_whole(self, text: str) -> bool:
        """Return whether there are several lines."""
        return "\n" in text


class AskError(Dialog[str | None]):
    """Asks for an error message, and shows while it is typed which checks explain it."""

    BINDINGS = [Binding("escape", "leave", "cancel")]
    AUTO_FOCUS = "#typed"

    def compose(self) -> ComposeResult:
        """A field, and what explains what is in it."""
        yield TooSmall()
        with Frame("What does it say?", "enter shows what explains it · esc cancels"):
            yield Static(_MEANS, markup=False, classes="means")
            yield Lines(placeholder="denied: access forbidden", id="typed")
            yield Text(id="body", classes="dialog-body")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show which checks explain what is typed."""
        text = event.value
        checks = explaining(text, TABLE) if text.strip() else ()

        def lines(width: int) -> list[Line]:
            if text.strip() and not checks:
                return [(("No check knows this.", "label"),)]
            rows = [(((f"{each.id:<12}", "label"),), each.title) for each in checks[:_MOST]]
            shown = [line for head, title in rows for line in hanging(head, title, "text", width)]
            more = len(checks) - _MOST
            return [*shown, ((f"and {more} more", "label"),)] if more > 0 else shown

        self.query_one("#body", Text).show(lines)
        self.call_after_refresh(self.fit)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take what is typed."""
        self.dismiss(event.value if event.value.strip() else None)

    def on_plain_input_pasted(self, event: PlainInput.Pasted) -> None:
        """Take what was pasted."""
        self.dismiss(event.text)
