"""Errors for people: what happened, why it probably did, what to do next."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit statuses of the command line, documented in docs/command-line.md."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    LOGIN_REFUSED = 3
    CANCELLED = 4
    NOT_ALLOWED = 5
    NOT_CARRIED_OUT = 125  # of `exec` and `shell` from here on, where a program has statuses of its own
    NOT_EXECUTABLE = 126
    NOT_FOUND = 127


class DockpassError(Exception):
    """Something a person can act on.

    `id` is a stable word for scripts, `message` says what happened (where, and why it probably did),
    `hint` what to do next. All three are clean text without secrets.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, id: str, message: str, hint: str = "") -> None:  # noqa: A002
        super().__init__(message)
        self.id = id
        self.message = message
        self.hint = hint


class UsageError(DockpassError):
    """What was asked for cannot be done as asked: exit status 2."""

    exit_code = ExitCode.USAGE


class LoginRefused(DockpassError):
    """The registry did not accept the credentials: exit status 3.

    `words` are the registry's own, `meaning` is what they usually mean.
    """

    exit_code = ExitCode.LOGIN_REFUSED

    def __init__(
        self,
        id: str,  # noqa: A002
        message: str,
        hint: str = "",
        *,
        words: str = "",
        meaning: str = "",
    ) -> None:
        super().__init__(id, message, hint)
        self.words = words or message
        self.meaning = meaning


class Cancelled(DockpassError):
    """The person cancelled: exit status 4."""

    exit_code = ExitCode.CANCELLED

    def __init__(self, message: str = "Cancelled.") -> None:
        super().__init__("cancelled", message)


class NotAllowed(DockpassError):
    """Needs the person's word, which was not given: exit status 5."""

    exit_code = ExitCode.NOT_ALLOWED


class NotExecutable(DockpassError):
    """The program is there and cannot be run: exit status 126, as in a shell."""

    exit_code = ExitCode.NOT_EXECUTABLE


class NotFound(DockpassError):
    """There is no such program: exit status 127, as in a shell."""

    exit_code = ExitCode.NOT_FOUND


def needs_yes(would: str, hint: str) -> NotAllowed:
    """Return the error for a deletion without a terminal to ask on; `would` says what it would delete."""
    return NotAllowed("needs-yes", f"{would}, and there is no terminal to ask on. Nothing was deleted.", hint)
