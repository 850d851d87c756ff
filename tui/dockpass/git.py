"""What git says of a directory; asked without running anything that the repository configures."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

SECONDS = 5
_INERT = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat")


def ask_git(cwd: Path, environ: Mapping[str, str], *arguments: str) -> str:
    """Return git's answer without the last line end; empty where git is missing, slow or says no."""
    try:
        ended = subprocess.run(
            ["git", *_INERT, *arguments],
            cwd=cwd,
            env={name: environ[name] for name in ("PATH", "HOME") if name in environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.decode("utf-8", "surrogateescape").rstrip("\n") if ended.returncode == 0 else ""
