"""A line for a part of a text: what holds it is shown, and nothing else."""

from __future__ import annotations

from textual.actions import SkipAction
from textual.binding import Binding
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from dockpass.ui.widgets.moving import Moving
from dockpass.ui.widgets.value_input import PlainInput


class Filter(PlainInput):
    """Hidden until it is opened. Enter keeps what is typed, escape clears it; either goes to the list."""

    BINDINGS = [Binding("escape", "drop", "clear", show=False), Binding("down", "keep", "list", show=False)]

    class Applied(Message):
        """What is typed has changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, placeholder: str, *, filters: str) -> None:
        """`filters` selects the list."""
        super().__init__(placeholder=placeholder, id="filter")
        self._filters = filters

    @property
    def filters(self) -> Widget:
        """The list."""
        return self.screen.query_one(self._filters)

    @property
    def text(self) -> str:
        """What is looked for, without regard to case; empty where there is no filter."""
        return self.value.casefold()

    def open(self) -> None:
        """Show it and take the keys at once, so that what is typed fast is no key of the screen.

        In the filter itself that key is a character like others.
        """
        if self.screen.focused is self:
            raise SkipAction
        self.add_class("-open")
        self.screen.set_focus(self)

    def clear_filter(self) -> bool:
        """Clear it; tell whether there was anything to clear."""
        was = bool(self.value) or self.has_class("-open")
        self.value = ""
        self._close()
        return was

    def action_drop(self) -> None:
        """Clear and close."""
        self.clear_filter()

    def action_keep(self) -> None:
        """Keep it and go to the list."""
        self._close()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell while it is typed."""
        event.stop()
        if isinstance(found := self.filters, Moving):
            found.is_filtered = bool(self.text)
        self.post_message(self.Applied(self.text))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep it and go to the list."""
        event.stop()
        self._close()

    def _close(self) -> None:
        self.remove_class("-open")
        if self.screen.focused is self:
            self.screen.set_focus(self.filters)
