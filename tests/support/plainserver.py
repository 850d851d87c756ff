"""A server in a thread of its own that answers as a test's function says, for programs that run beside it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in to the network</title></head><body>hello</body></html>"


@dataclass(frozen=True)
class Got:
    """One request: its path without the query."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]

    @property
    def authorization(self) -> str:
        return self.headers.get("Authorization", "")


@dataclass(frozen=True)
class Give:
    """One answer; a body that is no bytes is sent as JSON."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class PlainServer:
    """Context manager; `answer` gets the server and each request."""

    def __init__(self, answer: Callable[[PlainServer, Got], Give]) -> None:
        self.got: list[Got] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            disable_nagle_algorithm = True  # head and body of an answer are two packets
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                path, _, query = self.path.partition("?")
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                got = Got(self.command, path, query, dict(self.headers))
                outer.got.append(got)
                given = answer(outer, got)
                self.send_response(given.status)
                for name, value in given.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(given.raw)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(given.raw)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.handle_any)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def bearer(server: PlainServer, **headers: str) -> Give:
    """Return a 401 that sends for tokens to the server's own `/token`."""
    challenge = f'Bearer realm="http://{server.host}/token",service="plain"'
    body = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
    return Give(401, body, {"WWW-Authenticate": challenge, **headers})
