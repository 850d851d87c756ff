"""Fields in which something is typed."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Input

from dockpass.text import marked


class PlainInput(Input):
    """A field that shows what is in it, and lets nothing of it steer the terminal.

    Textual draws a value as it is, whether it was pasted or comes from a variable.
    """

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
