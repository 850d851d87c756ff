"""What a person does on the screen, and what follows."""

from __future__ import annotations

from pathlib import Path

import pytest
from screens import method, painted, press, shown
from textual.widgets import Input

from dockpass.auth.command import Command, Method
from dockpass.errors import ExitCode
from dockpass.runs import events as ev
from dockpass.ui.app import DockpassApp
from dockpass.ui.screens.run import RunScreen
from scenes import JOB, ScriptedRun, session

HOSTILE = (
    "[@click=app.quit]x[/]",
    "[/foo]",
    "[bold",
    "\x1b]0;owned\x07",
    "\x1b[2J",
    "\u202eevil",
    "[link=http://evil.example]x",
)


async def test_an_edit_changes_what_follows_and_undo_takes_it_back() -> None:
    made = session(JOB)
    async with shown(made) as pilot:
        await press(pilot, "tab", "u")
        assert method(made, Command.PUSH) is Method.AMBIENT
        await press(pilot, "backspace")
        assert method(made, Command.PUSH) is Method.AUTOLOGIN


async def test_a_typed_secret_is_a_secret_at_once() -> None:
    made = session(JOB)
    async with shown(made) as pilot:
        await press(pilot, "tab", "down", "down", "down", "e")
        field = pilot.app.screen.query_one("#value", Input)
        assert field.password
        await press(pilot, *"typed-secret", "enter")
        assert method(made, Command.CLEANUP) is Method.CLEANUP_TOKEN
        assert "typed-secret" not in painted(pilot.app)
        assert "typed-secret" not in repr(made.edits)


async def test_what_is_wrong_in_the_config_in_use_stands_under_why(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"auths": {"quay.io": {"auth": "no Base64!"}}}')
    made = session({"DOCKER_CONFIG": str(tmp_path), "CI_REGISTRY_IMAGE": "quay.io/web/app"})
    async with shown(made, (120, 50)) as pilot:
        await press(pilot, "2")
        why = str(pilot.app.screen.query_one("#why Static").visual)
        assert "Notice" in why
        assert "quay.io" in why.partition("Notice")[2]
        assert "✗" in why.partition("Notice")[2]
        await press(pilot, "4", "enter")
        assert "enter shows the plan" in str(pilot.app.screen.query_one(".dialog").border_subtitle)
        assert "do not match v.*" in str(pilot.app.screen.query_one("#body Static").visual)


async def test_the_repository_is_asked_for_where_it_is_missing() -> None:
    made = session({})
    async with shown(made) as pilot:
        await press(pilot, "2", "enter", *"quay.io/a", "enter")
        assert made.facts.options.repo == "quay.io/a"


async def test_a_revealed_secret_hides_again() -> None:
    made = session(JOB)
    async with shown(made) as pilot:
        await press(pilot, "tab", "down", "r", "y")
        assert JOB["CI_JOB_TOKEN"] in painted(pilot.app)
        pilot.app.screen._hide()
        await pilot.pause()
        assert JOB["CI_JOB_TOKEN"] not in painted(pilot.app)


async def test_a_filter_leaves_only_what_holds_it() -> None:
    made = session(JOB)
    async with shown(made) as pilot:
        await press(pilot, "slash", *"werf", "enter")
        shot = painted(pilot.app)
        assert "WERF_DOCKER_CONFIG" in shot
        assert "CI_PROJECT_PATH" not in shot


async def test_keys_typed_fast_are_taken_in_their_order() -> None:
    made = session(JOB)
    async with shown(made) as pilot:
        await pilot.press("3", "enter")
        await pilot.pause()
        assert "Run pull?" in painted(pilot.app)


async def test_nothing_runs_without_a_yes() -> None:
    made = session(JOB)
    async with shown(made) as pilot:
        await press(pilot, "2", "enter", "n")
        assert not isinstance(pilot.app.screen, RunScreen)


async def test_a_foreign_registry_needs_a_yes_of_its_own() -> None:
    made = session({**JOB, "CI_REGISTRY_IMAGE": "quay.io/a/b"})
    async with shown(made) as pilot:
        await press(pilot, "2", "enter", "r", "n")
        assert not isinstance(pilot.app.screen, RunScreen)
        await press(pilot, "2", "enter", "r", "r")
        assert not isinstance(pilot.app.screen, RunScreen)
        await press(pilot, "s")
        assert isinstance(pilot.app.screen, RunScreen)


