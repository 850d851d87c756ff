"""Removes what a killed sandbox has left in the directory for temporary files."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

PREFIX = "dockpass-sandbox-"
LOCK = "sandbox.lock"
GRACE_SECONDS = 60.0
"""So old has a lock to be: a younger one may be about to be taken."""


def remove_leftovers(parent: Path, now: float) -> list[Path]:
    """Remove sandboxes' directories below `parent` that no living process has locked; return them.

    `now` is in seconds since the epoch. What belongs to somebody else or cannot be looked at stays.
    """
    return [path for path in sorted(parent.glob(f"{PREFIX}*")) if _remove(path, now)]


def _remove(path: Path, now: float) -> bool:
    try:
        found = path.lstat()
        if path.is_symlink() or not path.is_dir() or found.st_uid != os.getuid():
            return False
        lock = os.open(path / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False  # without a lock it is not known to be left over
    try:
        if now - os.fstat(lock).st_mtime < GRACE_SECONDS:
            return False
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:
        return False
    finally:
        os.close(lock)
    return not path.exists()
