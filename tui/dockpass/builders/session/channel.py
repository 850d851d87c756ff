"""Messages of gRPC over HTTP/2 on one connection, as both sides of it send and take them.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from enum import IntEnum

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, Event, RemoteSettingsChanged, WindowUpdated
from h2.exceptions import ProtocolError

from dockpass.text import clean

LARGEST_MESSAGE = 4 << 20
"""Bytes; also what BuildKit takes by default."""
MOST_WAITING = 128 << 20
"""Bytes of one call's messages that have come and are not read yet: a million files may be asked for."""
_OVERHEAD = 64  # of a message in memory
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


class Channel:
    """A connection, from which one task takes events, and over which any number of them sends."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_client: bool = False
    ) -> None:
        self.connection = H2Connection(H2Configuration(client_side=is_client, header_encoding=None))
        self.connection.initiate_connection()  # what is sent first, whoever sends it
        self._reader = reader
        self._writer = writer
        self._window = asyncio.Condition()
        self._is_over = False

    async def events(self) -> AsyncIterator[Event]:
        """Yield what comes, until the other side ends the connection; raises `ConnectionError`."""
        try:
            await self.flush()
            while data := await self._reader.read(_CHUNK):
                for event in self.connection.receive_data(data):
                    match event:
                        case ConnectionTerminated():
                            return
                        case DataReceived():
                            self.connection.acknowledge_received_data(
                                event.flow_controlled_length, event.stream_id
                            )
                        case WindowUpdated() | RemoteSettingsChanged():
                            async with self._window:
                                self._window.notify_all()
                    yield event
                await self.flush()
        except ProtocolError as error:
            raise ConnectionError(f"this is not HTTP/2: {clean(str(error), 200)}") from error
        finally:
            self._is_over = True
            async with self._window:
                self._window.notify_all()  # who waits to send would wait for ever

    async def send(self, stream: int, data: bytes) -> None:
        """Send data of a stream within the windows that the other side gives; raises `ConnectionError`."""
        view = memoryview(data)
        while view:
            async with self._window:
                await self._window.wait_for(lambda: self._is_over or self._room(stream) > 0)
                if self._is_over:
                    raise ConnectionError("the other side ended the connection")
                room = self._room(stream)
                size = min(len(view), room, self.connection.max_outbound_frame_size)
                self.connection.send_data(stream, bytes(view[:size]))
            view = view[size:]
            await self.flush()

    def _room(self, stream: int) -> int:
        return self.connection.local_flow_control_window(stream)

    async def flush(self) -> None:
        """Write what waits to be sent."""
        if data := self.connection.data_to_send():
            self._writer.write(data)
            await self._writer.drain()


class Call:
    """One call of a method. `metadata` are the header fields that came with it, each with all its values."""

    def __init__(self, channel: Channel, stream: int, metadata: Mapping[str, tuple[str, ...]]) -> None:
        self.metadata = metadata
        self._channel = channel
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
        await self._channel.send(self._stream, b"\0" + len(message).to_bytes(4, "big") + message)

    def take(self, data: bytes) -> None:
        """Take a piece of what has come."""
        if self._is_broken:
            return
        self._buffer += data
        while len(self._buffer) >= _PREFIX:
            size = int.from_bytes(self._buffer[1:_PREFIX], "big")
            if self._buffer[0]:
                self.fail(Status.UNIMPLEMENTED, "compressed messages are not read")
                return
            if size > LARGEST_MESSAGE or self._waiting > MOST_WAITING:
                self.fail(Status.RESOURCE_EXHAUSTED, "this is more than a session takes")
                return
            if len(self._buffer) < _PREFIX + size:
                return
            self._waiting += size + _OVERHEAD
            self._messages.put_nowait(bytes(self._buffer[_PREFIX : _PREFIX + size]))
            del self._buffer[: _PREFIX + size]

    def end(self) -> None:
        """Take note that no further message comes."""
        self._messages.put_nowait(None)

    def fail(self, status: Status, words: str) -> None:
        """Take note that the call is broken off; nothing more is read."""
        self._is_broken = True
        self._buffer.clear()
        self._messages.put_nowait(CallFailed(status, words))


Method = Callable[[Call], Awaitable[None]]
"""Serves one call; it may raise `CallFailed`, and ends the call when it returns."""


def header(raw: bytes | str) -> str:
    """Return a name or a value of a header field as text."""
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
