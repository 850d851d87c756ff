"""BuildKit in a Docker Engine without buildx: dockpass asks for the build, and serves its session itself."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from dockpass.builders.base import BuilderInfo, BuildSink, Contact, builder_failed
from dockpass.builders.imagestore import require_store
from dockpass.builders.options import cache_references, require_in_images
from dockpass.builders.proof import proof_of
from dockpass.builders.rawjson import Progress
from dockpass.builders.session.auth import SessionAuth
from dockpass.builders.session.channel import Call, Method
from dockpass.builders.session.connection import open_session
from dockpass.builders.session.files import Sources, file_methods
from dockpass.builders.session.grpc import GrpcServer
from dockpass.builders.session.secretvalues import secret_methods
from dockpass.builders.session.ssh import parse_agents, ssh_methods
from dockpass.builders.session.trace import read_status
from dockpass.builders.session.wire import WireError, encode
from dockpass.builders.solve import local_name, needs_control, solve
from dockpass.buildfiles.contexts import context_invalid
from dockpass.dockerconfig.runconfig import RunConfig
from dockpass.engines.base import BuildRequest, Engine
from dockpass.engines.buildkit import SECONDS_TO_CANCEL, BuildKitApi
from dockpass.engines.context import require_directory
from dockpass.engines.endpoint import Endpoint
from dockpass.engines.failures import failed
from dockpass.engines.faults import Explain, explained
from dockpass.errors import Cancelled, DockpassError
from dockpass.references.address import host_of_reference, login_key
from dockpass.references.imagenames import normalised
from dockpass.text import clean

_HEALTH = "/grpc.health.v1.Health/Check"
_SERVING = 1
_OF_BUILDX = ("oci-layout:", "target:", "input:")
"""Named contexts that buildx itself brings, or a bake file."""


class BuildKitBuilder:
    """One build; `engine` is the one at `endpoint`, which keeps the image.

    `proxies` are build arguments that hold unless others are given, as with docker's command.
    """

    def __init__(
        self,
        info: BuilderInfo,
        endpoint: Endpoint,
        engine: Engine,
        environ: Mapping[str, str],
        contact: Contact,
        proxies: Mapping[str, str] | None = None,
    ) -> None:
        self.info = info
        self.given_logins: frozenset[str] = frozenset()
        self._endpoint = endpoint
        self._engine = engine
        self._environ = environ
        self._contact = contact
        self._proxies = dict(proxies or {})
        self._lock = threading.Lock()
        self._is_cut = False
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def check(self, request: BuildRequest) -> None:
        """Raise for what a session cannot give, a key in no agent, and what the engine cannot keep."""
        require_contexts(self.info.title, request)
        require_in_images(self.info.title, (*request.extras.cache_from, *request.extras.cache_to))
        require_store(self.info, request, self._engine)
        parse_agents(request.extras.ssh, self._environ)

    def has_locally(self, reference: str) -> bool:
        """Ask the engine."""
        return self._engine.image_id(reference) is not None

    def build(self, request: BuildRequest, config: RunConfig, sink: BuildSink) -> str:
        """Build in the engine, and push each tag if that was asked for."""
        config.logins()  # raises where the file is broken by now, and teaches the redactor
        request = replace(request, build_args={**self._proxies, **request.build_args})
        image = asyncio.run(self._build(request, config, sink))
        if not image:
            raise builder_failed(
                f"BuildKit built {clean(str(request.dockerfile))}, and named no image.",
                "Look with `docker images` whether it is there.",
            )
        for tag in request.tags if request.extras.push else ():
            host = host_of_reference(tag)
            if config.login_for(host) is not None:
                self._engine.login(login_key(host), config)  # so that a refusal is not laid on the login
            digest = self._engine.push(tag, config, sink)
            sink.log(f"pushed {tag}{f'@{digest}' if digest else ''}")
        return image

    def cut(self) -> None:
        """Cancel the build in the engine, and close the session."""
        with self._lock:
            self._is_cut = True
            if self._running is not None:
                loop, event = self._running
                loop.call_soon_threadsafe(event.set)

    async def _build(self, request: BuildRequest, config: RunConfig, sink: BuildSink) -> str:
        cut = asyncio.Event()
        with self._lock:
            if self._is_cut:
                raise Cancelled
            self._running = (asyncio.get_running_loop(), cut)
        exported = cache_references(request.extras.cache_to)
        auth = SessionAuth(config, self._contact, request.accepted, sink.log, exported)
        faults: list[DockpassError] = []
        progress = Progress(sink)
        methods: dict[str, Method] = {
            _HEALTH: _serving,
            **auth.methods(),
            **file_methods(_sources(request, sink.check), faults.append),
            **secret_methods(request.extras.secrets),
            **ssh_methods(parse_agents(request.extras.ssh, self._environ)),
        }
        try:
            async with _session(self._endpoint, request.context, methods, cut) as (session, server):
                explain = partial(_explained, request, config, progress)
                kind = _Solve if needs_control(request) else _Build
                build = kind(self._endpoint, request, session)
                work = asyncio.create_task(build.carry_out(progress, sink, explain))
                return await _first_to_end(build, work, server, cut)
        except DockpassError as error:
            if (cause := _cause(error, progress.base, auth, faults)) is not None:
                raise cause from error
            raise
        finally:
            with self._lock:
                self._running = None
            progress.finish()
            self.given_logins = frozenset(auth.given_logins)
            await auth.close()


class _Build:
    """The request for a build by the engine's API, and how it is ended."""

    def __init__(self, endpoint: Endpoint, request: BuildRequest, session: str) -> None:
        self._endpoint = endpoint
        self._request = request
        self._identities = {"session": session, "buildid": secrets.token_hex(16)}
        self._api = BuildKitApi(endpoint)

    async def carry_out(self, progress: Progress, sink: BuildSink, explain: Explain) -> str:
        """Build; return the image's id. Raises `DockpassError`s."""
        return await asyncio.to_thread(self._carry_out, progress, sink, explain)

    def _carry_out(self, progress: Progress, sink: BuildSink, explain: Explain) -> str:
        try:
            with explained(self._endpoint, explain):
                return self._api.build(self._request, self._identities, partial(_take, progress), sink)
        finally:
            self._api.cut()  # a request that was not read to its end keeps the build going
            self._api.close()

    async def end(self, work: asyncio.Task[str]) -> None:
        """Have the engine cancel the build, and end the request whether it does or not."""
        cancel = asyncio.to_thread(self._api.cancel, self._identities["buildid"])
        cancelling = asyncio.create_task(cancel)
        await asyncio.wait({work}, timeout=SECONDS_TO_CANCEL)
        self._api.cut()
        await asyncio.wait({work, cancelling})


