"""A run that waits costs next to nothing: only what has changed is drawn, and nothing of it below a question."""

from __future__ import annotations

import gc

import pytest
from screens import press, shown
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Static

from dockpass.runs import events as ev
from dockpass.ui.screens.dialogs import Confirm
from dockpass.ui.screens.run import FRAMES_PER_SECOND, RunScreen
from scenes import JOB, session

BEGAN = (ev.PhaseStarted(0.001, ev.Phase.LOGIN),)
ASKED = (*BEGAN, ev.Asked(0.002, "Send the login to another host?", "the realm is there"))


class Draws:
    """Counts what is drawn anew, while a clock goes on that is handed in."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.now = 0.0
        update = Static.update

        def counted(static: Static, shown: Content, **options: bool) -> None:
            self.count += 1
            update(static, shown, **options)

        monkeypatch.setattr(Static, "update", counted)

    async def in_seconds(self, pilot: Pilot[int], run: RunScreen, seconds: int) -> int:
        """Return how often something is drawn in some seconds of a run."""
        run._timer.pause()  # the looks of these seconds are made here
        await pilot.pause()
        self.count = 0
        for look in range(seconds * 20):
            self.now += 0.05
            run.pump()
            if look % 20 == 0:
                await pilot.pause()
        return self.count


async def on_a_run(pilot: Pilot[int]) -> RunScreen:
    await press(pilot, "2", "enter", "r")
    return next(screen for screen in pilot.app.screen_stack if isinstance(screen, RunScreen))


async def test_a_run_without_news_draws_its_clock_and_the_step_it_is_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draws, made = Draws(monkeypatch), session(JOB, script=BEGAN)
    made.clock = lambda: draws.now
    async with shown(made) as pilot:
        count = await draws.in_seconds(pilot, await on_a_run(pilot), 10)
        assert 10 * FRAMES_PER_SECOND <= count <= 10 * FRAMES_PER_SECOND + 12


async def test_nothing_is_drawn_below_a_question_until_it_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draws, made = Draws(monkeypatch), session(JOB, script=ASKED)
    made.clock = lambda: draws.now
    async with shown(made) as pilot:
        run = await on_a_run(pilot)
        await pilot.pause()
        assert isinstance(pilot.app.screen, Confirm)
        assert await draws.in_seconds(pilot, run, 10) == 0
        await press(pilot, "y")
        assert "10.0 s" in str(run.query_one("#status-right", Static).visual)


async def test_news_below_a_question_is_shown_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    draws, made = Draws(monkeypatch), session(JOB, script=ASKED)
    made.clock = lambda: draws.now
    async with shown(made) as pilot:
        run = await on_a_run(pilot)
        run.run_.feed.put(ev.PhaseEnded(0.1, ev.Phase.LOGIN, ev.Status.FAILED, "the registry has gone"))
        run.pump()
        assert "the registry has gone" in str(run.query_one("#lifecycle Static", Static).visual)


async def test_a_panel_draws_nothing_for_lines_that_look_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = Draws(monkeypatch)
    async with shown(session(JOB)) as pilot:
        panel = pilot.app.screen.query_one("#why")
        panel.show([(("one", "text"),), (("two", "text"),)])
        draws.count = 0
        panel.show([(("one", "text"),), (("two", "text"),)])
        assert draws.count == 0
        panel.show([(("one", "text"),), (("two", "bad"),)])
        panel.show([(("one", "text"),)])
        assert draws.count == 2
        await pilot.pause()
        assert panel.query_one(Static).size.height == 1


async def test_garbage_is_looked_for_again_once_the_screen_is_there() -> None:
    gc.disable()
    try:
        async with shown(session(JOB)):
            assert gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
