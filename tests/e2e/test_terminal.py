"""What only a terminal shows: the real program on a pseudo-terminal."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Program
from terminal import Terminal

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m[@click=app.quit]x[/]"

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.terminal


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    yield made
    made.remove()


def opened(
    program: Program, command: list[str] | None = None, *, controlling: bool = True, **variables: str
) -> Terminal:
    host = f"unix://{program.directory}/none.sock"
    return Terminal(program, command=command, controlling=controlling, DOCKER_HOST=host, **variables)


def test_it_starts_explains_and_quits_with_the_terminal_restored(program: Program) -> None:
    terminal = opened(
        program, CI_REGISTRY="r.example", CI_JOB_TOKEN="canary-token-1", CI_REGISTRY_IMAGE="r.example/a"
    )
    assert terminal.shows("gitlab-ci-token")
    terminal.press("q")
    assert terminal.ends() == 0
    assert b"\x1b[?1049l" in terminal.raw
    assert b"\x1b[?25h" in terminal.raw
    assert b"canary" not in terminal.raw


def test_it_takes_variables_and_options_as_explain_does(program: Program) -> None:
    file = program.directory / "job.env"
    file.write_text("CI_REGISTRY=r.example\nCI_JOB_TOKEN=canary-token-1\nCI_COMMIT_TITLE=two words\n")
    terminal = Terminal(
        program,
        *(
            "--clean-env",
            "--env-file",
            str(file),
            "--repo",
            "r.example/from/option",
            "--unset",
            "CI_REGISTRY",
        ),
        *("--set", "CI_REGISTRY=set.example:5000", "--from", "set.example:5000/base:1"),
        CI_REGISTRY_IMAGE="r.example/of/the/process",
        DOCKER_HOST=f"unix://{program.directory}/none.sock",
    )
    assert terminal.shows("r.example/from/option")
    assert terminal.shows("set.example:5000")
    assert not any("of/the/process" in line for line in terminal.screen.display)
    terminal.press("q")
    assert terminal.ends() == 0
    assert b"canary" not in terminal.raw


def test_a_password_from_stdin_leaves_the_keys_to_the_terminal(program: Program) -> None:
    line = shlex.join(
        program.command("--registry-username", "alice", "--registry-password-stdin", "--repo", "r.example/a")
    )
    terminal = opened(program, command=["sh", "-c", f"printf canary-password-1 | {line}"])
    assert terminal.shows("alice")
    terminal.press("q")
    assert terminal.ends() == 0
    assert b"canary" not in terminal.raw


def test_a_run_without_an_engine_says_so_and_leaves_nothing(program: Program) -> None:
    settings = program.directory / "settings.toml"
    settings.write_text('engine = "docker"\n')
    terminal = opened(program, CI_REGISTRY_IMAGE="r.example/a", DOCKPASS_CONFIG=str(settings))
    assert terminal.shows("no engine")
    terminal.answers("3\r", "This pull cannot start", "No engine answers")
    terminal.answers("n", "Environment")
    assert program.left == []
    terminal.press("q")
    assert terminal.ends() == 0


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_ends_it_in_order(program: Program, number: signal.Signals, status: int) -> None:
    terminal = opened(program)
    assert terminal.shows("Commands")
    terminal.child.send_signal(number)
    assert terminal.ends() == status
    assert b"\x1b[?1049l" in terminal.raw


def test_hostile_text_of_the_environment_never_reaches_the_terminal(program: Program) -> None:
    names = ("CI_REGISTRY", "CI_PROJECT_PATH", "CI_COMMIT_REF_NAME", "WERF_DOCKER_CONFIG", "DOCKER_CONTEXT")
    values = dict.fromkeys(names, HOSTILE)
    terminal = opened(program, CI_REGISTRY_IMAGE="r.example/a", GITLAB_CI="true", CI_JOB_ID="1", **values)
    assert terminal.shows("[@click=app.quit]x[/]")
    terminal.press("q")
    assert terminal.ends() == 0
    assert b"owned\x07" not in terminal.raw
    assert b"\x1b]0;owned" not in terminal.raw
    assert "\x9b31m".encode() not in terminal.raw


def test_a_terminal_of_20x5_is_told_what_is_needed_and_quits(program: Program) -> None:
    terminal = Terminal(program, columns=20, rows=5)
    assert terminal.shows("dockpass needs")
    terminal.press("q")
    assert terminal.ends() == 0


def test_without_colour_nothing_is_lost(program: Program) -> None:
    terminal = opened(program, CI_REGISTRY_IMAGE="r.example/a", NO_COLOR="1")
    assert terminal.shows("docker's own")
    assert terminal.shows("✗ external config")
    terminal.press("q")
    assert terminal.ends() == 0


def on_a_run(program: Program, script: str) -> Terminal:
    """A run that waits: for the registry, or for an answer."""
    code = (
        f"import sys, time; sys.path[:0] = {[str(ROOT / 'screenshots'), str(ROOT / 'tests/support')]}\n"
        f"sys.path.append({str(ROOT / 'tests/ui')!r})\n"
        "import test_waiting, scenes; from dockpass.ui.app import DockpassApp\n"
        f"made = scenes.session(scenes.JOB, script=test_waiting.{script})\n"
        "made.clock = time.monotonic\n"
        "sys.exit(DockpassApp(made).run() or 7)"
    )
    terminal = opened(program, [sys.executable, "-c", code])
    assert terminal.shows("gitlab-ci-token")
    terminal.answers("2\r", "r  run")
    terminal.answers("r", "Lifecycle" if script == "BEGAN" else "Send the login to another host?")
    terminal.read()
    return terminal


def written_in_a_while(terminal: Terminal) -> float:
    """Return how many bytes a second come, less what one update draws."""
    before, began = len(terminal.raw), time.monotonic()
    while time.monotonic() - began < 1.5:
        terminal.read(0.05)
    return (len(terminal.raw) - before - 2_000) / (time.monotonic() - began)


@pytest.mark.parametrize("script", ["BEGAN", "ASKED"])
def test_a_run_that_waits_writes_next_to_nothing(program: Program, script: str) -> None:
    terminal = on_a_run(program, script)
    try:
        # On a busy machine the first windows still hold what the last key drew.
        assert any(written_in_a_while(terminal) < 2_000 for _ in range(8))
        assert terminal.child.poll() is None
    finally:
        terminal.child.kill()
        terminal.child.wait()


@pytest.mark.parametrize("closed", [False, True], ids=["terminated", "closed"])
def test_it_ends_though_its_terminal_has_stood_still(program: Program, closed: bool) -> None:
    terminal = on_a_run(program, "BEGAN")
    for _ in range(150):  # nobody reads what these draw
        terminal.press("/ab\x1b[B\x1b?\x1b")
        time.sleep(0.01)
    if closed:
        os.close(terminal.leader)
    else:
        terminal.child.send_signal(signal.SIGTERM)
    try:
        assert terminal.child.wait(20) is not None
    finally:
        terminal.child.kill()


@pytest.mark.parametrize("how", ["hung up", "without a signal", "with its signal ignored"])
@pytest.mark.parametrize("place", ["overview", "dialog", "question"])
def test_a_closed_terminal_ends_it(program: Program, how: str, place: str) -> None:
    arguments = ["try"] if place == "question" else []
    command = program.command(*arguments)
    if how == "with its signal ignored":
        command = ["sh", "-c", f"trap '' HUP; exec {shlex.join(command)}"]
    program.environ = {"CI_REGISTRY": "r.example", "CI_JOB_TOKEN": "t", "CI_REGISTRY_IMAGE": "r.example/a"}
    terminal = opened(program, command, controlling=how != "without a signal")
    try:
        assert terminal.shows("Sandbox or this environment?" if place == "question" else "gitlab-ci-token")
        if place == "dialog":
            terminal.answers("3\r", "Run pull?")
        os.close(terminal.leader)
        assert terminal.child.wait(10) is not None
    finally:
        terminal.child.kill()
        terminal.child.wait()
    assert program.left == []


def test_it_draws_on_stdout_where_stderr_is_a_file(program: Program) -> None:
    told = program.directory / "told"
    terminal = opened(program, ["sh", "-c", f"exec {shlex.join(program.command())} 2>{told}"])
    assert terminal.shows("Environment")
    terminal.press("q")
    assert terminal.ends() == 0
    assert b"\x1b[?1049l" in terminal.raw
    assert told.read_bytes() == b""


def test_what_is_copied_goes_to_the_desktop_or_to_the_terminal(program: Program) -> None:
    held = program.directory / "held"
    tool = program.directory / "bin" / "xclip"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\ncase "$*" in *-o) cat {held} ;; *) cat > {held} ;; esac\n')
    tool.chmod(0o755)
    job = {"CI_REGISTRY": "r.example", "CI_JOB_TOKEN": "canary-token-1", "CI_REGISTRY_IMAGE": "r.example/a"}
    desktop = {"DISPLAY": ":9", "PATH": f"{tool.parent}:{os.environ['PATH']}"}
    terminal = opened(program, **job, **desktop)
    assert terminal.shows("gitlab-ci-token")
    terminal.answers("\t", "Environment")
    terminal.answers("jY", "Copy CI_JOB_TOKEN?")
    terminal.answers("y", "copied with xclip")
    assert held.read_text() == "canary-token-1"
    terminal.press("q")
    assert terminal.ends() == 0
    assert held.read_text() == ""
    assert b"\x1b]52;" not in terminal.raw
    terminal = opened(program, **job)
    assert terminal.shows("gitlab-ci-token")
    terminal.answers("2y", "sent to the terminal's clipboard")
    terminal.press("q")
    assert terminal.ends() == 0
    assert b"\x1b]52;c;ZG9ja3Bhc3MgcHVzaA==\x07" in terminal.raw
    assert b"canary" not in terminal.raw
