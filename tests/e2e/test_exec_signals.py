"""Signals at any moment of `dockpass exec`, and a config that cannot be removed."""

from __future__ import annotations

import os
import pty
import random
import re
import shutil
import signal
import subprocess
import termios
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from needed import missing
from program import Program
from terminal import Terminal
from thorough import THOROUGH
from waiting import within

TOKEN = "canary-token-0123456789"
JOB = {"CI_REGISTRY": "registry.example", "CI_JOB_TOKEN": TOKEN, "CI_REGISTRY_IMAGE": "registry.example/a/b"}
NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGKILL)
RAW = "stty raw -echo; (sleep 0.4; echo late) & sleep 0.5"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path, dict(JOB))
    yield made
    made.remove()


def modes_of_a_new_terminal() -> list[Any]:
    ends = pty.openpty()
    try:
        return termios.tcgetattr(ends[0])
    finally:
        for each in ends:
            os.close(each)


@pytest.mark.parametrize("seed", range(500 if THOROUGH else 12))
def test_signals_at_any_moment_leave_nothing(program: Program, seed: int) -> None:
    luck = random.Random(seed)
    before = modes_of_a_new_terminal()
    terminal = Terminal(program, "exec", "--", "sh", "-c", RAW)
    for _ in range(luck.randint(1, 3)):
        terminal.read(luck.uniform(0, 0.5))
        with suppress(ProcessLookupError):
            terminal.child.send_signal(luck.choice(NUMBERS))
    status = terminal.ends(15)
    assert within(lambda: not program.left and not program.processes), (program.left, program.processes)
    if status != -signal.SIGKILL:
        assert termios.tcgetattr(terminal.leader) == before
    said = terminal.raw.decode("utf-8", "replace")
    # Python prints one of its own for an interrupt that comes before any line of dockpass runs.
    assert "Traceback" not in said or "dockpass/" not in said, said
    assert TOKEN not in said


def test_a_file_that_cannot_be_removed_is_named(program: Program) -> None:
    """chattr's `i`, on the file system of the temporary configs."""
    if shutil.which("chattr") is None:
        missing("chattr is not installed")
    ended = program.run("exec", "--", "sh", "-c", 'chattr +i "$DOCKER_CONFIG/config.json" || exit 99')
    try:
        if "status 99" in ended.stderr:
            missing("chattr works on no file here")
        check_named(program, ended)
    finally:
        for path in program.left:
            subprocess.run(["chattr", "-i", str(path / "config.json")], check=False)


def test_a_mount_in_the_config_is_named(program: Program) -> None:
    mounting = 'mkdir "$DOCKER_CONFIG/sub" && mount -t tmpfs -o size=4k t "$DOCKER_CONFIG/sub" || exit 99'
    own = ["unshare", "-m", *program.command("exec", "--", "sh", "-c", mounting)]
    ended = subprocess.run(
        own, cwd=program.work, env=program.variables(), capture_output=True, text=True, timeout=60
    )
    if ended.returncode == 1 or "status 99" in ended.stderr:
        missing("no mounts can be made here")
    check_named(program, ended)


def check_named(program: Program, ended: subprocess.CompletedProcess[str]) -> None:
    [path] = program.left
    assert ended.returncode == 125
    assert f"hint: Remove {path} by hand; it may hold credentials." in ended.stderr
    assert re.search(
        rf"error: The temporary docker config is still there: {path} is still there: \w+", ended.stderr
    )
    assert TOKEN not in ended.stderr
