"""One process at a time on this machine, of whichever user and with whichever home.

A turn is a lock on an empty file in a directory that everybody may write. The kernel takes it back when its
process ends, however it ends. Processes that share none of these directories, as in containers, do not see
each other's turns.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dockpass.keeping import remove_unlocked
from dockpass.text import clean

SHARED = (Path("/dev/shm"), Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - what lies there is checked
PREFIX = "dockpass-turn-"
_NAME = re.compile(rf"{PREFIX}([0-9a-f]{{32}}|[a-z0-9_]{{8}})", re.ASCII)


class NoTurn(Exception):
    """No turn can be taken here at all; the text says why."""


def shared_place() -> Path:
    """Return the first directory in which everybody may make files and nobody may remove another's.

    Raises `NoTurn` where there is none. It does not depend on the environment, so that all agree on it.
    """
    for place in SHARED:
        with suppress(OSError):
            mode = place.stat().st_mode
            if stat.S_ISDIR(mode) and mode & stat.S_ISVTX and os.access(place, os.W_OK | os.X_OK):
                return place
    raise NoTurn(f"no file can be made in {', '.join(map(str, SHARED))}")


@contextmanager
def turn(what: str, wait: Callable[[Path], None]) -> Iterator[None]:
    """Hold the turn for `what`. While another process has it, `wait` is called with the lock's path.

    `wait` pauses, or raises to give up. Raises `NoTurn` where no turn can be taken.
    """
    from hashlib import sha256  # it loads OpenSSL, and a sweep has nothing to hash

    path = shared_place() / f"{PREFIX}{sha256(what.encode()).hexdigest()[:32]}"
    while (lock := _taken(path)) is None:
        wait(path)
    try:
        yield
    finally:
        with suppress(OSError):  # the file of another user stays; it is empty
            path.unlink()
        os.close(lock)


def sweep_turns(now: float) -> Iterator[Path]:
    """Remove this user's files of turns whose holder was killed, wherever they may lie; yield them.

    `now` is in seconds since the epoch. Raises `OSError` for a file that cannot be removed.
    """
    for place in SHARED:
        try:
            with os.scandir(place) as entries:
                found = [Path(entry.path) for entry in entries if _NAME.fullmatch(entry.name)]
        except OSError:
            continue  # a place that cannot be read holds nothing of ours
        for path in found:
            if remove_unlocked(path, now):
                yield path


def _taken(path: Path) -> int | None:
    """Return the locked file, or None while another process has it."""
    try:
        lock = _opened(path)
    except OSError as error:
        raise NoTurn(clean(str(error))) from error
    try:
        if not stat.S_ISREG(os.fstat(lock).st_mode):
            raise NoTurn(f"{path} is not a regular file")
        with suppress(BlockingIOError, FileNotFoundError):  # held, or just removed by its last holder
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(lock), path.lstat()):
                return lock
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None


def _opened(path: Path) -> int:
    """Open the file for reading only, as other users may; make it where there is none."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        lock, made = tempfile.mkstemp(dir=path.parent, prefix=PREFIX)
    try:
        # Before it has its name, so that nobody finds a file there that they may not read.
        os.fchmod(lock, 0o444)
        with suppress(FileExistsError):
            os.link(made, path)
            return lock
    except BaseException:
        os.close(lock)
        raise
    finally:
        Path(made).unlink()
    os.close(lock)
    return os.open(path, flags)
