"""Removes what a killed sandbox has left: its directories, and the file with its job's environment."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "dockpass-sandbox-"
LOCK = "sandbox.lock"
NOTE = "file-of-sandbox-"
GRACE_SECONDS = 60.0
"""So old has a lock to be: a younger one may be about to be taken."""


def remove_leftovers(parent: Path, now: float) -> list[Path]:
    """Remove sandboxes' directories below `parent` that no living process has locked; return them.

    `now` is in seconds since the epoch. What belongs to somebody else or cannot be looked at stays.
    """
    try:
        with os.scandir(parent) as entries:
            found = sorted(Path(entry.path) for entry in entries if entry.name.startswith(PREFIX))
    except (OSError, ValueError):
        return []
    return [path for path in found if _remove(path, now)]


@contextmanager
def noted(folder: Path, path: Path) -> Iterator[None]:
    """Keep a note on a file that has to go with this process, so that a sweep can remove it after a kill.

    `folder` is where notes are kept, `path` the file, which is there. Raises `OSError` before it yields.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    import secrets  # it loads OpenSSL, and most commands make no note

    note = folder / f"{NOTE}{secrets.token_hex(8)}"
    new = folder / f".{note.name}"
    lock = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # before it has its name, so no sweep takes it
        os.write(lock, json.dumps([str(path.absolute()), found.st_dev, found.st_ino]).encode())
        new.rename(note)
        yield
    finally:
        for left in (new, note):
            with suppress(OSError):
                left.unlink()
        os.close(lock)


def sweep_noted_files(folder: Path) -> Iterator[Path]:
    """Remove the files whose process has ended, and their notes; yield the files.

    Raises `OSError` for a file that cannot be removed.
    """
    try:
        with os.scandir(folder) as entries:
            notes = sorted(Path(entry.path) for entry in entries if NOTE in entry.name)
    except (OSError, ValueError):
        return
    for note in notes:
        path = _removed_by_note(note)
        if path is not None:
            yield path


def _removed_by_note(note: Path) -> Path | None:
    try:
        lock = os.open(note, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if os.fstat(lock).st_uid != os.getuid():
            return None
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            name, device, inode = json.loads(os.read(lock, 1 << 16))
            path = Path(name)
            found = path.lstat()
        except (OSError, ValueError, TypeError):
            note.unlink(missing_ok=True)  # the file is gone, or the note was never finished
            return None
        same = (found.st_dev, found.st_ino, found.st_uid) == (device, inode, os.getuid())
        if same and stat.S_ISREG(found.st_mode):
            path.unlink()
        note.unlink(missing_ok=True)
        return path if same else None
    except BlockingIOError:
        return None  # its sandbox runs
    finally:
        os.close(lock)


def _remove(path: Path, now: float) -> bool:
    try:
        found = path.lstat()
        if path.is_symlink() or not path.is_dir() or found.st_uid != os.getuid():
            return False
        lock = os.open(path / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return _remove_empty(path, now)
    except OSError:
        return False
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


def _remove_empty(path: Path, now: float) -> bool:
    """Remove a directory whose maker was killed before it took the lock: nothing is in it yet."""
    try:
        found = path.lstat()
        if stat.S_IMODE(found.st_mode) != 0o700 or now - found.st_mtime < GRACE_SECONDS:
            return False
        path.rmdir()
    except OSError:
        return False  # without a lock, what has something in it is not known to be left over
    return True
