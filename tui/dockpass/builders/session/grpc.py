"""A gRPC server on one connection, over HTTP/2: what a session is once the connection is upgraded.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from enum import IntEnum
from urllib.parse import quote

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError

from dockpass.builders.session.wire import WireError
from dockpass.text import clean

LARGEST_MESSAGE = 4 << 20
"""Bytes; also what BuildKit takes by default."""
MOST_WAITING = 128 << 20
"""Bytes of one call's messages that have come and are not read yet: a million files may be asked for."""
_OVERHEAD = 64  # of a message in memory
_log = logging.getLogger("dockpass.session")
_CHUNK = 64 << 10
_PREFIX = 5  # of a message: whether it is compressed, and its length in four bytes


class Status(IntEnum):
    """The statuses with which a call ends here."""

    OK = 0
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    NOT_FOUND = 5
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14


class CallFailed(Exception):
    """Ends a call with a status and words for the other side, in which no secret may be."""

    def __init__(self, status: Status, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class Call:
    """One call of a method. `metadata` are the header fields that came with it, each with all its values."""

    def __init__(self, server: GrpcServer, stream: int, metadata: Mapping[str, tuple[str, ...]]) -> None:
        self.metadata = metadata
        self._server = server
        self._stream = stream
        self._buffer = bytearray()
        self._messages: asyncio.Queue[bytes | CallFailed | None] = asyncio.Queue()
        self._waiting = 0
        self._is_broken = False

    async def receive(self) -> bytes | None:
        """Return the next message; None once the other side has sent its last one.

        Raises `CallFailed` for what is no message, and for too much of it.
        """
        found = await self._messages.get()
        if isinstance(found, CallFailed):
            raise found
        self._waiting -= len(found or b"") + _OVERHEAD
        return found

    async def send(self, message: bytes) -> None:
        """Send a message, as fast as the other side takes it."""
        await self._server.send(self._stream, b"\0" + len(message).to_bytes(4, "big") + message)

    def take(self, data: bytes) -> None:
        """Take a piece of what has come."""
        if self._is_broken:
            return
        self._buffer += data
        while len(self._buffer) >= _PREFIX:
            size = int.from_bytes(self._buffer[1:_PREFIX], "big")
            if self._buffer[0]:
                self._break(Status.UNIMPLEMENTED, "compressed messages are not read")
                return
            if size > LARGEST_MESSAGE or self._waiting > MOST_WAITING:
                self._break(Status.RESOURCE_EXHAUSTED, "this is more than a session takes")
                return
            if len(self._buffer) < _PREFIX + size:
                return
            self._waiting += size + _OVERHEAD
            self._messages.put_nowait(bytes(self._buffer[_PREFIX : _PREFIX + size]))
            del self._buffer[: _PREFIX + size]

    def end(self) -> None:
        """Take note that no further message comes."""
        self._messages.put_nowait(None)

    def _break(self, status: Status, words: str) -> None:
        self._is_broken = True
        self._buffer.clear()
        self._messages.put_nowait(CallFailed(status, words))


Method = Callable[[Call], Awaitable[None]]
"""Serves one call; it may raise `CallFailed`, and ends the call when it returns."""


class GrpcServer:
    """Serves `methods`, by path (`/package.Service/Method`), until the other side ends the connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        methods: Mapping[str, Method],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._methods = methods
        self._connection = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self._calls: dict[int, tuple[Call, asyncio.Task[None]]] = {}
        self._window = asyncio.Condition()

    async def serve(self) -> None:
        """Serve until the connection ends; raises `ConnectionError` for what is not HTTP/2."""
        self._connection.initiate_connection()
        try:
            await self._flush()
            while data := await self._reader.read(_CHUNK):
                for event in self._connection.receive_data(data):
                    if isinstance(event, ConnectionTerminated):
                        return
                    await self._handle(event)
                await self._flush()
        except ProtocolError as error:
            raise ConnectionError(f"this is not HTTP/2: {clean(str(error), 200)}") from error
        finally:
            tasks = [task for _, task in self._calls.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def send(self, stream: int, data: bytes) -> None:
        """Send data of a stream within the windows that the other side gives."""
        view = memoryview(data)
        while view:
            async with self._window:
                await self._window.wait_for(lambda: self._connection.local_flow_control_window(stream) > 0)
                room = self._connection.local_flow_control_window(stream)
                size = min(len(view), room, self._connection.max_outbound_frame_size)
                self._connection.send_data(stream, bytes(view[:size]))
            view = view[size:]
            await self._flush()

    async def _handle(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._begin(event)
            case DataReceived():
                self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if event.stream_id in self._calls:
                    self._calls[event.stream_id][0].take(event.data)
            case StreamEnded():
                if event.stream_id in self._calls:
                    self._calls[event.stream_id][0].end()
            case StreamReset():
                if event.stream_id in self._calls:
                    self._calls[event.stream_id][1].cancel()
            case WindowUpdated() | RemoteSettingsChanged():
                async with self._window:
                    self._window.notify_all()

    def _begin(self, event: RequestReceived) -> None:
        found: dict[str, list[str]] = {}
        for name, value in event.headers:
            found.setdefault(_header(name), []).append(_header(value))
        metadata = {name: tuple(values) for name, values in found.items()}
        call = Call(self, event.stream_id, metadata)
        method = self._methods.get(metadata.get(":path", ("",))[0], _unknown)
        task = asyncio.ensure_future(self._serve_call(event.stream_id, method, call))
        self._calls[event.stream_id] = (call, task)

    async def _serve_call(self, stream: int, method: Method, call: Call) -> None:
        status, words = Status.OK, ""
        try:
            self._connection.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
            await method(call)
        except CallFailed as failed:
            status, words = failed.status, failed.words
        except WireError as error:
            status, words = Status.INVALID_ARGUMENT, str(error)
        except (ProtocolError, ConnectionError):
            return  # the stream is gone, and with it who would read an answer
        except Exception:  # noqa: BLE001 - a fault in one call must not end the others
            _log.exception("a fault in a session's call")
            status, words = Status.INTERNAL, "dockpass could not answer this"
        finally:
            self._calls.pop(stream, None)
        trailers = [("grpc-status", str(int(status))), ("grpc-message", quote(words, safe=" "))]
        with suppress(ProtocolError, ConnectionError):
            self._connection.send_headers(stream, trailers, end_stream=True)
            await self._flush()

    async def _flush(self) -> None:
        if data := self._connection.data_to_send():
            self._writer.write(data)
            await self._writer.drain()


async def _unknown(call: Call) -> None:
    path = clean(call.metadata.get(":path", ("",))[0], 200)
    raise CallFailed(Status.UNIMPLEMENTED, f"dockpass has no {path}")


def _header(raw: bytes | str) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
