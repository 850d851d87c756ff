"""Other processes, as far as `/proc` shows them; on a system without it there are none to be seen."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from dockpass.text import clean

_ZOMBIE = "Z"


class Process(NamedTuple):
    """`started` is in the system's own count; together with the id it names one process for ever."""

    parent: int
    session: int
    started: int
    has_ended: bool


def processes() -> dict[int, Process]:
    """Return every process by its id; one that ended and was not waited for is still among them."""
    with suppress(OSError):
        pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]  # noqa: PTH208
        return {pid: found for pid in pids if (found := _process(pid))}
    return {}


def started(pid: int) -> str:
    """Return when a process was started; empty if it has ended or is not known."""
    found = _process(pid)
    return str(found.started) if found and not found.has_ended else ""


def name_of(pid: int) -> str:
    """Return the name of a process, inert."""
    return clean(_read(pid, "comm").decode("utf-8", "replace").rstrip("\n"), 40)


def descendants(ancestor: int, known: Mapping[int, Process]) -> set[int]:
    """Return the children of a process, theirs, and so on."""
    found = {ancestor}
    while more := {pid for pid, process in known.items() if process.parent in found} - found:
        found |= more
    return found - {ancestor}


def using(path: Path, pids: Iterable[int]) -> Iterator[int]:
    """Yield those whose environment names `path`, or that have a file of it open."""
    text = os.fsencode(path)
    for pid in pids:
        if text in _read(pid, "environ") or _holds(pid, str(path)):
            yield pid


def _holds(pid: int, path: str) -> bool:
    with suppress(OSError):
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if str(handle.readlink()).startswith(f"{path}/"):
                    return True
    return False


def _process(pid: int) -> Process | None:
    fields = _read(pid, "stat").rpartition(b")")[2].decode("ascii", "replace").split()
    return (
        Process(int(fields[1]), int(fields[3]), int(fields[19]), fields[0] == _ZOMBIE)
        if len(fields) > 19
        else None
    )


def _read(pid: int, name: str) -> bytes:
    """Return a file of a process; nothing if there is no such process any more, or it is somebody else's."""
    try:
        handle = os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = list(iter(lambda: os.read(handle, 1 << 16), b""))
    except OSError:
        return b""
    finally:
        os.close(handle)
    return b"".join(parts)
