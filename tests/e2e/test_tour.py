"""The guided tour on a terminal, all nine steps: real logins, a build, a push and cleanups in the sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Program
from terminal import Terminal

ESCAPE, ENTER = "\x1b", "\r"

pytestmark = pytest.mark.terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    program = Program(tmp_path)
    (tmp_path / "tmp").mkdir()
    program.environ = {"TMPDIR": str(tmp_path / "tmp")}
    shown = Terminal(program, "--sandbox")
    yield shown
    if shown.child.poll() is None:
        shown.child.kill()
        shown.child.wait()
    assert program.left == []
    program.remove()


def run_cleanup(terminal: Terminal) -> tuple[str, int]:
    """Take the rules as they are, say yes to the plan and to the deletion.

    Return the outcome, and how many tags were to go.
    """
    terminal.answers(" ", "Which tags may be deleted?")
    terminal.answers(ENTER, "r  run")
    asked = re.search(r"Delete (\d+) tags", terminal.answers("r", "d  delete"))
    assert asked
    return terminal.answers("d", "removed and verified", "Outcome"), int(asked[1])


def row(shown: str, command: str) -> str:
    return next(line for line in shown.splitlines() if f" {command} " in line and "│ " in line)


def test_the_whole_tour_can_be_walked(terminal: Terminal, tmp_path: Path) -> None:
    shown = terminal.answers("", "Tour 1 of 9: See the login", "embedded engine")
    assert "gitlab-ci-token" in row(shown, "push")

    shown = terminal.answers("n", "Tour 2 of 9", "registry.elsewhere.example")
    assert "docker's own" in row(shown, "build")

    terminal.answers("n", "Tour 3 of 9: Build, then push")
    terminal.answers(" ", "Run build?")
    shown = terminal.answers("r", "removed and verified", "Outcome")
    assert "✓ built sha256:" in shown
    terminal.answers(ESCAPE, "built; space pushes it")
    terminal.answers(" ", "r  run")
    shown = terminal.answers("r", "removed and verified", "Outcome")
    assert "✓ pushed 127.0.0.1:" in shown
    terminal.answers(ESCAPE, "Tour 3 of 9", "done")

    terminal.answers("n", "Tour 4 of 9: Run a program of your choice")
    terminal.answers(" ", "Run a program with the login of push", "sh -c 'ls -l $DOCKER_CONFIG'")
    terminal.answers("sh -c 'echo up-$((1+1)); cat README.md; ls $DOCKER_CONFIG'", "ls $DOCKER_CONFIG'")
    terminal.answers(ENTER, "c  capture its output")
    shown = terminal.answers("c", "removed and verified", "Outcome", "up-2")
    assert "A sample project" in shown, "the program runs in the project"
    assert "sh exited with status 0" in shown
    assert "never read, so no login came from it" in shown
    terminal.answers(ESCAPE, "Tour 4 of 9", "done")

    terminal.answers("n", "Tour 5 of 9: See cleanup refused", "may not delete")
    shown, going = run_cleanup(terminal)
    assert "✗ Delete" in shown
    said = " ".join(shown.replace("│", " ").split())
    assert "401 UNAUTHORIZED" in said
    assert "The login gitlab-ci-token is not allowed to do this." in said
    assert f"nothing deleted; {going} tags untouched" in said
    assert "Set WERF_IMAGES_CLEANUP_PASSWORD to a token that may delete images" in said
    assert "✓ Remove the config" in shown
    terminal.answers(ESCAPE, "Tour 5 of 9", "done")

    shown = terminal.answers("n", "Tour 6 of 9: Set the cleanup token", "werf-cleanup")
    assert "cleanup token" in row(shown, "cleanup")
    assert "gitlab-ci-token" in row(shown, "push")

    terminal.answers("n", "Tour 7 of 9: Run the cleanup")
    shown, going = run_cleanup(terminal)
    assert going > 10  # keep=v.* keeps the releases
    assert f"✓ {going} deleted" in shown
    terminal.answers(ESCAPE, "Tour 7 of 9", "done")

    shown = terminal.answers("n", "Tour 8 of 9: Use an external config", "external config")
    assert all("external config" in row(shown, command) for command in ("build", "push", "cleanup"))

    shown = terminal.answers("n", "Tour 9 of 9: Compare", "✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓ ▶", "Instead")
    assert "gitlab-ci-token" in row(shown, "push")

    terminal.press("q")
    assert terminal.ends() == 0
    assert list((tmp_path / "tmp").iterdir()) == []
