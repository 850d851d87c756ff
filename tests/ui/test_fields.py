"""Fields show what is typed, pasted or known already, and let nothing of it reach the terminal as it is."""

from __future__ import annotations

import pytest
from screens import press, shown
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Input

from dockpass.session.session import Session
from dockpass.ui.screens.doctor import DoctorScreen
from dockpass.ui.widgets.panel import Rows
from dockpass.ui.widgets.value_input import PlainInput
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


async def paste(pilot: Pilot[int], text: str) -> Input:
    field = pilot.app.screen.query_one(Input)
    field.value = ""
    field.post_message(Paste(text))
    await pilot.pause()
    await pilot.pause()
    return field


@pytest.mark.parametrize("way", ["error", "import", "edit"])
async def test_one_line_is_pasted_once(way: str) -> None:
    async with shown(made(way)) as pilot:
        await press(pilot, *WAYS[way])
        for text in ("denied forbidden", "denied forbidden\r", "\ndenied forbidden\r\n"):
            assert (await paste(pilot, text)).value == "denied forbidden"


async def test_a_line_that_is_too_long_for_a_field_is_not_pasted() -> None:
    async with shown(made("edit")) as pilot:
        await press(pilot, *WAYS["edit"])
        assert (await paste(pilot, "x" * (PlainInput.MOST_PASTED + 1))).value == ""
        assert "131,073 characters" in on_screen(pilot)
        assert (await paste(pilot, "x" * 4000)).value == "x" * 4000


async def test_a_line_that_is_no_path_is_read_as_a_text_of_variables() -> None:
    async with shown(made("import")) as pilot:
        await press(pilot, *WAYS["import"])
        assert (await paste(pilot, "x" * 5_000_000)).value == ""
        assert "the paste has no variables" in on_screen(pilot)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
async def test_every_line_of_a_message_is_read_whatever_the_terminal_sends_for_a_line_end(end: str) -> None:
    async with shown(session(JOB)) as pilot:
        await press(pilot, "H", "e")
        await paste(pilot, f"WARNING! Your password will be stored{end}denied: access forbidden{end}")
        assert isinstance(pilot.app.screen, DoctorScreen)
        found = pilot.app.screen.query_one("#findings", Rows)
        shown_rows = " ".join(str(found.get_option_at_index(at).prompt) for at in range(found.option_count))
        assert "DP-ACC-" in shown_rows, "the second line is what a check explains"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
async def test_every_line_of_a_paste_of_variables_is_read(end: str) -> None:
    async with shown(made("import")) as pilot:
        await press(pilot, *WAYS["import"])
        await paste(pilot, f"FIRST=1{end}SECOND=2{end}")
        draft = pilot.app.screen._draft  # type: ignore[attr-defined]
        assert [(each.key, each.value) for each in draft.imported().definitions] == [
            ("FIRST", "1"),
            ("SECOND", "2"),
        ]


@pytest.mark.parametrize("way", ["edit", "program"])
async def test_a_field_of_one_line_says_that_it_left_out_the_others(way: str) -> None:
    async with shown(made(way)) as pilot:
        await press(pilot, *WAYS[way])
        assert (await paste(pilot, '{"auths":\r{}\r}')).value == '{"auths":'
        assert [each.message for each in pilot.app._notifications] == [
            "Only the first of 3 lines was pasted: this field takes one."
        ]
