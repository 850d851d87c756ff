"""The log file: redacted, rotated, readable by its owner only, and made when something is logged."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path

from dockpass.errors import UsageError
from dockpass.secrets import Redactor
from dockpass.system import reason
from dockpass.text import clean, clean_lines

LARGEST = 1 << 20
KEPT = 3
LEVEL = "DOCKPASS_LOG_LEVEL"
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
"""`debug` adds a line for each HTTP request."""


class _RedactingFormatter(logging.Formatter):
    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return "\n    ".join(clean_lines(self._redact(super().format(record))))


class _PrivateHandler(RotatingFileHandler):
    """Opens its file on the first record, with mode 0600; a log that cannot be written is no failure.

    `problem` says then why it cannot.
    """

    problem = ""

    def _open(self):  # type: ignore[no-untyped-def]
        path = Path(self.baseFilename)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - the library's name
        """Stop logging: a traceback on the terminal would tear the screen."""
        error = sys.exception()
        why = reason(error) if isinstance(error, OSError) else type(error).__name__
        self.problem = f"the log file cannot be written: {why}"
        logging.getLogger("dockpass").removeHandler(self)


_handlers: list[_PrivateHandler] = []
"""The present one, as long as the log goes to a file."""

_silent = logging.NullHandler()
"""Takes what comes before the log begins and after it failed: Python prints it unredacted otherwise."""
logging.getLogger("dockpass").addHandler(_silent)


def log_level(environ: Mapping[str, str]) -> int:
    """Return the level that `DOCKPASS_LOG_LEVEL` names, `info` by default; raises `UsageError`."""
    value = environ.get(LEVEL, "") or "info"
    level = LEVELS.get(value.lower())
    if level is not None:
        return level
    import difflib  # only who needs it pays for it

    close = difflib.get_close_matches(value.lower(), LEVELS, 1)
    meant = f"Did you mean {close[0]}? " if close else ""
    raise UsageError(
        "log-level-invalid",
        f"{LEVEL} is “{clean(value, 40)}”, which is not a log level.",
        f"{meant}The levels are {', '.join(LEVELS)}.",
    )


def start_log(path: Path, redact: Redactor, level: int = logging.INFO) -> None:
    """Send dockpass's own log to the file."""
    handler = _PrivateHandler(path, maxBytes=LARGEST, backupCount=KEPT, delay=True, encoding="utf-8")
    handler.setFormatter(_RedactingFormatter(redact))
    logger = logging.getLogger("dockpass")
    logger.setLevel(level)
    logger.propagate = False
    _handlers[:] = [handler]
    logger.handlers[:] = [handler, _silent]


def log_problem() -> str:
    """Return why the log file could not be written, where it could not."""
    return _handlers[0].problem if _handlers else "it was not begun"


def log_fault(where: str, error: BaseException) -> str:
    """Write a fault with its traceback; return in words where the details are, or why they are nowhere."""
    logging.getLogger("dockpass").error("a fault in %s", where, exc_info=error)
    if problem := log_problem():
        return f"The details could not be logged: {problem}. DOCKPASS_LOG moves the log."
    return f"Details are in {clean(_handlers[0].baseFilename)}."
