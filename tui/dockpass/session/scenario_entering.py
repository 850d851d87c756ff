"""Enters a scenario, and leaves it again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockpass.session.desk import Desk
from dockpass.session.scenario_context import Before, OpenScenario
from dockpass.session.session import Session
from dockpass.variables.place import Place, PlaceKind

if TYPE_CHECKING:
    from dockpass.session.scenarios import Tried


def enter_scenario(session: Session, tried: Tried, path: Path, name: str) -> None:
    """Be in a scenario from now on: its job in its pipeline, or its variables. Edits stay on top.

    `name` is how a command line here names the file at `path`.
    """
    before = session.scenario.before if session.scenario is not None else _before(session)
    desk = tried.desk
    opened = OpenScenario(
        path=path,
        name=name,
        tried=tried,
        looking=desk.looking if desk is not None else None,
        before=before,
    )
    session.scenario = opened
    session.found, session.place, session.notes = before.found, before.place, tried.opened.notes
    if desk is None:
        session.found = replace(before.found, variables=tried.facts.variables, elsewhere=True)
        session.place = Place(PlaceKind.OTHER_CI, f"variables of {opened.shown}")
        desk = Desk(redactor=session.services.redactor)
    desk.scenario, desk.of_scenario = (name, opened.looking) if opened.looking is not None else ("", None)
    session.desk = desk
    session.look_as_job(opened.looking is not None)


def leave_scenario(session: Session) -> None:
    """Go back to what was looked at before the scenario; edits stay."""
    if session.scenario is None:
        return
    before, session.scenario = session.scenario.before, None
    session.found, session.place, session.notes = before.found, before.place, before.notes
    session.desk = before.desk
    session.look_as_job(before.as_job)


def _before(session: Session) -> Before:
    return Before(
        found=session.found,
        place=session.place,
        notes=session.notes,
        desk=session.desk,
        as_job=session.as_job,
    )
