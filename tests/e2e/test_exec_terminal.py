"""A program under `dockpass exec` has the terminal, the job control and the signals that it has without it."""

from __future__ import annotations

import fcntl
import os
import re
import select
import shutil
import signal
import struct
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from needed import missing
from program import Program
from terminal import Terminal
from waiting import within

pytestmark = pytest.mark.terminal

JOB = {
    "CI_REGISTRY": "registry.example",
    "CI_JOB_TOKEN": "canary-token-0123456789",
    "CI_REGISTRY_IMAGE": "registry.example/a/b",
}


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path, dict(JOB))
    tools = tmp_path / "tools"
    tools.mkdir()
    words = " ".join(made.command())
    (tools / "dpx").write_text(f'#!/bin/sh\nexec {words} exec -q -- "$@"\n')
    (tools / "dpx").chmod(0o755)
    made.environ["PATH"] = f"{tools}:{made.variables()['PATH']}"
    made.environ["PS1"] = "outer> "
    yield made
    assert within(lambda: not made.left), made.left  # a job of a shell that has ended may end later
    made.remove()


@pytest.fixture
def outer(program: Program) -> Iterator[Terminal]:
    """An interactive bash."""
    terminal = Terminal(program, command=["bash", "--norc", "--noprofile", "-i"])
    assert terminal.shows("outer>")
    yield terminal
    terminal.child.send_signal(signal.SIGHUP)  # which bash passes on to its jobs, stopped ones too
    terminal.ends()


def prompt(outer: Terminal, seconds: float = 20) -> None:
    """Wait until bash reads again: what is typed before may be lost with an interrupt."""
    deadline = time.monotonic() + seconds
    while not cursor_line(outer).endswith("outer>"):
        assert time.monotonic() < deadline, outer.text
        outer.read()


def cursor_line(terminal: Terminal) -> str:
    return str(terminal.screen.display[terminal.screen.cursor.y]).strip()


def test_stopped_continued_and_interrupted_from_the_terminal(outer: Terminal) -> None:
    outer.answers("stty -a | md5sum > before; dpx sh -c 'echo u$((1+1)); exec sed s/^/got-/'\n", "u2")
    outer.answers("\x1a", "Stopped")
    outer.answers("echo a-$((1+1)); fg\n", "a-2")
    outer.answers("again\n", "got-again")
    outer.press("\x03")
    prompt(outer)
    shown = outer.answers("echo status-$?; stty -a | md5sum | cmp - before && echo same-$((1+1))\n", "same-2")
    assert "status-130" in shown


def test_an_interrupt_ends_the_loop_of_a_script_too(outer: Terminal) -> None:
    for shell in ("bash", "dash"):
        outer.answers(
            f"{shell} -c 'for i in 1 2 3; do dpx sh -c \"echo {shell}-$i-up; exec sleep 60\"; done; echo on'\n",
            f"{shell}-1-up",
        )
        outer.press("\x03")
        prompt(outer)
        outer.answers(f"echo {shell}-$((4+4))\n", f"{shell}-8")
        assert not any(f"{shell}-2-up" in line for line in outer.screen.display)


def test_a_pipeline_a_job_in_the_background_and_a_program_that_dies_in_raw_mode(outer: Terminal) -> None:
    outer.answers("stty -a | md5sum > before; dpx sh -c 'seq 1000; sleep 60' | less\n", "35")
    outer.press("q")
    while cursor_line(outer) == ":":  # an interrupt would take the key away from less
        outer.read()
    outer.press("\x03")
    prompt(outer)
    outer.answers("echo piped-$((1+1))\n", "piped-2")
    outer.press("dpx cat &\n")
    outer.answers("wait; jobs\n", "Stopped")
    outer.answers("kill %1; fg; echo killed-$((1+1))\n", "killed-2")
    shown = outer.answers(
        "dpx sh -c 'stty raw -echo; kill -9 $$'; echo raw-$?;"
        " stty -a | md5sum | cmp - before && echo same-$((1+1))\n",
        "same-2",
    )
    assert "raw-137" in shown


def test_an_inner_shell_suspends_and_a_killed_one_gives_the_terminal_back(outer: Terminal) -> None:
    outer.answers('PS1="inner-$((1+1))> " dpx bash --norc -i\n', "inner-2>")
    outer.answers("suspend\n", "Stopped")
    outer.press("fg\n")
    outer.answers("echo back-$((1+1)); kill -9 $$\n", "back-2")
    assert "alive-2" in outer.answers("echo alive-$((1+1))\n", "alive-2")
    prompt(outer)


