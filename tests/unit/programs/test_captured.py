"""A program beside the screen: its lines on a feed, its end, what outlives it, and nothing of the login in it."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockpass.auth.command import Command
from dockpass.auth.decide import decide_to_run
from dockpass.auth.decision import Decision
from dockpass.auth.facts import Facts, Source, SourceKind
from dockpass.programs.captured import CapturedProgram, LineStream, start_captured
from dockpass.programs.find import find
from dockpass.programs.task import Task
from dockpass.runs.events import ConfigRemoved, Ended, Log, LogKind, Phase, PhaseEnded, Status
from dockpass.runs.request import RunRequest
from dockpass.runs.services import Services
from dockpass.secrets import Redactor, Secret
from dockpass.variables.gather import variable

TOKEN = "canary-token-0123456789"
JOB = {"CI_REGISTRY": "r.example", "CI_JOB_TOKEN": TOKEN, "CI_REGISTRY_IMAGE": "r.example/a/b"}

Start = Callable[..., CapturedProgram]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program with the login of a job."""
    source = Source(SourceKind.PROCESS)
    facts = Facts({name: variable(name, value, source) for name, value in JOB.items()}, home="/", cwd="/")
    decided = decide_to_run(Command.PUSH, facts)
    assert isinstance(decided, Decision)
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    environ = {"PATH": os.environ["PATH"], "TMPDIR": str(runtime), "XDG_RUNTIME_DIR": str(runtime)}
    services = Services(environ, tmp_path, tmp_path, tmp_path, Redactor([Secret(TOKEN)]))
    started = []

    def begin(*words: str) -> CapturedProgram:
        request = RunRequest(Command.PUSH, facts, decided)
        started.append(
            start_captured(Task(request=request, argv=words, path=find(words[0], environ)), services)
        )
        return started[-1]

    yield begin
    for program in started:
        assert program.stop(10)
        removed = [each for each in program.feed.since(0).events if isinstance(each, ConfigRemoved)]
        assert [each.gone for each in removed] == [True] * len(removed)
        assert TOKEN not in repr(program.feed.since(0).events)


def sh(start: Start, script: str) -> CapturedProgram:
    return start("sh", "-c", script)


def output(program: CapturedProgram) -> list[str]:
    """Wait for the end, and return the program's own lines."""
    return [e.text for e in program.feed.follow() if isinstance(e, Log) and e.kind is LogKind.PROGRAM]


def ended(program: CapturedProgram) -> Ended:
    list(program.feed.follow())
    last = program.feed.since(0).events[-1]
    assert isinstance(last, Ended)
    return last


def up(program: CapturedProgram) -> None:
    """Wait for the program's first line."""
    next(e for e in program.feed.follow() if isinstance(e, Log) and e.kind is LogKind.PROGRAM)


def test_its_lines_are_those_of_both_outputs_in_order_inert_and_without_the_login(start: Start) -> None:
    script = (
        "echo one; echo two >&2; printf 'three\\r\\nfour\\rfive\\n\\033[31mred\\033[0m\\033]0;owned\\007';"
        " printf '\\nsec:canary-'; sleep 0.05; printf 'token-0123456789\\n'; grep -o 'auth\":.*' $DOCKER_CONFIG/config.json;"
        " cat; tty; printf end"
    )
    lines = output(sh(start, script))
    assert lines[:5] == ["one", "two", "three", "four", "five"]
    assert lines[5] == "red"
    assert lines[6] == "sec:" + "*" * len(TOKEN)
    assert lines[-2:] == ["not a tty", "end"]


def test_it_has_no_terminal_to_ask_on(start: Start) -> None:
    assert output(sh(start, "(: < /dev/tty) 2>/dev/null || echo none; ps -o tty= -p $$")) == ["none", "?"]


def test_the_outcome_tells_status_reads_and_changes(start: Start) -> None:
    script = "cat $DOCKER_CONFIG/config.json >/dev/null; sed -i s/r.example/other.example/ $DOCKER_CONFIG/config.json; exit 3"
    last = ended(sh(start, script))
    assert last.status is Status.FAILED
    assert last.message.startswith("sh exited with status 3 after ")
    assert "config.json was read " in last.hint
    assert "In the temporary config, the login for other.example was added" in last.hint
    last = ended(sh(start, "true"))
    assert last.status is Status.DONE
    assert last.hint == "config.json was never read, so no login came from it."


