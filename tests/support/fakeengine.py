"""A container engine of a test's own on a unix socket: it answers what the test tells it to."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import socketserver
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

VERSION = {"Version": "99.0", "ApiVersion": "1.41", "Components": [{"Name": "Engine"}]}

Chunks = Iterable[bytes | Mapping[str, Any]]


@dataclass
class Answer:
    """What is answered: a JSON body, or a stream of events (objects become lines, bytes go as they are).

    `upgraded` gets the connection once the request for it is answered with 101.
    Without `takes_body` the request's body stays unread, as with an engine whose disk hangs.
    """

    status: int = 200
    body: object = None
    stream: Callable[[], Chunks] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    takes_body: bool = True
    chunked: bool = True
    upgraded: Callable[[socket.socket], None] | None = None


@dataclass(frozen=True)
class Asked:
    """A request as the engine got it."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def decoded(self, header: str) -> Any:
        """The object in a header such as X-Registry-Auth."""
        return json.loads(base64.urlsafe_b64decode(self.headers[header]))


class FakeEngine(socketserver.ThreadingUnixStreamServer):
    """Serves until `stop`. `answers` by method and path without the API's version."""

    daemon_threads = True

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="fake-engine-"))
        self.url = f"unix://{self.directory}/docker.sock"
        self.answers: dict[str, Answer] = {"GET /version": Answer(body=VERSION)}
        self.asked: list[Asked] = []
        self.began = threading.Event()  # a stream or an unread upload has begun
        self.released = threading.Event()  # what waits may go on
        self.lost = threading.Event()  # the other side has hung up in the middle of an answer
        super().__init__(str(self.directory / "docker.sock"), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def on(self, what: str, answer: Answer) -> None:
        """Answer `what` (`POST /auth`) from now on."""
        self.answers[what] = answer

    def stalling(self, *first: Mapping[str, Any]) -> Callable[[], Chunks]:
        """Return a stream that sends `first`, and then nothing until `released`."""

        def stream() -> Iterator[bytes | Mapping[str, Any]]:
            yield from first
            self.began.set()
            while not self.released.wait(0.05):
                yield b""  # nothing is sent; a connection that is gone is seen
            yield {"status": "released"}

        return stream

    def last(self, path: str) -> Asked:
        """The last request of a path."""
        return next(asked for asked in reversed(self.asked) if asked.path == path)

    def stop(self) -> None:
        """End, and take the socket away."""
        self.released.set()
        self.shutdown()
        self.server_close()
        shutil.rmtree(self.directory, ignore_errors=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeEngine

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # cut, as the tests do
            self.server.lost.set()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def address_string(self) -> str:
        return "unix"

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        path = "/" + parts.path.lstrip("/").partition("/")[2] if parts.path.startswith("/v1.") else parts.path
        answer = self.server.answers.get(f"{self.command} {path}", Answer(404, {"message": f"no {path}"}))
        body = b""
        if answer.takes_body:
            body = self._body()
        else:
            self.server.began.set()
            self.server.released.wait(300)  # longer than any test lasts
            self.close_connection = True
        asked = Asked(self.command, path, parse_qs(parts.query), dict(self.headers), body)
        self.server.asked.append(asked)
        if answer.upgraded is not None:
            self.connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n")
            answer.upgraded(self.connection)
            self.close_connection = True
            return
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        raw = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.stream is None:
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)
            return
        if answer.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        for each in answer.stream():
            piece = each if isinstance(each, bytes) else json.dumps(each).encode() + b"\r\n"
            if piece:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if answer.chunked else piece)
            elif self._has_hung_up():
                raise OSError("hung up")
        if answer.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _has_hung_up(self) -> bool:
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = bytearray()
        while size := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(body)
