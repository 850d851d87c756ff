"""What the parts of the screen may ask of the app that they are in."""

from __future__ import annotations

from textual.app import App

from dockpass.session.session import Session


class Host(App[int], inherit_bindings=False):
    """An app with a session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def end_by_signal(self, number: int) -> None:
        """End as a signal asks for it."""
        self.exit(return_code=128 + number)

    @property
    def usable_themes(self) -> list[str]:
        """The names of the themes that can be read here.

        Without colours Textual turns the terminal's own ones, which it does not know, into black on black.
        """
        colourless = "NO_COLOR" in self.session.services.environ
        return [name for name in self.available_themes if not (colourless and name.startswith("ansi"))]
