"""Every question shows its answers at every size, and a deletion has a key of its own."""

from __future__ import annotations

import pytest
from screens import method, painted, press, shown, type_fast
from textual.pilot import Pilot
from textual.widgets import Button, Input

from dockpass.auth.command import Command, Method
from dockpass.auth.facts import EditKind
from dockpass.errors import ExitCode
from dockpass.runs import events as ev
from dockpass.ui.screens.dialogs import Confirm, ConfirmDeletion, EditValue
from dockpass.ui.screens.run import RunScreen
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.lines import Lines
from dockpass.unknown import Unknown
from scenes import FOREIGN, JOB, ScriptedRun, session

SIZES = [(60, 16), (61, 17), (80, 24), (100, 30), (120, 36), (200, 60)]
TAGS = tuple(
    ev.TagPlanned(
        0.1, f"feature-{n:03d}", "sha256:0", "", 1, "keep" if n % 4 == 0 else "delete", f"{n} days old"
    )
    for n in range(400)
)
CLEANUP = (*TAGS, ev.Asked(0.2, "Delete 300 tags of registry.myhost.com/web/backend?", "feature-001, …"))
TO_DELETION = ("4", "enter", "enter", "r")


def answers_are_seen(pilot: Pilot[int]) -> bool:
    screen = pilot.app.screen
    frame = screen.query_one(".dialog").region
    buttons = [button.region for button in screen.query(Button)]
    inside = all(region.height > 0 and frame.contains_region(region) for region in buttons)
    return len(buttons) == 2 and inside and screen.region.contains_region(frame)


async def to_deletion(pilot: Pilot[int]) -> RunScreen:
    await press(pilot, *TO_DELETION)
    run = next(screen for screen in pilot.app.screen_stack if isinstance(screen, RunScreen))
    run.pump()
    await pilot.pause()
    await pilot.pause()
    assert isinstance(pilot.app.screen, ConfirmDeletion)
    return run


