"""Where temporary configs are made: in memory where there is such a place, else on disk."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PREFIX = "dockpass-"
LOCK = ".lock"
"""The file in a config's directory that its owner has locked for as long as it lives."""

_NAME = re.compile(rf"{PREFIX}\d+-[0-9a-f]{{12}}", re.ASCII)
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class Place:
    """A directory for temporary configs; `why` says which it is, `refused` why it is not used."""

    path: Path
    why: str
    refused: str = ""


def places(environ: Mapping[str, str]) -> tuple[Place, ...]:
    """Return every place that there is, the best first, also those that are refused."""
    runtime, temp = environ.get("XDG_RUNTIME_DIR", ""), environ.get("TMPDIR", "")
    found = []
    if runtime:
        path = Path(runtime).absolute()
        found.append(Place(path, "XDG_RUNTIME_DIR", _why_not_runtime(path)))
    shared = "shared memory" if runtime else "shared memory, as XDG_RUNTIME_DIR is not set"
    for path, why in (
        (Path("/dev/shm"), shared),  # noqa: S108 - each config there is private
        *([(Path(temp).absolute(), "TMPDIR")] if temp else []),
        (Path("/tmp"), "the temp directory"),  # noqa: S108 - the same
        (Path("/var/tmp"), "the other temp directory"),  # noqa: S108 - the same
    ):
        found.append(Place(path, why, _why_not_shared(path)))
    return tuple(found)


def new_name() -> str:
    """Return a name that no other config has, with the process id for people."""
    return f"{PREFIX}{os.getpid()}-{os.urandom(6).hex()}"


def is_name(name: str) -> bool:
    """Tell whether `name` is one of `new_name`, and not just something that begins alike."""
    return _NAME.fullmatch(name) is not None


def is_in_memory(path: Path) -> bool:
    """Tell whether `path` lies on tmpfs, by the kernel's list of mounts; False where it is not known."""
    try:
        device = path.stat().st_dev
        lines = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except (OSError, ValueError):
        return False  # no such list on this system, or no such path: claim nothing
    wanted = f"{os.major(device)}:{os.minor(device)}"
    kinds = (rest.split()[0] for mount, _, rest in (line.partition(" - ") for line in lines)
             if rest and mount.split()[2:3] == [wanted])  # fmt: skip
    return next(kinds, "") in _IN_MEMORY


def _why_not_runtime(path: Path) -> str:
    try:
        status = path.lstat()
    except (OSError, ValueError):
        return "it does not exist"
    if not stat.S_ISDIR(status.st_mode):
        return "it is not a directory"
    if status.st_uid != os.getuid():
        return f"it belongs to the user with the id {status.st_uid}"
    if status.st_mode & 0o077:
        return f"its mode is {stat.S_IMODE(status.st_mode):04o}, not 0700"
    if not os.access(path, os.W_OK | os.X_OK):
        return "it cannot be written"
    return "" if is_in_memory(path) else "it is not in memory"


def _why_not_shared(path: Path) -> str:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return "it does not exist"
    if not stat.S_ISDIR(status.st_mode):
        return "it is not a directory"
    if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        return "everybody may rename what is in it"
    return "" if os.access(path, os.W_OK | os.X_OK) else "it cannot be written"
