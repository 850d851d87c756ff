"""The docker SDK's client for one run: it reads no config of the person, and can be cut.

The SDK's own constructor loads the home config, runs into whatever is broken in it, and `login()`
loads it again; so this one sets up the same connection without either.
"""

from __future__ import annotations

import re
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
from docker import APIClient
from docker.auth import AuthConfig
from docker.transport import UnixHTTPAdapter
from docker.transport.unixconn import UnixHTTPConnectionPool
from docker.utils.proxy import ProxyConfig
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

from dockpass.engines.endpoint import Endpoint, TlsFiles
from dockpass.registry.request_log import log_request

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 30.0
"""What is asked besides work (an image's id, a name) is answered at once, or the engine is not well."""
LONG_WORK = (CONNECT_SECONDS, None)
"""Work may be silent for long, a push for minutes; a person cancels what hangs."""

_API_VERSION = re.compile(r"\d{1,3}\.\d{1,4}")


class NotAnEngine(Exception):
    """Something answered that is no container engine."""


class Cutter:
    """The sockets in use, which another thread may shut down.

    Once cut, fresh connections are shut down too: there is no moment at which a cut is missed.
    """

    def __init__(self) -> None:
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._protected = False
        self.is_cut = False

    def add(self, sock: socket.socket) -> None:
        """Take in a connected socket."""
        with self._lock:
            self._sockets.add(sock)
            if self.is_cut and not self._protected:
                _shut(sock)

    def cut(self) -> None:
        """Make every blocked read and write end, now and later."""
        with self._lock:
            self.is_cut = True
            if not self._protected:
                self._shut_all()

    def shut_down(self) -> None:
        """Make every blocked read and write end; later ones work."""
        with self._lock:
            self._shut_all()

    @contextmanager
    def protected(self) -> Iterator[None]:
        """Let what is done in this block end, whoever cuts meanwhile or has cut before."""
        with self._lock:
            self._protected = True
        try:
            yield
        finally:
            with self._lock:
                self._protected = False

    def _shut_all(self) -> None:
        for sock in list(self._sockets):
            _shut(sock)


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself
        # Not a TLS socket's own shutdown, which takes its state away from the thread that reads.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _recording(pool: type, cutter: Cutter) -> type:
    def new_connection(self: Any) -> Any:
        connection = pool._new_conn(self)  # type: ignore[attr-defined]
        original = connection.connect

        def connect() -> None:
            original()
            # The time limit is for connecting; an upload waits for as long as the engine does.
            connection.sock.settimeout(None)
            cutter.add(connection.sock)

        connection.connect = connect
        return connection

    return type(f"Recording{pool.__name__}", (pool,), {"_new_conn": new_connection})


class _UnixAdapter(UnixHTTPAdapter):
    def __init__(self, url: str, cutter: Cutter) -> None:
        self._pool = _recording(UnixHTTPConnectionPool, cutter)
        super().__init__(url, CONNECT_SECONDS)

    def get_connection(self, url: Any, proxies: Any = None) -> Any:  # noqa: ARG002 - the SDK's signature
        with self.pools.lock:
            pool = self.pools.get(url)
            if pool is None:
                pool = self._pool(url, self.socket_path, self.timeout, maxsize=self.max_pool_size)
                self.pools[url] = pool
            return pool


class _TcpAdapter(HTTPAdapter):
    def __init__(self, cutter: Cutter) -> None:
        self._pools = {
            "http": _recording(HTTPConnectionPool, cutter),
            "https": _recording(HTTPSConnectionPool, cutter),
        }
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools


class RunClient(APIClient):
    """Talks to one endpoint; `cutter` may be used from another thread.

    Nothing is sent before `ask_version`.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        requests.Session.__init__(self)
        self.trust_env = False  # no netrc, no proxy from the environment
        self.cutter = Cutter()
        self.server: dict[str, Any] = {}
        self.timeout = ANSWER_SECONDS
        self.credstore_env: dict[str, str] = {}
        self._general_configs: dict[str, Any] = {}
        self._proxy_configs = ProxyConfig()
        self._auth_configs = AuthConfig({})
        self._custom_adapter: Any = None
        self._version = ""
        scheme, _, address = endpoint.url.partition("://")
        if scheme == "unix":
            self._mount("http+docker://", _UnixAdapter(f"http+unix://{address}", self.cutter))
            self.base_url = "http+docker://localhost"
            return
        secure = scheme == "https" or (scheme == "tcp" and endpoint.tls is not None)
        self.base_url = f"{'https' if secure else 'http'}://{address.rstrip('/')}"
        self._mount(self.base_url, _TcpAdapter(self.cutter))
        if endpoint.tls is not None:
            self._trust(endpoint.tls)

    def ask_version(self, seconds: float) -> None:
        """Ask what answers and which API it speaks, for at most `seconds` after connecting.

        Raises `NotAnEngine`, `TimeoutError`, or what the connection raises.
        """
        with self._alarm(seconds):
            timeout = (min(seconds, CONNECT_SECONDS), seconds)
            answer = self._get(self._url("/version", versioned_api=False), timeout=timeout)
        try:
            found = answer.json() if answer.status_code == requests.codes.ok else None
        except ValueError as error:
            raise NotAnEngine("its answer is not JSON") from error
        found = found if isinstance(found, dict) else {}
        version = found.get("ApiVersion")
        if not isinstance(version, str) or not _API_VERSION.fullmatch(version):
            raise NotAnEngine(f"it answers {answer.status_code}, and names no version of docker's API")
        self.server, self._version = found, version

    @contextmanager
    def _alarm(self, seconds: float) -> Iterator[None]:
        """Shut the connection down after `seconds`, also if something trickles in; then `TimeoutError`."""
        rung = threading.Event()

        def ring() -> None:
            rung.set()
            self.cutter.shut_down()

        alarm = threading.Timer(seconds, ring)
        alarm.daemon = True
        alarm.start()
        try:
            yield
        except Exception as error:
            if rung.is_set():
                raise TimeoutError(f"no answer within {seconds:g} s") from error
            raise
        finally:
            alarm.cancel()

    def send(self, request: Any, **kwargs: Any) -> requests.Response:
        """Send a request; work gets a connection of its own, without the time limits of an earlier one.

        Redirects are not followed: what is sent is for the engine alone.
        """
        if kwargs.get("stream"):
            for adapter in self.adapters.values():
                adapter.close()
        began = time.monotonic()
        try:
            response: requests.Response = super().send(request, **{**kwargs, "allow_redirects": False})
        except BaseException as error:
            outcome = f"no response ({type(error).__name__})"
            log_request(request.method, request.url, outcome, time.monotonic() - began)
            raise
        log_request(request.method, request.url, str(response.status_code), time.monotonic() - began)
        return response

    def _mount(self, prefix: str, adapter: Any) -> None:
        for other in list(self.adapters):
            del self.adapters[other]
        self.mount(prefix, adapter)

    def _trust(self, files: TlsFiles) -> None:
        self.verify = (files.ca or True) if files.verify else False
        if files.cert and files.key:
            self.cert = (files.cert, files.key)
