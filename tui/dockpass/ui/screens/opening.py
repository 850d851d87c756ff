"""How the overview opens other screens."""

from __future__ import annotations

from textual.screen import Screen

from dockpass.auth.command import Command
from dockpass.errors import DockpassError
from dockpass.ui.session import Session


class OpensOthers(Screen[None]):
    """Opens the screens beside a run's."""

    session: Session

    @property
    def command(self) -> Command:
        """The selected command."""
        raise NotImplementedError

    def action_access(self) -> None:
        """Open the access of the selected command; nothing is sent by that."""
        try:
            plan = self.session.access(self.command)
        except DockpassError as error:
            self.app.notify(f"{error.message} {error.hint}", severity="warning", timeout=8)
            return
        from dockpass.ui.screens.access import AccessScreen

        self.app.push_screen(AccessScreen(self.session, plan))

    def select_command(self, command: Command) -> None:
        """Select a command; the overview knows how."""
        raise NotImplementedError

    def open_access(self, command: Command) -> None:
        """Open the access of a command."""
        self.select_command(command)
        self.action_access()

    def action_readers(self) -> None:
        """Compare the readers of docker's config."""
        from dockpass.ui.screens.readers import ReadersScreen

        self.app.push_screen(ReadersScreen(self.session))

    def action_images(self) -> None:
        """Look at the images of the embedded engine."""
        from dockpass.ui.screens.images import ImagesScreen

        self.app.push_screen(ImagesScreen(self.session))
