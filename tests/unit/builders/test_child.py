"""A builder's program: its output, its end, and that nothing is left of it after a cut."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from servers import wait_until

from dockpass.builders import child as child_module
from dockpass.builders.child import Child, Command
from dockpass.errors import Cancelled, DockpassError
from dockpass.processes import started


def command(tmp_path: Path, script: str, *, stdout: bool = True) -> Command:
    return Command(
        argv=("/bin/sh", "-c", script), environ={"PATH": os.environ["PATH"]}, cwd=tmp_path, stdout=stdout
    )


def test_the_output_comes_with_the_status(tmp_path: Path) -> None:
    said: list[bytes] = []
    child = Child()
    assert child.run(command(tmp_path, "echo out; echo err >&2; exit 3"), said.append) == 3
    assert b"".join(said) == b"out\nerr\n"
    said.clear()
    assert child.run(command(tmp_path, "echo out; echo err >&2", stdout=False), said.append) == 0
    assert b"".join(said) == b"err\n"


def test_the_guard_is_told_the_process(tmp_path: Path) -> None:
    guarded: list[int] = []
    said: list[bytes] = []
    Child(guarded.append).run(command(tmp_path, "echo $$"), said.append)
    assert b"".join(said).strip() == str(guarded[0]).encode()


def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DockpassError) as raised:
        Child().run(Command(argv=("/nonexistent/x",), environ={}, cwd=tmp_path), lambda _: None)
    assert raised.value.id == "builder-failed"


@pytest.mark.parametrize(
    "script",
    [
        "echo $$ > pid; exec sleep 300",
        "setsid sh -c 'echo $$ > pid; exec sleep 300' & wait",  # as what runs in a container, in no group of it
        "trap '' INT; (trap '' INT; echo $$ > pid; exec sleep 300) & exit 0",
    ],
    ids=["itself", "another-session", "left-behind"],
)
def test_a_cut_leaves_nothing_running(tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "SECONDS_TO_CANCEL", 0.5)
    child, pid = Child(), tmp_path / "pid"
    ended: list[BaseException] = []

    def run() -> None:
        try:
            child.run(command(tmp_path, script), lambda _: None)
        except Cancelled as error:
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    wait_until(lambda: pid.exists() and bool(pid.read_text().strip()), 10, "the program")
    child.cut()
    thread.join(20)
    assert len(ended) == 1
    number = int(pid.read_text())
    wait_until(lambda: not started(number), 10, "its end")
    with pytest.raises(Cancelled):
        child.run(command(tmp_path, "true"), lambda _: None)