def test_a_closed_terminal_ends_the_program(program: Program) -> None:
    terminal = Terminal(program, "exec", "-q", "--", "sh", "-c", "echo up; sleep 60; exit")
    assert terminal.shows("up")
    os.close(terminal.leader)
    assert terminal.child.wait(10) != 0


def test_a_shell_says_whose_login_it_has_and_forgets_logins_of_its_own(program: Program) -> None:
    (program.directory / "home" / ".bashrc").write_text("PS1='mine> '; export DOCKER_CONFIG=/of/the/rc\n")
    terminal = Terminal(program, "shell", SHELL="/bin/bash")
    assert terminal.shows("(dockpass registry.example) mine>")
    terminal.press("echo config=$DOCKER_CONFIG; exit 7\n")
    assert terminal.ends() == 7
    terminal.read()
    text = "\n".join(terminal.screen.display)
    assert re.search(r"config=/\S+/dockpass-\d+", text)
    assert "logins that you make in it are gone afterwards" in text.replace("\n", "")


def test_a_masked_terminal_shows_no_login_and_takes_keys_interrupts_and_its_size(program: Program) -> None:
    script = "stty size; grep auth $DOCKER_CONFIG/config.json; echo $CI_JOB_TOKEN; read line; echo got-$line; exec sleep 60"
    terminal = Terminal(program, "exec", "-q", "--mask", "--", "sh", "-c", script, columns=91, rows=30)
    assert terminal.shows("30 91")
    assert terminal.shows("*" * len(JOB["CI_JOB_TOKEN"]))
    terminal.answers("typed\n", "got-typed")
    terminal.press("\x03")
    assert terminal.ends() == -2
    assert JOB["CI_JOB_TOKEN"].encode() not in terminal.raw


def test_an_editor_and_a_new_size(outer: Terminal, program: Program) -> None:
    outer.answers(
        "stty -g > before; dpx sh -c 'trap \"stty size\" WINCH; echo up-$((1+1)); while :; do sleep 0.1; done'\n",
        "up-2",
    )
    outer.screen.resize(30, 100)
    fcntl.ioctl(outer.leader, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    assert outer.shows("30 100")
    outer.press("\x03")
    prompt(outer)
    if shutil.which("vim") is None:
        missing("vim is not installed")
    outer.answers("TERM=vt100 dpx vim -u NONE -n text\n", "~")
    outer.press("ihello\x1b:wq\n")
    prompt(outer)
    shown = outer.answers("stty -g | cmp - before && sed s/^/got-/ text; echo same-$((1+1))\n", "same-2")
    assert "got-hello" in shown


def test_two_levels_stop_go_on_and_end_together(outer: Terminal, program: Program) -> None:
    outer.answers(
        "stty -g > before; dpx dpx sh -c 'echo level-$DOCKPASS_EXEC; exec sed s/^/got-/'\n",
        "level-2:registry.example",
    )
    assert len(program.left) == 2
    outer.answers("\x1a", "Stopped")
    outer.answers("echo stopped-$((1+1)); fg\n", "stopped-2")
    outer.answers("again\n", "got-again")
    outer.press("\x03")
    prompt(outer)
    outer.answers("echo status-$?; stty -g | cmp - before && echo same-$((1+1))\n", "status-130", "same-2")
    assert program.left == []


def test_a_killed_outer_one_takes_the_inner_one_along(outer: Terminal, program: Program) -> None:
    outer.press("dpx sh -c 'echo outer-$PPID-; exec \"$@\"' sh dpx sh -c 'echo inner-$$-; exec sleep 60'\n")
    ids = {}
    deadline = time.monotonic() + 10
    while len(ids) < 2 and time.monotonic() < deadline:
        outer.read()
        ids = dict(re.findall(r"(outer|inner)-(\d+)-", outer.text))
    assert len(program.left) == 2
    handle = os.pidfd_open(int(ids["inner"]))
    os.kill(int(ids["outer"]), signal.SIGKILL)
    assert select.select([handle], [], [], 10)[0], "the inner program runs on"
    os.close(handle)
