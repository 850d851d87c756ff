"""Clients of a later suite push by `dockpass exec`: oras, and buildx with its BuildKit."""

from __future__ import annotations

from pathlib import Path

import pytest
from buildkit import PLUGINS
from clientprograms import StartSandbox
from execclients import exec_in
from sandboxclient import Client

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("buildkit")]


def test_oras_and_buildx_push_with_the_login_of_the_job(
    tmp_path: Path, newer: Path, newer_host: str, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox()
    tag = f"{sandbox.host}/web/backend"
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY --link notes.txt /\n")
    (tmp_path / "notes.txt").write_text("notes")
    with exec_in(tmp_path, sandbox) as exec_:
        plugins = tmp_path / ".docker" / "cli-plugins"
        plugins.mkdir()
        (plugins / "docker-buildx").symlink_to(newer / PLUGINS / "docker-buildx")
        oras = (str(newer / "usr/bin/oras"), "push", "--plain-http")
        assert "never read" not in exec_(*oras, f"{tag}:v1", "notes.txt:text/plain")
        said = exec_("docker", "buildx", "build", "--push", "--tag", f"{tag}:v2", ".", DOCKER_HOST=newer_host)
        assert "never read" not in said
    assert Client(sandbox, sandbox.accounts.job).tags("web/backend") == ["v1", "v2"]
