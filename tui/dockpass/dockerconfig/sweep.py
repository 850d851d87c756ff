"""Removes what a killed dockpass and its killed guardian left behind."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dockpass.dockerconfig.places import PREFIX, places
from dockpass.dockerconfig.temporary import LOCK

MOST = 200
GRACE_SECONDS = 60.0
"""A directory without a lock may be one that is being created at this moment."""


@dataclass(frozen=True, slots=True)
class Swept:
    """A directory that was removed, and why it was known to be left over."""

    path: Path
    because: str


def sweep(
    environ: Mapping[str, str],
    *,
    directories: Sequence[Path] | None = None,
    now: Callable[[], float] = time.time,
) -> tuple[Swept, ...]:
    """Remove directories of the right name, owner and mode that no living process has locked."""
    found = [place.path for place in places(environ)] if directories is None else directories
    swept = []
    for directory in dict.fromkeys(found):
        for path in _candidates(directory):
            if because := _left_over(path, now()):
                shutil.rmtree(path, ignore_errors=True)
                if not os.path.lexists(path):
                    swept.append(Swept(path, because))
    return tuple(swept)


def _candidates(directory: Path) -> list[Path]:
    try:
        with os.scandir(directory) as entries:
            names = [entry.path for entry in entries if entry.name.startswith(PREFIX)]
    except OSError:
        return []  # a place that cannot be read holds nothing of ours
    return [Path(name) for name in names[:MOST] if _is_ours(Path(name))]


def _is_ours(path: Path) -> bool:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    mode = stat.S_IMODE(status.st_mode)
    return stat.S_ISDIR(status.st_mode) and mode == 0o700 and status.st_uid == os.getuid()


def _left_over(path: Path, now: float) -> str:
    try:
        lock = os.open(path / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return _abandoned(path, now)
    except OSError:
        return ""  # not made by us
    try:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return "its owner is gone"
        return ""
    finally:
        os.close(lock)


def _abandoned(path: Path, now: float) -> str:
    with suppress(FileNotFoundError):
        if now - path.lstat().st_mtime > GRACE_SECONDS:
            return "it was never finished"
    return ""
