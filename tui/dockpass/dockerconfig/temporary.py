"""The temporary docker config of a run: its creation, and its verified removal.

`runconfig` reads it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dockpass.dockerconfig.entry import written_entry
from dockpass.dockerconfig.guardian import Guardian
from dockpass.dockerconfig.places import LOCK, Place, is_in_memory, new_name, places
from dockpass.errors import DockpassError
from dockpass.references.credential import Credential
from dockpass.secrets import Secret
from dockpass.text import clean

DUMMY_HOST = "dockpass.invalid"
_DUMMY = Credential("nobody", Secret("nothing"))
"""Stands in every config: one without entries, such as a `docker logout` leaves, would open the system's
keychain to docker's command line, which then stores the next login there, and the home config to the
docker SDK. No request is ever made to it."""

_NEW_LOCK = ".lock-new"
_NEW_CONFIG = ".config-new"
_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OURS_ONLY = frozenset({"auths", "credsstore", "credhelpers"})
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Removal:
    """Whether the directory was gone when it was looked for again, and what was seen."""

    gone: bool
    detail: str


class TemporaryConfig:
    """A directory of mode 0700 with `config.json` of mode 0600.

    `hosts` are docker's keys in it, without the dummy entry that no registry has.

    `where` says which place it is in and why, `on_tmpfs` whether that place is in memory. `remove`
    may be called from any thread.
    """

    def __init__(self, path: Path, hosts: tuple[str, ...]) -> None:
        self.path = path
        self.hosts = hosts
        self.where = ""
        self.on_tmpfs = False
        self._identity: tuple[int, int] | None = None
        self._lock = -1
        self._guardian: Guardian | None = None
        self._removing = threading.Lock()
        self._removal: Removal | None = None

    @classmethod
    def create(
        cls,
        entries: Mapping[str, Credential],
        *,
        environ: Mapping[str, str],
        extra: Mapping[str, object] | None = None,
        where: Sequence[Place] | None = None,
    ) -> TemporaryConfig:
        """Create a config with exactly these entries, by docker's key, in the first place that works.

        `extra` are other sections, such as `proxies`. Raises `DockpassError` if an entry cannot be
        written or no place works; nothing is left behind then.
        """
        text = config_json(entries, extra or {})
        passed_over: list[str] = []
        for place in places(environ) if where is None else where:
            if place.refused:
                passed_over.append(f"not {place.why}: {place.refused}")
                continue
            config = cls(place.path.absolute() / new_name(), tuple(entries))
            try:
                config._make(text)
            except OSError as error:
                passed_over.append(f"not {clean(str(place.path))}: {_reason(error)}")
            else:
                config.where = "; ".join((place.why, *passed_over, *config._unguarded()))
                return config
        raise DockpassError(
            "config-not-created",
            f"No temporary docker config can be created: {'; '.join(passed_over)}.",
            "Free some space there, or point TMPDIR at a directory of yours.",
        )

    @property
    def config_file(self) -> Path:
        """The config file itself."""
        return self.path / "config.json"

    @property
    def guardians(self) -> frozenset[int]:
        """The guardian's process id, if there is one."""
        return frozenset() if self._guardian is None else frozenset({self._guardian.pid})

    def rewrite(self, entries: Mapping[str, Credential], extra: Mapping[str, object] | None = None) -> None:
        """Replace the config's entries, in one step.

        Raises `DockpassError` if an entry cannot be written, the disk is full, or the config was removed.
        """
        text = config_json(entries, extra or {})
        with self._removing:
            try:
                write_private(self.path / _NEW_CONFIG, text)
                (self.path / _NEW_CONFIG).replace(self.config_file)
            except OSError as error:
                raise DockpassError(
                    "config-not-written",
                    f"{clean(str(self.config_file))} cannot be written: {_reason(error)}.",
                    "Free some space there, or point TMPDIR at a directory of yours.",
                ) from error
            self.hosts = tuple(entries)

    def guard_program(self, pid: int, *, leads_group: bool, with_children: bool = False) -> None:
        """Let the guardian end a program that uses the config, should this process be killed."""
        if self._guardian is not None:
            with suppress(OSError):  # it was killed; the config is then all that the next start removes
                self._guardian.tell_program(pid, leads_group=leads_group, with_children=with_children)

    def remove(self, outliving: Sequence[int] = ()) -> Removal:
        """Remove the directory and verify that it is gone; every later call returns the same.

        What processes that outlive it put under its name within a minute is removed by the guardian.
        """
        with self._removing:
            if self._removal is None:
                self._removal = self._remove(outliving)
            return self._removal

    def _make(self, text: str) -> None:
        """Create it all, the guardian first and the secret last: a kill at any point is covered."""
        try:
            with suppress(OSError):  # without a guardian the next start's sweep has to do
                self._guardian = Guardian.start(self.path)
            self._make_directory()
            status = self.path.lstat()
            self._identity = (status.st_dev, status.st_ino)
            self.path.chmod(0o700)  # a umask may have taken more than it should
            self._lock = _take_lock(self.path)
            self._arm(status)
            write_private(self.config_file, text)
            self.on_tmpfs = is_in_memory(self.path)
        except BaseException:
            self.remove()
            raise

    def _make_directory(self) -> None:
        try:
            self.path.mkdir(0o700)
        except FileExistsError:
            self._identity = (-1, -1)  # what stands there already is somebody else's, and stays
            raise

    def _arm(self, status: os.stat_result) -> None:
        guardian = self._guardian
        if guardian is None:
            return
        try:
            guardian.tell(status)
            ready = guardian.await_ready()
        except OSError:
            ready = False
        if not ready:
            guardian.abandon()
            self._guardian = None

    def _unguarded(self) -> tuple[str, ...]:
        return (
            ()
            if self._guardian
            else ("no guardian could be started, so a kill leaves it until the next start",)
        )

    def _remove(self, outliving: Sequence[int]) -> Removal:
        was_there = self._is_there()
        if was_there and not self._is_the_same():
            problems = ["something else is in its place"]
        else:
            problems = self._remove_tree() if was_there else []
        if self._lock >= 0:
            os.close(self._lock)
        if self._guardian is not None:
            self._guardian.disarm(outliving)
        if self._is_there():
            why = clean("; ".join(problems)) or "it was made again"
            return Removal(False, f"{clean(str(self.path))} is still there: {why}")
        return Removal(True, "removed and verified" if was_there else "it was already gone")

    def _remove_tree(self) -> list[str]:
        """Remove the tree, more than once if a child process still writes into it; return what failed."""
        problems: list[str] = []
        for _ in range(_ATTEMPTS):
            problems.clear()
            shutil.rmtree(self.path, onerror=lambda _call, _path, info: problems.append(_reason(info[1])))
            if not self._is_there():
                break
        return list(dict.fromkeys(problems))[:_ATTEMPTS]

    def _is_there(self) -> bool:
        return os.path.lexists(self.path)

    def _is_the_same(self) -> bool:
        status = self.path.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            return False
        # Without an identity it was made a moment ago, under a name that nobody else makes.
        return self._identity in {None, (status.st_dev, status.st_ino)}


