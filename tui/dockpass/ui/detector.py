"""Finds the engine for the overview, and then who can build beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from dockpass.session.buildersearch import Survey, find_builders
from dockpass.session.session import Session
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.views.overview import engine_words

if TYPE_CHECKING:
    from dockpass.engines.detect import EngineState

LOOKING = ("looking for an engine", "label")
NONE = ("no engine", "look")


class Detector:
    """`words` say which engine there is, with their role. `over` is called once that is known."""

    def __init__(self, screen: PanelScreen, session: Session, *, over: Callable[[], None]) -> None:
        self.words = LOOKING
        self._screen = screen
        self._session = session
        self._over = over

    def begin(self) -> None:
        """Look for the engine beside the screen."""
        self._screen.in_background(self._session.detect, self._take)

    def give_up(self) -> None:
        """Take note that no engine was found, if it was not."""
        if self.words == LOOKING:
            self._end_with_none()

    def _end_with_none(self) -> None:
        self.words = NONE
        self._over()
        self._end_search()

    def _take(self, state: EngineState) -> None:
        if state.info is None:
            self._end_with_none()
            if state.error is not None:
                words = f"{state.error.message} {state.error.hint}"
                self._screen.notify(words, severity="warning", timeout=10)
            return
        self.words = (engine_words(state.info), "good")
        self._over()
        session = self._session
        look = partial(find_builders, session.services, session.found, state.info)
        self._screen.in_background(look, self._take_builders)

    def _take_builders(self, survey: Survey) -> None:
        self._end_search(survey)
        if survey.problem is not None:
            self._screen.failed(survey.problem)

    def _end_search(self, survey: Survey | None = None) -> None:
        from dockpass.session.choosing import end_search  # what a build pulls takes a moment to load

        end_search(self._session, survey)
