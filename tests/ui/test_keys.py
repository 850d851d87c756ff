"""The foot shows whole keys only, and always the way to all others."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from screens import press, shown
from textual._styles_cache import StylesCache
from textual.pilot import Pilot
from textual.timer import Timer
from textual.widget import Widget

from dockpass.ui.app import DockpassApp
from dockpass.ui.screens.dialogs import Help
from dockpass.ui.screens.overview import Overview
from dockpass.ui.widgets.keys import Keys, fitting
from scenes import JOB, session

KEYS = st.lists(st.tuples(st.integers(3, 20), st.booleans()), max_size=20)


@given(KEYS, st.integers(0, 300))
def test_what_is_shown_fits_and_what_always_stands_is_shown(keys: list[tuple[int, bool]], room: int) -> None:
    shown = fitting(keys, room)
    assert all(is_shown for is_shown, (_, always) in zip(shown, keys, strict=True) if always)
    taken = sum(width for is_shown, (width, _) in zip(shown, keys, strict=True) if is_shown)
    assert taken <= max(room, sum(width for width, always in keys if always))


@given(KEYS, st.integers(0, 300))
def test_the_last_ones_give_way_first(keys: list[tuple[int, bool]], room: int) -> None:
    optional = [
        is_shown for is_shown, (_, always) in zip(fitting(keys, room), keys, strict=True) if not always
    ]
    assert optional == sorted(optional, reverse=True)


def test_with_room_enough_nothing_is_left_out() -> None:
    assert fitting([(8, False), (7, True), (9, False)], 24) == [True, True, True]
    assert fitting([(8, False), (7, True), (9, False)], 23) == [True, True, False]


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
async def test_no_key_is_cut_at_any_width(width: int) -> None:
    app = DockpassApp(session(JOB))
    async with app.run_test(size=(130, 36), notifications=True, tooltips=True) as pilot:
        await pilot.pause()
        await pilot.resize_terminal(width, 36)
        await pilot.pause()
        await pilot.pause()
        foot = app.screen.query_one(Keys)
        *keys, (palette, docked) = foot.shown
        assert docked.words == "palette"
        assert palette + docked.width < width
        assert max(at + key.width for at, key in keys) < palette
        assert {"help", "app.quit"} <= {key.action for _, key in keys}
        drawn = str(foot.render())
        assert all(f"{key.display} {key.words}" == drawn[at : at + key.width] for at, key in foot.shown)


async def test_the_foot_is_made_anew_only_where_other_keys_hold() -> None:
    async with shown(session(JOB)) as pilot:
        foot = pilot.app.screen.query_one(Keys)
        before = foot.shown
        pilot.app.screen.refresh_bindings()
        await press(pilot, "down", "up")
        assert foot.shown is before
        await press(pilot, "slash")
        assert foot.shown != before


async def test_a_key_is_pressed_by_a_click_on_it_and_explained_below_the_mouse() -> None:
    async with shown(session(JOB)) as pilot:
        foot = pilot.app.screen.query_one(Keys)
        at = next(at for at, key in foot.shown if key.action == "help")
        await pilot.hover(Keys, offset=(at, 0))
        assert foot.tooltip == "Show every key."
        await pilot.click(Keys, offset=(0, 0))
        assert isinstance(pilot.app.screen, Overview)
        await pilot.click(Keys, offset=(at + 2, 0))
        assert isinstance(pilot.app.screen, Help)


async def test_nothing_is_left_of_the_keys_of_screens_that_were_left() -> None:
    async with shown(session(JOB)) as pilot:
        await _round(pilot)
        before = _alive()
        for _ in range(4):
            await _round(pilot)
        assert _alive() <= before


async def _round(pilot: Pilot[int]) -> None:
    await press(pilot, "tab", "tab", "slash", "escape", "question_mark", "escape", "c", "escape", "2")


def _alive() -> int:
    """Return how many widgets, timers and drawn widgets there are after what is garbage has gone."""
    gc.collect()
    return sum(isinstance(each, Widget | Timer | StylesCache) for each in gc.get_objects())
