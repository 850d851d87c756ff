"""Reading the files of the readers: bounded, without ever waiting, and telling what is odd about them."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from dockpass.dockerconfig.configfile import LARGEST_FILE
from dockpass.text import clean


class FileKind(StrEnum):
    """What was found at a path."""

    FILE = "file"
    MISSING = "missing"
    PARENT_IS_A_FILE = "parent-is-a-file"
    DIRECTORY = "directory"
    UNREADABLE = "unreadable"
    SPECIAL = "special"
    TOO_LARGE = "too-large"


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file as it was read; `raw` only where `kind` is `file`. `link` is the target of a symbolic link."""

    path: Path
    kind: FileKind
    raw: bytes = b""
    mode: int = 0o600
    uid: int = -1
    link: str = ""

    @property
    def exists(self) -> bool:
        """Whether there is anything that could be opened."""
        return self.kind not in {FileKind.MISSING, FileKind.PARENT_IS_A_FILE}

    @property
    def not_looked_at(self) -> bool:
        """Whether a reader would go on where dockpass does not: a pipe, a device, more than 1 MiB."""
        return self.kind in {FileKind.SPECIAL, FileKind.TOO_LARGE}

    @property
    def shown(self) -> str:
        """The path as it may be shown."""
        return clean(str(self.path))


class FileSystem(Protocol):
    """Where the readers look."""

    def read(self, path: Path) -> FileRead:
        """Read a file; never raises and never waits."""
        ...

    def exists(self, path: Path) -> bool:
        """Tell whether a path is there."""
        ...


class RealFileSystem:
    """The machine's own files."""

    def read(self, path: Path) -> FileRead:
        """Read a regular file of at most 1 MiB; never raises and never waits for a pipe's writer."""
        try:
            return _read(path)
        except FileNotFoundError:
            return FileRead(path, FileKind.MISSING)
        except NotADirectoryError:
            return FileRead(path, FileKind.PARENT_IS_A_FILE)
        except (OSError, ValueError):
            return FileRead(path, FileKind.UNREADABLE)

    def exists(self, path: Path) -> bool:
        """Tell whether a path is there, or cannot be looked at."""
        try:
            path.stat()
        except (FileNotFoundError, ValueError):
            return False
        except OSError:
            return True
        return True


class NoFiles:
    """Another machine, of whose files nothing is known here: none is there."""

    def read(self, path: Path) -> FileRead:
        """Return that the file is missing."""
        return FileRead(path, FileKind.MISSING)

    def exists(self, path: Path) -> bool:  # noqa: ARG002 - none is
        """Return false."""
        return False


def _read(path: Path) -> FileRead:
    link = str(path.readlink()) if path.is_symlink() else ""
    kind = path.stat().st_mode
    if stat.S_ISDIR(kind):
        return FileRead(path, FileKind.DIRECTORY, link=link)
    if not stat.S_ISREG(kind):
        return FileRead(path, FileKind.SPECIAL, link=link)
    # What was swapped for a pipe or a device since then must not block either.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(handle, "rb", buffering=0) as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return FileRead(path, FileKind.SPECIAL, link=link)
        raw = bytearray()
        while chunk := file.read(LARGEST_FILE + 1 - len(raw)):
            raw += chunk
    mode = stat.S_IMODE(status.st_mode)
    if len(raw) > LARGEST_FILE:
        return FileRead(path, FileKind.TOO_LARGE, b"", mode, status.st_uid, link)
    return FileRead(path, FileKind.FILE, bytes(raw), mode, status.st_uid, link)
