"""Other processes, as far as `/proc` shows them; on a system without it there are none to be seen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dockpass.text import clean

_PROC = Path("/proc")
_ZOMBIE = "Z"


def started(pid: int) -> str:
    """Return when a process was started, in the system's own count; empty if it has ended or is not known.

    Together with the id it names one process for ever.
    """
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 and fields[0] != _ZOMBIE else ""


def name_of(pid: int) -> str:
    """Return the name of a process, inert."""
    try:
        return clean((_PROC / str(pid) / "comm").read_text("utf-8", "replace").rstrip("\n"), 40)
    except OSError:
        return ""


def descendants(ancestor: int) -> set[int]:
    """Return the children of a process, theirs, and so on; those that ended and were not waited for too."""
    parents = {pid: _parent(pid) for pid in _all()}
    found = {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {ancestor}


def using(path: Path) -> Iterator[int]:
    """Yield the processes whose environment names `path`, or that have a file of it open."""
    text = os.fsencode(path)
    for pid in _all():
        with suppress(OSError):
            if text in (_PROC / str(pid) / "environ").read_bytes() or _holds(pid, str(path)):
                yield pid


def _holds(pid: int, path: str) -> bool:
    with suppress(OSError):
        for handle in (_PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                if str(handle.readlink()).startswith(f"{path}/"):
                    return True
    return False


def _all() -> Iterator[int]:
    with suppress(OSError):
        yield from (int(entry) for entry in os.listdir(_PROC) if entry.isdigit())  # noqa: PTH208


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if len(fields) > 1 else 0


def _stat(pid: int) -> list[str]:
    """Return what follows the name in a process's `stat`: state, parent, …; nothing for no process."""
    try:
        text = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
