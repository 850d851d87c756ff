"""A TLS proxy on loopback, as it stands before a registry that speaks plain http itself."""

from __future__ import annotations

import asyncio
import ssl
import threading
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Self

PIECE = 64 << 10


class TlsProxy:
    """Takes TLS off what comes to `host` and hands it to `target` (`127.0.0.1:PORT`), until the block ends."""

    def __init__(self, target: str, context: ssl.SSLContext) -> None:
        self._name, _, self._port = target.rpartition(":")
        self._context = context
        self._bound: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self.host = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self.host = f"127.0.0.1:{self._bound.result(10)}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await asyncio.start_server(self._join, "127.0.0.1", 0, ssl=self._context)
        except OSError as error:
            self._bound.set_exception(error)
            return
        self._bound.set_result(server.sockets[0].getsockname()[1])
        await self._over.wait()
        server.close()  # connections that are open still end with the loop

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(self._name, int(self._port))
        except OSError:
            writer.close()
            return
        ways = [
            asyncio.create_task(_forward(reader, far_writer)),
            asyncio.create_task(_forward(far_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for each in (writer, far_writer):
                each.close()


async def _forward(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(PIECE):
            sink.write(piece)
            await sink.drain()
