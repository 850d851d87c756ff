"""What git says of a directory; asked without running anything that the repository configures."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

SECONDS = 5
_INERT = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat")


def ask_git(cwd: Path, environ: Mapping[str, str], *arguments: str) -> str:
    """Return git's answer without the last line end; empty where git is missing, slow or says no."""
    return ask_git_at_once(cwd, environ, arguments)[0]


def ask_git_at_once(cwd: Path, environ: Mapping[str, str], *questions: Sequence[str]) -> list[str]:
    """Ask several things that do not depend on each other; returns the answers in their order."""
    with ExitStack() as running:
        asked = [_started(cwd, environ, arguments) for arguments in questions]
        for process in filter(None, asked):
            running.enter_context(process)
            running.callback(process.kill)
        return ["" if process is None else _answer(process) for process in asked]


def _started(
    cwd: Path, environ: Mapping[str, str], arguments: Sequence[str]
) -> subprocess.Popen[bytes] | None:
    try:
        return subprocess.Popen(
            ["git", *_INERT, *arguments],
            cwd=cwd,
            env={name: environ[name] for name in ("PATH", "HOME") if name in environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None


def _answer(process: subprocess.Popen[bytes]) -> str:
    try:
        said, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return ""
    return said.decode("utf-8", "surrogateescape").rstrip("\n") if process.returncode == 0 else ""
