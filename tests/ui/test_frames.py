"""A key has one frame: all that follows from it is drawn at once."""

from __future__ import annotations

import asyncio

import pytest
from screens import press, shown
from textual.app import App
from textual.command import CommandPalette
from textual.geometry import Size
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static

from dockpass.ui import frames
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.widgets.moving import Moving
from dockpass.ui.widgets.search_line import SearchLine, SearchText
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


async def test_another_size_is_laid_out_once_for_each_screen_below_dialogs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    laid_out: list[str] = []
    refresh = Screen._refresh_layout

    def counted(screen: Screen[None], size: Size | None = None, scroll: bool = False) -> None:
        if size is not None:
            laid_out.append(type(screen).__name__)
        refresh(screen, size, scroll)

    async with shown(session(JOB)) as pilot:
        await press(pilot, "enter", "ctrl+p")
        screens = pilot.app.screen_stack
        monkeypatch.setattr(Screen, "_refresh_layout", counted)
        await pilot.resize_terminal(90, 30)
        assert sorted(laid_out) == sorted(type(each).__name__ for each in screens)
        assert {each.size for each in screens} == {Size(90, 30)}


@pytest.mark.parametrize("key", ["w", "v", "d", "S"])
async def test_what_comes_for_a_screen_that_is_being_closed_is_left_undone(key: str) -> None:
    async with shown(with_project(job="publish")) as pilot:
        await press(pilot, key)
        screen = pilot.app.screen
        assert isinstance(screen, PanelScreen)
        await press(pilot, "escape")
        assert pilot.app.screen is not screen
        assert not screen.is_there
        taken: list[int] = []
        screen._callbacks.append((screen.refresh_all, screen))
        await screen._invoke_and_clear_callbacks()
        # Textual leaves it with the screen below.
        pilot.app.screen._callbacks.append((screen.refresh_all, screen))
        await pilot.app.screen._invoke_and_clear_callbacks()
        screen._background.post(lambda: taken.append(1))
        screen.pump()
        screen._draw_first()
        assert not taken


@pytest.mark.parametrize("key", ["question_mark", "ctrl+p", "e", "enter"])
async def test_a_second_key_that_closes_a_screen_closes_no_other(key: str) -> None:
    async with shown(session(JOB)) as pilot:
        await press(pilot, "tab", key) if key == "e" else await press(pilot, key)
        dialog = pilot.app.screen
        assert isinstance(dialog, frames.OneFrame)
        below = pilot.app.screen_stack[-2]
        dialog.call_after_refresh(dialog.query_one, "#no-such-widget")
        dialog.dismiss(None)
        dialog.dismiss(None)
        dialog.call_after_refresh(dialog.query_one, "#no-such-widget")
        await pilot.pause()
        await pilot.pause()
        assert pilot.app.screen is below


async def test_what_the_palette_is_asked_while_it_closes_is_left_undone() -> None:
    async with shown(session(JOB)) as pilot:
        await press(pilot, "ctrl+p", "p", "u")
        palette = pilot.app.screen
        assert isinstance(palette, CommandPalette)
        field, listed = palette.query_one(Input), palette.query_one(OptionList)
        option = listed.get_option_at_index(0)
        palette.dismiss(None)
        palette._gather_commands("push")
        palette.post_message(Input.Changed(field, "pus"))
        palette.post_message(OptionList.OptionSelected(listed, option, 0))
        await pilot.pause()
        await pilot.pause()
        assert isinstance(pilot.app.screen, PanelScreen)


async def test_two_keys_for_a_search_before_its_line_is_there_open_it_once() -> None:
    async with shown(with_project(job="publish")) as pilot:
        await press(pilot, "w", "tab")
        screen = pilot.app.screen
        focused = screen.focused
        assert isinstance(focused, Moving)
        line = SearchLine(focused)
        line.open(focused)
        await screen.mount(line)
        assert isinstance(screen.focused, SearchText)
        await press(pilot, "escape")
        assert screen.focused is focused
