"""Runs and programs leave their events in the log that `dockpass paths` names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Program

LOGIN = ("--repo", "registry.example/a", "--registry-username=me", "--registry-password=canary-password")


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    yield made
    made.remove()


def log_of(program: Program) -> str:
    path = Path(json.loads(program.run("paths", "--json").stdout)["log"])
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert "canary-password" not in text
    return text


def test_a_program_is_logged_without_its_words(program: Program) -> None:
    ended = program.run("exec", "-q", *LOGIN, "--", "sh", "-c", "exit 3", "canary-password")
    assert ended.returncode == 3
    text = log_of(program)
    for kind in ("config-created", "program-started", "program-ended status=3", "config-removed"):
        assert kind in text
    assert "exit 3" not in text


def test_a_run_is_logged_to_its_end(program: Program) -> None:
    ended = program.run("push", "--engine=embedded", "--image", "nowhere", *LOGIN)
    assert ended.returncode != 0
    text = log_of(program)
    assert " push " in text
    assert "ended status=failed" in text


def test_what_sends_nothing_writes_no_log(program: Program) -> None:
    assert program.run("explain", "push", *LOGIN).returncode == 0
    assert not (program.directory / "state" / "dockpass.log").exists()
