"""What is said of a program that runs with a login: frozen events, as JSON lines in a report.

`at` are seconds since dockpass began with it. No text holds a secret once it is redacted.
"""

from __future__ import annotations

from dataclasses import dataclass

from dockpass.runs.config_events import ConfigCreated, ConfigRemoved


@dataclass(frozen=True, slots=True)
class ProgramStarted:
    """The program runs."""

    at: float
    argv: tuple[str, ...]
    pid: int


@dataclass(frozen=True, slots=True)
class ProgramEnded:
    """The program ended after `seconds`, with an exit status or by a signal (0 for none)."""

    at: float
    status: int
    signal: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ConfigRead:
    """How often `config.json` was opened while the program ran; None where the system cannot tell."""

    at: float
    times: int | None


@dataclass(frozen=True, slots=True)
class ConfigChanged:
    """Docker's keys of the logins that were added, replaced or removed in the config meanwhile."""

    at: float
    added: tuple[str, ...]
    replaced: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeftRunning:
    """Processes that outlive the program and may still use its config: `(pid, name)` of each.

    `then` says what is done about them: they are left, waited for, or ended.
    """

    at: float
    processes: tuple[tuple[int, str], ...]
    then: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event: dockpass's own exit status, and the error if it could not do its part."""

    at: float
    exit_status: int
    id: str = ""
    message: str = ""
    hint: str = ""


ProgramEvent = (
    ConfigCreated
    | ProgramStarted
    | ProgramEnded
    | ConfigRead
    | ConfigChanged
    | LeftRunning
    | ConfigRemoved
    | Ended
)
