"""A click selects; a second click on the same row chooses it."""

from __future__ import annotations

import pytest
from screens import painted, shown

from dockpass.ui.chooser import Chooser
from dockpass.ui.screens.dialogs import Confirm, EditValue
from dockpass.ui.screens.overview import Overview
from dockpass.ui.widgets.panel import Rows
from scenes import JOB, session


@pytest.mark.parametrize("row", [0, 1, 3])
async def test_a_click_on_a_command_selects_it_and_a_second_shows_its_plan(row: int) -> None:
    async with shown(session(JOB)) as pilot:
        await pilot.click("#commands", offset=(10, 1 + row))
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, Overview)
        assert screen.command == ["build", "push", "pull", "cleanup"][row]
        await pilot.click("#commands", offset=(10, 1 + row))
        await pilot.pause()
        assert isinstance(pilot.app.screen, EditValue if row == 3 else Confirm)


async def test_a_click_on_a_variable_selects_it() -> None:
    async with shown(session(JOB)) as pilot:
        await pilot.click("#environment", offset=(10, 3))
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, Overview)
        assert screen.selected_entry is not None
        assert screen.selected_entry.name == "CI_JOB_TOKEN"
        await pilot.click("#environment", offset=(10, 4))
        await pilot.pause()
        assert isinstance(pilot.app.screen, Overview)
        await pilot.click("#environment", offset=(10, 4))
        await pilot.pause()
        assert isinstance(pilot.app.screen, EditValue)


async def test_clicks_on_a_heading_and_on_two_rows_take_nothing() -> None:
    async with shown(session(JOB)) as pilot:
        await pilot.click("#environment", offset=(10, 1))
        await pilot.click("#commands", offset=(10, 1))
        await pilot.pause(0.6)
        await pilot.click("#commands", offset=(10, 2))
        await pilot.pause(0.6)
        await pilot.click("#commands", offset=(10, 1))
        await pilot.pause()
        assert isinstance(pilot.app.screen, Overview)


async def test_a_click_on_a_place_selects_it_and_a_second_goes_there() -> None:
    app = Chooser(["the variables of a GitLab job"])
    async with app.run_test(size=(100, 24), notifications=True, tooltips=True) as pilot:
        await pilot.pause()
        assert "Found here: the variables" in painted(app)
        await pilot.click("#places", offset=(5, 1))
        await pilot.pause()
        assert app.is_running
        assert app.query_one("#places", Rows).selected_id == "here"
        await pilot.click("#places", offset=(5, 1))
        await pilot.pause()
    assert app.return_value == "here"
