"""Writes the log file: rotated, and readable by its owner only. Loaded with the first record."""

from __future__ import annotations

import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from dockpass.system import reason

LARGEST = 1 << 20
KEPT = 3


class PrivateHandler(RotatingFileHandler):
    """Opens its file on the first record, with mode 0600; a log that cannot be written is no failure.

    `problem` says then why it cannot.
    """

    problem = ""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=LARGEST, backupCount=KEPT, delay=True, encoding="utf-8")

    def _open(self):  # type: ignore[no-untyped-def]
        path = Path(self.baseFilename)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - the library's name
        """Keep the reason: a traceback on the terminal would tear the screen."""
        error = sys.exception()
        why = reason(error) if isinstance(error, OSError) else type(error).__name__
        self.problem = f"the log file cannot be written: {why}"
