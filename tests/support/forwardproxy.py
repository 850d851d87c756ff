"""A forward proxy on loopback: tunnels by CONNECT, and requests in absolute form; it may want a login, and lie."""

from __future__ import annotations

import asyncio
import ssl
import threading
from base64 import b64encode
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

PIECE = 64 << 10
PAGE = b"<html>the company's page, and its <b>mark-up</b></html>"


@dataclass(frozen=True)
class Asked:
    """A request's head as it came in."""

    method: str
    target: str
    headers: Mapping[str, str]


class ForwardProxy:
    """Listens at `host` until the block ends; leads a name to where `routes` says, each `127.0.0.1:PORT`.

    `login` is `user:password`. `lie` is what it does in place of its work: `502` or another status (an HTML
    page), `hang`, `html` (a tunnel that ends in a page), `hangup`, `tls` (it ends TLS itself, by `context`),
    or `OLD>NEW`, words that it changes in answers of plain http. With `listens` it speaks TLS itself.
    """

    def __init__(
        self,
        routes: Mapping[str, str],
        login: str = "",
        lie: str = "",
        context: ssl.SSLContext | None = None,
        listens: ssl.SSLContext | None = None,
    ) -> None:
        self._routes, self._login, self._lie = routes, login, lie
        self._context, self._listens = context, listens
        self.asked: list[Asked] = []
        self.seen = b""
        self.host = ""
        self._bound: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.host = f"127.0.0.1:{self._bound.result(10)}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._join, "127.0.0.1", 0, ssl=self._listens)
        self._bound.set_result(server.sockets[0].getsockname()[1])
        await self._over.wait()
        server.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            await self._follow(reader, writer)
        writer.close()

    async def _follow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.seen += head
        line, *lines = head.decode("latin-1").strip().split("\r\n")
        method, target, _ = line.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        self.asked.append(Asked(method, target, headers))
        wanted = f"Basic {b64encode(self._login.encode()).decode()}"
        if self._login and headers.get("proxy-authorization") != wanted:
            await self._page(
                writer, 407, f"Proxy Authentication Required {headers.get('proxy-authorization', '')}"
            )
        elif self._lie.isdecimal():
            await self._page(writer, int(self._lie), "A Page")
        elif self._lie == "hang":
            await self._over.wait()
        elif method == "CONNECT":
            await self._tunnel(target, reader, writer)
        else:
            await self._forward(head, target, headers, reader, writer)

    async def _page(self, writer: asyncio.StreamWriter, status: int, reason: str) -> None:
        head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/html\r\nContent-Length: {len(PAGE)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + PAGE)
        await writer.drain()

    async def _tunnel(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        if self._lie == "hangup":
            return
        if self._lie == "html":
            self.seen += await reader.read(PIECE)
            await self._page(writer, 200, "OK")
            return
        if self._lie == "tls":
            await writer.start_tls(self._context)  # type: ignore[arg-type]
            self.seen += await reader.read(PIECE)
            await self._page(writer, 200, "OK")
            return
        await self._carry(target, reader, writer)

    async def _forward(
        self,
        head: bytes,
        target: str,
        headers: Mapping[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        parts = urlsplit(target)
        path = target.partition(parts.netloc)[2] or "/"
        kept = [
            line
            for line in head.replace(target.encode(), path.encode(), 1).split(b"\r\n")
            if not line.lower().startswith((b"proxy-", b"connection:"))
        ]
        first, *rest = [line for line in kept if line]
        own = b"\r\n".join([first, *rest, b"Connection: close"]) + b"\r\n\r\n"
        body = await reader.readexactly(int(headers.get("content-length") or 0))
        await self._carry(parts.netloc, reader, writer, own + body)

    async def _carry(
        self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b""
    ) -> None:
        host, _, port = self._routes.get(target, target).rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        far_writer.write(first)
        ways = [
            asyncio.create_task(self._copy(reader, far_writer)),
            asyncio.create_task(self._copy(far_reader, writer, back=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            far_writer.close()

    async def _copy(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, back: bool = False
    ) -> None:
        old, _, new = self._lie.partition(">")
        with suppress(OSError):
            while piece := await source.read(PIECE):
                if not back:
                    self.seen += piece
                sink.write(piece.replace(old.encode(), new.encode()) if new else piece)
                await sink.drain()
