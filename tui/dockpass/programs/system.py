"""Two calls of Linux that Python does not have: adopting orphans, and watching files being opened.

Elsewhere neither is there: orphans are then not found, and nothing is said about reads.
"""

from __future__ import annotations

import ctypes
import os
import struct
from contextlib import suppress
from pathlib import Path

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
_OPENED, _CLOSED = 0x20, 0x10  # IN_OPEN, IN_CLOSE_NOWRITE: two of a kind in a row would be told as one
_OVERFLOW = 0x4000
_HEAD = struct.Struct("iIII")
_NON_BLOCKING = os.O_NONBLOCK | os.O_CLOEXEC


def adopt_orphans(adopt: bool) -> None:
    """Become the parent of processes whose own parent ended, or stop doing so."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_SUBREAPER, ctypes.c_ulong(adopt), 0, 0, 0)


class Reads:
    """Counts how often `name` in a directory is opened, from now on."""

    def __init__(self, directory: Path, name: str) -> None:
        self._name = os.fsencode(name)
        self._handle = -1
        with suppress(AttributeError, OSError):
            libc = ctypes.CDLL(None)
            self._handle = libc.inotify_init1(_NON_BLOCKING)
            if libc.inotify_add_watch(self._handle, os.fsencode(directory), _OPENED | _CLOSED) < 0:
                self.close()

    def count(self) -> int | None:
        """Return how often it was opened so far; None if the system cannot tell, or lost count."""
        if self._handle < 0:
            return None
        opened = 0
        with suppress(BlockingIOError):
            while raw := os.read(self._handle, 1 << 16):
                at = 0
                while at < len(raw):
                    _, mask, _, length = _HEAD.unpack_from(raw, at)
                    name = raw[at + _HEAD.size : at + _HEAD.size + length].rstrip(b"\0")
                    at += _HEAD.size + length
                    if mask & _OVERFLOW:
                        return None
                    opened += bool(mask & _OPENED) and name == self._name
        return opened

    def close(self) -> None:
        """Stop watching."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
