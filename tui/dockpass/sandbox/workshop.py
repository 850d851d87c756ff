"""The sandbox as a place to work in: its registry, a project, and the environment of a simulated job.

Everything that dockpass would read or write elsewhere (home, docker's config, settings, state, images)
lies in a directory of the sandbox's own.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from dockpass.sandbox.accounts import Account
from dockpass.sandbox.leftovers import PREFIX, remove_leftovers
from dockpass.sandbox.sample import BASE, GROUP, PROJECT, fill, write_project
from dockpass.sandbox.server import SandboxServer
from dockpass.sandbox.storage import claim
from dockpass.secrets import Secret

TECHNICAL = ("PATH", "TERM", "COLORTERM", "LANG", "LC_ALL", "TZ", "TMPDIR", "NO_COLOR")
"""Names taken over from the person's environment: how programs are found and how a terminal draws."""

CLEANUP_PASSWORD = "WERF_IMAGES_CLEANUP_PASSWORD"  # noqa: S105 - a variable's name
COMMIT = "3f1c0d2b7a9e4c5d8e6f7a8b9c0d1e2f3a4b5c6d"


class Workshop:
    """A running sandbox with its project; a context manager that removes what is temporary.

    With `keep` everything stays in that directory for another time.
    """

    def __init__(self, server: SandboxServer, keep: Path | None = None) -> None:
        self.server = server
        self._keep = keep
        self._root = keep
        self._lock: int | None = None

    def __enter__(self) -> Self:
        root = self._root = self._keep or _temporary()
        self.server.confine_job(PROJECT, (BASE.partition(":")[0],))
        try:
            self._lock = claim(root)
            for left in root.glob(f"{PREFIX}*"):  # a killed one was filling the registry
                shutil.rmtree(left, ignore_errors=True)
            for name in ("home", "project", "state", "run"):
                (root / name).mkdir(mode=0o700, exist_ok=True)
            with self.server.without_rules():  # they are for others, not for us
                self.server.start()
                write_project(self.project, self.server.host)
                self._write_config("external", self.server.accounts.deploy)
                if not (root / "filled").exists():
                    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=root) as work:
                        fill(self.server.host, self._owner.credential, Path(work), datetime.now(UTC))
                    (root / "filled").touch()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if self._keep is None and self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)

    @property
    def root(self) -> Path:
        """The sandbox's directory."""
        if self._root is None:
            raise RuntimeError("the sandbox is not open")
        return self._root

    @property
    def project(self) -> Path:
        """The sample project."""
        return self.root / "project"

    @property
    def home(self) -> Path:
        """A home directory without anything in it."""
        return self.root / "home"

    @property
    def external_config(self) -> Path:
        """A docker config directory with the login of a deploy token."""
        return self.root / "external"

    @property
    def repository(self) -> str:
        """`host:port/workshop/shop`."""
        return f"{self.server.host}/{PROJECT}"

    @property
    def cleanup_token(self) -> Secret:
        """The token that may delete, which the job does not have at first."""
        return self.server.accounts.cleanup.secret

    @property
    def personal_token(self) -> Secret:
        """The person's own access token, with which GitLab's API may be read."""
        return self.server.accounts.personal.secret

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret of the sandbox."""
        return tuple(account.secret for account in self.server.accounts)

    @property
    def job(self) -> dict[str, str]:
        """The variables of the simulated GitLab job, as GitLab would set them."""
        server, accounts = self.server, self.server.accounts
        return {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_SERVER": "yes",
            "CI_SERVER_NAME": "GitLab",
            "CI_SERVER_VERSION": "17.11.0",
            "CI_SERVER_URL": server.url,
            "CI_SERVER_HOST": server.host.rpartition(":")[0],
            "CI_API_V4_URL": f"{server.url}/api/v4",
            "CI_PROJECT_NAME": PROJECT.rpartition("/")[2],
            "CI_PROJECT_NAMESPACE": GROUP,
            "CI_PROJECT_PATH": PROJECT,
            "CI_PROJECT_DIR": str(self.project),
            "CI_BUILDS_DIR": str(self.root),
            "CI_PIPELINE_ID": "118",
            "CI_PIPELINE_SOURCE": "push",
            "CI_JOB_ID": "4711",
            "CI_JOB_NAME": "build",
            "CI_JOB_STAGE": "build",
            "CI_COMMIT_SHA": COMMIT,
            "CI_COMMIT_SHORT_SHA": COMMIT[:8],
            "CI_COMMIT_BRANCH": "main",
            "CI_COMMIT_REF_NAME": "main",
            "CI_COMMIT_REF_SLUG": "main",
            "CI_COMMIT_REF_PROTECTED": "true",
            "CI_DEFAULT_BRANCH": "main",
            "CI_REGISTRY": server.host,
            "CI_REGISTRY_IMAGE": self.repository,
            "CI_REGISTRY_USER": server.username_of(accounts.job),
            "CI_REGISTRY_PASSWORD": accounts.job.secret.reveal(),
            "CI_JOB_TOKEN": accounts.job.secret.reveal(),
        }

    def environ(self, technical: Mapping[str, str]) -> dict[str, str]:
        """Return the whole environment: the job's variables, and places of the sandbox's own."""
        taken = {name: technical[name] for name in TECHNICAL if name in technical}
        return {
            **taken,
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.root / "run"),  # podman's login of the person is in theirs
            "DOCKPASS_STATE": str(self.root / "state"),
            "DOCKPASS_STORE": str(self.root / "images"),
            "DOCKPASS_CONFIG": str(self.root / "settings.toml"),
            **self.job,
        }

    @property
    def _owner(self) -> Account:
        return self.server.accounts.personal

    def _write_config(self, name: str, account: Account) -> None:
        pair = f"{self.server.username_of(account)}:{account.secret.reveal()}".encode()
        entry = {self.server.host: {"auth": base64.b64encode(pair).decode()}}
        directory = self.root / name
        directory.mkdir(mode=0o700, exist_ok=True)
        config = directory / "config.json"
        config.unlink(missing_ok=True)  # a sandbox that was kept has one already
        create_private(config, json.dumps({"auths": entry}, indent=2) + "\n")


def _temporary() -> Path:
    remove_leftovers(Path(tempfile.gettempdir()), time.time())
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}job-"))


def create_private(path: Path, text: str) -> None:
    """Write a new file of mode 0600; raises `FileExistsError`, and leaves nothing half-written."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
