"""A proxy before a registry that refuses, cuts and loses requests, as a test decides for each one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import parse_headers
from socketserver import StreamRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import BinaryIO

PIECE = 64 << 10


@dataclass(frozen=True)
class Asked:
    """A request's head; `length` is that of its body in bytes."""

    method: str
    target: str
    headers: Mapping[str, str]
    length: int


@dataclass(frozen=True)
class Refuse:
    """Answer without the registry; `reads` tells whether the body is read first, or the line is cut."""

    status: int
    reads: bool = True


@dataclass(frozen=True)
class Cut:
    """Let so many bytes of the body through, and break off."""

    after: int


@dataclass(frozen=True)
class Lose:
    """Let the request through, and break off in place of the answer."""


@dataclass(frozen=True)
class Reword:
    """Let the request through, and answer with other words in the head; both are as long as each other."""

    old: bytes
    new: bytes


Fate = Refuse | Cut | Lose | Reword | None


class BadProxy:
    """Stands before `target` (`127.0.0.1:PORT`) at `host`; `decide` says what becomes of a request."""

    def __init__(self, target: str, decide: Callable[[Asked], Fate]) -> None:
        name, _, port = target.rpartition(":")
        self.far = (name, int(port))
        self.decide = decide
        self.asked: list[Asked] = []
        proxy = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    proxy.pass_on(self.rfile, self.connection)

        class Server(ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> BadProxy:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def pass_on(self, near: BinaryIO, connection: socket.socket) -> None:
        """Carry one request; the connection ends behind it."""
        line = near.readline(PIECE)
        if not line.endswith(b"HTTP/1.1\r\n"):
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return  # TLS, which is not spoken here
        headers = {name.lower(): value for name, value in parse_headers(near).items()}
        method, target, _ = line.decode().split()
        asked = Asked(method, target, headers, int(headers.get("content-length", "0")))
        self.asked.append(asked)
        fate = self.decide(asked)
        if isinstance(fate, Refuse):
            answer = f"HTTP/1.1 {fate.status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            connection.sendall(answer.encode())
            while fate.reads and near.read(PIECE):
                pass
            return
        kept = {**headers, "connection": "close"}
        head = line + "".join(f"{name}: {value}\r\n" for name, value in kept.items()).encode() + b"\r\n"
        with socket.create_connection(self.far) as far:
            far.sendall(head)
            _copy(near, far, min(asked.length, fate.after) if isinstance(fate, Cut) else asked.length)
            if isinstance(fate, Cut):
                far.shutdown(socket.SHUT_WR)
            while piece := far.recv(PIECE):
                if isinstance(fate, Reword):
                    connection.sendall(piece.replace(fate.old, fate.new))
                elif fate is None:
                    connection.sendall(piece)


def _copy(near: BinaryIO, far: socket.socket, length: int) -> None:
    with suppress(OSError):  # an answer may come before the body has gone
        while length and (piece := near.read(min(PIECE, length))):
            length -= len(piece)
            far.sendall(piece)
