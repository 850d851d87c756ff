"""Clients that are run by `dockpass exec`, in a home with a wrong login in every place that a client knows."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clientprograms import Home

import dockpass
from dockpass.sandbox.server import SandboxServer

PLACES = (
    ".docker/config.json",
    "containers/auth.json",  # below XDG_RUNTIME_DIR
    ".config/containers/auth.json",
    ".config/helm/registry/config.json",
    "buildx/config/config.json",
    "elsewhere/auth.json",
)
Exec = Callable[..., str]


@contextmanager
def exec_in(home: Path, sandbox: SandboxServer) -> Iterator[Exec]:
    """Run clients with the job's login; whatever they do, the wrong logins are left alone."""
    wrong = json.dumps({"auths": {sandbox.host: {"auth": base64.b64encode(b"nobody:canary-wrong").decode()}}})
    for place in PLACES:
        (home / place).parent.mkdir(parents=True, exist_ok=True)
        (home / place).write_text(wrong)
    account = sandbox.accounts.job
    environ = {
        "PYTHONPATH": str(Path(dockpass.__file__).parents[1]),
        "DOCKPASS_STATE": str(home / "state"),
        "DOCKER_AUTH_CONFIG": wrong,
        "REGISTRY_AUTH_FILE": str(home / "elsewhere/auth.json"),
        "BUILDX_CONFIG": str(home / "buildx"),
    }

    def call(*words: str, fails: bool = False, **more: str) -> str:
        login = ("--repo", f"{sandbox.host}/web/backend", f"--registry-username={account.username}")
        ended = subprocess.run(
            [sys.executable, "-m", "dockpass", "exec", *login, "--registry-password-stdin", "--", *words],
            input=account.secret.reveal(),
            capture_output=True,
            text=True,
            timeout=100,
            cwd=home,
            env=Home(home).variables(**{**environ, **more}),
        )
        assert (ended.returncode != 0) == fails, ended.stdout + ended.stderr
        assert account.secret.reveal() not in ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    yield call
    assert {(home / place).read_text() for place in PLACES} == {wrong}
