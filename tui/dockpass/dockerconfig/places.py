"""Where temporary configs are made: in memory where there is such a place, else on disk."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PREFIX = "dockpass-"

_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


@dataclass(frozen=True, slots=True)
class Place:
    """A directory for temporary configs; `why` says how it was come by."""

    path: Path
    why: str


def places(environ: Mapping[str, str]) -> tuple[Place, ...]:
    """Return the places to try, the best first."""
    found = []
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime and _is_private_directory(Path(runtime)):
        found.append(Place(Path(runtime), "XDG_RUNTIME_DIR"))
    shm = Path("/dev/shm")  # noqa: S108 - in memory, and each config there is private
    if shm.is_dir() and os.access(shm, os.W_OK):
        found.append(Place(shm, "shared memory"))
    temp = environ.get("TMPDIR") or tempfile.gettempdir()
    found.append(Place(Path(temp), "the temp directory"))
    return tuple(found)


def is_in_memory(path: Path) -> bool:
    """Tell whether `path` lies on tmpfs, by the kernel's list of mounts; False where it is not known."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False  # no such list on this system: claim nothing
    device = path.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in lines:
        fields, _, rest = line.partition(" - ")
        if fields.split()[2:3] == [wanted]:
            return rest.split()[:1][0] in _IN_MEMORY
    return False


def _is_private_directory(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    private = not status.st_mode & 0o077
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and private
