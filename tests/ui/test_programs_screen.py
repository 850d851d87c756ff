"""`!` and `$` on the screen: which program, its plan, its variables, and what becomes of it."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from screens import painted, press, shown
from textual.pilot import Pilot
from textual.widgets import Input, Static

from dockpass.auth.facts import Edit, EditKind
from dockpass.programs.task import Task, with_job
from dockpass.runs.events import Status
from dockpass.secrets import Secret
from dockpass.session.session import Session
from dockpass.ui.screens.dialogs import EditValue
from dockpass.ui.screens.overview import Overview
from dockpass.ui.screens.program import AskProgram, Choose
from dockpass.ui.screens.run import RunScreen
from dockpass.ui.views.words import plain
from dockpass.unknown import Unknown
from scenes import FOREIGN, JOB, session, with_project


def at(made: Session, directory: Path) -> Session:
    """Let the session work in a directory, with the programs of this machine."""
    environ = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(directory), "SHELL": "/bin/sh"}
    directory.chmod(0o700)
    made.services = replace(
        made.services, environ=environ, home=directory, cwd=directory, state=directory / "state"
    )
    return made


@pytest.fixture
async def pilot(tmp_path: Path) -> AsyncIterator[Pilot[int]]:
    async with shown(at(session(JOB), tmp_path)) as pilot:
        yield pilot


async def typed(pilot: Pilot[int], line: str) -> None:
    await press(pilot, "2", "exclamation_mark")
    pilot.app.screen.query_one(Input).value = line
    await press(pilot, "enter")


async def hosts(pilot: Pilot[int], text: str) -> None:
    """Name the hosts whose own login goes along."""
    pilot.app.screen.query_one(Input).value = text
    await press(pilot, "enter")


async def over(pilot: Pilot[int]) -> RunScreen:
    """Wait for the end of the program on the screen."""
    screen = pilot.app.screen
    assert isinstance(screen, RunScreen)
    for _ in range(1000):
        if screen.run_.ended and screen.state.ended is not None:
            break
        screen.pump()
        await pilot.pause(0.01)
    return screen


def texts(pilot: Pilot[int]) -> str:
    """Everything on the present screen."""
    found = [str(widget.visual) for widget in pilot.app.screen.walk_children(Static)]
    return "\n".join([*found, *(str(each.message) for each in pilot.app._notifications)])


async def test_a_captured_program_is_a_run_with_its_outcome(pilot: Pilot[int], tmp_path: Path) -> None:
    await typed(pilot, "sh -c 'grep -c auths $DOCKER_CONFIG/config.json; exit 3'")
    assert isinstance(pilot.app.screen, Choose)
    assert "DOCKER_CONFIG" in texts(pilot)
    assert "dockpass exec --for push" in " ".join(texts(pilot).split())
    await press(pilot, "c")
    screen = await over(pilot)
    log = "\n".join(plain(screen.state.log))
    assert "sh gets gitlab-ci-token with CI_JOB_TOKEN for registry.myhost.com (rule autologin)" in log
    assert "  1\n" in log
    outcome = texts(pilot)
    for words in ("sh exited with status 3", "config.json was read", "config removed and verified"):
        assert words in outcome
    await press(pilot, "escape")
    assert isinstance(pilot.app.screen, Overview)
    assert pilot.app.screen.session.programs == [Status.FAILED]
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


async def test_the_history_gives_lines_back_and_keeps_none_with_a_secret(
    pilot: Pilot[int], tmp_path: Path
) -> None:
    for line in ("sh -c 'exit 1'", "true 'a b'", f"true {JOB['CI_JOB_TOKEN']}"):
        await typed(pilot, line)
        assert JOB["CI_JOB_TOKEN"] not in texts(pilot)
        await press(pilot, "c")
        await over(pilot)
        assert JOB["CI_JOB_TOKEN"] not in texts(pilot)
        assert JOB["CI_JOB_TOKEN"] not in painted(pilot.app)
        await press(pilot, "escape")
    assert "may hold a secret" in texts(pilot)
    assert (tmp_path / "state" / "programs").read_text() == "true 'a b'\nsh -c 'exit 1'\n"
    await press(pilot, "exclamation_mark", "down", "down")
    assert pilot.app.screen.query_one(Input).value == "sh -c 'exit 1'"
    await press(pilot, "up")
    assert pilot.app.screen.query_one(Input).value == "true 'a b'"


async def test_a_line_that_is_wrong_stays_to_be_mended(pilot: Pilot[int]) -> None:
    await typed(pilot, "echo 'open")
    assert "A quote is not closed" in texts(pilot)
    pilot.app.screen.query_one(Input).value = "no-such-program $HOME"
    await pilot.pause()
    assert "No shell reads this line, so $HOME is passed on as it is." in texts(pilot)
    await press(pilot, "enter")
    assert isinstance(pilot.app.screen, AskProgram)
    assert pilot.app.screen.query_one(Input).value == "no-such-program $HOME"
    assert "There is no no-such-program in PATH." in texts(pilot)


async def test_without_a_terminal_to_hand_over_it_says_so_and_makes_nothing(
    pilot: Pilot[int], tmp_path: Path
) -> None:
    for keys in (("dollar_sign",), ("exclamation_mark", "down", "enter")):
        await press(pilot, *keys, "r")
        assert "This screen has no terminal to hand over." in texts(pilot)
        assert isinstance(pilot.app.screen, Overview)
    assert not list(tmp_path.glob("dockpass-*"))


async def test_a_program_is_cancelled_with_x_and_quitting_stops_it(pilot: Pilot[int], tmp_path: Path) -> None:
    await typed(pilot, "sleep 60")
    await press(pilot, "c", "x")
    screen = await over(pilot)
    assert screen.state.ended
    assert screen.state.ended.status is Status.CANCELLED
    await press(pilot, "escape")
    await typed(pilot, "sleep 60")
    await press(pilot, "c", "q")
    assert "A run is still going." in texts(pilot)
    await press(pilot, "y")
    assert not list(tmp_path.glob("dockpass-*"))


async def test_the_token_goes_to_a_foreign_registry_only_after_a_question(tmp_path: Path) -> None:
    made = at(session(JOB, edits=(FOREIGN,)), tmp_path)
    async with shown(made) as pilot:
        await typed(pilot, "true")
        assert "1 edit of this session" in " ".join(texts(pilot).split())
        await press(pilot, "c")
        assert "CI_JOB_TOKEN would be sent to quay.io" in " ".join(texts(pilot).split())
        await press(pilot, "n")
        assert isinstance(pilot.app.screen, Overview)
        assert not list(tmp_path.glob("dockpass-*"))
        await typed(pilot, "true")
        await press(pilot, "c", "s")
        assert "true gets gitlab-ci-token with CI_JOB_TOKEN for quay.io" in "\n".join(
            plain((await over(pilot)).state.log)
        )


async def test_as_a_job_the_program_gets_its_variables_and_unknown_ones_are_asked_for(tmp_path: Path) -> None:
    made = at(with_project(job="publish"), tmp_path)
    made.look_as_job(True)
    for name, value in JOB.items():
        secret = name == "CI_JOB_TOKEN"
        made.edit(Edit(EditKind.SET, name, Secret(value) if secret else value))
    made.edit(Edit(EditKind.SET, "DOCKER_AUTH_CONFIG", "{}"))  # no program gets it
    unknown = with_job(Task(request=None, argv=(), path=""), made.facts).left_out
    assert unknown
    async with shown(made) as pilot:
        await typed(pilot, "sh -c 'echo job=$CI_JOB_NAME; echo typed=$" + unknown[0] + "'")
        question = pilot.app.screen
        assert isinstance(question, Choose)
        assert unknown[0] in texts(pilot)
        await press(pilot, "e")
        pilot.app.screen.query_one(Input).value = "typed-by-hand"
        await press(pilot, "enter")
        assert unknown[0] not in texts(pilot) or len(unknown) == 1
        if len(unknown) > 1:
            await press(pilot, "w")
        await press(pilot, "c")
        log = "\n".join(plain((await over(pilot)).state.log))
        assert f"job={JOB['CI_JOB_NAME']}" in log
        assert "typed=typed-by-hand" in log


async def test_a_value_that_the_login_needs_is_asked_for_first(tmp_path: Path) -> None:
    values = {**JOB, "CI_JOB_TOKEN": Unknown(is_set=True)}
    async with shown(at(session(values), tmp_path)) as pilot:
        await press(pilot, "2", "exclamation_mark")
        field = pilot.app.screen.query_one(Input)
        assert field.password
        field.value = "canary-typed-0123456"
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, AskProgram)


async def test_logins_of_your_own_go_along_with_a_program_and_with_a_shell(tmp_path: Path) -> None:
    config = {
        "auths": {"quay.io": {"auth": "bWU6Y2FuYXJ5LW93bi0wMTIzNA=="}, "ghcr.io": {"auth": "YTpi"}},
        "credHelpers": {"docker.io": "none-here"},
    }
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(json.dumps(config))
    async with shown(at(session(JOB), tmp_path)) as pilot:
        await press(pilot, "2", "dollar_sign", "a")
        await hosts(pilot, "quay.io")
        assert "your own login for quay.io" in " ".join(texts(pilot).split())
        await press(pilot, "n")
        await typed(pilot, "sh -c 'cat $DOCKER_CONFIG/config.json | tr -d \"\\n\\t \"'")
        await press(pilot, "a")
        await hosts(pilot, "quay.io/team")
        assert "“quay.io/team” is not a host name" in " ".join(texts(pilot).split())
        field = pilot.app.screen.query_one(Input)
        assert field.value == "quay.io/team"
        field.value = "quay.io nowhere.example"
        await pilot.pause()
        said = " ".join(texts(pilot).split())
        assert "quay.io " in said
        assert "the entry quay.io of me" in said
        assert "has no entry for it" in said
        assert "also in your config ghcr.io, docker.io" in said
        await press(pilot, "enter")
        assert "--also quay.io --also nowhere.example -- sh" in " ".join(texts(pilot).split())
        await press(pilot, "a", "escape", "c")
        log = "\n".join(plain((await over(pilot)).state.log))
        assert "for registry.myhost.com (rule autologin), and your own login for quay.io" in log
        assert "no login of your own: nowhere.example" in log
        assert "ghcr.io" not in log
        assert "canary-own" not in log


async def test_where_nothing_names_a_registry_the_hosts_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    made = at(session({"WERF_DOCKER_CONFIG": str(tmp_path)}, base=()), tmp_path)
    async with shown(made) as pilot:
        await press(pilot, "1", "dollar_sign")
        assert isinstance(pilot.app.screen, EditValue)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, Overview)
        await press(pilot, "dollar_sign")
        await hosts(pilot, "registry-1.docker.io")
        assert "your own login for docker.io" in " ".join(texts(pilot).split())
