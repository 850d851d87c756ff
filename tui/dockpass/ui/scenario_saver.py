"""Saves what is looked at as a scenario: asks where to, and asks again before a file is replaced."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from dockpass.readonly import Act
from dockpass.scenario.model import SUFFIX
from dockpass.session.desk import Desk
from dockpass.session.scenario_files import DIRECTORY, name_of, remember
from dockpass.session.scenario_new import create_scenario, make_directory, scenario_of_desk
from dockpass.session.session import Session
from dockpass.text import clean
from dockpass.typedpath import is_there, typed_path
from dockpass.ui.host import forbids
from dockpass.ui.replacing import write_or_ask
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.dialogs import EditValue, Typed
from dockpass.ui.views.words import Line
from dockpass.variables.clone import CI_FILE, Clone
from dockpass.variables.gitlab.predefined import slug
from dockpass.variables.gitlab.tree import YamlError
from dockpass.variables.inwords import protection_words
from dockpass.variables.refusals import configuration_missing, configuration_refused

_MEANS = (
    "Where to? It has the job, its pipeline, the edits and what is found now. A secret is only named in it,"
    " as a variable of the environment."
)


class Saver:
    """Saves for a screen; `saved` is called with the file after it was written."""

    def __init__(self, screen: PanelScreen, session: Session, saved: Callable[[Path], None]) -> None:
        self._screen = screen
        self._session = session
        self._saved = saved

    def ask(self) -> None:
        """Look at the project as it is now, then ask for the file."""
        if forbids(self._screen.app, Act.WRITE):
            return
        self._screen.in_background(self._session.open_desk, self._ask)

    def _ask(self, desk: Desk) -> None:
        if desk.clone is None:
            error = f"There is no {CI_FILE} here, so there is no job to save."
            self._screen.notify(error, severity="warning", timeout=8)
            return
        self._session.desk = desk
        name = self._usual_name(desk, desk.clone)
        looking = desk.looking
        job = clean(looking.job, 100) or "every job"
        dialog = EditValue(
            f"Save {job} on {clean(looking.ref.name, 100)}, {protection_words(looking.ref)}",
            _MEANS,
            name,
            preview=partial(self._preview, name),
            can_unset=False,
            takes_unchanged=True,
        )
        self._screen.app.push_screen(dialog, self._take)

    def _usual_name(self, desk: Desk, clone: Clone) -> str:
        """Return the open scenario's own file while that is what is looked at; else a name for the job."""
        opened = self._session.scenario
        if opened is not None and opened.looking == desk.looking:
            return opened.name
        kind = {True: "-protected", False: "-unprotected", None: ""}[desk.looking.ref.protected]
        begin = slug(desk.looking.job) or "every-job"
        return name_of(clone.root / DIRECTORY / f"{begin}{kind}{SUFFIX}", self._session.services.cwd)

    def _path(self, text: str) -> Path:
        return typed_path(self._session.services.cwd, text.strip())

    def _preview(self, name: str, text: str | None, _: int) -> list[Line]:
        typed = name if text is None else text.strip()
        path = self._path(typed)
        if not typed or not is_there(path):
            return [(("a new file", "label"),)] if typed else []
        return [(("This file exists already: you are asked before it is replaced.", "look"),)]

    def _take(self, typed: Typed | None) -> None:
        name = (typed.text or "").strip() if typed is not None else ""
        if not name:
            return
        path = self._path(name)
        lost: Line = (("Its comments, and what it expects now, are lost.", "text"),)
        write = partial(self._write, path)
        write_or_ask(self._screen.app, path, write, title="Replace the scenario?", lost=[lost])

    def _write(self, path: Path, replaces: bool) -> None:
        now = self._session.as_of_now()

        def work() -> None:
            if now.desk.clone is None:
                raise configuration_missing()
            try:
                seen = now.desk.seen(now.all_edits())
            except YamlError as error:
                raise configuration_refused(error.message, error.place) from None
            make_directory(path.parent)
            text = scenario_of_desk(now.desk, seen, now.all_edits(), now.scenario, path.parent, now.services)
            create_scenario(path, text, replaces=replaces)

        self._screen.in_background(work, lambda _: self._written(path))

    def _written(self, path: Path) -> None:
        remember(self._session, path)
        self._screen.notify(f"saved: {clean(name_of(path, self._session.services.cwd), 300)}", timeout=6)
        self._saved(path)
