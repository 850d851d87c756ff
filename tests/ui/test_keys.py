"""The foot shows whole keys only, and always the way to all others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from screens import press, shown

from dockpass.ui.app import DockpassApp
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
        keys = list(app.screen.query_one(Keys).children)
        last = max(key.region.right for key in keys if not key.has_class("-command-palette"))
        docked = [key.region.x for key in keys if key.has_class("-command-palette")]
        assert [last <= at for at in docked] == [True]
        assert {"help", "app.quit"} <= {getattr(key, "action", "") for key in keys}


async def test_the_foot_is_made_anew_only_where_other_keys_hold() -> None:
    async with shown(session(JOB)) as pilot:
        foot = pilot.app.screen.query_one(Keys)
        before = list(foot.children)
        pilot.app.screen.refresh_bindings()
        await press(pilot, "down", "up")
        assert list(foot.children) == before
        await press(pilot, "slash")
        assert list(foot.children) != before
