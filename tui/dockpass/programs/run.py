"""A program in a temporary docker config: the same lifecycle as that of a run, around a child process.

The config is created, filled, used, removed, and looked for again, whatever becomes of the program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dockpass.dockerconfig.temporary import Removal, TemporaryConfig, not_removed
from dockpass.errors import DockpassError, ExitCode
from dockpass.programs.carried import Carried, carried_from, original_directory
from dockpass.programs.environment import ProgramEnvironment, program_environment
from dockpass.programs.events import Ended, ProgramEnded, ProgramEvent, ProgramStarted
from dockpass.programs.process import Ending, Watch
from dockpass.programs.task import Task
from dockpass.references.credential import Credential
from dockpass.runs.entries import check_external, decided_entries, found_entries
from dockpass.runs.events import ConfigCreated, ConfigRemoved
from dockpass.runs.services import Services
from dockpass.system import refused_by_system

Told = Callable[[ProgramEvent], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """What a config was filled with: where its logins were found, and what is carried over."""

    config: TemporaryConfig
    notes: tuple[str, ...]
    carried: Carried


@dataclass(frozen=True, slots=True)
class Outcome:
    """`exit_status` is dockpass's own, `signal` the one to die of (or 0), `failure` what went wrong here."""

    exit_status: int
    signal: int = 0
    failure: DockpassError | None = None


class ProgramRun:
    """One program from config to removal. Everything happens in the main thread.

    `told` gets each event as it happens, `filled` what the config was filled with, before the program starts.
    """

    def __init__(
        self, task: Task, services: Services, told: Told, filled: Callable[[Filled], None] = lambda _: None
    ) -> None:
        self._task = task
        self._services = services
        self._told = told
        self._filled = filled
        self._began = services.clock()

    def carry_out(self) -> Outcome:
        """Run the program to its end; raises `DockpassError` only before a config is created."""
        decision = self._task.decision
        if decision is not None:
            check_external(decision)
        with Watch() as watch:
            outcome = self._within(watch)
        failure = outcome.failure
        if failure is None:
            self._told(Ended(self._at, outcome.exit_status))
        else:
            self._told(Ended(self._at, outcome.exit_status, failure.id, failure.message, failure.hint))
        return outcome

    @property
    def _at(self) -> float:
        return self._services.clock() - self._began

    def _within(self, watch: Watch) -> Outcome:
        config = self._services.create_config(self._decided(), self._services.environ)
        ending: Ending | None = None
        failure: DockpassError | None = None
        removal = Removal(gone=False, detail="")
        try:
            ending = self._run_in(config, watch)
        except DockpassError as error:
            failure = error
        except OSError as error:
            failure = refused_by_system(error)
        finally:
            removal = config.remove()
            self._told(ConfigRemoved(self._at, str(config.path), removal.gone, removal.detail))
        return outcome_of(ending, watch.received, failure or not_removed(config.path, removal))

    def _decided(self) -> dict[str, Credential]:
        decision = self._task.decision
        return {} if decision is None else dict(decided_entries(decision, self._services.redactor))

    def _run_in(self, config: TemporaryConfig, watch: Watch) -> Ending | None:
        """Fill the config and run the program in it; None if a signal came before it was started."""
        task, services = self._task, self._services
        filled = self._fill(config)
        self._told(
            ConfigCreated(
                self._at, str(config.path), "0700", "0600", config.on_tmpfs, config.where, tuple(config.hosts)
            )
        )
        self._filled(filled)
        environment = environment_of(task, services, config.path, filled.carried)
        pid = watch.start(task.path, task.argv, environment.variables)
        if not pid:
            return None
        self._told(ProgramStarted(self._at, task.argv, pid))
        started = services.clock()
        ending = watch.wait()
        self._told(ProgramEnded(self._at, ending.status, ending.signal, services.clock() - started))
        return ending

    def _fill(self, config: TemporaryConfig) -> Filled:
        """Look up logins in other configs, now that this one exists, and carry over what is no login."""
        task, services = self._task, self._services
        original = original_directory(services.environ, services.home)
        entries, notes = self._decided(), list[str]()
        sources = [(original, task.also)]
        if task.decision is not None and task.decision.config_dir is not None:
            sources.append((Path(task.decision.config_dir), task.hosts))
        for source, hosts in sources:
            if hosts:
                found = found_entries(services, source, hosts, services.environ, config.path)
                entries = {**found.credentials, **entries}
                notes += found.notes
        carried = carried_from(original, services.environ)
        config.rewrite(entries, carried.sections)
        carried.write(config.path)
        return Filled(config, tuple(notes), carried)


def environment_of(task: Task, services: Services, directory: Path, carried: Carried) -> ProgramEnvironment:
    """Return the environment that a task's program gets with its config in `directory`."""
    return program_environment(
        services.environ,
        directory,
        task.host,
        job=task.job,
        keep=task.keep,
        has_context=bool(carried.context),
    )


def outcome_of(ending: Ending | None, received: int, failure: DockpassError | None) -> Outcome:
    """Return what dockpass ends with: the program's own status, unless it succeeded and dockpass did not."""
    if ending is None and failure is not None:
        early = (
            failure.exit_code if failure.exit_code >= ExitCode.NOT_CARRIED_OUT else ExitCode.NOT_CARRIED_OUT
        )
        return Outcome(int(early), failure=failure)
    if ending is None:
        return Outcome(128 + received, received, failure)
    if failure is not None and ending.exit_status == 0:
        return Outcome(int(ExitCode.NOT_CARRIED_OUT), failure=failure)
    return Outcome(ending.exit_status, ending.signal, failure)
