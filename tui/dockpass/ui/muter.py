"""Mutes a finding of the doctor, with a reason, and lets one count again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from dockpass.doctor.examine import Found
from dockpass.doctor.muting import mute_of
from dockpass.errors import DockpassError
from dockpass.readonly import Act
from dockpass.session.session import Session
from dockpass.settings import Mute, load_settings, remove_mute, save_mute
from dockpass.text import clean
from dockpass.ui.host import forbids
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.dialogs import EditValue, Typed
from dockpass.ui.views.doctor import Item


class Muter:
    """Asks for the reason and writes it to the settings. `changed` is called after each change."""

    def __init__(self, screen: PanelScreen, session: Session, changed: Callable[[], None]) -> None:
        self._screen = screen
        self._session = session
        self._changed = changed

    def toggle(self, item: Item) -> None:
        """Ask why a finding may stay as it is; a muted one counts again at once."""
        if item.found is None or forbids(self._screen.app, Act.WRITE):
            return
        if item.mute is not None and item.mute not in self._mutes:
            file = self._session.scenario.shown if self._session.scenario is not None else "the scenario"
            self._screen.notify(f"It is muted in {file}: remove it from [[muted]] there.", timeout=8)
            return
        if item.mute is not None:
            self._keep(remove_mute, item.mute)
            return
        about = item.found.finding.about
        if item.found.members:
            about = f"these {len(item.found.members):,}"
        words = (
            f"{item.check.id}{f' about {about}' if about else ''} is then shown as muted, with this reason,"
            " and counts for nothing. It is written to your settings."
        )
        dialog = EditValue(
            "Why may it stay as it is?", words, None, preview=lambda *_: (), can_unset=False, enter="mutes it"
        )
        self._screen.app.push_screen(dialog, partial(self._take, item.found))

    @property
    def _mutes(self) -> tuple[Mute, ...]:
        return self._session.loaded.settings.muted

    def _take(self, found: Found, typed: Typed | None) -> None:
        reason = (typed.text or "").strip() if typed is not None else ""
        if reason:
            told = self._session.services.redactor(clean(reason, 1000))  # no secret goes to the settings
            self._keep(save_mute, mute_of(found, told))

    def _keep(self, change: Callable[[Path, Mute], None], mute: Mute) -> None:
        path = self._session.paths.settings
        try:
            change(path, mute)
        except DockpassError as error:
            self._screen.failed(error)
            return
        self._session.loaded = load_settings(path)
        self._changed()
