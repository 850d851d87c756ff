"""A program in a temporary docker config: the same lifecycle as that of a run, around a child process.

The config is created, filled, used, removed, and looked for again, whatever becomes of the program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from dockpass.dockerconfig.carried import Carried, carried_from, original_directory
from dockpass.dockerconfig.configfile import read_config
from dockpass.dockerconfig.temporary import TemporaryConfig, not_removed, write_private
from dockpass.errors import DockpassError, ExitCode
from dockpass.programs.changes import changes
from dockpass.programs.environment import ProgramEnvironment, program_environment
from dockpass.programs.events import (
    ConfigRead,
    Ended,
    LeftRunning,
    ProgramEnded,
    ProgramEvent,
    ProgramStarted,
)
from dockpass.programs.masking import spellings
from dockpass.programs.outputs import Outputs, Streams
from dockpass.programs.process import Ending, Watch
from dockpass.programs.shells import shell_start
from dockpass.programs.survivors import await_end, end, named
from dockpass.programs.system import Reads, adopt_orphans
from dockpass.programs.task import Outliving, Task
from dockpass.readonly import Act
from dockpass.references.address import login_key
from dockpass.references.credential import Credential
from dockpass.runs.config_events import ConfigCreated, ConfigRemoved
from dockpass.runs.entries import check_external, decided_entries, found_entries
from dockpass.runs.record import recorder
from dockpass.runs.services import Services
from dockpass.system import refused_by_system
from dockpass.text import clean

Told = Callable[[ProgramEvent], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """What a config was filled with: where its logins were found, and what is carried over.

    `missing` say why there is no login of the person's own for a host of `--also`. `secrets` are the logins
    in every spelling that is to be masked.
    """

    config: TemporaryConfig
    notes: tuple[str, ...]
    missing: tuple[str, ...]
    carried: Carried
    secrets: frozenset[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`exit_status` is dockpass's own, `signal` the one to die of (or 0), `failure` what went wrong here."""

    exit_status: int
    signal: int = 0
    failure: DockpassError | None = None


