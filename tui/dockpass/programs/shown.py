"""A program as a run: its events on a feed, so that a screen of runs shows it as it shows the others."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from dockpass.errors import DockpassError, ExitCode
from dockpass.logfile import log_fault
from dockpass.programs.events import (
    ConfigChanged,
    ConfigRead,
    Ended,
    LeftRunning,
    ProgramEnded,
    ProgramEvent,
    ProgramStarted,
)
from dockpass.programs.lines import changed, ended_words, left_running, logins, name_of, read_words
from dockpass.programs.process import Watch
from dockpass.programs.run import Filled, Outcome, ProgramRun
from dockpass.programs.task import Task
from dockpass.runs import events as ev
from dockpass.runs.events import LogKind, Phase, Status
from dockpass.runs.feed import Feed
from dockpass.runs.plan import Plan, PlannedPhase
from dockpass.runs.services import Services
from dockpass.text import clean, sentence

Carry = Callable[[ProgramRun], Outcome]
"""Carries a program out, and returns what became of it."""


class ShownProgram:
    """The feed of one program, as a run has one. `cancelled` tells whether the person ended it."""

    def __init__(self, task: Task, services: Services) -> None:
        self.feed = Feed(services.redactor)
        self.cancelled = False
        self._task = task
        self._services = services
        self._ended: ProgramEnded | None = None
        self._said: list[str] = []

    @property
    def ended(self) -> bool:
        """Whether the last event is on the feed."""
        return self.feed.ended

    def cancel(self) -> None:
        """Ask the program to end."""
        self.cancelled = True

    def answer(self, yes: bool) -> None:
        """Do nothing: a program asks nothing here."""

    def stop(self, timeout: float) -> bool:  # noqa: ARG002 - as a run has it
        """Cancel and wait for the end; tell whether it came."""
        self.cancel()
        return self.ended

    def carry_out(self, watch: Watch, run: ProgramRun) -> None:
        """Run the program from config to removal. Whatever happens, the feed ends."""
        try:
            run.carry_out(watch)
        except DockpassError as error:
            self._end(0.0, error.id, error.message, error.hint)
        except Exception as error:  # noqa: BLE001 - the feed must end in words, whatever the fault
            fault = f"Internal error in dockpass: {clean(f'{type(error).__name__}: {error}')}"
            self._end(0.0, "fault", fault, log_fault("the run of a program", error))

    def filled(self, filled: Filled) -> None:
        """Say where logins were found, and which were not."""
        for note in filled.missing:
            self._put(LogKind.WARNING, f"no login of your own: {note}")
        for note in filled.notes:
            self._put(LogKind.NOTE, note)

    def told(self, event: ProgramEvent) -> None:
        """Put an event of the program on the feed, in the words of a run."""
        match event:
            case ev.ConfigCreated():
                self.feed.put(ev.PhaseStarted(0.0, Phase.CREATE_CONFIG))
                self.feed.put(event)
                self.feed.put(ev.PhaseEnded(event.at, Phase.CREATE_CONFIG, Status.DONE, event.path))
                words = f"{name_of(self._task)} gets {logins(self._task, event.hosts)}"
                self._put(LogKind.NOTE, words, event.at)
            case ProgramStarted():
                self.feed.put(ev.PhaseStarted(event.at, Phase.PROGRAM, f"process {event.pid}"))
            case ProgramEnded():
                self._ended = event
                words = ended_words(self._task, event)
                self.feed.put(ev.PhaseEnded(event.at, Phase.PROGRAM, self._status, words))
            case ConfigRead(times=int(times)):
                self._say(LogKind.NOTE, read_words(times), event.at)
            case ConfigChanged():
                self._say(LogKind.WARNING, changed(event), event.at)
            case LeftRunning():
                self._say(LogKind.WARNING, left_running(event), event.at)
            case ev.ConfigRemoved():
                status = Status.DONE if event.gone else Status.FAILED
                self.feed.put(ev.PhaseStarted(event.at, Phase.REMOVE_CONFIG))
                self.feed.put(event)
                self.feed.put(ev.PhaseEnded(event.at, Phase.REMOVE_CONFIG, status, event.detail))
            case Ended():
                self._end(event.at, event.id, event.message, event.hint)

    @property
    def _status(self) -> Status:
        ended = self._ended
        if ended is None or (self.cancelled and ended.signal):
            return Status.CANCELLED
        return Status.FAILED if ended.status or ended.signal else Status.DONE

    def _say(self, kind: LogKind, words: str, at: float) -> None:
        self._said.append(sentence(f"{words[:1].upper()}{words[1:]}" if kind is LogKind.WARNING else words))
        self._put(kind, words, at)

    def _put(self, kind: LogKind, words: str, at: float = 0.0) -> None:
        self.feed.put(ev.Log(at, kind, words))

    def _end(self, at: float, failure: str, message: str, hint: str) -> None:
        """Put the last event: how the program ended, what was seen of its config, what went wrong here."""
        said = [ended_words(self._task, self._ended)] if self._ended else []
        if failure:
            status, said = Status.FAILED, [message, *said]
        else:
            status = self._status
            said = said or ["cancelled before the program was started"]
        code = ExitCode.DONE if status is Status.DONE else ExitCode.FAILED
        rest = "\n".join([*said[1:], *self._said, *([hint] if hint else [])])
        self.feed.put(ev.Ended(at, status, code, failure or str(status), said[0], rest))


def shown_plan(task: Task) -> Plan:
    """Return the steps of a program as those of a run."""
    line = clean(shlex.join(task.argv), 200)
    phases = (
        PlannedPhase(Phase.CREATE_CONFIG, "Create the config", "mode 0700"),
        PlannedPhase(Phase.PROGRAM, "Run the program", line),
        PlannedPhase(Phase.REMOVE_CONFIG, "Remove the config", "when the program has ended"),
    )
    return Plan(line, phases, confirm=None, foreign=None, command_line=())