def not_removed(path: Path, removal: Removal) -> DockpassError | None:
    """Return the error of a config that is still there; None for one that is gone."""
    if removal.gone:
        return None
    return DockpassError(
        "config-not-removed",
        f"The temporary docker config is still there: {removal.detail}",
        f"Remove {path} by hand; it may hold credentials.",
    )


def config_json(entries: Mapping[str, Credential], extra: Mapping[str, object]) -> str:
    """Return the text of a `config.json` with these entries and the dummy one."""
    if refused := [name for name in extra if name.lower() in _OURS_ONLY]:
        raise ValueError(f"a temporary config has no other {refused[0]}")
    with_dummy = {**entries, DUMMY_HOST: entries.get(DUMMY_HOST, _DUMMY)}
    auths = {key: written_entry(key, credential) for key, credential in with_dummy.items()}
    return json.dumps({"auths": auths, **extra}, indent=2)


def write_config(directory: Path, entries: Mapping[str, Credential]) -> None:
    """Write a `config.json` of mode 0600 into a directory that somebody else creates and removes."""
    write_private(directory / "config.json", config_json(entries, {}))


def is_dummy(key: str, credential: Credential) -> bool:
    """Tell whether an entry is the one that stands in every config of a run; it is no login."""
    return key == DUMMY_HOST and credential == _DUMMY


def _take_lock(path: Path) -> int:
    # Locked before it has its name: whoever finds a `.lock` that is free knows that its owner has ended.
    lock = os.open(path / _NEW_LOCK, _NEW_FILE, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (path / _NEW_LOCK).rename(path / LOCK)
    except BaseException:
        os.close(lock)
        raise
    return lock


def write_private(path: Path, text: str) -> None:
    """Create a file of mode 0600; raises `OSError` where one is there already."""
    handle = os.open(path, _NEW_FILE, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
        os.fchmod(handle, 0o600)
        file.write(text)


def _reason(error: BaseException) -> str:
    return clean((error.strerror if isinstance(error, OSError) else None) or str(error))
