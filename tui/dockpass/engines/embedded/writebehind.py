"""A download on its way to the disk, beside the loop that receives it."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from dockpass.engines.embedded.store import Ingest

STRIDE = 4 << 20
"""Bytes after which what has come is put on the disk, so that little is left to wait for at the end."""


class WriteBehind:
    """Writes to an ingest in threads; an async context manager, at whose end all is on the disk.

    One chunk is hashed and written while the next one comes, and the disk works meanwhile. Raises the
    `DockpassError` of a disk that takes no more, from the write behind the one that failed.
    """

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self._synced = ingest.size
        self._writing: asyncio.Future[None] | None = None
        self._syncing: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                await self._end()
        finally:
            for work in self._works():
                await asyncio.wait([work])
                work.exception()  # seen, also where another failure is the one that counts

    async def write(self, chunk: bytes) -> None:
        """Take a chunk; returns as soon as the one before it is written."""
        loop = asyncio.get_running_loop()
        if self._writing is not None:
            await asyncio.wait([self._writing])  # a cancel ends the wait, and not the write under its feet
            self._writing.result()
        if self._syncing is not None and self._syncing.done():
            self._syncing.result()
            self._syncing = None
        if self._syncing is None and self._ingest.size - self._synced >= STRIDE:
            self._synced = self._ingest.size
            self._syncing = loop.run_in_executor(None, self._ingest.sync)
        self._writing = loop.run_in_executor(None, self._ingest.write, chunk)

    async def _end(self) -> None:
        if self._works():
            await asyncio.wait(self._works())
        for work in self._works():
            work.result()
        await asyncio.to_thread(self._ingest.sync)

    def _works(self) -> list[asyncio.Future[None]]:
        return [work for work in (self._writing, self._syncing) if work is not None]
