"""A key has one frame: all that follows from it is drawn at once."""

from __future__ import annotations

import asyncio

import pytest
from screens import press, shown
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from dockpass.ui import frames
from scenes import JOB, session, with_project

SECONDS = 30.0


class Frames:
    """Counts the frames in which something is drawn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.drawn: list[str] = []
        display = App._display

        def counted(app: App[int], screen: Screen[None], update: object) -> None:
            if update is not None:
                self.drawn.append(type(screen).__name__)
            display(app, screen, update)  # type: ignore[arg-type]

        monkeypatch.setattr(App, "_display", counted)

    async def of(self, pilot: Pilot[int], key: str) -> list[str]:
        """Return the screens of the frames that a key has."""
        self.drawn.clear()
        await press(pilot, key)
        return list(self.drawn)


async def test_a_key_has_one_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_SECONDS", SECONDS)  # however slow the machine is
    async with shown(with_project(job="publish")) as pilot:
        counted = Frames(monkeypatch)
        for opens, keys in (((), ("down", "tab", "slash", "c", "escape")), (("v",), ("down", "tab"))):
            await press(pilot, *opens)
            drawn = {key: await counted.of(pilot, key) for key in keys}
            assert {key: len(found) for key, found in drawn.items()} == dict.fromkeys(keys, 1)


async def test_what_never_rests_is_drawn_nevertheless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_SECONDS", 0.001)
    async with shown(session(JOB)) as pilot:
        query = pilot.app.screen.query_one
        counted, turns = Frames(monkeypatch), 0
        left, right = query("#status-left", Static), query("#status-right", Static)

        def again(here: Static, there: Static) -> None:
            nonlocal turns
            turns += 1
            if not counted.drawn and turns < 10_000:
                there.call_later(again, there, here)

        again(left, right)
        query("#why Static", Static).update("now")
        while not counted.drawn and turns < 10_000:
            await asyncio.sleep(0)
        assert counted.drawn
