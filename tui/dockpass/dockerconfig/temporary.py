"""The temporary docker config of a run: created, used, removed, and looked for again."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockpass.auth.credential import Credential
from dockpass.dockerconfig.guardian import Guardian
from dockpass.dockerconfig.places import PREFIX, Place, is_in_memory, places
from dockpass.errors import DockpassError
from dockpass.text import clean

LOCK = ".lock"
DUMMY_HOST = "dockpass.invalid"
"""Stands in a config without entries: an empty one would open the system's keychain to docker's
command line, and the home config to the docker SDK."""


@dataclass(frozen=True, slots=True)
class Removal:
    """Whether the directory was gone when it was looked for again, and what was seen."""

    gone: bool
    detail: str


class TemporaryConfig:
    """A directory of mode 0700 with `config.json` of mode 0600.

    `remove` may be called from any thread.
    """

    def __init__(self, path: Path, lock: int, guardian: Guardian, where: str, hosts: tuple[str, ...]) -> None:
        self.path = path
        self.where = where
        self.hosts = hosts
        self.on_tmpfs = is_in_memory(path)
        self._lock = lock
        self._guardian = guardian
        self._removing = threading.Lock()
        self._removal: Removal | None = None

    @classmethod
    def create(
        cls,
        entries: Mapping[str, Credential],
        *,
        environ: Mapping[str, str],
        where: Sequence[Place] | None = None,
    ) -> TemporaryConfig:
        """Create a config with exactly these entries, by docker's key, in the first place that works."""
        failures: list[str] = []
        for place in places(environ) if where is None else where:
            try:
                return cls._create_in(place, entries, failures)
            except OSError as error:
                failures.append(f"{clean(str(place.path))}: {clean(error.strerror or str(error))}")
        raise DockpassError(
            "config-not-created",
            f"No temporary docker config can be created. {'; '.join(failures)}.",
            "Free some space there, or point TMPDIR at a directory of yours.",
        )

    @classmethod
    def _create_in(
        cls, place: Place, entries: Mapping[str, Credential], failures: Sequence[str]
    ) -> TemporaryConfig:
        path = place.path / f"{PREFIX}{os.getpid()}-{secrets.token_hex(6)}"
        path.mkdir(0o700)
        lock = -1
        guardian = None
        try:
            path.chmod(0o700)  # a umask may have taken more than it should
            lock = _take_lock(path)
            # The guardian stands before the first secret is written.
            guardian = Guardian.start(path)
            _write_config(path / "config.json", entries)
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            if lock >= 0:
                os.close(lock)
            if guardian is not None:
                guardian.release()
            raise
        skipped = f" ({'; '.join(failures)})" if failures else ""
        return cls(path, lock, guardian, f"{place.why}{skipped}", tuple(entries))

    @property
    def config_file(self) -> Path:
        """The config file itself."""
        return self.path / "config.json"

    def remove(self) -> Removal:
        """Remove the directory, then look for it; every later call tells the same."""
        with self._removing:
            if self._removal is None:
                self._removal = self._remove()
            return self._removal

    def _remove(self) -> Removal:
        problems: list[str] = []
        shutil.rmtree(self.path, onerror=lambda _call, _path, info: problems.append(str(info[1])))
        os.close(self._lock)
        self._guardian.release()
        if os.path.lexists(self.path):
            why = clean("; ".join(problems[:3])) or "it was made again"
            return Removal(False, f"{self.path} is still there: {why}")
        return Removal(True, "removed, looked again: gone")


def config_json(entries: Mapping[str, Credential]) -> str:
    """Return the text of a `config.json` with these entries; never without any."""
    auths = {key: _entry(credential) for key, credential in entries.items()}
    return json.dumps({"auths": auths or {DUMMY_HOST: _entry(None)}}, indent=2)


def _entry(credential: Credential | None) -> dict[str, str]:
    if credential is None:
        return {"auth": base64.b64encode(b"nobody:nothing").decode("ascii")}
    plain = f"{credential.username}:{credential.password.reveal()}"
    entry = {"auth": base64.b64encode(plain.encode("utf-8", "surrogateescape")).decode("ascii")}
    if credential.identity_token:
        entry = {"identitytoken": credential.identity_token.reveal()}
        if credential.username:
            entry["username"] = credential.username
    return entry


def _take_lock(path: Path) -> int:
    lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def _write_config(path: Path, entries: Mapping[str, Credential]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(handle, 0o600)
        file.write(config_json(entries))
