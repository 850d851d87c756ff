"""What comes is written and synced in threads, and a disk that fails is told."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from dockpass.engines.embedded.store import Ingest, Store
from dockpass.engines.embedded.writebehind import STRIDE, WriteBehind
from dockpass.errors import DockpassError

CHUNKS = [bytes([number]) * (STRIDE // 4) for number in range(13)]


def write_all(ingest: Ingest, chunks: list[bytes]) -> None:
    async def work() -> None:
        async with WriteBehind(ingest) as written:
            for chunk in chunks:
                await written.write(chunk)

    asyncio.run(work())


@pytest.mark.parametrize("count", [0, 1, 4, 13])
def test_all_is_written_in_order(tmp_path: Path, count: int) -> None:
    with Store(tmp_path).ingest() as ingest:
        write_all(ingest, CHUNKS[:count])
        assert ingest.path.read_bytes() == b"".join(CHUNKS[:count])
        assert ingest.size == count * len(CHUNKS[0])


def test_a_disk_that_fails_while_it_syncs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [DockpassError("store-unwritable", "The disk is full.", "")]

    def sync() -> None:
        if failures:
            raise failures.pop()  # a system tells of it once, and syncs well the next time

    with Store(tmp_path).ingest() as ingest:
        monkeypatch.setattr(ingest, "sync", sync)
        with pytest.raises(DockpassError, match="disk is full"):
            write_all(ingest, CHUNKS)
    assert not failures


def test_a_cancel_leaves_no_thread_at_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(chunk: bytes) -> None:
        begun.set()
        assert go_on.wait(10)
        ended.set()

    async def work(ingest: Ingest) -> None:
        async with WriteBehind(ingest) as written:
            await written.write(b"a")
            await written.write(b"b")

    async def cancelled(ingest: Ingest) -> None:
        task = asyncio.create_task(work(ingest))
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()

    with Store(tmp_path).ingest() as ingest:
        monkeypatch.setattr(ingest, "write", slow)
        asyncio.run(cancelled(ingest))