class _Solve:
    """The request for a build by BuildKit's own API, and how it is ended."""

    def __init__(self, endpoint: Endpoint, request: BuildRequest, session: str) -> None:
        self._endpoint = endpoint
        self._request = request
        self._session = session

    async def carry_out(self, progress: Progress, _sink: BuildSink, explain: Explain) -> str:
        """Build; return the image's id. Raises `DockpassError`s."""
        ref = secrets.token_hex(16)
        with explained(self._endpoint, explain):
            return await solve(self._endpoint, self._request, self._session, ref, partial(_take, progress))

    async def end(self, work: asyncio.Task[str]) -> None:
        """Break the call off, with which the build ends."""
        work.cancel()
        await asyncio.wait({work})


def _take(progress: Progress, raw: bytes) -> None:
    with suppress(WireError):  # a step that is not shown is no reason to give the build up
        progress.take_status(read_status(raw))


async def _first_to_end(
    build: _Build | _Solve, work: asyncio.Task[str], server: asyncio.Task[None], cut: asyncio.Event
) -> str:
    """Return the image's id; end the build where it is cancelled, or its session lost."""
    cancelled = asyncio.create_task(cut.wait())
    try:
        await asyncio.wait({work, server, cancelled}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and not cut.is_set():
            # An engine that is done may close the session before its last words are read.
            await asyncio.wait(
                {work, cancelled}, timeout=SECONDS_TO_CANCEL, return_when=asyncio.FIRST_COMPLETED
            )
        if work.done() and not cut.is_set():
            return work.result()
    finally:
        cancelled.cancel()
        if not work.done():
            await build.end(work)
    if work.done() and not work.cancelled():
        work.exception()  # what a build that was ended says is not told
    if cut.is_set():
        raise Cancelled
    raise builder_failed(
        f"The session with BuildKit ended before the build did{_why_ended(server)}.",
        "See whether the engine runs, and what its own log says.",
    )


def _why_ended(server: asyncio.Task[None]) -> str:
    error = server.exception() if server.done() and not server.cancelled() else None
    return f": {clean(str(error), 200)}" if error else ""


@asynccontextmanager
async def _session(
    endpoint: Endpoint, context: Path, methods: Mapping[str, Method], cut: asyncio.Event
) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    """Open a session, unless that is cancelled; yield its name, and the task that serves it."""
    name = secrets.token_hex(16)
    headers = {"Uuid": name, "Name": "dockpass", "Sharedkey": _shared_key(context)}
    opening = asyncio.create_task(open_session(endpoint, headers, tuple(methods)))
    cancelled = asyncio.create_task(cut.wait())
    await asyncio.wait({opening, cancelled}, return_when=asyncio.FIRST_COMPLETED)
    cancelled.cancel()
    if not opening.done():
        opening.cancel()
        raise Cancelled
    reader, writer = opening.result()
    server = asyncio.create_task(GrpcServer(reader, writer, methods).serve())
    try:
        yield name, server
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)
        writer.close()


