"""A plan that is opened before it is known who can build: it says so, fills it in, and runs only then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from screens import press, shown
from textual.pilot import Pilot
from textual.widgets import Input, Static

import buildscenes
from dockpass.auth.command import Command
from dockpass.builders.survey import FindBuilders, Found, builders_of_engine
from dockpass.buildfiles.dockerfile import read_dockerfile
from dockpass.buildfiles.find import BuildSources
from dockpass.engines.base import EngineInfo
from dockpass.errors import DockpassError
from dockpass.runs.request import RunRequest
from dockpass.session.session import Session
from dockpass.ui.screens.overview import Overview
from dockpass.ui.screens.plan import PlanDialog
from dockpass.ui.screens.run import RunScreen
from dockpass.ui.views.plan import FINDING_OUT
from scenes import JOB, session

LOGIN = "gitlab-ci-token with CI_JOB_TOKEN at registry.myhost.com"


@dataclass
class Gate:
    """What goes on beside the screen, held until it is let through."""

    pilot: Pilot[int]
    waiting: list[Callable[[], None]]

    async def open(self) -> None:
        """Let everything through, and what follows from it."""
        overview = next(screen for screen in self.pilot.app.screen_stack if isinstance(screen, Overview))
        while self.waiting:
            for work in [*self.waiting]:
                self.waiting.remove(work)
                work()
            overview.pump()
            await self.pilot.pause()


def made(find: FindBuilders) -> Session:
    found = session(JOB, base=(buildscenes.BASE, buildscenes.RUNTIME))
    found.services = replace(found.services, cwd=Path("/srv/app"), find_builders=find)
    found.sources = buildscenes.sources
    return found


@asynccontextmanager
async def held(made: Session) -> AsyncIterator[Gate]:
    """Show a session whose work beside the screen waits for its gate."""
    waiting: list[Callable[[], None]] = []
    made.in_background = waiting.append
    async with shown(made) as pilot:
        yield Gate(pilot, waiting)


def body(pilot: Pilot[int]) -> str:
    return " ".join(str(pilot.app.screen.query_one("#body Static", Static).render()).split())


def notes(pilot: Pilot[int]) -> str:
    return " ".join(notice.message for notice in pilot.app._notifications)


async def test_a_plan_opened_at_once_says_that_the_builder_is_looked_for_and_tells_it_then() -> None:
    async with held(made(buildscenes.with_buildx)) as gate:
        await press(gate.pilot, "1", "enter")
        assert f"Builder {FINDING_OUT}" in body(gate.pilot)
        assert LOGIN in body(gate.pilot)
        assert f"{LOGIN}, by" not in body(gate.pilot)
        await gate.open()
        assert "Builder docker buildx 0.24.0 with Docker 28.2.2" in body(gate.pilot)
        assert f"{LOGIN}, by dockpass" in body(gate.pilot)
        assert FINDING_OUT not in body(gate.pilot)


async def test_a_run_waits_for_the_builder() -> None:
    async with held(made(buildscenes.with_buildx)) as gate:
        await press(gate.pilot, "1", "enter")
        await gate.pilot.click("#yes")
        assert isinstance(gate.pilot.app.screen, PlanDialog)
        await press(gate.pilot, "r")
        assert "still finding out which builder can build this. It runs as soon as" in notes(gate.pilot)
        await gate.open()
        assert isinstance(gate.pilot.app.screen, RunScreen)


async def test_a_run_that_waits_does_not_start_where_no_builder_can() -> None:
    def old(engine: EngineInfo, environ: Mapping[str, str], home: Path) -> Sequence[Found]:
        return buildscenes.without_buildx(replace(engine, version="20.10.24"), environ, home)

    async with held(made(old)) as gate:
        await press(gate.pilot, "1", "enter", "r")
        await gate.open()
        dialog = gate.pilot.app.screen
        assert isinstance(dialog, PlanDialog)
        assert "cannot do" in body(gate.pilot)
        assert "This build cannot start" in str(dialog.query_one(".dialog").border_title)
        assert FINDING_OUT not in body(gate.pilot)


async def test_who_changes_the_plan_meanwhile_does_not_wish_it_run_any_more() -> None:
    async with held(made(buildscenes.with_buildx)) as gate:
        await press(gate.pilot, "1", "enter", "r", "enter")
        gate.pilot.app.screen.query_one("#value", Input).value = "app:2"
        await gate.open()
        await press(gate.pilot, "enter")
        assert isinstance(gate.pilot.app.screen, PlanDialog)
        assert "--tag app:2" in body(gate.pilot)
        assert "Builder docker buildx" in body(gate.pilot)


async def test_answers_for_a_plan_that_was_closed_are_for_the_next_one() -> None:
    stopped = made(buildscenes.with_buildx)
    stopped.what_stops = lambda *_: DockpassError("no-engine", "No engine.", "")
    async with held(stopped) as gate:
        await press(gate.pilot, "1", "enter", "n")
        await gate.open()
        assert not notes(gate.pilot)
        await press(gate.pilot, "enter")
        assert "Builder docker buildx 0.24.0" in body(gate.pilot)


async def test_a_search_that_fails_is_told_and_holds_nothing_up() -> None:
    def broken(*_: object) -> tuple[Found, ...]:
        raise ValueError("a fault")

    async with held(made(broken)) as gate:
        await press(gate.pilot, "1", "enter", "r")
        await gate.open()
        assert "Internal error in dockpass (ValueError)" in notes(gate.pilot)
        assert isinstance(gate.pilot.app.screen, RunScreen)


async def test_what_only_the_classic_builder_pulls_is_among_the_hosts_once_it_is_chosen() -> None:
    read = read_dockerfile("FROM other.example/tools:1 AS unneeded\nFROM registry.myhost.com/web/base:3\n")
    classic = made(builders_of_engine)
    classic.sources = lambda cwd, _: BuildSources(
        base_images=read.base_images,
        classic=read.classic,
        needs=read.needs,
        dockerfile=cwd / "Dockerfile",
        context=cwd,
    )
    classic.found = replace(classic.found, base_images=read.base_images)
    async with held(classic) as gate:
        await press(gate.pilot, "1", "enter")
        assert "other.example" not in body(gate.pilot)
        await gate.open()
        assert "Builder the classic builder" in body(gate.pilot)
        assert "other.example: base image other.example/tools:1; without a login" in body(gate.pilot)
        request = classic.request(Command.BUILD)
        assert isinstance(request, RunRequest)
        pulled = [image.reference for image in request.facts.base_images or ()]
        assert pulled == ["registry.myhost.com/web/base:3", "other.example/tools:1"]
