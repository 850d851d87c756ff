"""A secret on the screen, after a person said yes to that."""

from __future__ import annotations

from textual.binding import Binding

from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.ui.host import copy_text
from dockpass.ui.screens.dialogs import Reading
from dockpass.ui.views.words import REVEALED, Line, pieces
from dockpass.ui.widgets.panel import Text


class Revealed(Reading):
    """A secret as it is, until a moment has passed; it is wrapped, never cut.

    The key that copies it is not the one that said yes to the question before.
    """

    BINDINGS = [Binding("c", "copy", "copy")]

    def __init__(self, name: str, secret: Secret, seconds: float) -> None:
        keys = f"c copies · {len(secret)} characters · hidden after {seconds:.0f} seconds, or with esc"
        super().__init__(name, self._lines, keys)
        self._secret = secret
        self._seconds = seconds

    def _lines(self, width: int) -> list[Line]:
        text = clean(self._secret.reveal(), 20_000)
        return [((part, REVEALED),) for part in pieces(text, width)]

    def on_mount(self) -> None:
        """Hide it after a moment."""
        self.set_timer(self._seconds, self._hide)

    def action_copy(self) -> None:
        """Copy the secret."""
        copy_text(self.app, self._secret.reveal(), self._title, secret=True)

    def _hide(self) -> None:
        """Hide it."""
        if self.is_active:
            self.dismiss(None)
        else:
            self._secret = Secret("")
            self.query_one("#body", Text).show(())