async def test_a_run_is_cancelled_by_key_and_asked_about_when_left() -> None:
    made = session(JOB, script=(ev.PhaseStarted(0.1, ev.Phase.CREATE_CONFIG),))
    async with shown(made) as pilot:
        await press(pilot, "2", "enter", "r")
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        run = screen.run_
        assert isinstance(run, ScriptedRun)
        await press(pilot, "escape", "n")
        assert not run.cancelled
        await press(pilot, "x")
        assert run.cancelled


async def test_quitting_asks_while_a_run_goes_on_and_stops_it() -> None:
    made = session(JOB, script=(ev.PhaseStarted(0.1, ev.Phase.CREATE_CONFIG),))
    async with shown(made) as pilot:
        await press(pilot, "2", "enter", "r", "q", "n")
        assert pilot.app.is_running
        run_screen = pilot.app.screen
        assert isinstance(run_screen, RunScreen)
        await press(pilot, "q", "y")
        assert run_screen.run_.cancelled


async def test_q_quits_at_once_where_nothing_runs() -> None:
    app = DockpassApp(session(JOB))
    async with app.run_test(notifications=True, tooltips=True) as pilot:
        await pilot.pause()
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


async def test_the_answer_to_a_cleanup_plan_reaches_the_run() -> None:
    made = session(JOB, script=(ev.Asked(0.1, "Delete 1 tag?", "old"),))
    async with shown(made) as pilot:
        await press(pilot, "4", "enter", "enter", "r")
        screen = pilot.app.screen_stack[1] if len(pilot.app.screen_stack) > 1 else pilot.app.screen
        run_screen = next(found for found in pilot.app.screen_stack if isinstance(found, RunScreen))
        run_screen.pump()
        await pilot.pause()
        await press(pilot, "y")
        assert run_screen.run_.answered is True
        assert screen is not None


@pytest.mark.parametrize("size", [(20, 5), (59, 16), (60, 16), (80, 24), (200, 60)])
async def test_every_size_is_drawn(size: tuple[int, int]) -> None:
    async with shown(session(JOB), size) as pilot:
        await press(pilot, "tab", "tab", "tab", "3")
        assert pilot.app.is_running


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_hostile_text_is_shown_as_text(hostile: str) -> None:
    values = dict.fromkeys((*JOB, "WERF_IGNORE_CI_DOCKER_AUTOLOGIN"), hostile)
    values |= {"CI_REGISTRY_IMAGE": "registry.myhost.com/a", "GITLAB_CI": "true", "CI_JOB_ID": "1"}
    log = ev.Log(0.1, ev.LogKind.ENGINE, hostile)
    made = session(values, script=(log,), base=(hostile,))
    async with shown(made) as pilot:
        pilot.app.notify(hostile)
        await press(pilot, "tab", "e", "escape", "1", "2", "enter", "r", "r")
        await pilot.pause()
        shot = painted(pilot.app)
        assert "\x1b" not in shot
        assert pilot.app.is_running


HINT = (
    "This token may read the repository, and the registry did not grant it to delete. Set"
    " WERF_IMAGES_CLEANUP_PASSWORD to a token of a user who may delete there, or give"
    " --registry-username and --registry-password; `dockpass probe cleanup` shows what it may do."
    " Deletion may also be switched off there: ask who runs it to set storage.delete.enabled. THE END"
)


@pytest.mark.parametrize("size", [(80, 24), (100, 26), (120, 36)])
async def test_the_way_out_of_a_failed_run_is_read_whole(size: tuple[int, int]) -> None:
    message = "registry.myhost.com refused the deletion in registry.myhost.com/web/backend: 401 UNAUTHORIZED."
    script = (
        *(ev.PhaseStarted(0.1, phase) for phase in ev.Phase),
        ev.ConfigRemoved(0.2, "/dev/shm/dockpass-1", True, "removed and looked for: it is gone"),
        ev.Ended(0.3, ev.Status.REFUSED, ExitCode.LOGIN_REFUSED, "login-refused", message, HINT),
    )
    async with shown(session(JOB, script=script), size) as pilot:
        await press(pilot, "2", "enter", "r")
        await pilot.pause()
        screen = pilot.app.screen
        outcome, log = screen.query_one("#outcome"), screen.query_one("#log")
        assert outcome.max_scroll_y == 0
        assert outcome.region.bottom <= size[1] - 1
        assert log.size.height >= 2
        assert "THE END" in str(outcome.query_one("Static").visual)