@pytest.mark.parametrize("size", SIZES)
async def test_the_answers_to_a_plan_and_to_a_deletion_are_seen(size: tuple[int, int]) -> None:
    async with shown(session(JOB, script=CLEANUP), size) as pilot:
        await press(pilot, *TO_DELETION[:-1])
        await pilot.pause()
        assert answers_are_seen(pilot)
        await press(pilot, "escape")
        await to_deletion(pilot)
        assert answers_are_seen(pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_the_list_of_a_deletion_has_the_keys_at_once(size: tuple[int, int]) -> None:
    async with shown(session(JOB, script=CLEANUP), size) as pilot:
        await to_deletion(pilot)
        body = pilot.app.screen.query_one("#body", Lines)
        assert pilot.app.focused is body
        assert body.size.height >= 3
        await press(pilot, "down", "j")
        assert body.scroll_offset.y == 2
        await press(pilot, "k", "up")
        assert body.scroll_offset.y == 0
        await press(pilot, "pagedown")
        assert body.scroll_offset.y >= 2
        await press(pilot, "G")
        assert body.scroll_offset.y == body.max_scroll_y > 0
        await press(pilot, "g")
        assert body.scroll_offset.y == 0


async def test_the_list_of_a_deletion_is_searched_and_the_search_is_left_before_the_question() -> None:
    async with shown(session(JOB, script=CLEANUP), (80, 24)) as pilot:
        run = await to_deletion(pilot)
        await press(pilot, "slash", *"e-399")
        assert "1 of 400" in str(pilot.app.screen.query_one(".dialog").border_subtitle)
        assert answers_are_seen(pilot)
        await press(pilot, "enter", "escape")
        assert isinstance(pilot.app.screen, ConfirmDeletion)
        assert pilot.app.screen.query_one(Filter).value == ""
        assert "300 to delete · 100 to keep" in str(pilot.app.screen.query_one(".dialog").border_subtitle)
        await press(pilot, "slash", *"zzz")
        assert "nothing matches" in str(pilot.app.screen.query_one(".dialog").border_subtitle)
        await press(pilot, "d")  # a letter of the search, not an answer
        assert isinstance(run.run_, ScriptedRun)
        assert run.run_.answered is None


async def test_a_search_that_is_typed_fast_is_no_answer() -> None:
    async with shown(session(JOB, script=CLEANUP), (80, 24)) as pilot:
        run = await to_deletion(pilot)
        await type_fast(pilot, "/dn/d")
        assert isinstance(run.run_, ScriptedRun)
        assert run.run_.answered is None
        assert isinstance(pilot.app.screen, ConfirmDeletion)
        assert pilot.app.screen.query_one(Filter).value == "dn/d"


@pytest.mark.parametrize(
    ("key", "answer"), [("r", None), ("y", None), ("enter", None), ("d", True), ("n", False)]
)
async def test_a_deletion_is_confirmed_by_another_key_than_its_plan(key: str, answer: bool | None) -> None:
    async with shown(session(JOB, script=CLEANUP), (80, 24)) as pilot:
        run = await to_deletion(pilot)
        assert isinstance(run.run_, ScriptedRun)
        await press(pilot, key)
        assert run.run_.answered is answer


async def test_two_presses_of_yes_send_no_token_to_a_foreign_registry() -> None:
    async with shown(session(JOB, edits=(FOREIGN,)), (60, 16)) as pilot:
        await press(pilot, "2", "enter", "r", "r")
        assert isinstance(pilot.app.screen, Confirm)
        assert answers_are_seen(pilot)
        await press(pilot, "s")
        assert isinstance(pilot.app.screen, RunScreen)


async def test_saying_no_is_no_error() -> None:
    ended = ev.Ended(0.3, ev.Status.NOT_ALLOWED, ExitCode.NOT_ALLOWED, "not-confirmed", "Not confirmed.", "")
    async with shown(session(JOB, script=(*TAGS, ended)), (80, 24)) as pilot:
        await press(pilot, *TO_DELETION)
        pilot.app.screen.pump()
        await pilot.pause()
        shot = painted(pilot.app)
        assert "declined, nothing deleted" in shot
        assert "not-allowed" not in shot
        assert "feature-399" in shot  # what would have gone is in the log


async def test_looking_at_a_secret_keeps_it() -> None:
    made = session(JOB)
    async with shown(made, (80, 24)) as pilot:
        await press(pilot, "tab", "down", "e")
        field = pilot.app.screen.query_one("#value", Input)
        assert field.value == ""
        assert field.placeholder == "26 characters, unchanged"
        assert "autologin" in painted(pilot.app)
        await press(pilot, "x", "backspace", "enter")
        assert made.edits == []
        assert method(made, Command.PUSH) is Method.AUTOLOGIN


@pytest.mark.parametrize("keys", [("enter",), ("escape",)])
async def test_a_value_that_stays_as_it_is_makes_no_edit(keys: tuple[str, ...]) -> None:
    made = session(JOB)
    async with shown(made) as pilot:
        await press(pilot, "tab", "e", *keys)
        assert made.edits == []


async def test_a_secret_is_unset_by_a_key_that_says_so() -> None:
    made = session(JOB)
    async with shown(made, (60, 16)) as pilot:
        await press(pilot, "tab", "down", "e")
        dialog = pilot.app.screen
        assert isinstance(dialog, EditValue)
        assert "ctrl+n unsets" in str(dialog.query_one(".dialog").border_subtitle)
        await press(pilot, "ctrl+n")
        assert [(edit.kind, edit.name) for edit in made.edits] == [(EditKind.UNSET, "CI_JOB_TOKEN")]
        assert "~" in painted(pilot.app)


@pytest.mark.parametrize(
    ("keys", "counts"),
    [(("tab", "e"), True), (("4", "enter"), False), (("R",), False), (("1", "enter", "enter"), False)],
    ids=["a variable", "rules", "a path", "an option"],
)
async def test_spaces_around_a_text_are_told_only_where_they_count(
    keys: tuple[str, ...], counts: bool
) -> None:
    async with shown(session(JOB), (120, 36)) as pilot:
        await press(pilot, *keys)
        dialog = pilot.app.screen
        assert isinstance(dialog, EditValue)
        dialog.query_one("#value", Input).value = "keep-last=2 "
        await pilot.pause()
        assert dialog.query_one("#odd").display is counts


async def test_a_revealed_secret_is_whole_however_long_it_is() -> None:
    token = "canary-" + "0123456789" * 30
    async with shown(session({**JOB, "CI_JOB_TOKEN": token}), (60, 30)) as pilot:
        await press(pilot, "tab", "down", "r", "y")
        await pilot.pause()
        text = "".join(str(pilot.app.screen.query_one("#body Static").render()).split())
        assert text == token


async def test_a_run_that_needs_an_unknown_value_asks_for_it_first() -> None:
    masked = session({**JOB, "CI_JOB_TOKEN": Unknown("masked in the log", is_set=True)})
    async with shown(masked, (120, 36)) as pilot:
        await press(pilot, "2", "enter")
        dialog = pilot.app.screen
        assert isinstance(dialog, EditValue)
        assert dialog.query_one(".dialog").border_title == "CI_JOB_TOKEN"
        dialog.query_one("#value", Input).value = "canary-0123456789"
        await press(pilot, "enter")
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, Confirm)
