"""Opens a scenario from a screen, and goes to the overview, which then shows the logins that follow."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dockpass.session.scenario_entering import enter_scenario
from dockpass.session.scenario_files import name_of, remember
from dockpass.session.scenarios import Tried, open_file, try_scenario
from dockpass.session.session import Session
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.overview import Overview


def open_scenario(screen: PanelScreen, session: Session, path: Path, *, stays: bool = False) -> None:
    """Read a scenario beside the screen, and be in it from then on; say why where it cannot be opened.

    The overview is shown then, unless the person `stays` on the screen.
    """
    services, usual = session.services, session.desk.usual_version
    name = name_of(path, services.cwd)

    def work() -> Tried:
        return try_scenario(open_file(name, services), services, usual)

    screen.in_background(work, partial(_take, screen, session, path, name, stays))


def _take(screen: PanelScreen, session: Session, path: Path, name: str, stays: bool, tried: Tried) -> None:
    enter_scenario(session, tried, path, name)
    remember(session, path)
    if stays:
        return
    app = screen.app
    overview = next(each for each in app.screen_stack if isinstance(each, Overview))
    while app.screen is not overview:
        app.pop_screen()
    overview.refresh_all()
