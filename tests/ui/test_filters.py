"""A filter is seen, says what it leaves, and is left by escape."""

from __future__ import annotations

import pytest
from screens import painted, press, shown, type_fast

from dockpass.runs import events as ev
from dockpass.ui.screens.run import RunScreen
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.panel import Rows
from dockpass.ui.widgets.run_log import RunLog
from scenes import JOB, session

LOG = tuple(ev.Log(n / 1000, ev.LogKind.ENGINE, f"line {n} of the Engine") for n in range(120))


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36), (200, 60)])
async def test_nothing_found_is_said_and_escape_clears(size: tuple[int, int]) -> None:
    async with shown(session(JOB), size) as pilot:
        rows = pilot.app.screen.query_one("#environment", Rows)
        await press(pilot, "tab", "slash", *"zzzz")
        assert str(rows.border_title) == "Environment /zzzz · nothing matches, esc clears"
        assert "no match for" in painted(pilot.app)
        await press(pilot, "escape")
        assert str(rows.border_title) == "Environment"
        assert pilot.app.focused is rows
        assert rows.option_count > 20


async def test_a_kept_filter_is_seen_and_left_from_the_list() -> None:
    async with shown(session(JOB)) as pilot:
        rows = pilot.app.screen.query_one("#environment", Rows)
        await press(pilot, "slash", *"REGISTRY", "enter")
        assert pilot.app.focused is rows
        assert "/registry · " in str(rows.border_title)
        assert "esc clears" in str(rows.border_title)
        await press(pilot, "escape")
        assert str(rows.border_title) == "Environment"


async def test_values_are_searched_and_secrets_are_not() -> None:
    async with shown(session(JOB)) as pilot:
        rows = pilot.app.screen.query_one("#environment", Rows)
        await press(pilot, "slash", *"web/backend", "enter")
        assert [row for row in rows._ids if row] == ["CI_REGISTRY_IMAGE", "CI_PROJECT_PATH"]
        await press(pilot, "escape", "slash", *"canary", "enter")
        assert [row for row in rows._ids if row] == []


async def test_a_search_in_the_log_is_seen_and_cleared_before_the_screen_is_left() -> None:
    async with shown(session(JOB, script=LOG), (80, 24)) as pilot:
        await press(pilot, "2", "enter", "r")
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        screen.pump()
        log = screen.query_one("#log", RunLog)
        await press(pilot, "slash", *"line 11 of", "enter")
        assert str(log.border_title) == "Log /line 11 of · 1 of 120, esc clears"
        await press(pilot, "escape")
        assert pilot.app.screen is screen
        assert str(log.border_title) == "Log"
        assert screen.query_one(Filter).text == ""
        assert len(log._lines) == 120
        await press(pilot, "slash", *"zzz")
        assert "nothing matches" in str(log.border_title)
        await press(pilot, "escape", "escape")
        assert pilot.app.screen is not screen  # the question whether the run is to be cancelled


async def test_what_is_typed_fast_after_the_key_is_looked_for_and_no_key_of_the_screen() -> None:
    made = session(JOB)
    async with shown(made) as pilot:
        rows = pilot.app.screen.query_one("#environment", Rows)
        await press(pilot, "tab")
        await type_fast(pilot, "/urea/q")
        assert str(rows.border_title).startswith("Environment /urea/q · ")
        assert made.edits == []
        await press(pilot, "escape")
        await type_fast(pilot, "/ci_")
        assert str(rows.border_title).startswith("Environment /ci_ · ")


async def test_what_is_typed_is_never_read_as_markup() -> None:
    async with shown(session(JOB)) as pilot:
        await press(pilot, "slash", *"[/foo]", "enter")
        title = pilot.app.screen.query_one("#environment").border_title
        assert "[/foo]" in str(title)
