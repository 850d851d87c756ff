"""A note on the copies that a running build makes of its secrets, so that the next start can remove them.

It is needed after a SIGKILL only; in any other case the run removes the copies and the note.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockpass.system import reason
from dockpass.turns import NoTurn, shared_place

if TYPE_CHECKING:
    from dockpass.builders.copies import Where

PREFIX = "dockpass-build-"
SECONDS_TO_MOUNT = 5.0
"""A younger file may be about to be mounted into a step of another build."""


@dataclass(frozen=True, slots=True)
class _Note:
    """Where copies lie, how long they are, and since when; nothing of what they hold."""

    since: float
    lengths: frozenset[int]
    where: Where


@contextmanager
def noted(values: frozenset[bytes], where: Where, now: float) -> Iterator[str]:
    """Keep a note while a build with these secrets runs; it is locked as long as this process lives.

    `now` is in seconds since the epoch. Yields why there is no note; empty where there is one, or no secret.
    """
    if not values:
        yield ""
        return
    try:
        lock, name = tempfile.mkstemp(prefix=f"{PREFIX}{os.getuid()}-", dir=shared_place())
    except (OSError, NoTurn) as error:
        yield reason(error) if isinstance(error, OSError) else str(error)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lengths = sorted(set(map(len, values)))
        os.write(lock, json.dumps({"since": now, "lengths": lengths, "where": where}).encode())
        yield ""
    finally:
        with suppress(OSError):
            Path(name).unlink()
        os.close(lock)


def sweep_copies(now: float) -> Iterator[Path]:
    """Remove the copies of builds whose dockpass was killed, and then their notes; yield the copies.

    A copy is a file of this user's, as old and as long as the note says, that no living step has mounted.
    As long as one cannot go, its note stays. `now` is in seconds since the epoch. Raises `OSError` for a copy
    that cannot be removed.
    """
    try:
        notes = sorted(shared_place().glob(f"{PREFIX}{os.getuid()}-*"))
    except (OSError, NoTurn):
        return
    if not notes:
        return
    from dockpass.builders.copies import copies  # every start comes here, and hardly any has a note

    for path in notes:
        with _left_over(path, now) as note:
            if note is None:
                continue
            waits = False
            for copy in sorted(each for each in copies(note.where) if _is_meant(each, note)):
                if _is_used(copy, now):
                    waits = True
                else:
                    copy.unlink(missing_ok=True)
                    yield copy
            if not waits:
                path.unlink(missing_ok=True)


@contextmanager
def _left_over(path: Path, now: float) -> Iterator[_Note | None]:
    """Yield a note whose process has ended, locked; None for any other file."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        found = os.fstat(lock)
        is_ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid()
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        note = _read(lock)
        if note is None and now - found.st_mtime > SECONDS_TO_MOUNT:
            note = _Note(now, frozenset(), ())  # killed before it was written: there is no copy yet
    except BlockingIOError:
        note = None
    try:
        yield note if is_ours else None
    finally:
        os.close(lock)


def _read(lock: int) -> _Note | None:
    try:
        note = json.loads(os.pread(lock, 1 << 16, 0))
        where = tuple((str(folder), str(pattern)) for folder, pattern in note["where"])
        return _Note(float(note["since"]), frozenset(map(int, note["lengths"])), where)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _is_meant(path: Path, note: _Note) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    is_ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid()
    return is_ours and found.st_size in note.lengths and found.st_mtime >= note.since - 1


def _is_used(path: Path, now: float) -> bool:
    """Tell whether a step has the file mounted, or may be about to."""
    with suppress(FileNotFoundError):
        return now - path.lstat().st_mtime <= SECONDS_TO_MOUNT or _is_mounted(path)
    return False


def _is_mounted(path: Path) -> bool:
    # A mount names the file from the top of its file system.
    parts = path.parts[-4:] if "userdata" in path.parts else path.parts[-1:]
    end = os.fsencode("/".join(("", *parts)))
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        with suppress(OSError):
            if any(line.split(b" ", 4)[3].endswith(end) for line in table.read_bytes().splitlines()):
                return True
    return False
