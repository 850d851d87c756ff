"""Calls over HTTP/2: what is answered, refused and given up, and that one call never ends another one."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sessionclient import asking

from dockpass.builders.session import channel
from dockpass.builders.session.channel import Call, CallFailed, Status
from dockpass.builders.session.grpc import GrpcServer
from dockpass.builders.session.wire import decode

LARGE = bytes(range(256)) * 8192


async def echo(call: Call) -> None:
    while (message := await call.receive()) is not None:
        await call.send(message)


async def large(call: Call) -> None:
    await call.send(LARGE)


async def refuses(call: Call) -> None:
    raise CallFailed(Status.NOT_FOUND, "no such thing: ö%\n")


async def breaks(call: Call) -> None:
    raise RuntimeError("canary")


async def misreads(call: Call) -> None:
    decode(await call.receive() or b"")


METHODS = {"/echo": echo, "/large": large, "/refuses": refuses, "/breaks": breaks, "/misreads": misreads}


async def test_messages_go_both_ways_in_order() -> None:
    async with asking(METHODS) as client:
        answer, _ = client.begin("/echo", [b"a", b"", b"b" * 10_000])
        await answer.ended.wait()
        assert answer.messages == [b"a", b"", b"b" * 10_000]
        assert answer.status == Status.OK


async def test_a_message_beyond_the_windows_is_sent_as_they_open() -> None:
    async with asking(METHODS) as client:
        answers = await asyncio.gather(*(client.call("/large") for _ in range(3)))
        assert all(answer.messages == [LARGE] for answer in answers)


@pytest.mark.parametrize(
    ("path", "message", "status", "words"),
    [
        ("/refuses", b"", Status.NOT_FOUND, "no such thing: ö%\n"),
        ("/breaks", b"", Status.INTERNAL, "dockpass could not answer this"),
        ("/unknown", b"", Status.UNIMPLEMENTED, "dockpass has no /unknown"),
        ("/misreads", b"\x08", Status.INVALID_ARGUMENT, "a number without an end"),
    ],
)
async def test_a_failed_call_says_why_and_the_next_one_works(
    path: str, message: bytes, status: Status, words: str
) -> None:
    async with asking(METHODS) as client:
        answer = await client.call(path, message)
        assert (answer.status, answer.words) == (status, words)
        assert (await client.call("/echo", b"still here")).messages == [b"still here"]


@pytest.mark.parametrize("raw", [b"\1\0\0\0\1x", b"\0\xff\xff\xff\xff"])
async def test_compressed_or_boundless_messages_are_not_read(raw: bytes) -> None:
    async with asking(METHODS) as client:
        answer, stream = client.begin("/echo", last=False)
        client.raw(stream, raw)
        async with asyncio.timeout(5):
            await answer.ended.wait()
        assert answer.status in {Status.UNIMPLEMENTED, Status.RESOURCE_EXHAUSTED}


async def test_what_nobody_reads_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "MOST_WAITING", 1000)
    waits = asyncio.Event()

    async def slow(call: Call) -> None:
        await waits.wait()
        await echo(call)

    async with asking({"/slow": slow, "/echo": echo}) as client:
        answer, _ = client.begin("/slow", [b"x" * 100] * 50)
        assert (await client.call("/echo", b"y")).messages == [b"y"]
        waits.set()
        await answer.ended.wait()
        assert answer.status == Status.RESOURCE_EXHAUSTED


async def test_a_call_that_is_given_up_is_ended() -> None:
    ended = asyncio.Event()

    async def waits(call: Call) -> None:
        try:
            await call.receive()
        finally:
            ended.set()

    async with asking({"/waits": waits, "/echo": echo}) as client:
        _, stream = client.begin("/waits", last=False)
        assert (await client.call("/echo", b"y")).messages == [b"y"]
        client.reset(stream)
        async with asyncio.timeout(5):
            await ended.wait()
        assert (await client.call("/echo", b"z")).messages == [b"z"]


class Nowhere:
    """Who asks, and reads no answer."""

    def write(self, data: bytes) -> None:
        """Throw it away."""

    async def drain(self) -> None:
        """Wait for nothing."""


async def served(raw: bytes) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(raw)
    reader.feed_eof()
    async with asyncio.timeout(10):
        await GrpcServer(reader, Nowhere(), METHODS).serve()  # type: ignore[arg-type]


async def test_bytes_that_are_no_http_2_end_the_session_with_an_error() -> None:
    with pytest.raises(ConnectionError, match="not HTTP/2"):
        await served(b"GET / HTTP/1.1\r\n\r\n" * 4)


def outcome(sent: bytes) -> str:
    """How the session ends; any other error than one of the connection is a fault."""
    try:
        asyncio.run(served(sent))
    except ConnectionError as error:
        return str(error)
    return "in order"


FRAMES = st.tuples(st.binary(max_size=60), st.integers(0, 12), st.integers(0, 255), st.integers(0, 9))


@given(st.lists(FRAMES, max_size=6))
@settings(max_examples=200)
def test_whatever_frames_come_the_session_ends_or_goes_on(
    frames: list[tuple[bytes, int, int, int]],
) -> None:
    sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")
    for payload, kind, flags, stream in frames:
        sent += len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
    assert outcome(sent)
