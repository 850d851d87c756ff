"""Docker configs and credential helpers, written by the test that needs them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from helperprograms import WriteHelper, helper_writer


def basic(username: str, password: str) -> dict[str, str]:
    """An entry as docker writes it."""
    return {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}


WriteConfig = Callable[[object], Path]


@pytest.fixture
def write_config(tmp_path: Path) -> WriteConfig:
    """Write a config of mode 0600 from text, bytes or an object; returns its directory."""

    def write(content: object) -> Path:
        directory = tmp_path / "docker"
        directory.mkdir(exist_ok=True)
        file = directory / "config.json"
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content))
        file.chmod(0o600)
        return directory

    return write


@pytest.fixture
def write_helper(tmp_path: Path) -> WriteHelper:
    """Write `docker-credential-NAME` as a shell script; returns an environment that finds it."""
    return helper_writer(tmp_path / "helpers")
