"""At every size what matters is seen: the first line, a line of each panel, what a run waits for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from readerworld import World
from screens import press, shown
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from dockpass.actions import ACTIONS
from dockpass.runs import events as ev
from dockpass.ui.app import DockpassApp
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.run import RunScreen
from dockpass.ui.widgets.moving import room_of
from dockpass.ui.widgets.panel import Panel, Text
from dockpass.ui.widgets.tour import TourPanel
from scenes import JOB, SANDBOX, SANDBOX_JOB, _pushed, _with_images, session, with_project


def seen(pilot: Pilot[int], selector: str) -> list[Widget]:
    """The widgets that are to be seen; each must have a row for its content, within the screen."""
    screen = pilot.app.screen
    found = [each for each in screen.query(selector) if each.display and each.region.height > 0]
    for each in found:
        assert screen.region.contains_region(each.region), each
        assert each.content_size.height > 0, each
    return found


@pytest.mark.parametrize("size", [(60, 16), (60, 17), (79, 23), (100, 30), (120, 24)])
async def test_the_overview_with_its_tour_shows_a_line_of_everything(size: tuple[int, int]) -> None:
    async with shown(session(SANDBOX_JOB, sandbox=SANDBOX), size) as pilot:
        await pilot.pause()
        assert [each.id for each in seen(pilot, ".panel")] == (
            ["commands", "environment", "why", "tour"] if size[0] >= 120 else ["commands", "why", "tour"]
        )
        assert seen(pilot, "#status, Keys")[0].region.y == 0


@pytest.mark.parametrize("size", [(60, 16), (79, 23), (120, 24)])
async def test_the_text_of_each_step_of_the_tour_can_be_read_whole(size: tuple[int, int]) -> None:
    async with shown(session(SANDBOX_JOB, sandbox=SANDBOX), size) as pilot:
        tour = pilot.app.screen.query_one(TourPanel)
        await pilot.pause()
        for step in range(1, 10):
            assert f"Tour {step} of 9" in str(tour.border_title)
            while pilot.app.screen.focused is not tour:
                await press(pilot, "tab")
            await pilot.pause()
            assert pilot.app.screen.region.contains_region(tour.region)
            text = tour.virtual_size.height - 1  # the last line has the marks of the steps
            assert text <= tour.content_size.height
            await press(pilot, "n")
        await press(pilot, "7")
        await pilot.pause()
        assert pilot.app.screen.focused is pilot.app.screen.query_one("#why")
        assert pilot.app.screen.query_one("#why") in seen(pilot, ".panel")


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (100, 30)])
async def test_a_run_shows_a_line_of_everything(size: tuple[int, int]) -> None:
    async with shown(session(JOB, script=_pushed()), size) as pilot:
        await press(pilot, "2", "enter", "r")
        assert isinstance(pilot.app.screen, RunScreen)
        pilot.app.screen.pump()
        await pilot.pause()
        await pilot.pause()
        panels = {each.id for each in seen(pilot, ".panel")}
        assert {"lifecycle", "log", "outcome"} <= panels
        assert len(seen(pilot, "#status, Keys")) == 2


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36)])
@pytest.mark.parametrize("place", sorted({action.opens for action in ACTIONS} - {""}))
async def test_a_place_shows_a_line_of_each_panel_that_has_the_keys(
    place: str, size: tuple[int, int]
) -> None:
    opener = next(action.keys for action in ACTIONS if action.opens == place)
    async with shown(session(JOB, world=World()), size) as pilot:
        await press(pilot, opener)
        screen = pilot.app.screen
        assert isinstance(screen, PanelScreen)
        for _ in screen.panels():
            await press(pilot, "tab")
            assert screen.focused in seen(pilot, ".panel")
        for each in (each for each in seen(pilot, ".text") if isinstance(each, Text)):
            drawn = each.query_one(Static)
            assert drawn.content_size.width == room_of(each), f"{each.id}: lines are made for another width"


@pytest.mark.parametrize("size", [(59, 16), (60, 15), (20, 5)])
@pytest.mark.parametrize(
    "keys",
    [
        (),
        *((action.keys,) for action in ACTIONS if action.opens and action.scope == "overview"),
        ("2", "enter"),
        ("2", "enter", "r"),
        ("question_mark",),
        ("tab", "e"),
    ],
    ids=str,
)
async def test_below_the_smallest_size_one_line_says_so(size: tuple[int, int], keys: tuple[str, ...]) -> None:
    async with shown(_with_images(), (80, 24)) as pilot:
        await press(pilot, *keys)
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert [each.id for each in pilot.app.screen.children if each.display] == ["small"]


def test_two_sizes_at_once_come_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a terminal has told its size, another one is taken for it: the later one holds."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)
    count = 0
    lay_out = Screen._refresh_layout

    def counted(self: Screen[object], *arguments: Any, **options: Any) -> None:
        nonlocal count
        count += 1
        lay_out(self, *arguments, **options)

    async def rest(pilot: Pilot[int]) -> None:
        for _ in range(3000):  # as many turns of the loop: without end, each would have a layout
            await asyncio.sleep(0)
        pilot.app.exit(count)

    monkeypatch.setattr(Screen, "_refresh_layout", counted)
    app = DockpassApp(session(JOB))
    layouts = app.run(headless=True, auto_pilot=rest)
    assert layouts is not None
    assert layouts < 40


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (119, 36), (120, 36)])
async def test_why_is_measured_after_it_is_shown(size: tuple[int, int]) -> None:
    async with shown(session(JOB), size) as pilot:
        await press(pilot, "tab", "3")
        await pilot.pause()
        why = pilot.app.screen.query_one("#why", Panel)
        lines = str(why.query_one("Static").render()).splitlines()
        assert any(line.endswith("WERF_DOCKER_CONFIG is not set") for line in lines)
        room = why.scrollable_content_region.width
        assert max(len(line) for line in lines[1:]) <= room - 1
        assert why.scrollable_content_region.right < why.region.right - 2  # a column is left for the bar


async def test_the_clock_moves_while_a_run_waits_and_says_what_for() -> None:
    now = [100.0]
    script = (ev.PhaseStarted(0.1, ev.Phase.LOGIN), ev.LoginStarted(0.1, "r.example", "me", "dockpass"))
    made = session(JOB, script=script)
    made.clock = lambda: now[0]
    async with shown(made, (80, 24)) as pilot:
        await press(pilot, "2", "enter", "r")
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)

        def first_line() -> str:
            screen.pump()
            return str(screen.query_one("#status-right").render())  # type: ignore[attr-defined]

        seen_words = []
        for _ in range(7):
            now[0] += 1
            seen_words.append(first_line())
        assert len({words.split()[1] for words in seen_words}) == 7
        assert "7.0 s" in seen_words[-1]
        assert "log in: waiting for the registry, 7 s" in seen_words[-1]
        screen.run_.feed.put(ev.Waiting(7.1, "r.example", 30.0, "r.example asks to wait"))
        now[0] += 3
        assert "r.example asks to wait, 27 s more" in first_line()
        screen.run_.feed.put(ev.Log(10.2, ev.LogKind.NOTE, "on it goes"))
        assert first_line().endswith("running")


async def test_the_clock_stands_when_the_run_has_ended() -> None:
    now = [0.0]
    made = session(JOB, script=_pushed())
    made.clock = lambda: now[0]
    async with shown(made) as pilot:
        await press(pilot, "2", "enter", "r")
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        now[0] = 500.0
        screen.pump()
        assert str(screen.query_one("#status-right").render()) == "14.0 s  done"  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", ["", "v", "w", "d", "h"])
async def test_each_view_can_be_made_in_any_width(key: str) -> None:
    """A list below a dialog may be laid out narrow while it still has the classes of a wide terminal."""
    async with shown(with_project(job="publish"), (200, 60)) as pilot:
        await press(pilot, *([key] if key else []))
        views = [getattr(each, "_view", None) for each in pilot.app.screen.query(Widget)]
        made = [list(view(width)) for view in views if callable(view) for width in range(1, 40)]
        assert all(isinstance(line, tuple) for lines in made for line in lines)
