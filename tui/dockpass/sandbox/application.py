"""The web application: records, faults and refusals around token server and registry."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias

from aiohttp import web

from dockpass.sandbox.answers import Refused
from dockpass.sandbox.call import Call
from dockpass.sandbox.faults import SOUND, FaultBox
from dockpass.sandbox.gate import USER, Gate
from dockpass.sandbox.gitlab_api import answer_api, is_api
from dockpass.sandbox.registry import handler_of
from dockpass.sandbox.routes import Kind, parse_path
from dockpass.sandbox.storage import Storage
from dockpass.text import clean

MOST_REQUESTS = 10_000
NOTED = web.RequestKey("noted", bool)

_Next: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = logging.getLogger("dockpass.sandbox")
_log.addHandler(logging.NullHandler())  # without one, Python writes errors to the terminal


class Asked(NamedTuple):
    """A request that came in: path with query, who asked, the answer's status (0: there was none).

    `user` is the login's name at the token server, and what the token calls its subject at the registry.
    """

    method: str
    path: str
    user: str
    status: int


class Notebook:
    """The latest requests, readable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: deque[Asked] = deque(maxlen=MOST_REQUESTS)

    def add(self, asked: Asked) -> None:
        """Write one down."""
        with self._lock:
            self._asked.append(asked)

    def all(self) -> list[Asked]:
        """Return them, the oldest first."""
        with self._lock:
            return list(self._asked)


class Application:
    """Answers every request of one sandbox, in the thread of its loop, by the gate that stands just then."""

    def __init__(
        self, storage: Storage, gate: Callable[[], Gate], faults: FaultBox, notebook: Notebook
    ) -> None:
        self._storage = storage
        self._gate_now = gate
        self._faults = faults
        self._notebook = notebook
        self.stopping = asyncio.Event()

    def as_web(self) -> web.Application:
        """Return it as aiohttp wants it."""
        app = web.Application(middlewares=[self._noted, self._explained, self._faulty])
        # A range is found out as late as this, and with it the status.
        app.on_response_prepare.append(self._note_answer)
        app.router.add_route("*", "/{path:(?s:.*)}", self._answer)
        return app

    @web.middleware
    async def _noted(self, request: web.Request, handler: _Next) -> web.StreamResponse:
        try:
            return await handler(request)
        except BaseException:
            self._note(request, 0)
            raise

    async def _note_answer(self, request: web.Request, response: web.StreamResponse) -> None:
        self._note(request, response.status)

    def _note(self, request: web.Request, status: int) -> None:
        if request.get(NOTED):
            return  # an answer that began is the one that counts
        request[NOTED] = True
        user = clean(request.get(USER, ""), 200)
        self._notebook.add(Asked(request.method, clean(request.raw_path, 2000), user, status))

    @web.middleware
    async def _explained(self, request: web.Request, handler: _Next) -> web.StreamResponse:
        """Give refusals the specification's form, and every answer the registry's header."""
        try:
            response = await handler(request)
        except Refused as refused:
            response = refused.as_response()
        except OSError as error:
            if request.transport is None or request.transport.is_closing():
                raise
            _log.warning("%s %s: %s", request.method, request.path, error)
            response = Refused(500, "UNKNOWN", f"the sandbox's storage: {error.strerror}").as_response()
        if not response.prepared and request.path.startswith("/v2"):
            response.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
        return response

    @web.middleware
    async def _faulty(self, request: web.Request, handler: _Next) -> web.StreamResponse:
        trouble = self._faults.before(request.method, request.path)
        if trouble.latency:
            await self._pause(trouble.latency)
        if trouble.too_many:
            raise Refused(429, "TOOMANYREQUESTS", headers={"Retry-After": str(trouble.retry_after)})
        if trouble.server_error:
            raise Refused(500, "UNKNOWN", "a fault that was asked for")
        if trouble.hang:
            await self.stopping.wait()
            if request.transport is not None:
                request.transport.close()
        return await handler(request)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than the sandbox lives."""
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method, path, gate = request.method, request.path, self._gate_now()
        if gate.realm_path and path == gate.realm_path:
            return gate.token(request, lambda: self._faults.expires_token(method, path))
        if gate.profile.is_gitlab and is_api(path):
            return await answer_api(request, gate)
        route = parse_path(request.rel_url.raw_path)
        if route is None or not gate.has(route):
            return web.Response(status=404, text="404 page not found\n")
        handler = handler_of(route.kind, method)
        source = request.query.get("from", "") if route.kind is Kind.UPLOADS else ""
        caller = gate.admit(request, route, source)
        spoil = SOUND
        if method == "GET" and route.kind in {Kind.BLOB, Kind.MANIFEST}:
            spoil = self._faults.within(method, path, blob=route.kind is Kind.BLOB)
        response = await handler(Call(request, route, caller, self._storage, spoil))
        gate.sign(request, response)
        return response
