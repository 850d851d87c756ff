"""Fields in which something is typed."""

from __future__ import annotations

from rich.text import Text
from textual.events import Paste
from textual.message import Message
from textual.widgets import Input

from dockpass.text import marked


class PlainInput(Input):
    """A field that shows what is in it, and lets nothing of it steer the terminal.

    Textual draws a value as it is, whether it was pasted or comes from a variable. Of a paste of several
    lines it takes the first without a word; here that is said, unless the field takes the paste as a whole.
    """

    class Pasted(Message):
        """A text was pasted that the field takes as a whole."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    MOST_PASTED = 128 << 10
    """Linux starts no program with a longer variable, and no path is as long."""

    def takes_whole(self, _text: str) -> bool:
        """Return whether a paste is a text of its own, and not what is typed into the field."""
        return False

    def _on_paste(self, event: Paste) -> None:
        """Textual's own handler runs after this one."""
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")  # many terminals send a CR for a line end
        event.text = text.strip("\n")
        if self.takes_whole(event.text):
            event.stop()
            event.prevent_default()
            self.post_message(self.Pasted(event.text))
        elif (size := len(event.text.partition("\n")[0])) > self.MOST_PASTED:
            event.stop()
            event.prevent_default()
            words = f"Nothing was pasted: {size:,} characters in one line are too many for this field."
            self.app.notify(words, severity="warning", timeout=6)
        elif (lines := len(event.text.splitlines())) > 1:
            words = f"Only the first of {lines} lines was pasted: this field takes one."
            self.app.notify(words, severity="warning", timeout=6)

    @property
    def _value(self) -> Text:
        shown = super()._value
        shown.plain = marked(shown.plain)
        return shown


class ValueInput(PlainInput):
    """The field of a value. What is typed for a secret is not copied: nobody was asked about that."""

    def action_copy(self) -> None:
        """Copy what is selected."""
        if not self._is_kept():
            super().action_copy()

    def action_cut(self) -> None:
        """Cut what is selected."""
        if not self._is_kept():
            super().action_cut()

    def _is_kept(self) -> bool:
        if self.password:
            self.app.notify("What is typed for a secret is not copied.", timeout=4)
        return self.password
