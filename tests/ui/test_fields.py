"""Fields show what is typed, pasted or known already, and let nothing of it reach the terminal as it is."""

from __future__ import annotations

import pytest
from screens import press, shown
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Input

from dockpass.session.session import Session
from scenes import JOB, session, with_project, with_scenarios

HOSTILE = "[/b]a\x00\x1b[31mb\x9b2J\u202ec\x07\td"
WAYS = {
    "edit": ("tab", "e"),
    "filter": ("tab", "slash"),
    "report": ("R",),
    "rules": ("4", "enter"),
    "option": ("2", "enter", "enter"),
    "reason": ("H", "m"),
    "program": ("exclamation_mark",),
    "import": ("v", "i"),
    "job": ("v", "J"),
    "environment": ("v", "n"),
    "error": ("H", "e"),
    "scenario": ("S", "s"),
    "palette": ("ctrl+p",),
}


def on_screen(pilot: Pilot[int]) -> str:
    strips = pilot.app.screen._compositor.render_strips()
    return "".join(segment.text for strip in strips for segment in strip)


def steering(text: str) -> list[str]:
    return [each for each in "\x00\x1b\x9b\u202e\x07\t" if each in text]


def made(way: str) -> Session:
    if way in {"import", "job", "environment"}:
        return with_project(job="publish")
    return with_scenarios() if way == "scenario" else session(JOB)


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_pasted_steers_no_terminal(way: str) -> None:
    async with shown(made(way)) as pilot:
        await press(pilot, *WAYS[way])
        screen = pilot.app.screen
        if pump := getattr(screen, "pump", None):
            pump()
        field = screen.query(Input).first()
        field.focus()
        await pilot.pause()
        field.post_message(Paste(HOSTILE))
        await pilot.pause()
        await pilot.pause()
        assert steering(on_screen(pilot)) == []
        await press(pilot, "enter")
        assert steering(on_screen(pilot)) == []


async def test_a_value_that_is_known_already_steers_none_either() -> None:
    """A variable of a CI file may hold anything."""
    async with shown(session({**JOB, "CI_REGISTRY": HOSTILE})) as pilot:
        from dockpass.ui.screens.overview import Overview
        from dockpass.variables.catalogue import entry_of

        overview = pilot.app.screen
        assert isinstance(overview, Overview)
        overview.show_variable(entry_of("CI_REGISTRY"))
        await press(pilot, "e")
        assert pilot.app.screen.query_one(Input).value == HOSTILE
        assert steering(on_screen(pilot)) == []
