"""Has the doctor look at what the overview shows, beside the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockpass.session.session import Session
from dockpass.ui.screens.base import PanelScreen

if TYPE_CHECKING:
    from dockpass.session.health import Health


class Examiner:
    """`health` is None while that is not known of what is shown now."""

    def __init__(self, screen: PanelScreen, session: Session) -> None:
        self.health: Health | None = None
        self._screen = screen
        self._session = session
        self._examined: object = None
        """What was examined last, or is being examined; None before the first time."""

    def begin(self) -> None:
        """Look for the first time."""
        if self._examined is None:
            self._examine(self._shown)

    def follow(self, *, anew: bool = False) -> None:
        """Look again if something else is shown now, or in any case."""
        if self._examined is not None and (anew or self._shown != self._examined):
            self._examine(self._shown)

    @property
    def _shown(self) -> object:
        session = self._session
        looked_at = session.as_job, session.desk.looking, session.desk.imported, session.scenario
        return looked_at, tuple(session.edits)

    def _examine(self, shown: object) -> None:
        self._examined, self.health = shown, None
        now = self._session.as_of_now()

        def work() -> Health:
            from dockpass.session.health import health  # the table of checks takes a moment to load

            return health(now)

        def take(found: Health) -> None:
            if shown == self._examined:
                self.health = found

        self._screen.in_background(work, take)
