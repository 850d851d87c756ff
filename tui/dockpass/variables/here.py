"""What findings may look at beside the facts: the clock, and what lies at a path."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dockpass.git import ask_git

_LARGEST_EVENT = 4 << 20


class Lies(StrEnum):
    """What lies at a path."""

    DIRECTORY = "directory"
    FILE = "file"
    NOTHING = "nothing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Here:
    """This machine: the time since the epoch, what a path is, and when a file changed (0: not known).

    `mode` are the permissions of a file (0: not known), `tracked` whether git keeps it. `head_of` is the
    repository that the pull request of a GitHub event comes from, by the event's file (empty: not known).
    """

    now: Callable[[], float]
    look: Callable[[str], Lies]
    changed: Callable[[str], float]
    mode: Callable[[str], int] = lambda _: 0
    tracked: Callable[[str], bool] = lambda _: False
    head_of: Callable[[str], str] = lambda _: ""


def this_machine() -> Here:
    """Return the machine that the process runs on."""
    return Here(time.time, look_at, _changed, _mode, _tracked, _head_of)


def look_at(path: str) -> Lies:
    """Say what lies at a path; never raises."""
    try:
        mode = Path(path).stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return Lies.NOTHING
    except OSError:
        return Lies.UNREADABLE
    if not stat.S_ISDIR(mode):
        return Lies.FILE
    return Lies.DIRECTORY if os.access(path, os.R_OK | os.X_OK) else Lies.UNREADABLE


def _changed(path: str) -> float:
    try:
        return Path(path).stat().st_mtime
    except (OSError, ValueError):
        return 0.0


def _mode(path: str) -> int:
    try:
        found = Path(path).stat().st_mode
    except (OSError, ValueError):
        return 0
    return stat.S_IMODE(found) if stat.S_ISREG(found) else 0


def _tracked(path: str) -> bool:
    file = Path(path)
    return bool(ask_git(file.parent, os.environ, "ls-files", "--", file.name)) if file.is_file() else False


def _head_of(event: str) -> str:
    import json  # only a pull request's workflow needs it

    if not _mode(event):  # nothing, or something that nobody may ever write to
        return ""
    try:
        with os.fdopen(os.open(event, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            found = json.loads(file.read(_LARGEST_EVENT))
    except (OSError, ValueError, RecursionError):
        return ""
    for key in ("pull_request", "head", "repo", "full_name"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""
