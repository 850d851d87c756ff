"""Credential helpers as shell scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

WriteHelper = Callable[[str, str], dict[str, str]]


def helper_writer(directory: Path) -> WriteHelper:
    """Return a function that writes `docker-credential-NAME` there and returns an environment that finds it."""

    def write(name: str, script: str) -> dict[str, str]:
        directory.mkdir(exist_ok=True)
        program = directory / f"docker-credential-{name}"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return {"PATH": f"{directory}:/usr/bin:/bin"}

    return write
