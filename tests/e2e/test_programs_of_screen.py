"""A program that the screen hands its terminal to: it has it alone, and the screen comes back as it was."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import struct
import subprocess
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

ENTER, ESCAPE, TAB = "\r", "\x1b", "\t"
TOKEN = "canary-token-0123456789"
JOB = {
    "CI_REGISTRY": "registry.example",
    "CI_JOB_TOKEN": TOKEN,
    "CI_REGISTRY_IMAGE": "registry.example/a/b",
    "PS1": "outer> ",
    "SHELL": "/bin/bash",
}
BACK = "Press Enter to go back to dockpass."


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path, {**JOB, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    yield made
    assert within(lambda: not made.left), made.left
    assert TOKEN not in made.written()
    made.remove()


@pytest.fixture
def screen(program: Program) -> Iterator[Terminal]:
    """dockpass as a job of a shell, which shows afterwards what became of the terminal."""
    terminal = Terminal(program, command=["bash", "--norc", "--noprofile", "-i"])
    assert terminal.shows("outer>")
    tools = program.directory / "tools"
    tools.mkdir()
    (tools / "dp").write_text(f'#!/bin/sh\nexec {" ".join(program.command())} "$@"\n')
    (tools / "dp").chmod(0o755)
    terminal.answers(f"stty -g > before; {tools}/dp\n", "Commands", "embedded engine")
    yield terminal
    terminal.child.send_signal(signal.SIGHUP)
    terminal.ends()
    assert TOKEN.encode() not in terminal.raw


def run(screen: Terminal, line: str, *shown: str) -> str:
    """Type a program on the screen, say yes to its plan, and wait for what it shows."""
    screen.answers("!", "Run a program with the login of push")
    screen.answers(line, line[-40:])
    screen.answers(ENTER, "As a command")
    return screen.answers("r", *shown)


def back(screen: Terminal, *shown: str) -> str:
    """Go back to the screen and read the outcome."""
    assert screen.shows(BACK)
    return screen.answers(ENTER, "Outcome", "config removed and verified", *shown)


def leave(screen: Terminal) -> None:
    """Leave for the overview; a key that came at once would be one with alt."""
    screen.answers(ESCAPE, "Why push")
    gone(screen, "Outcome")
    gone(screen, "Run a program")


def gone(screen: Terminal, text: str) -> None:
    """Wait until a text is not on the screen any more."""
    deadline = time.monotonic() + 20
    while text in screen.text:
        assert time.monotonic() < deadline, screen.text
        screen.read()


def quits(screen: Terminal, status: int = 0) -> None:
    """Quit dockpass; the terminal is as it was before."""
    screen.press("q")
    assert screen.shows("outer>")
    screen.answers(
        "echo status-$?; stty -g | cmp - before && echo same-$((1+1))\n",
        f"status-{status}",
        "same-2",
    )
    modes = re.findall(rb"\x1b\[\?(1049|25|1000|1003|2004)([hl])", screen.raw)
    last = dict(modes)
    assert last == {b"1049": b"l", b"25": b"h", b"1000": b"l", b"1003": b"l", b"2004": last[b"2004"]}


def test_a_program_has_the_terminal_and_the_screen_comes_back(screen: Terminal) -> None:
    line = "sh -c 'echo echoes-$(stty -a | grep -c -w echo); read x; echo got-$x'"
    run(screen, line, "sh gets gitlab-ci-token", "echoes-1")
    screen.answers("typed\n", "got-typed", BACK)
    screen.press("qqq")  # typed ahead: it does nothing on the screen
    shown = back(screen, "sh exited with status 0")
    assert "config.json was never read, so no login came from it" in shown
    leave(screen)
    quits(screen)


def test_an_interrupt_is_for_the_program_and_stopping_stops_both(screen: Terminal) -> None:
    run(screen, "sed s/^/got-/", "sed gets")
    screen.answers("\x1a", "Stopped", "outer>")
    screen.press("fg\n")
    screen.answers("again\n", "got-again")
    screen.press("\x03")
    assert "sed was ended by SIGINT" in back(screen)
    leave(screen)
    quits(screen)


def test_a_program_that_dies_in_raw_mode_spoils_nothing_and_the_size_is_the_new_one(screen: Terminal) -> None:
    wild = r"sh -c 'stty raw -echo; printf \\033[?1049h\\033[?25l\\033[?1003h; kill -9 $$'"
    run(screen, wild, "sh was ended by SIGKILL")
    back(screen, "sh was ended by SIGKILL")
    leave(screen)
    run(screen, "sh -c 'echo up-$((1+1)); read x; stty size'", "up-2")
    screen.screen.resize(30, 100)
    fcntl.ioctl(screen.leader, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    screen.answers("\n", "30 100")
    back(screen, "sh exited with status 0")
    assert screen.text.splitlines()[-1].rstrip().endswith("palette")
    assert len(screen.text.splitlines()) == 30
    leave(screen)
    screen.answers("!", "Run a program with the login of push")
    screen.answers(f"no-such-program{ENTER}", "There is no no-such-program", "enter shows the plan")
    leave(screen)
    quits(screen)


def test_a_shell_is_open_with_the_login_until_it_ends(screen: Terminal, program: Program) -> None:
    screen.answers("$", "Open bash?")
    screen.answers("r", "(dockpass registry.example)")
    screen.answers("cp $DOCKER_CONFIG/config.json ./seen; echo copied-$((1+1))\n", "copied-2")
    screen.answers("sed -i s/registry.example/other.example/ $DOCKER_CONFIG/config.json; exit 3\n", "Outcome")
    text = screen.text
    assert "bash exited with status 3" in text
    assert "In the temporary config, the login for other.example was added and the login for" in text
    assert "config removed and verified" in text
    seen = program.work / "seen"
    assert "registry.example" in seen.read_text()
    seen.unlink()  # it holds the login
    leave(screen)
    quits(screen)


def test_a_signal_meanwhile_reaches_the_program_and_ends_the_screen(screen: Terminal) -> None:
    run(
        screen,
        "sh -c 'trap \"echo got-$((1+1)); exit 4\" TERM; echo pid-$PPID- up-$((1+1)); while :; do sleep 0.1; done'",
        "up-2",
    )
    found = re.search(r"pid-(\d+)-", screen.text)
    assert found
    os.kill(int(found[1]), signal.SIGTERM)
    assert screen.shows("got-2")
    assert screen.shows("outer>")
    screen.answers("echo status-$?\n", "status-143")


def test_a_killed_dockpass_leaves_neither_program_nor_config(screen: Terminal, program: Program) -> None:
    run(screen, "sh -c 'echo pid-$$-$PPID- up-$((1+1)); exec sleep 60'", "up-2")
    found = re.search(r"pid-(\d+)-(\d+)-", screen.text)
    assert found
    assert len(program.left) == 1
    os.kill(int(found[2]), signal.SIGKILL)
    deadline = time.monotonic() + 10
    while (program.left or Path("/proc", found[1]).exists()) and time.monotonic() < deadline:
        screen.read()
    assert program.left == []
    assert not Path("/proc", found[1]).exists()


def test_an_editor_gets_a_whole_terminal_and_gives_it_back(program: Program) -> None:
    """tmux knows what a terminal's modes are, and what is on its other screen."""
    for tool in ("tmux", "vim"):
        if shutil.which(tool) is None:
            missing(f"{tool} is not installed")
    name = f"dockpass-{os.getpid()}"

    def tmux(*words: str) -> str:
        ended = subprocess.run(
            ["tmux", "-L", name, "-f", "/dev/null", *words],
            env={**program.variables(), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
            cwd=program.work,
            capture_output=True,
            text=True,
        )
        return ended.stdout

    def shows(text: str, seconds: float = 20) -> bool:
        deadline = time.monotonic() + seconds
        while text not in (shown := tmux("capture-pane", "-p")):
            if time.monotonic() > deadline:
                raise AssertionError(f"{text!r} is not on the screen:\n{shown}")
            time.sleep(0.05)
        return True

    modes = ("display", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}")
    tmux("new-session", "-d", "-x", "120", "-y", "36", "PS1='outer> ' bash --norc --noprofile -i")
    try:
        assert shows("outer>")
        tmux("send-keys", "echo before-$((1+1)); " + " ".join(program.command()), "Enter")
        assert shows("embedded engine")
        for keys, text in (
            (("!",), "Run a program"),
            (("vim -u NONE -n text", "Enter"), "As a command"),
            (("r",), "[New"),
            (("ihello", "Escape", ":wq", "Enter"), BACK),
        ):
            tmux("send-keys", *keys)
            assert shows(text)
        assert tmux(*modes).split() == ["0", "1", "0"]
        assert "before-2" in tmux("capture-pane", "-p")
        tmux("send-keys", "Enter")
        assert shows("vim exited with status 0")
        back = time.monotonic() + 20  # the terminal said so too, before the screen came back
        while tmux(*modes).split() != ["1", "0", "1"]:
            assert time.monotonic() < back
            time.sleep(0.05)
        tmux("send-keys", "Escape")
        assert shows("Why push")
        tmux("send-keys", "q")
        assert shows("before-2")
        assert tmux(*modes).split() == ["0", "1", "0"]
        assert (program.work / "text").read_text() == "hello\n"
    finally:
        tmux("kill-session")
