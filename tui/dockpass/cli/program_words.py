"""Tells of a program on stderr: a line or the plan before it, a line after it. stdout is the program's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from dockpass.auth.decide import why_not_usable
from dockpass.cli.output import Output
from dockpass.cli.table import columns
from dockpass.errors import DockpassError
from dockpass.marks import GLYPH_LOOK
from dockpass.programs.environment import printed
from dockpass.programs.events import ConfigChanged, ConfigRead, LeftRunning, ProgramEnded, ProgramEvent
from dockpass.programs.lines import NAME, after, before, changed, left_running, read_words
from dockpass.programs.planned import Planned, planned
from dockpass.programs.run import Filled
from dockpass.programs.task import Outliving, Task, unknown_values
from dockpass.runs.config_events import ConfigCreated, ConfigRemoved
from dockpass.runs.services import Services


class Narrator:
    """Writes what happens, but nothing after stderr is gone."""

    def __init__(
        self,
        task: Task,
        services: Services,
        *,
        quiet: bool,
        verbose: bool,
        report: Callable[[ProgramEvent], None] = lambda _: None,
    ) -> None:
        self._task = task
        self._services = services
        self._output = Output(services.redactor)
        self._quiet = quiet
        self._verbose = verbose and not quiet
        self._report = report
        self._ended: ProgramEnded | None = None
        self._reads: int | None = None

    def plan(self, *, without_unknown: bool) -> None:
        """Write the plan to stdout, where no program writes; on stderr, what it could not be run with.

        `without_unknown` says that the program may be run without values that are not known.
        """
        plan = self._planned()
        self._output.data(columns(plan.rows))
        self._warnings(plan)
        decision = self._task.decision
        refusals = (decision and why_not_usable(decision), unknown_values(self._task))
        found = [f"{each.message} {each.hint}" for each in refusals[: 1 if without_unknown else 2] if each]
        self._warn(*(f"{NAME}{GLYPH_LOOK} {words}" for words in found))

    def _warnings(self, plan: Planned) -> None:
        self._warn(*(f"{NAME}{GLYPH_LOOK} {words}" for words in plan.warnings))

    def environment(self) -> None:
        """Write the variables that would be set and removed to stdout, as lines of a shell."""
        self._output.data(printed(self._planned().environment))

    def _planned(self) -> Planned:
        return planned(self._task, self._services)

    def filled(self, filled: Filled) -> None:
        """Write what is said before the program starts: above all, which login of `--also` was not found."""
        if not self._quiet:
            self._warn(*(f"{NAME}{GLYPH_LOOK} no login of your own: {note}" for note in filled.missing))
        if self._verbose:
            self._say(*(f"{NAME}{note}" for note in filled.notes))

    def told(self, event: ProgramEvent) -> None:
        """Report an event, and write what it is to a person."""
        self._report(event)
        match event:
            case ConfigCreated() if not self._quiet:
                plan = self._planned()
                if self._verbose:
                    self._say(*columns(plan.rows))
                self._warnings(plan)
                self._say(before(self._task, event))
            case ProgramEnded():
                self._ended = event
            case ConfigRead():
                self._reads = event.times
                if self._verbose and event.times:
                    self._say(f"{NAME}{read_words(event.times)}")
            case ConfigChanged() if not self._quiet:
                self._warn(f"{NAME}{GLYPH_LOOK} {changed(event)}")
            case LeftRunning() if not self._quiet:
                mark = f"{GLYPH_LOOK} " if event.then == Outliving.LEAVE else ""
                self._warn(f"{NAME}{mark}{left_running(event)}")
            case ConfigRemoved() if self._ended is not None and not self._quiet:
                self._say(after(self._task, self._ended, self._reads, event))

    def failed(self, error: DockpassError) -> None:
        """Write a failure of dockpass itself."""
        self._warn(f"error: {error.message}", *([f"hint: {error.hint}"] if error.hint else []))

    def _say(self, *lines: str) -> None:
        with suppress(OSError, ValueError):
            self._output.say(lines)

    def _warn(self, *lines: str) -> None:
        with suppress(OSError, ValueError):
            self._output.warn(lines)
