"""Writes what is remembered between runs: a whole file or the one before, for its owner only."""

from __future__ import annotations

import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

SUFFIX = ".dockpass-new"
GRACE_SECONDS = 60.0
"""A file without a lock may be one that is being created at this moment."""

_HALF_WRITTEN = re.compile(rf"\..+-[a-z0-9_]{{8}}{re.escape(SUFFIX)}")


def keep(path: Path, content: bytes) -> None:
    """Replace the file at once, with mode 0600; raises `OSError`, and leaves nothing behind then."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=SUFFIX)
    try:
        with os.fdopen(handle, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # so that no sweep takes it away
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # a full disk says so here, before the old file goes
            Path(name).replace(path)
    except BaseException as error:
        with suppress(OSError):
            Path(name).unlink()
        if isinstance(error, OSError) and error.filename is None:  # a full disk does not say which
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def sweep_half_written(directory: Path, now: float) -> Iterator[Path]:
    """Remove what killed processes were writing into a directory; yield what was removed.

    `now` is in seconds since the epoch. Raises `OSError` for a file that cannot be removed.
    """
    for path in _named(directory, lambda name: _HALF_WRITTEN.fullmatch(name) is not None):
        if remove_unlocked(path, now):
            yield path


def remove_unlocked(path: Path, now: float, grace: float = GRACE_SECONDS) -> bool:
    """Remove a file of this user that nobody has locked and that is older than `grace` seconds.

    Tells whether it did; raises `OSError` where it cannot be removed.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid() or now - found.st_mtime <= grace:
            return False
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(found, path.lstat()):
            return False
        path.unlink()
    except (BlockingIOError, FileNotFoundError):
        return False
    finally:
        os.close(file)
    return True


def _named(directory: Path, is_meant: Callable[[str], bool]) -> list[Path]:
    try:
        with os.scandir(directory) as entries:
            return [Path(entry.path) for entry in entries if is_meant(entry.name)]
    except (OSError, ValueError):
        return []  # a place that cannot be read holds nothing of ours
