"""The overview says how much the doctor found, marks the commands it concerns, and follows every change."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from screens import press, shown
from textual.pilot import Pilot
from textual.widgets import Static

from dockpass.auth.facts import Edit, EditKind
from dockpass.engines.detect import EngineState
from dockpass.session.session import Session
from dockpass.ui.screens.overview import Overview
from dockpass.ui.views.roomy import TALL
from dockpass.ui.widgets.panel import Rows
from scenes import JOB, session, with_project

IGNORING = {**JOB, "WERF_IGNORE_CI_DOCKER_AUTOLOGIN": "0"}


def overview(pilot: Pilot[int]) -> Overview:
    found = pilot.app.screen
    assert isinstance(found, Overview)
    return found


async def settle(pilot: Pilot[int]) -> None:
    for _ in range(3):
        overview(pilot).pump()
        await pilot.pause()


def counted(pilot: Pilot[int]) -> str:
    """What stands on the frame, without the styles that Textual keeps with it."""
    return re.sub(r"\[[^]]*\]", "", str(overview(pilot).query_one("#commands", Rows).border_subtitle))


def row(pilot: Pilot[int], command: str) -> str:
    return str(overview(pilot).query_one("#commands", Rows).get_option(command).prompt)


async def test_findings_are_counted_by_level_and_marked_at_the_commands() -> None:
    made = with_project(job="publish")
    made.as_job = True
    async with shown(made) as pilot:
        await settle(pilot)
        assert counted(pilot) == "✗ 3 errors  ▲ 8 warnings  · 3 notes  H"
        assert "▲ foreign registry +2" in row(pilot, "push")
        assert "✗ 1 error  ▲ foreign registry" in row(pilot, "cleanup")


async def test_nothing_found_is_said() -> None:
    async with shown(session({"PATH": "/usr/bin"}, base=None)) as pilot:
        await settle(pilot)
        assert counted(pilot) == "nothing found  H"


async def test_an_edit_is_followed() -> None:
    made = session({**JOB, "CI_JOB_TOKEN": "s3cret-word-42\n"})
    async with shown(made) as pilot:
        await settle(pilot)
        assert "▲ 1 warning" in counted(pilot)
        assert "▲ 1 warning" in row(pilot, "push")
        made.edit(Edit(EditKind.UNSET, "CI_JOB_TOKEN"))
        overview(pilot).refresh_all()
        await settle(pilot)
        before = counted(pilot)
        await press(pilot, "backspace")
        await settle(pilot)
        assert counted(pilot) != before
        assert "▲ 1 warning" in counted(pilot)


async def test_a_persons_own_key_is_named() -> None:
    made = session(JOB)
    made.loaded = replace(made.loaded, settings=replace(made.loaded.settings, keys={"health": "f9"}))
    async with shown(made) as pilot:
        await settle(pilot)
        assert counted(pilot).endswith("f9")


class Later:
    """Work that is started and not done before the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, work: Callable[[], None]) -> None:
        self.waiting.append(work)

    def do(self) -> None:
        work, self.waiting = self.waiting, []
        for each in work:
            each()


async def test_the_table_stands_before_anything_is_examined() -> None:
    made, later = session(JOB), Later()
    made.in_background = later
    async with shown(made) as pilot:
        assert "autologin" in row(pilot, "push")
        assert counted(pilot) == ""
        assert len(later.waiting) == 1  # the engine
        later.do()
        overview(pilot).pump()
        await pilot.pause()
        assert len(later.waiting) == 2  # the doctor and the look for builders, only now
        later.do()
        await settle(pilot)
        assert counted(pilot).startswith("· 1 note")


async def test_an_answer_about_what_is_no_longer_shown_is_dropped() -> None:
    made, later = session(IGNORING), Later()
    made.in_background = later
    async with shown(made) as pilot:
        later.do()
        overview(pilot).pump()
        await pilot.pause()
        old = later.waiting.pop(0)  # the doctor; the look for builders stays
        made.edit(Edit(EditKind.UNSET, "WERF_IGNORE_CI_DOCKER_AUTOLOGIN"))
        overview(pilot).refresh_all()
        old()
        overview(pilot).pump()
        await pilot.pause()
        assert counted(pilot) == ""
        later.do()
        await settle(pilot)
        assert counted(pilot).startswith("· 1 note")


def broken() -> EngineState:
    raise RuntimeError("no socket")


async def test_what_fails_in_the_doctor_says_nothing_of_the_engine() -> None:
    made = session(JOB)

    def no_clone() -> None:
        raise RuntimeError("git is gone")

    made.find_clone = no_clone
    async with shown(made) as pilot:
        await settle(pilot)
        assert "Docker 28" in str(overview(pilot).query_one("#status-right").render())
        assert counted(pilot) == ""


async def test_without_an_engine_the_doctor_looks_all_the_same() -> None:
    made: Session = session(JOB)
    made.detect = broken
    async with shown(made) as pilot:
        await settle(pilot)
        assert "no engine" in str(overview(pilot).query_one("#status-right").render())
        assert counted(pilot).startswith("· 1 note")
        assert made.search.is_over


@pytest.mark.parametrize("job", [False, True])
async def test_a_tall_overview_tells_of_the_other_commands_and_of_what_the_doctor_found(job: bool) -> None:
    made = with_project(job="publish") if job else session(JOB)
    made.show_as_job(job)

    def told() -> str:
        return str(pilot.app.screen.query_one("#why Static", Static).render())

    async with shown(made, (200, TALL)) as pilot:
        await settle(pilot)
        besides = told().partition("The other commands")[2]
        assert all(f"{command} " in besides for command in ("build", "pull", "cleanup", "deploy"))
        assert "What the doctor found" in besides
        await pilot.resize_terminal(200, TALL - 1)
        await pilot.pause()
        assert "The other commands" not in told()
