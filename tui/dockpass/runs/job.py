"""What the phases of a run work with: where they report, ask, and learn that they were cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dockpass.auth.facts import Facts
from dockpass.colours import Colours
from dockpass.dockerconfig.runconfig import RunConfig
from dockpass.engines.base import Engine
from dockpass.engines.endpoint import no_engine
from dockpass.errors import Cancelled, DockpassError, LoginRefused, NotAllowed
from dockpass.references.reference import Repository, parse_repository
from dockpass.registry.retry import Wait
from dockpass.runs.events import (
    Asked,
    Count,
    Event,
    Layer,
    Log,
    LogKind,
    Phase,
    PhaseEnded,
    PhaseStarted,
    Status,
    Step,
    Waiting,
)
from dockpass.runs.feed import Feed
from dockpass.runs.request import RunRequest
from dockpass.runs.services import Services

if TYPE_CHECKING:
    import asyncio

    from dockpass.builders.base import Builder

Result = TypeVar("Result")


class PhaseReport:
    """Filled by the phase: what it did, in a few words, and whether it was skipped."""

    def __init__(self) -> None:
        self.detail = ""
        self.status = Status.DONE


class Job:
    """One run from inside. Its methods are called from the run's thread, `cancel` from any."""

    def __init__(self, request: RunRequest, services: Services, feed: Feed) -> None:
        self.request = request
        self.services = services
        self.feed = feed
        self._config: RunConfig | None = None
        self.agreed_realms: frozenset[str] = frozenset()
        self._began = services.clock()
        self._changed = threading.Condition()
        self._cancelled = False
        self._warned = False
        self._answer: bool | None = None
        self._told_until: dict[str, float] = {}
        self._cutters: list[Callable[[], None]] = []
        self._engine: Engine | None = None
        self._guard: Callable[[int], None] | None = None
        self.builder: Builder | None = None
        self.sections: Mapping[str, object] = {}

    @property
    def facts(self) -> Facts:
        """The facts of the request."""
        return self.request.facts

    @property
    def config(self) -> RunConfig:
        """The run's temporary config, once it is created: the only source of what the run sends."""
        if self._config is None:
            raise RuntimeError("the run has no config yet")
        return self._config

    def use_config(self, directory: Path, guard: Callable[[int], None] | None = None) -> None:
        """Read what the run sends from the config in this directory from now on.

        `guard` is told the process id of a program that uses it, and that leads its group.
        """
        self._config = RunConfig(directory, self.services.redactor)
        self._guard = guard

    def guard(self, pid: int) -> None:
        """Let a program that uses the run's config end with dockpass, whatever ends that."""
        if self._guard is not None:
            self._guard(pid)

    @property
    def repository(self) -> Repository:
        """The repository of the request."""
        return parse_repository(self.request.decision.repo)

    @property
    def at(self) -> float:
        """Seconds since the run began."""
        return self.services.clock() - self._began

    def put(self, make: Callable[[float], Event]) -> None:
        """Report an event, made with the present time."""
        self.feed.put(make(self.at))

    def log(self, text: str, kind: LogKind = LogKind.ENGINE) -> None:
        """Report one line of output."""
        self.feed.put(Log(self.at, kind, text))

    def output(self, text: str, colours: Colours) -> None:
        """Report one line that a command of a build printed, and the looks that it gave the line's parts."""
        self.feed.put(Log(self.at, LogKind.ENGINE, text, colours))

    def waiting(self, wait: Wait) -> None:
        """Report that a wait begins; of many requests that wait for one host, the first is told."""
        if self.at >= self._told_until.get(wait.host, 0.0):
            self._told_until[wait.host] = self.at + wait.seconds
            self.put(lambda at: Waiting(at, wait.host, wait.seconds, wait.in_words))

    def not_kept(self, why: str) -> None:
        """Warn, once in a run, that something could not be remembered for the next one; the work goes on."""
        if not self._warned:
            self.log(f"this could not be saved for the next run: {why}", LogKind.WARNING)
        self._warned = True

    def layer(self, layer_id: str, state: str, current: int, total: int) -> None:
        """Report progress of a layer in bytes."""
        self.feed.put(Layer(self.at, layer_id, state, current, total))

    def step(self, step_id: str, name: str, state: str, seconds: float) -> None:
        """Report a step of a build."""
        self.feed.put(Step(at=self.at, id=step_id, name=name, state=state, seconds=seconds))

    def count(self, done: int, total: int, what: str) -> None:
        """Report progress of countable work."""
        self.feed.put(Count(self.at, done, total, what))

    def check(self) -> None:
        """Raise `Cancelled` if the person has cancelled."""
        if self._cancelled:
            raise Cancelled

    def pause(self, seconds: float) -> None:
        """Wait, at most until the person cancels."""
        with self._changed:
            self._changed.wait(seconds)

    @property
    def cancelled(self) -> bool:
        """Whether the person has cancelled."""
        return self._cancelled

    @contextmanager
    def phase(self, phase: Phase, detail: str = "") -> Iterator[PhaseReport]:
        """Report the beginning and the end of a phase, however it ends; none begins after a cancel."""
        self.check()
        with self.closing_phase(phase, detail) as report:
            yield report

    @contextmanager
    def closing_phase(self, phase: Phase, detail: str = "") -> Iterator[PhaseReport]:
        """Report a phase that undoes something, and so takes place also after a cancel."""
        self.put(lambda at: PhaseStarted(at, phase, detail))
        report = PhaseReport()
        try:
            yield report
        except BaseException as error:
            status, words = status_of(error), _words_of(error)
            self.put(lambda at: PhaseEnded(at, phase, status, words))
            raise
        self.put(lambda at: PhaseEnded(at, phase, report.status, report.detail))

    def engine(self, connect: Callable[[], Engine] | None = None) -> Engine:
        """Return the run's engine, connected by `connect` at the first call."""
        if self._engine is None:
            if connect is None:
                raise no_engine("This run has no engine.")
            self._engine = connect()
            self.on_cancel(self._engine.cut)
        return self._engine

    def close_engine(self) -> None:
        """Release the engine's connection, if there is one."""
        if self._engine is not None:
            self._engine.close()

    def on_cancel(self, cut: Callable[[], None]) -> None:
        """Call `cut` when the person cancels; at once if that has happened already."""
        with self._changed:
            self._cutters.append(cut)
            late = self._cancelled
        if late:
            cut()

    def cancel(self) -> None:
        """Cancel the run: whatever blocks is cut."""
        with self._changed:
            if self._cancelled:
                return
            self._cancelled = True
            cutters = list(self._cutters)
            self._changed.notify_all()
        for cut in cutters:
            cut()

    def answer(self, yes: bool) -> None:
        """Answer the question that the run waits for."""
        with self._changed:
            self._answer = yes
            self._changed.notify_all()

    def ask(self, question: str, detail: str) -> bool:
        """Ask the person and wait for the answer; `Cancelled` if the run is cancelled meanwhile."""
        with self._changed:
            self._answer = None
        self.put(lambda at: Asked(at, question, detail))
        with self._changed:
            self._changed.wait_for(lambda: self._answer is not None or self._cancelled)
            answer = self._answer
        self.check()
        return bool(answer)

    def check_realm(self, host: str, realm: str) -> str:
        """Return what is new about the realm that a host names, and tell it; raises for a changed one."""
        from dockpass.registry.realms import FILE, Realms

        realms = Realms(self.services.state / FILE)
        news = realms.check(host, realm)
        for words in filter(None, (news, realms.problem)):
            self.log(words, LogKind.NOTE)
        if realms.unwritable:
            self.not_kept(realms.unwritable)
        return news

    def run_async(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run registry work to its end; a cancel ends it with `Cancelled`."""
        import asyncio  # a run that only the engine works for needs none

        return asyncio.run(self._cancellable(work))

    async def _cancellable(self, work: Coroutine[Any, Any, Result]) -> Result:
        import asyncio

        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(work)
        self.on_cancel(lambda: _cancel_in(loop, task))
        try:
            return await task
        except asyncio.CancelledError:
            raise Cancelled from None


def _cancel_in(loop: asyncio.AbstractEventLoop, task: asyncio.Future[Any]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(task.cancel)


def status_of(error: BaseException) -> Status:
    """Return how a phase or a run ends that `error` ended."""
    if _is_cancel(error):
        return Status.CANCELLED
    match error:
        case LoginRefused():
            return Status.REFUSED
        case NotAllowed():
            return Status.NOT_ALLOWED
    return Status.FAILED


def _words_of(error: BaseException) -> str:
    if isinstance(error, DockpassError):
        return error.message
    return "Cancelled." if _is_cancel(error) else "Internal error in dockpass."


def _is_cancel(error: BaseException) -> bool:
    from asyncio import CancelledError

    return isinstance(error, Cancelled | CancelledError)
