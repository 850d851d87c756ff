"""Writes a report for a ticket from a screen: asks where to, and asks again before a file is replaced."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from dockpass.errors import DockpassError
from dockpass.keeping import keep
from dockpass.newfile import save_new, unwritable
from dockpass.readonly import Act
from dockpass.session.checkup import checkup
from dockpass.session.report import report_text
from dockpass.session.session import Session
from dockpass.text import clean
from dockpass.typedpath import typed_path
from dockpass.ui.host import forbids
from dockpass.ui.replacing import write_or_ask
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.dialogs import EditValue, Typed
from dockpass.ui.views.words import Line

REPORT = "dockpass-report.md"
_MEANS = (
    "Where to? It has the logins with their reasons, the variables without their values, and the findings,"
    " for a ticket or a chat. No secret is in it."
)


class Reporter:
    """Reports what a screen shows."""

    def __init__(self, screen: PanelScreen, session: Session) -> None:
        self._screen = screen
        self._session = session

    def ask(self) -> None:
        """Ask where to write it."""
        if forbids(self._screen.app, Act.WRITE):
            return
        dialog = EditValue(
            "Write a report",
            _MEANS,
            REPORT,
            preview=self._preview,
            can_unset=False,
            takes_unchanged=True,
            enter="writes it",
        )
        self._screen.app.push_screen(dialog, self._take)

    def _path(self, text: str) -> Path:
        return typed_path(self._session.services.cwd, text.strip())

    def _preview(self, text: str | None, _: int) -> list[Line]:
        name = REPORT if text is None else text.strip()
        return [((clean(str(self._path(name)), 1000), "label"),)] if name else []

    def _take(self, typed: Typed | None) -> None:
        name = (typed.text or "").strip() if typed is not None else ""
        if not name:
            return
        path = self._path(name)

        def write(replaces: bool) -> None:
            self._write(path, _replace if replaces else save_new)

        write_or_ask(self._screen.app, path, write, title="Replace the file?")

    def _write(self, path: Path, write: Callable[[Path, str], None]) -> None:
        """Examine and write, beside the screen."""
        now, answered = self._session.as_of_now(), self._screen.answered

        def work() -> str:
            try:
                text = report_text(checkup(now, answered), now.services.redactor, Path(now.found.home))
                write(path, text)
            except DockpassError as error:
                return f"{error.message} {error.hint}"
            return ""

        self._screen.in_background(work, partial(self._written, path))

    def _written(self, path: Path, problem: str) -> None:
        if problem:
            self._screen.notify(problem, severity="error", timeout=10)
        else:
            where = clean(str(path), 1000)
            self._screen.notify(f"The report is in {where}, for you alone (mode 0600).", timeout=8)


def _replace(path: Path, text: str) -> None:
    """Replace a file at once; raises `UsageError` where it cannot be written."""
    try:
        keep(path, text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise unwritable(clean(str(path)), error) from error
