"""What is asked of BuildKit itself: answers in pieces, errors in words, calls that are given up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager

import pytest

from dockpass.builders.session.channel import Call, CallFailed, Method, Status
from dockpass.builders.session.client import GrpcClient
from dockpass.builders.session.grpc import GrpcServer

LARGE = b"x" * 300_000  # beyond the first window of a stream


@asynccontextmanager
async def served(methods: Mapping[str, Method]) -> AsyncIterator[tuple[GrpcClient, asyncio.StreamWriter]]:
    """Yield a client, and what ends the connection at the other end."""
    ours, theirs = socket.socketpair()
    far, far_writer = await asyncio.open_connection(sock=ours)
    server = asyncio.ensure_future(GrpcServer(far, far_writer, methods).serve())
    reader, writer = await asyncio.open_connection(sock=theirs)
    client = GrpcClient(reader, writer)
    running = asyncio.ensure_future(client.run())
    try:
        async with asyncio.timeout(10):
            yield client, far_writer
    finally:
        for task in (running, server):
            task.cancel()
        writer.close()
        far_writer.close()
        await asyncio.gather(running, server, return_exceptions=True)


async def all_of(client: GrpcClient, path: str, message: bytes = b"") -> list[bytes]:
    async with aclosing(client.call(path, message)) as answers:
        return [each async for each in answers]


async def twice(call: Call) -> None:
    message = await call.receive()
    for _ in range(2):
        await call.send(message or b"")


async def refuse(_call: Call) -> None:
    raise CallFailed(Status.NOT_FOUND, "no such thing: ö%")


@pytest.mark.parametrize("message", [b"a", b"", LARGE])
async def test_every_message_of_an_answer_comes(message: bytes) -> None:
    async with served({"/twice": twice}) as (client, _):
        assert await all_of(client, "/twice", message) == [message, message]
        assert await all_of(client, "/twice", b"again") == [b"again", b"again"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/refuse", Status.NOT_FOUND, "no such thing: ö%"),
        ("/none", Status.UNIMPLEMENTED, "dockpass has no /none"),
    ],
)
async def test_an_error_comes_with_its_words_and_the_next_call_works(
    path: str, status: Status, words: str
) -> None:
    async with served({"/twice": twice, "/refuse": refuse}) as (client, _):
        with pytest.raises(CallFailed) as failed:
            await all_of(client, path)
        assert (failed.value.status, failed.value.words) == (status, words)
        assert await all_of(client, "/twice", b"y") == [b"y", b"y"]


async def test_a_call_that_nobody_listens_to_any_more_is_cancelled() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work(_call: Call) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with served({"/work": work, "/twice": twice}) as (client, _):
        working = asyncio.ensure_future(all_of(client, "/work"))
        await begun.wait()
        working.cancel()
        await ended.wait()
        assert await all_of(client, "/twice", b"y") == [b"y", b"y"]


async def test_a_call_that_cannot_be_sent_to_its_end_is_ended_with_the_connection() -> None:
    ours, theirs = socket.socketpair()
    far, far_writer = await asyncio.open_connection(sock=ours)
    reader, writer = await asyncio.open_connection(sock=theirs)
    client = GrpcClient(reader, writer)
    running = asyncio.ensure_future(client.run())
    async with asyncio.timeout(10):
        call = asyncio.ensure_future(all_of(client, "/any", LARGE))
        await far.readexactly(1 << 16)  # more than that is not sent without a larger window
        far_writer.close()
        with pytest.raises(CallFailed) as failed:
            await call
    assert failed.value.status is Status.UNAVAILABLE
    writer.close()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_connection_that_ends_ends_every_call() -> None:
    begun = asyncio.Semaphore(0)

    async def wait(_call: Call) -> None:
        begun.release()
        await asyncio.Event().wait()

    async with served({"/wait": wait}) as (client, far):
        calls = [asyncio.ensure_future(all_of(client, "/wait")) for _ in range(2)]
        for _ in calls:
            await begun.acquire()
        far.close()
        for call in calls:
            with pytest.raises(CallFailed) as failed:
                await call
            assert failed.value.status is Status.UNAVAILABLE
