"""A gRPC client on one connection, over HTTP/2: for what is asked of BuildKit itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from urllib.parse import unquote

from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError

from dockpass.builders.session.channel import Call, CallFailed, Channel, Status, header
from dockpass.text import clean

_LONGEST_WORDS = 4000


class GrpcClient:
    """Calls methods, by path; `run` has to take the answers meanwhile."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._channel = Channel(reader, writer, is_client=True)
        self._calls: dict[int, Call] = {}
        self._ends: dict[int, tuple[Status, str]] = {}

    async def run(self) -> None:
        """Take answers until the connection ends; no call outlives it. Raises `ConnectionError`."""
        words = "the engine ended the connection"
        try:
            async for event in self._channel.events():
                self._handle(event)
        except ConnectionError as error:
            words = str(error)
            raise
        finally:
            for call in self._calls.values():
                call.fail(Status.UNAVAILABLE, words)
            self._calls.clear()

    async def call(self, path: str, message: bytes) -> AsyncGenerator[bytes, None]:
        """Yield the messages of the answer. Who stops listening cancels the call; raises `CallFailed`."""
        connection = self._channel.connection
        stream = connection.get_next_available_stream_id()
        call = self._calls[stream] = Call(self._channel, stream, {})
        head = [(":method", "POST"), (":scheme", "http"), (":authority", "buildkit"), (":path", path)]
        head += [("content-type", "application/grpc"), ("te", "trailers")]
        try:
            try:
                connection.send_headers(stream, head)
                await call.send(message)
                connection.end_stream(stream)
                await self._channel.flush()
            except (ProtocolError, ConnectionError) as error:
                words = f"the engine does not take the call: {clean(str(error), 200)}"
                raise CallFailed(Status.UNAVAILABLE, words) from error
            while (answer := await call.receive()) is not None:
                yield answer
        finally:
            if self._calls.pop(stream, None) is not None:
                with suppress(ProtocolError, ConnectionError):
                    connection.reset_stream(stream, ErrorCodes.CANCEL)
                    await self._channel.flush()

    def _handle(self, event: Event) -> None:
        match event:
            case ResponseReceived() | TrailersReceived():
                self._note_end(event)
            case DataReceived():
                if event.stream_id in self._calls:
                    self._calls[event.stream_id].take(event.data)
            case StreamEnded():
                self._end(event.stream_id)
            case StreamReset():
                self._ends[event.stream_id] = (Status.UNAVAILABLE, "the engine broke the call off")
                self._end(event.stream_id)

    def _note_end(self, event: ResponseReceived | TrailersReceived) -> None:
        found = {header(name): header(value) for name, value in event.headers}
        if "grpc-status" in found:
            status = found["grpc-status"]
            known = status.isdecimal() and int(status) in set(Status)
            words = clean(unquote(found.get("grpc-message", "")), _LONGEST_WORDS)
            self._ends[event.stream_id] = (Status(int(status)) if known else Status.UNKNOWN, words)
        elif found.get(":status", "200") != "200":
            words = f"the engine answers {clean(found[':status'], 20)}"
            self._ends[event.stream_id] = (Status.UNAVAILABLE, words)

    def _end(self, stream: int) -> None:
        status, words = self._ends.pop(stream, (Status.INTERNAL, "the engine told no end of the call"))
        if (call := self._calls.pop(stream, None)) is None:
            return
        if status is Status.OK:
            call.end()
        else:
            call.fail(status, words)
