"""A run: a plan carried out in a thread of its own, inside a temporary docker config.

Whatever happens, the run ends with one `Ended`, after one `ConfigRemoved` if there was a config.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dockpass.auth.command import Command
from dockpass.auth.decide import why_not_usable
from dockpass.auth.warnings import foreign_refused
from dockpass.dockerconfig.temporary import TemporaryConfig, not_removed
from dockpass.errors import Cancelled, DockpassError, ExitCode, UsageError
from dockpass.logfile import log_fault
from dockpass.readonly import Act, ReadOnly
from dockpass.registry.retry import telling
from dockpass.runs.asked import hosts_of_run
from dockpass.runs.entries import check_external, decided_entries, found_entries
from dockpass.runs.events import (
    ConfigCreated,
    ConfigRemoved,
    Ended,
    Phase,
    PhaseEnded,
    PhaseStarted,
    Status,
)
from dockpass.runs.feed import Feed
from dockpass.runs.foreign import foreign_question
from dockpass.runs.job import Job, status_of
from dockpass.runs.lines import in_full
from dockpass.runs.login import log_in
from dockpass.runs.record import recorder
from dockpass.runs.request import RunRequest
from dockpass.runs.services import Services
from dockpass.system import refused_by_system
from dockpass.text import clean

Prepare = Callable[[Job], Callable[[], str]]
"""Checks what a command was given, before anything is created; returns the work that follows the
login, which returns one sentence on what was done."""


class Run:
    """One run, as seen by whoever started it. All methods may be called from any thread."""

    def __init__(self, request: RunRequest, services: Services) -> None:
        self.request = request
        self.feed = Feed(services.redactor, record=recorder(str(request.command)))
        self._job = Job(request, services, self.feed)
        self._config: TemporaryConfig | None = None
        self._finishing = threading.Lock()
        self._finished = False
        self._thread = threading.Thread(target=self._carry_out, name="dockpass-run", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask the run to end; returns at once."""
        self._job.cancel()

    def answer(self, yes: bool) -> None:
        """Answer the question of an `Asked` event."""
        self._job.answer(yes)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; tell whether it has come."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def stop(self, timeout: float) -> bool:
        """Cancel and wait at most `timeout` seconds; the config is gone afterwards in any case."""
        self.cancel()
        in_time = self.wait(timeout)
        if not in_time:
            self._finish(Cancelled("Stopped before the engine answered."))
        return in_time

    @property
    def ended(self) -> bool:
        """Whether the last event is on the feed."""
        return self.feed.ended

    def _carry_out(self) -> None:
        failure: BaseException | None = None
        done = ""
        try:
            with telling(self._job.waiting):
                done = self._lifecycle()
        except DockpassError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - the run must end in words, whatever the fault
            failure = error
        finally:
            self._job.close_engine()
            self._finish(failure, done)

    def _lifecycle(self) -> str:
        job = self._job
        _check_allowed(job.request, job.services.read_only)
        work = _prepare_of(job.request.command)(job)
        check_external(job.request.decision)
        with job.phase(Phase.CREATE_CONFIG) as report:
            config, notes = self._filled_config()
            job.put(
                lambda at: ConfigCreated(
                    at,
                    str(config.path),
                    "0700",
                    "0600",
                    config.on_tmpfs,
                    config.where,
                    tuple(config.hosts),
                )
            )
            report.detail = str(config.path)
        log_in(job, config.hosts, notes)
        return work()

    def _filled_config(self) -> tuple[TemporaryConfig, tuple[str, ...]]:
        """Create the config; return it with notes on where the entries in it were found.

        Entries of another config are looked up once this one exists: a credential helper is a child
        process, and gets it as its docker config.
        """
        job = self._job
        self._config = config = self._create_config()
        job.use_config(
            config.path, lambda pid: config.guard_program(pid, leads_group=True, with_children=True)
        )
        services, source = job.services, job.request.decision.config_dir
        if source is None:
            if job.sections:
                config.rewrite(decided_entries(job.request.decision, services.redactor), job.sections)
            return config, ()
        environ, hosts = services.run_environ(job.facts), hosts_of_run(job.request)
        entries = found_entries(services, Path(source), hosts, environ, config.path)
        if entries.credentials or job.sections:
            config.rewrite(entries.credentials, job.sections)
        return config, entries.notes

    def _create_config(self) -> TemporaryConfig:
        services = self._job.services
        entries = decided_entries(self.request.decision, services.redactor)
        with self._finishing:  # a stopped run must not create anything any more
            if self._finished:
                raise Cancelled
            return services.create_config(entries, services.run_environ(self.request.facts))

    def _finish(self, failure: BaseException | None, done: str = "") -> None:
        with self._finishing:
            if self._finished:
                return
            self._finished = True
            left = self._remove_config()
            ended = _ended(self._job.at, failure or left, done)
            self.feed.put(replace(ended, hint=in_full(ended.hint, self.request, self._job.services)))

    def _remove_config(self) -> DockpassError | None:
        config, job = self._config, self._job
        if config is None:
            return None
        job.put(lambda at: PhaseStarted(at, Phase.REMOVE_CONFIG))
        removal = config.remove()
        job.put(lambda at: ConfigRemoved(at, str(config.path), removal.gone, removal.detail))
        status = Status.DONE if removal.gone else Status.FAILED
        job.put(lambda at: PhaseEnded(at, Phase.REMOVE_CONFIG, status, removal.detail))
        return not_removed(config.path, removal)


def start_run(request: RunRequest, services: Services) -> Run:
    """Start a run and return at once; its feed tells the rest."""
    run = Run(request, services)
    run.start()
    return run


def _check_allowed(request: RunRequest, read_only: ReadOnly) -> None:
    if request.acts:
        read_only.refuse(Act.RUN)
    decision = request.decision
    if refusal := why_not_usable(decision):
        raise UsageError(refusal.id, refusal.message, refusal.hint)
    question = foreign_question(request)
    if question and not request.foreign_allowed:
        raise foreign_refused(question)


def _prepare_of(command: Command) -> Prepare:
    """Import the command's module only now: each brings what the others do not need."""
    match command:
        case Command.BUILD:
            from dockpass.runs.build import build

            return build
        case Command.PUSH:
            from dockpass.runs.push import push

            return push
        case Command.PULL:
            from dockpass.runs.pull import pull

            return pull
        case Command.CLEANUP:
            from dockpass.runs.cleanup import cleanup

            return cleanup
        case Command.DEPLOY:
            from dockpass.runs.deploy import deploy

            return deploy


def _ended(at: float, failure: BaseException | None, done: str) -> Ended:
    if failure is None:
        return Ended(at, Status.DONE, ExitCode.DONE, "", done, "")
    if isinstance(failure, OSError) and not isinstance(failure, ConnectionError | TimeoutError):
        failure = refused_by_system(failure)
    if not isinstance(failure, DockpassError):
        return Ended(
            at,
            Status.FAILED,
            ExitCode.FAILED,
            "fault",
            f"Internal error in dockpass: {clean(f'{type(failure).__name__}: {failure}')}",
            log_fault("the run", failure),
        )
    return Ended(at, status_of(failure), failure.exit_code, failure.id, failure.message, failure.hint)
