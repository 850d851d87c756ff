"""Leads from a finding to what it is about: a line in the person's editor, a variable, or docker's config."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dockpass.auth.command import Command
from dockpass.doctor.check import Need
from dockpass.doctor.places import place_of
from dockpass.session.session import Session
from dockpass.typedpath import is_readable_file
from dockpass.ui.file_editor import edit_file
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.overview import Overview
from dockpass.ui.screens.variables import VariablesScreen
from dockpass.ui.views.doctor import Item
from dockpass.variables.catalogue import entry
from dockpass.variables.clone import Clone


class Guide:
    """Goes there for a screen. `clone` is the one that was examined; `changed` is called after an editor."""

    def __init__(self, screen: PanelScreen, session: Session, changed: Callable[[], None]) -> None:
        self.clone: Clone | None = None
        self._screen = screen
        self._session = session
        self._changed = changed

    def go(self, item: Item | None) -> None:
        """Go to what a finding is about; where that is nowhere, to its details."""
        each = item.found if item is not None else None
        if each is None:
            self._to_details()
            return
        place = place_of(each.patient, each.finding)
        path = self._file(place.file) if place.line else None
        if path is not None:
            edit_file(self._screen, self._session, path, place.line, self._changed)
        elif each.check.need is Need.CONFIG or each.finding.about.startswith("/"):
            self._screen.open_place("readers", Command.PUSH)
        elif each.finding.about:
            self.show_variable(each.finding.about, of_job=each.patient.view is not None)
        else:
            self._to_details()

    def _to_details(self) -> None:
        self._screen.query_one("#finding").focus()

    def _file(self, name: str) -> Path | None:
        """Return the file of this machine that a place names: in the clone, else below this directory."""
        roots = [self.clone.root] if self.clone is not None else []
        for root in (*roots, self._session.services.cwd):
            path = (root / name).absolute()
            if is_readable_file(path):
                return path
        return None

    def show_variable(self, name: str, *, of_job: bool) -> None:
        """Select a variable among those of the job; one of this process on the overview."""
        known = entry(name.removeprefix("--"))
        if of_job or (known is None and self.clone is None):
            self.open_variables(name)
        elif known is not None:
            app = self._screen.app
            overview = next(each for each in app.screen_stack if isinstance(each, Overview))
            while app.screen is not overview:
                app.pop_screen()
            overview.show_variable(known)
        else:
            self._to_details()

    def open_variables(self, name: str) -> None:
        """Open the variables, or go back to them, with one selected."""
        app = self._screen.app
        below = app.screen_stack[-2]
        if isinstance(below, VariablesScreen):
            below.wanted = name
            self._screen.dismiss(None)
            return
        screen = VariablesScreen(self._session)
        screen.wanted = name
        app.push_screen(screen)