class ProgramRun:
    """One program from config to removal. Everything happens in one thread: the main one, for a `Watch`.

    `told` gets each event as it happens, `filled` what the config was filled with, before the program starts.
    `streams` makes the program's outputs, given the spellings of what is masked in them.
    """

    def __init__(
        self,
        task: Task,
        services: Services,
        told: Told,
        filled: Callable[[Filled], None] = lambda _: None,
        streams: Callable[[frozenset[bytes]], Streams] | None = None,
    ) -> None:
        self._task = task
        self._services = services
        self._tell = told
        self._record = recorder(f"exec {clean(Path(task.argv[0]).name, 60)}")
        self._filled = filled
        self._streams = streams
        self._began = services.clock()
        self._ending: Ending | None = None
        self._outliving: tuple[int, ...] = ()

    def carry_out(self, watch: Watch | None = None) -> Outcome:
        """Run the program to its end; raises `DockpassError` only before a config is created."""
        self._services.read_only.refuse(Act.PROGRAM)
        decision = self._task.decision
        if decision is not None:
            check_external(decision)
        with watch or Watch() as watching:
            outcome = self._within(watching)
        failure = outcome.failure
        if failure is None:
            self._told(Ended(self._at, outcome.exit_status))
        else:
            self._told(Ended(self._at, outcome.exit_status, failure.id, failure.message, failure.hint))
        return outcome

    def _told(self, event: ProgramEvent) -> None:
        self._record(event)
        self._tell(event)

    @property
    def _at(self) -> float:
        return self._services.clock() - self._began

    def _within(self, watch: Watch) -> Outcome:
        failure: DockpassError | None = None
        left: DockpassError | None = None
        config: TemporaryConfig | None = None
        try:
            config = self._services.create_config(self._decided(), self._services.environ)
            self._run_in(config, watch)
        except DockpassError as error:
            failure = error
        except OSError as error:
            failure = refused_by_system(error)
        finally:
            if config is not None:
                removal = config.remove(self._outliving)
                self._told(ConfigRemoved(self._at, str(config.path), removal.gone, removal.detail))
                left = not_removed(config.path, removal)
        return outcome_of(self._ending, watch.received, left or failure)

    def _decided(self) -> dict[str, Credential]:
        decision = self._task.decision
        return {} if decision is None else dict(decided_entries(decision, self._services.redactor))

    def _run_in(self, config: TemporaryConfig, watch: Watch) -> None:
        """Fill the config and run the program in it, unless a signal came before."""
        filled = self._fill(config)
        self._told(
            ConfigCreated(
                self._at, str(config.path), "0700", "0600", config.on_tmpfs, config.where, tuple(config.hosts)
            )
        )
        self._filled(filled)
        others = config.guardians
        written = read_config(config.path)
        reads = Reads(config.path, "config.json")
        adopt_orphans(watch.adopts)
        try:
            self._run_program(filled, watch, others)
            if self._ending is None:
                return
            self._told(ConfigRead(self._at, reads.count()))
            if changed := changes(self._at, written, read_config(config.path)):
                self._told(changed)
            self._outliving = self._look_for_survivors(config.path, watch)
        finally:
            adopt_orphans(False)
            reads.close()

    def _run_program(self, filled: Filled, watch: Watch, others: frozenset[int]) -> None:
        task, services, config = self._task, self._services, filled.config
        argv, environ = self._start_of(config.path, filled.carried)
        make = self._streams or partial(Outputs, task.mask, terminal=watch.terminal.handle)
        outputs = make(filled.secrets)
        try:
            try:
                own = outputs.own_session
                pid = watch.start(task.path, argv, environ, outputs.actions, others, own_session=own)
                if pid:
                    config.guard_program(pid, leads_group=not watch.terminal.is_there)
            finally:
                outputs.start()
            if not pid:
                return
            self._told(ProgramStarted(self._at, tuple(map(clean, argv)), pid))
            started = services.clock()
            self._ending = ending = watch.wait()
        finally:
            outputs.finish()
        self._told(ProgramEnded(self._at, ending.status, ending.signal, services.clock() - started))

    def _start_of(self, directory: Path, carried: Carried) -> tuple[Sequence[str], Mapping[str, str]]:
        """Return the words and the environment of the program; a shell gets files of its own."""
        task = self._task
        environment = environment_of(task, self._services, directory, carried)
        if not task.is_shell:
            return task.argv, environment.variables
        start = shell_start(task.path, directory, environment, task.host)
        for name, text in start.files.items():
            if (path := directory / name).parent != directory:
                path.parent.mkdir(mode=0o700)
            write_private(path, text)
        return start.argv, {**environment.variables, **start.variables}

    def _look_for_survivors(self, directory: Path, watch: Watch) -> tuple[int, ...]:
        left = watch.survivors(directory)
        if left and self._task.outliving is not Outliving.LEAVE:
            self._told(LeftRunning(self._at, named(left), self._task.outliving))
            if self._task.outliving is Outliving.WAIT:
                await_end(left, lambda: watch.interrupted)
            else:
                end(left)
            left = watch.survivors(directory)
        if left:
            self._told(LeftRunning(self._at, named(left), Outliving.LEAVE))
        return left

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
        masked = (*entries.values(), *(Credential("", secret) for secret in task.secrets))
        secrets = frozenset().union(*map(spellings, masked))
        absent = [host for host in task.also if login_key(host) not in entries]
        missing = tuple(note for note in notes if note.partition(": ")[0] in absent)
        return Filled(config, tuple(notes), missing, carried, secrets)


def environment_of(task: Task, services: Services, directory: Path, carried: Carried) -> ProgramEnvironment:
    """Return the environment that a task's program gets with its config in `directory`."""
    return program_environment(
        services.environ,
        directory,
        task.host,
        job=task.job,
        left_out=task.left_out,
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