def test_what_outlives_it_is_named_and_not_waited_for(start: Start, tmp_path: Path) -> None:
    """One of its session, and one of a session of its own that holds the config."""
    program = sh(start, f"sleep 60 & echo $! >{tmp_path}/a; setsid sleep 60 & echo $! >{tmp_path}/b; echo up")
    last = ended(program)
    assert "2 processes still running without this login: " in last.hint
    assert last.hint.count("sleep (") == 2
    for name in "ab":
        os.kill(int((tmp_path / name).read_text()), 9)


def test_another_child_of_dockpass_is_none_of_its_processes(start: Start) -> None:
    """A `git` that a screen runs at the same time is reaped by whoever started it, and named by nobody."""
    other = subprocess.Popen(["sh", "-c", "exit 7"])
    sleeping = subprocess.Popen(["sleep", "60"])
    last = ended(sh(start, "sleep 0.1"))
    assert "still running" not in last.hint
    assert other.wait() == 7
    sleeping.kill()
    assert sleeping.wait() == -9


def test_cancelled_it_is_asked_to_end_and_killed_the_second_time(start: Start) -> None:
    program = sh(start, "trap 'echo asked' TERM; echo up; while :; do sleep 0.05; done")
    up(program)
    program.cancel()
    asked = (e for e in program.feed.follow() if isinstance(e, Log) and e.text == "asked")
    assert next(asked)
    assert not program.ended
    program.cancel()
    last = ended(program)
    assert (last.status, last.message.split(" after")[0]) == (Status.CANCELLED, "sh was ended by SIGKILL")


def test_a_stopped_one_can_be_cancelled_and_a_late_cancel_does_nothing(start: Start) -> None:
    program = sh(start, "echo up; kill -STOP $$; echo on")
    up(program)
    program.cancel()
    assert ended(program).status is Status.CANCELLED
    program.cancel()
    assert program.stop(1)


def test_cancelled_before_its_start_it_is_not_started(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, reached = threading.Event(), threading.Event()
    original = CapturedProgram.filled

    def filled(self: CapturedProgram, found: object) -> None:
        reached.set()
        assert gate.wait(10)
        original(self, found)  # type: ignore[arg-type]

    monkeypatch.setattr(CapturedProgram, "filled", filled)
    program = sh(start, "echo ran")
    assert reached.wait(10)
    program.cancel()
    gate.set()
    assert output(program) == []
    last = ended(program)
    assert (last.status, last.message) == (Status.CANCELLED, "cancelled before the program was started")


def test_a_program_that_cannot_be_started_is_an_error_and_the_config_is_gone(
    start: Start, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF broken")
    broken.chmod(0o755)
    last = ended(start(str(broken)))
    assert last.status is Status.FAILED
    assert any(
        isinstance(e, PhaseEnded) and e.phase is Phase.REMOVE_CONFIG for e in start("true").feed.follow()
    )


def test_a_daemon_that_never_stops_writing_is_not_waited_for(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockpass.programs.masking._SECONDS_AT_MOST", 0.3)
    last = ended(sh(start, "(trap '' PIPE; while echo tick 2>/dev/null; do sleep 0.02; done) & sleep 0.1"))
    assert last.message.startswith("sh exited with status 0")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096])
def test_lines_do_not_depend_on_how_the_output_is_cut(size: int) -> None:
    raw = b"one\r\ntwo\rthree\n\nfive \xc3\xa4\xff\n" + b"x" * 9000 + b"\nlast\r"
    taken: list[str] = []
    stream = LineStream(frozenset(), lambda text, _: taken.append(text))
    for at in range(0, len(raw), size):
        stream._written(raw[at : at + size])
    assert [len(line) if line.startswith("x") else line for line in taken] == [
        *("one", "two", "three", "", "five ä\ufffd", 4096)
    ]
    os.close(stream._writing)
    os.close(stream._source)


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("size", [1, 50, 101])
def test_of_an_endless_line_no_second_part_is_told(
    size: int, line_end: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockpass.programs.captured._LONGEST_LINE", 100)
    raw = b"x" * 99 + b"two halves of a secret" + b"y" * 300 + line_end + b"next\n"
    taken: list[str] = []
    stream = LineStream(frozenset(), lambda text, _: taken.append(text))
    for at in range(0, len(raw), size):
        stream._written(raw[at : at + size])
    assert [line[:4] for line in taken] == ["xxxx", "next"]
    os.close(stream._writing)
    os.close(stream._source)
