"""The log file: redacted, rotated, readable by its owner only, and made when something is logged."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dockpass.errors import UsageError
from dockpass.secrets import Redactor
from dockpass.text import clean, clean_lines

if TYPE_CHECKING:
    from dockpass.logwriter import PrivateHandler

LEVEL = "DOCKPASS_LOG_LEVEL"
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
"""`debug` adds a line for each HTTP request."""


class _RedactingFormatter(logging.Formatter):
    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return "\n    ".join(clean_lines(self._redact(super().format(record))))


class _LogFile(logging.Handler):
    """Sends records to a file. What writes it is loaded with the first one: most commands log nothing.

    `problem` says why the file cannot be written; then nothing more is logged.
    """

    def __init__(self, path: Path, redact: Redactor) -> None:
        super().__init__()
        self.path = path.absolute()
        self.problem = ""
        self._formatter = _RedactingFormatter(redact)
        self._writer: PrivateHandler | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self.problem:
            return
        if self._writer is None:
            try:
                from dockpass.logwriter import PrivateHandler
            except (ImportError, OSError) as error:  # where no more files can be opened
                self.problem = f"what writes it cannot be loaded: {clean(str(error), 200)}"
                return
            self._writer = PrivateHandler(self.path)
            self._writer.setFormatter(self._formatter)
        self._writer.emit(record)
        self.problem = self._writer.problem

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        super().close()


_handlers: list[_LogFile] = []
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
    handler = _LogFile(path, redact)
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
    return f"Details are in {clean(str(_handlers[0].path))}."
