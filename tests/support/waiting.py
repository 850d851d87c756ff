"""Waits for what another process does, and looks whether one still runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def within(seen: Callable[[], object], seconds: float = 10) -> bool:
    """Poll until `seen` returns something true; False after `seconds`."""
    deadline = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended; one that nobody has waited for yet has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
