"""The docker SDK's client for one run: it reads no config of the person, and can be cut.

The SDK's own constructor loads the home config, runs into whatever is broken in it, and `login()`
loads it again; so this one sets up the same connection without either.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any

import requests
from docker import APIClient
from docker.auth import AuthConfig
from docker.tls import TLSConfig
from docker.transport import UnixHTTPAdapter
from docker.transport.unixconn import UnixHTTPConnectionPool
from docker.utils.proxy import ProxyConfig
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

from dockpass.engines.endpoint import Endpoint, TlsFiles

CONNECT_SECONDS = 3.0
SILENCE_SECONDS = 3600.0
"""A push may be silent for long; a person cancels what hangs."""


class Connections:
    """The sockets in use, to be shut down from another thread."""

    def __init__(self) -> None:
        self._made: list[Any] = []
        self._lock = threading.Lock()

    def add(self, connection: Any) -> Any:
        """Remember a connection."""
        with self._lock:
            self._made.append(connection)
        return connection

    def shut_down(self) -> None:
        """Make every blocked read and write end."""
        with self._lock:
            made, self._made = self._made, []
        for connection in made:
            sock = getattr(connection, "sock", None) or getattr(connection, "shut_sock", None)
            if sock is not None:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


def _recording(pool: type, connections: Connections) -> type:
    def new_connection(self: Any) -> Any:
        connection = pool._new_conn(self)  # type: ignore[attr-defined]
        original = connection.connect

        def connect() -> None:
            original()
            # http.client forgets the socket of an answer without a length; a cut still needs it.
            connection.shut_sock = connection.sock

        connection.connect = connect
        return connections.add(connection)

    return type(f"Recording{pool.__name__}", (pool,), {"_new_conn": new_connection})


class _UnixAdapter(UnixHTTPAdapter):
    def __init__(self, url: str, connections: Connections) -> None:
        self._pool = _recording(UnixHTTPConnectionPool, connections)
        super().__init__(url, CONNECT_SECONDS)

    def get_connection(self, url: Any, proxies: Any = None) -> Any:  # noqa: ARG002 - the SDK's signature
        with self.pools.lock:
            pool = self.pools.get(url)
            if pool is None:
                pool = self._pool(url, self.socket_path, self.timeout, maxsize=self.max_pool_size)
                self.pools[url] = pool
            return pool


class _TcpAdapter(HTTPAdapter):
    def __init__(self, connections: Connections) -> None:
        self._pools = {
            "http": _recording(HTTPConnectionPool, connections),
            "https": _recording(HTTPSConnectionPool, connections),
        }
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools


class RunClient(APIClient):
    """Talks to one endpoint; `cut` is called from another thread."""

    def __init__(self, endpoint: Endpoint) -> None:
        requests.Session.__init__(self)
        self.trust_env = False  # no netrc, no proxy from the environment
        self.connections = Connections()
        self.timeout = SILENCE_SECONDS
        self.credstore_env: dict[str, str] = {}
        self._general_configs: dict[str, Any] = {}
        self._proxy_configs = ProxyConfig()
        self._auth_configs = AuthConfig({})
        self._custom_adapter: Any = None
        self._stale = False
        self._version = "1.24"
        self._connect(endpoint)
        found = self._get(self._url("/version", versioned_api=False), timeout=CONNECT_SECONDS)
        self.server: dict[str, Any] = self._result(found, json=True)
        self._version = str(self.server.get("ApiVersion") or self._version)

    def _connect(self, endpoint: Endpoint) -> None:
        scheme, _, address = endpoint.url.partition("://")
        if scheme == "unix":
            self._custom_adapter = _UnixAdapter(f"http+unix://{address}", self.connections)
            self.mount("http+docker://", self._custom_adapter)
            self.base_url = "http+docker://localhost"
            return
        self.base_url = f"{'https' if endpoint.tls else 'http'}://{address.rstrip('/')}"
        self.mount(self.base_url, _TcpAdapter(self.connections))
        if endpoint.tls is not None:
            _tls_config(endpoint.tls).configure_client(self)
            self.mount(self.base_url, _TcpAdapter(self.connections))

    def send(self, request: Any, **kwargs: Any) -> requests.Response:
        """Send a request; after a cut on fresh connections, for the old ones are shut down."""
        if self._stale:
            self._stale = False
            for adapter in self.adapters.values():
                adapter.close()
        response: requests.Response = super().send(request, **kwargs)
        return response

    def cut(self) -> None:
        """End whatever blocks; later requests work again."""
        self._stale = True
        self.connections.shut_down()


def _tls_config(files: TlsFiles) -> TLSConfig:
    pair = (files.cert, files.key) if files.cert and files.key else None
    return TLSConfig(client_cert=pair, ca_cert=files.ca or None, verify=files.verify)
