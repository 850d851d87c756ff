"""Removes what a killed dockpass and its killed guardian left behind."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from dockpass.dockerconfig.places import LOCK, is_name, places

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
    failed: Callable[[Path], None] = lambda _: None,
) -> tuple[Swept, ...]:
    """Remove directories of the right name, owner and mode that no living process has locked.

    At most `MOST` directories are looked at in each place. `failed` is told of each that cannot be
    removed. Never raises for what it finds.
    """
    found = [place.path for place in places(environ)] if directories is None else directories
    swept = []
    for directory in dict.fromkeys(found):
        for path in _candidates(directory):
            because = _remove_if_left_over(path, now)
            if because and not os.path.lexists(path):
                swept.append(Swept(path, because))
            elif because:
                failed(path)
    return tuple(swept)


def _candidates(directory: Path) -> list[Path]:
    try:
        with os.scandir(directory) as entries:
            ours = (
                Path(entry.path) for entry in entries if is_name(entry.name) and _is_ours(Path(entry.path))
            )
            return list(islice(ours, MOST))
    except (OSError, ValueError):
        return []  # a place that cannot be read holds nothing of ours


def _is_ours(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    mode = stat.S_IMODE(status.st_mode)
    return stat.S_ISDIR(status.st_mode) and mode == 0o700 and status.st_uid == os.getuid()


def _remove_if_left_over(path: Path, now: Callable[[], float]) -> str:
    """Remove it while its lock is held, so that nobody can take it over meanwhile."""
    try:
        lock = os.open(path / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return _remove_if_abandoned(path, now)
    except OSError:
        return ""  # not made by dockpass
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
        return "the process that made it has ended"
    except OSError:
        return ""  # its owner lives
    finally:
        os.close(lock)


def _remove_if_abandoned(path: Path, now: Callable[[], float]) -> str:
    try:
        age = now() - path.lstat().st_mtime
    except FileNotFoundError:
        return ""
    if age <= GRACE_SECONDS:
        return ""
    shutil.rmtree(path, ignore_errors=True)
    return "it was never finished"
