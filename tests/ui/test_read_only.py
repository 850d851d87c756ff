"""The screen in read-only mode: keys that act are marked and say why they do nothing; everything else works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from screens import press, shown
from textual.pilot import Pilot
from textual.widgets import Static

import probes
import programs
import stores
from dockpass.actions import ACTIONS
from dockpass.auth.command import Command, Method
from dockpass.probe.model import Probe, Verdict
from dockpass.readonly import Act
from dockpass.runs.events import Ended
from dockpass.runs.request import RunRequest
from dockpass.runs.run import start_run
from dockpass.session.session import Session
from dockpass.ui.app import DockpassApp
from dockpass.ui.palette import Everything
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.dialogs import Confirm
from dockpass.ui.screens.overview import Overview
from dockpass.ui.screens.plan import PlanDialog
from dockpass.ui.widgets.keys import Keys
from scenes import JOB, SANDBOX, SANDBOX_JOB, session, with_project, with_scenarios


def reading(store: Path | None = None, **more: object) -> Session:
    made = programs.with_programs(session(JOB, read_only=True, **more))  # type: ignore[arg-type]
    if store is not None:
        made.open_store = lambda: stores.store_in(stores.home_with(images=True))
    return made


def told(pilot: Pilot[int]) -> list[str]:
    return [notice.message for notice in pilot.app._notifications]


KEYS: dict[tuple[str, str], tuple[str, ...]] = {
    ("overview", "program"): ("exclamation_mark",),
    ("overview", "shell"): ("dollar_sign",),
    ("overview", "reveal"): ("tab", "r"),
    ("images", "remove"): ("i", "d"),
    ("images", "prune"): ("i", "p"),
    ("access", "ask_push"): ("2", "a", "enter", "p"),
    ("access", "accept"): ("2", "a", "enter", "t"),
    ("variables", "reveal"): ("v", "r"),
    ("doctor", "mute"): ("H", "m"),
    ("scenarios", "save"): ("S", "s"),
    ("scenarios", "edit_file"): ("S", "e"),
    ("everywhere", "report"): ("R",),
}
"""Keys that lead to each action that acts, from the overview."""


def absent() -> Mapping[Method, Probe]:
    """A login that was accepted, and was not asked about push because the repository is absent."""
    return {
        method: replace(
            probe, actions=tuple(replace(each, verdict=Verdict.NOT_PROBED) for each in probe.actions)
        )
        for method, probe in probes.job_token().items()
    }


ANSWERS = {"ask_push": absent, "accept": probes.changed_realm}


def test_each_action_that_acts_is_tried() -> None:
    acting = {(each.scope, each.id) for each in ACTIONS if each.act is not None and not each.asks_first}
    assert KEYS.keys() == acting


@pytest.mark.parametrize(("scope", "name"), KEYS)
async def test_a_key_that_acts_says_why_it_does_nothing(tmp_path: Path, scope: str, name: str) -> None:
    action = next(each for each in ACTIONS if (each.scope, each.id) == (scope, name))
    made = reading(tmp_path / "store", answers=ANSWERS.get(name, probes.job_token))
    if scope in {"variables", "doctor", "scenarios"}:
        made = with_scenarios() if scope == "scenarios" else with_project(JOB, job="publish")
        made.services = replace(made.services, read_only=reading().read_only)
    before = sorted(tmp_path.rglob("*"))
    async with shown(made) as pilot:
        *way, last = KEYS[(scope, name)]
        await press(pilot, *way)
        for screen in pilot.app.screen_stack:
            if isinstance(screen, PanelScreen):
                screen.pump()
        await pilot.pause()
        below = pilot.app.screen
        await press(pilot, last)
        assert pilot.app.screen is below
        assert f"In read-only mode {action.act}. To leave the mode, omit --read-only." in told(pilot)
    assert sorted(tmp_path.rglob("*")) == before


async def test_the_plan_is_shown_with_the_reason_and_cannot_be_run() -> None:
    made = reading()
    started: list[object] = []
    made.start = lambda *given: started.append(given)  # type: ignore[arg-type, assignment, return-value]
    async with shown(made) as pilot:
        for command in "12345":
            await press(pilot, command, "enter")
            if command == "4":
                await press(pilot, "enter")
            assert isinstance(pilot.app.screen, PlanDialog), command
            text = str(pilot.app.screen.query_one("#body Static", Static).render())
            assert "In read-only mode no command runs." in text
            await press(pilot, "r")
            assert any("no command runs" in words for words in told(pilot))
            await press(pilot, "escape")
            assert isinstance(pilot.app.screen, Overview)
        assert not started


async def test_nobody_is_asked_for_a_value_that_only_a_run_needs() -> None:
    made = with_project(job="publish")
    made.services = replace(made.services, read_only=reading().read_only)
    made.show_as_job(True)
    async with shown(made) as pilot:
        overview = pilot.app.screen
        await press(pilot, "2", "enter")
        assert pilot.app.screen is overview
        assert [each.partition(".")[0] for each in told(pilot)] == ["In read-only mode no command runs"]


async def test_a_run_that_is_started_all_the_same_ends_with_the_refusal() -> None:
    made = reading()
    request = made.request(Command.PUSH)
    assert isinstance(request, RunRequest)
    run = start_run(request, made.services)
    assert run.wait(10)
    *_, ended = run.feed.since(0).events
    assert isinstance(ended, Ended)
    assert ended.id == "read-only"


async def test_the_foot_marks_what_acts_without_any_colour() -> None:
    async with shown(reading(), (200, 60)) as pilot:
        await press(pilot, "2")
        foot = {key.words: key for _, key in pilot.app.screen.query_one(Keys).shown}
        assert foot["program"].display == "(!)"
        assert foot["run"].display == "(enter)"
        assert foot["access"].display == "a"
        await press(pilot, "tab")
        foot = {key.words: key for _, key in pilot.app.screen.query_one(Keys).shown}
        assert foot["edit"].display in {"e", "enter"}


async def test_the_help_marks_what_acts() -> None:
    async with shown(reading(), (200, 60)) as pilot:
        await press(pilot, "question_mark")
        text = " ".join(str(pilot.app.screen.query_one("#body Static", Static).render()).split())
        assert "(!) Run any program with the login of the selected command, in a" in text
        assert "temporary docker config. Not in read-only mode." in text
        assert (
            "(enter) Show the plan of the selected command, then run it. Read-only mode: the plan only."
            in text
        )
        assert "(d) Delete the selected name; asks first. Not in read-only mode." in text
        assert "(a)" not in text


async def test_the_palette_says_it_and_refuses_too() -> None:
    async with shown(reading()) as pilot:
        app = pilot.app
        assert isinstance(app, DockpassApp)
        found = {each.title: each for each in Everything(app.screen)._entries()}
        assert "Not in read-only mode." in found["program"].help
        found["program"].do()
        await pilot.pause()
        assert isinstance(app.screen, Overview)
        assert any(Act.PROGRAM in words for words in told(pilot))


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36)])
async def test_every_screen_says_that_it_only_reads(size: tuple[int, int]) -> None:
    async with shown(reading(), size) as pilot:
        for key in ("", "i", "c", "v", "H", "a"):
            if key:
                await press(pilot, key)
            left = str(pilot.app.screen.query_one("#status-left", Static).render())
            assert "read-only" in left, key
            if key:
                await press(pilot, "escape")


async def test_a_theme_holds_but_is_not_written(tmp_path: Path) -> None:
    made = reading()
    made.paths = replace(made.paths, settings=tmp_path / "config.toml")
    async with shown(made) as pilot:
        pilot.app.theme = "dockpass-light"
        await pilot.pause()
    assert list(tmp_path.iterdir()) == []


async def test_the_tour_starts_no_program() -> None:
    made = session(SANDBOX_JOB, sandbox=SANDBOX, read_only=True)
    async with shown(made) as pilot:
        overview = pilot.app.screen
        assert isinstance(overview, Overview)
        overview.action_program()
        await pilot.pause()
        assert pilot.app.screen is overview
        left = str(overview.query_one("#status-left", Static).render())
        assert "sandbox" in left
        assert "read-only" in left


async def test_without_the_mode_nothing_is_marked() -> None:
    async with shown(session(JOB), (200, 60)) as pilot:
        assert not any(key.forbidden for _, key in pilot.app.screen.query_one(Keys).shown)
        await press(pilot, "2", "enter")
        assert isinstance(pilot.app.screen, Confirm)
