"""The journal of a storage: one JSON line a change, appended whole, and written anew at each start."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

from dockpass.references.reference import is_digest, is_repository_path, is_tag

Change: TypeAlias = Sequence[str]
"""`blob|unblob REPO DIGEST`, `manifest REPO DIGEST TYPE`, `unmanifest REPO DIGEST`, `tag REPO TAG DIGEST`,
`untag REPO TAG`."""

_FIELDS = {"blob": 3, "unblob": 3, "manifest": 4, "unmanifest": 3, "tag": 4, "untag": 3}


def read_journal(path: Path) -> tuple[list[Change], int]:
    """Return the changes that no later one has undone, tags last, and the number of unreadable lines."""
    kept: dict[tuple[str, str, str], Change] = {}
    unread = 0
    for line in path.read_bytes().splitlines() if path.exists() else ():
        change = _read(line)
        if change is None:
            unread += 1
            continue
        kind, name, key = change[:3]
        if kind.startswith("un"):
            kept.pop((kind.removeprefix("un"), name, key), None)
        else:
            kept[kind, name, key] = change
    return sorted(kept.values(), key=lambda change: change[0] == "tag"), unread


def write_journal(path: Path, changes: Iterable[Change]) -> None:
    """Replace the journal."""
    part = path.with_suffix(".part")
    part.write_bytes(b"".join(map(_line, changes)))
    part.replace(path)


def append(journal: int, changes: Iterable[Change]) -> None:
    """Write whole lines or none: half a line would take the next one with it."""
    lines = b"".join(map(_line, changes))
    if lines and (written := os.write(journal, lines)) != len(lines):
        os.ftruncate(journal, os.fstat(journal).st_size - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _read(line: bytes) -> Change | None:
    """Return the change that a line tells; None for anything that this program would not write."""
    try:
        change = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(change, list) or not all(isinstance(part, str) for part in change):
        return None
    if not change or len(change) != _FIELDS.get(change[0]) or not is_repository_path(change[1]):
        return None
    if not (is_tag if change[0].endswith("tag") else is_digest)(change[2]):
        return None
    return change


def _line(change: Change) -> bytes:
    return json.dumps(change).encode() + b"\n"
