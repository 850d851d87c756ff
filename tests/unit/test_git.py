"""What git is asked: several things at once, and none that it does not answer in time."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from dockpass import git

HEAD = ("symbolic-ref", "--short", "-q", "HEAD")
REMOTE = ("remote", "get-url", "origin")


def test_each_question_has_its_own_answer(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "-b", "feature/x"], cwd=tmp_path, check=True)
    assert git.ask_git_at_once(tmp_path, os.environ, REMOTE, HEAD, ("no-such-command",), HEAD) == [
        "",
        "feature/x",
        "",
        "feature/x",
    ]


def test_without_git_nothing_is_answered(tmp_path: Path) -> None:
    assert git.ask_git_at_once(tmp_path, {"PATH": str(tmp_path)}, REMOTE, HEAD) == ["", ""]


def test_what_answers_too_late_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git, "SECONDS", 0.05)
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    began = time.monotonic()
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert git.ask_git_at_once(tmp_path, environ, REMOTE, HEAD) == ["", ""]
    assert time.monotonic() - began < 30