def require_contexts(title: str, request: BuildRequest) -> None:
    """Raise `UsageError` for a named context that a session cannot give."""
    for name, each in request.contexts.items():
        if each.directory:
            hint = f"Check what --build-context says of {clean(name, 80)}."
            require_directory(request.named_root / each.directory, hint)
        if each.other.startswith(_OF_BUILDX):
            takes = f"{title} takes directories, images and git repositories"
            raise context_invalid(f"{takes}, not {clean(each.other, 80)}")


def _sources(request: BuildRequest, check: Callable[[], None]) -> Sources:
    named = {
        local_name(name): request.named_root / each.directory
        for name, each in request.contexts.items()
        if each.directory
    }
    return Sources(request.context, request.dockerfile, check, named)


def _shared_key(context: Path) -> str:
    """Return what the engine knows the files of a context by, so that only what has changed is sent again."""
    return hashlib.sha256(
        f"{socket.gethostname()}:{context.resolve()}".encode("utf-8", "replace")
    ).hexdigest()


async def _serving(call: Call) -> None:
    """Answer the engine, which looks again and again whether the session lives."""
    await call.receive()
    await call.send(encode((1, _SERVING)))


def _explained(request: BuildRequest, config: RunConfig, progress: Progress, words: str) -> DockpassError:
    """Make the error of BuildKit's own words."""
    base = progress.base
    frontend = f", fetching the frontend of its `# syntax=` line {base}," if progress.is_frontend else ""
    return failed(
        f"build of {clean(str(request.dockerfile))}{frontend}",
        words,
        proof_of(base, config.logins(), request),
        filter(None, (base, *request.tags)),
    )


def _cause(
    error: DockpassError,
    base: str,
    auth: SessionAuth,
    faults: Sequence[DockpassError],
) -> DockpassError | None:
    """Return what dockpass itself ran into, if BuildKit failed for that; None where it says more."""
    if isinstance(error, Cancelled):
        return None
    if faults:
        return faults[0]
    reference = normalised(base)
    return auth.problem_of(reference) if reference else None
