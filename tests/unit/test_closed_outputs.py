"""Outputs that are closed or full end in words or in nothing, never in a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = f"{sys.executable} -m dockpass explain push --clean-env --set CI_REGISTRY=r.example"


def _run(redirected: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", f"{COMMAND} --repo r.example/a {redirected}"],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        timeout=60,
    )


@pytest.mark.parametrize("redirected", [">&-", "--json >&-", "<&- >&-", "--json <&- >&- 2>&-"])
def test_a_closed_output_is_no_fault(redirected: str, tmp_path: Path) -> None:
    done = _run(redirected, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("redirected", [">/dev/full", "--json >/dev/full"])
def test_a_full_output_fails_in_words(redirected: str, tmp_path: Path) -> None:
    done = _run(redirected, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("option", ["--help", "--version", "explain --help"])
def test_a_full_output_fails_in_words_before_the_log_begins(option: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m dockpass {option} >/dev/full"],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 2
