"""What a run did stands in the log, one line an event; output, progress and secrets do not."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from dockpass.errors import ExitCode
from dockpass.logfile import log_fault, start_log
from dockpass.programs.events import ProgramStarted
from dockpass.runs import events as ev
from dockpass.runs.feed import Feed
from dockpass.runs.record import LEFT_OUT, OUTPUT, PLANNED, kind_of, line_of, recorder
from dockpass.secrets import Redactor, Secret

ENDED = ev.Ended(2.0, ev.Status.FAILED, ExitCode.FAILED, "x", "canary-secret \x1b[2J went\nwrong", "")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "log"
    logger = logging.getLogger("dockpass")
    logger.handlers[:] = []
    logger.setLevel(logging.NOTSET)


def put_all(log: Path, level: int) -> list[str]:
    redactor = Redactor([Secret("canary-secret")])
    start_log(log, redactor, level)
    feed = Feed(redactor, record=recorder("push"))
    for event in (
        ev.PhaseStarted(0.1, ev.Phase.LOGIN, "registry.example as me"),
        ev.Log(0.2, ev.LogKind.ENGINE, "output"),
        ev.Layer(0.3, "1", "pushing", 1, 2),
        ev.TagPlanned(0.4, "v1", "sha256:0", "", 0, "delete", "old"),
        ev.TagDeleted(0.5, "v1", "sha256:0", "deleted", ""),
        ENDED,
        ev.PhaseStarted(3.0, ev.Phase.PUSH),  # nothing is taken behind the end
    ):
        feed.put(event)
    return log.read_text().splitlines()


def test_each_event_is_a_line_without_output(log: Path) -> None:
    lines = put_all(log, logging.INFO)
    assert [re.sub(r"^\S+ \S+ INFO dockpass\.run \d+\.\d+ ", "", line) for line in lines] == [
        'push 0.100 s phase-started phase=login detail="registry.example as me"',
        "push 0.500 s tag-deleted tag=v1 digest=sha256:0 outcome=deleted",
        lines[-1][lines[-1].index("push 2.000") :],
    ]
    assert "canary" not in lines[-1]
    assert "\x1b" not in lines[-1]
    assert r"went\nwrong" in lines[-1]


def test_the_plan_of_a_cleanup_is_written_for_debugging(log: Path) -> None:
    assert [line for line in put_all(log, logging.DEBUG) if " DEBUG " in line and "tag-planned" in line]


def test_without_a_log_nothing_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    Feed(Redactor(), record=recorder("push")).put(ENDED)
    assert capsys.readouterr() == ("", "")


def test_the_words_of_a_program_stay_out() -> None:
    line = line_of(ProgramStarted(0.0, ("docker", "login", "-p", "hunter2"), 7))
    assert line == "0.000 s program-started pid=7"


def test_what_is_left_out_is_there_to_be_left_out() -> None:
    kinds = {
        re.sub(r"(?<!^)(?=[A-Z])", "-", each.__name__).lower(): set(each.__dataclass_fields__)
        for each in (*get_args(ev.Event), ProgramStarted)
    }
    assert kinds.keys() >= OUTPUT | PLANNED
    assert set().union(*kinds.values()) >= LEFT_OUT
    assert kind_of(ENDED) == "ended"


def test_a_fault_names_the_log_where_it_is(log: Path) -> None:
    start_log(log, Redactor([Secret("canary-secret")]))
    assert log_fault("a test", ValueError("canary-secret")) == f"Details are in {log}."
    text = log.read_text()
    assert "a fault in a test" in text
    assert "ValueError" in text
    assert "canary" not in text


def test_a_fault_that_cannot_be_logged_is_not_said_to_be(tmp_path: Path, log: Path) -> None:
    (tmp_path / "file").write_text("")
    start_log(tmp_path / "file" / "log", Redactor())
    assert log_fault("a test", ValueError("x")).startswith("The details could not be logged: ")
