"""The sandbox as a server: a registry and its token server on loopback, in a thread of their own."""

from __future__ import annotations

import asyncio
import atexit
import errno
import ipaddress
import logging
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from dockpass.errors import DockpassError
from dockpass.sandbox.accounts import Account, Accounts
from dockpass.sandbox.application import Application, Asked, Notebook
from dockpass.sandbox.faults import FaultBox, Faults
from dockpass.sandbox.flavours import PROFILES, Flavour
from dockpass.sandbox.gate import Gate
from dockpass.sandbox.leftovers import PREFIX, remove_leftovers
from dockpass.sandbox.storage import Storage
from dockpass.sandbox.tokens import new_tokens
from dockpass.text import clean

PATIENCE_SECONDS = 10.0
LONGEST_LINE = 64 << 10

_log = logging.getLogger("dockpass.sandbox")


class SandboxServer:
    """An embedded registry; usable from any thread, and as a context manager.

    Without `directory` its images live in a temporary one, which `stop` removes.
    """

    def __init__(
        self,
        directory: Path | None = None,
        flavour: Flavour = Flavour.GITLAB,
        *,
        accounts: Accounts | None = None,
        faults: Faults = Faults(),  # noqa: B008 - frozen
        job_token_may_delete: bool = False,
        protected_tags: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._address = require_loopback(address)
        self._asked_port = _require_port(port)
        self._directory = directory
        self.flavour = flavour
        self.accounts = accounts or Accounts.random()
        profile = PROFILES[flavour]
        tokens = new_tokens(profile, clock, _require_patterns(protected_tags))
        self._gate = Gate(profile, self.accounts, tokens, clock, lambda: self.url, job_token_may_delete)
        self._open_gate: Gate | None = None
        self._clock = clock
        self._temporary: Path | None = None
        self._faults = FaultBox(faults)
        self._notebook = Notebook()
        self._notes: list[str] = []
        self._port = 0
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._application: Application | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`."""
        name = f"[{self._address}]" if ":" in self._address else self._address
        return f"{name}:{self._port}"

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://{self.host}"

    @property
    def realm(self) -> str:
        """The token server's address; empty for a flavour that uses Basic."""
        gate = self._gate_now()
        return gate.realm if gate.realm_path else ""

    @property
    def job_token_may_delete(self) -> bool:
        """Whether new tokens for the job token carry the action delete; may be set at any time."""
        return self._gate.job_token_may_delete

    @job_token_may_delete.setter
    def job_token_may_delete(self, may: bool) -> None:
        self._gate.job_token_may_delete = may

    @property
    def requests(self) -> list[Asked]:
        """The latest requests, the oldest first."""
        return self._notebook.all()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know: another port than asked for, damaged storage."""
        return tuple(self._notes)

    @property
    def faults(self) -> Faults:
        """What is still to go wrong on purpose; may be set at any time, from any thread."""
        return self._faults.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults.faults = faults

    @contextmanager
    def without_rules(self) -> Iterator[None]:
        """Behave meanwhile as GitLab does where no tag is protected, and let nothing go wrong on purpose."""
        ordinary = PROFILES[Flavour.GITLAB]
        tokens = new_tokens(ordinary, self._clock, ())
        faults, self.faults = self.faults, Faults()
        self._open_gate = Gate(ordinary, self.accounts, tokens, self._clock, lambda: self.url)
        try:
            yield
        finally:
            self._open_gate = None
            self.faults = faults

    def confine_job(self, project: str, pulls: tuple[str, ...]) -> None:
        """Make the job's token one of this project, where the flavour is a GitLab: it pushes nowhere else."""
        if self._gate.profile.is_gitlab:
            self.accounts = self._gate.accounts = self.accounts.with_job_of(project, pulls)

    def username_of(self, account: Account) -> str:
        """Return the user name with which this flavour takes an account's secret."""
        return self._gate.profile.basic_user or account.username

    def start(self) -> None:
        """Bind and serve; raises `DockpassError` where that cannot be done."""
        if self._thread is not None:
            raise RuntimeError("the sandbox is running already")
        self._notes = []
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="sandbox", daemon=True)
        self._thread.start()
        try:
            ready.result()
        except BaseException:
            self.stop()
            raise
        atexit.register(self.stop)

    def stop(self) -> None:
        """End every connection, then remove what is temporary. Does nothing if it is not running."""
        atexit.unregister(self.stop)
        thread, self._thread = self._thread, None
        if thread is None:
            return
        loop, application = self._loop, self._application
        if loop is not None and application is not None:
            try:
                loop.call_soon_threadsafe(application.stopping.set)
            except RuntimeError:
                _log.debug("the sandbox's loop had ended already")
        thread.join(PATIENCE_SECONDS)
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def _gate_now(self) -> Gate:
        return self._open_gate or self._gate

    def _run(self, ready: Future[None]) -> None:
        try:
            asyncio.run(self._serve(ready))
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits
            if ready.done():
                _log.exception("the sandbox ended")
            else:
                ready.set_exception(error)

    async def _serve(self, ready: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_log_fault)
        storage = Storage(self._storage_directory())
        try:
            self._notes += storage.notes
            application = Application(storage, self._gate_now, self._faults, self._notebook)
            runner = web.AppRunner(
                application.as_web(),
                access_log=None,
                logger=_log,
                handle_signals=False,
                handler_cancellation=True,
                auto_decompress=False,  # a blob's digest is that of the bytes as they were sent
                shutdown_timeout=0.5,
                max_line_size=LONGEST_LINE,  # many scopes make a long query, and a long token
                max_field_size=LONGEST_LINE,
            )
            await runner.setup()
            try:
                self._port = await self._bind(runner)
                self._application = application
                ready.set_result(None)
                await application.stopping.wait()
            finally:
                await runner.cleanup()
        finally:
            storage.close()

    def _storage_directory(self) -> Path:
        if self._directory is not None:
            return self._directory
        remove_leftovers(Path(tempfile.gettempdir()), time.time())
        self._temporary = Path(tempfile.mkdtemp(prefix=PREFIX))
        return self._temporary

    async def _bind(self, runner: web.AppRunner) -> int:
        try:
            return await self._listen(runner, self._asked_port)
        except OSError as error:
            if not self._asked_port or error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise DockpassError(
                    "sandbox-bind",
                    f"The sandbox cannot listen on {self._address}: {error.strerror or error}.",
                    "Use 127.0.0.1, which every machine has.",
                ) from error
            why = "is in use" if error.errno == errno.EADDRINUSE else "needs more rights than you have"
        port = await self._listen(runner, 0)
        self._notes.append(f"Port {self._asked_port} {why}; the sandbox listens on port {port}.")
        return port

    async def _listen(self, runner: web.AppRunner, port: int) -> int:
        site = web.TCPSite(runner, self._address, port)
        await site.start()
        return int(runner.addresses[-1][1])


def require_loopback(address: str) -> str:
    """Return an address of this machine alone; raises `DockpassError` for any other."""
    try:
        found = ipaddress.ip_address("127.0.0.1" if address == "localhost" else address)
    except ValueError:
        found = None
    if found is None or not found.is_loopback:
        raise DockpassError(
            "sandbox-address",
            f"The sandbox does not listen on {clean(address, 80)}: it speaks plain http and is made for"
            " trying things out, so nobody but this machine may reach it.",
            "Leave the address out, or use 127.0.0.1 or ::1.",
        )
    return str(found)


def _require_port(port: int) -> int:
    if not 0 <= port < 65536:
        raise DockpassError(
            "sandbox-port", f"{port} is not a port.", "Use a number up to 65535, or 0 for any free port."
        )
    return port


def _require_patterns(patterns: Sequence[str]) -> tuple[str, ...]:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except (re.error, ValueError, OverflowError, RecursionError) as error:
            raise DockpassError(
                "sandbox-protected-tags",
                f"The pattern {clean(pattern, 80)} of protected tags is not a regular expression: {error}.",
                "Use the syntax of Python's re module, such as ^v[0-9].",
            ) from error
    return tuple(patterns)


def _log_fault(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    _log.warning("in the sandbox's loop: %s", context.get("message"))
