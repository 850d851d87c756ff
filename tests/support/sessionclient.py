"""The engine's side of a session: calls methods over HTTP/2, as BuildKit does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset, TrailersReceived

from dockpass.builders.session.channel import Method
from dockpass.builders.session.grpc import GrpcServer


@dataclass
class Answer:
    """What a call gave: its messages, the status and its words."""

    data: bytearray = field(default_factory=bytearray)
    status: int | None = None
    words: str = ""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def messages(self) -> list[bytes]:
        """The messages that are whole by now."""
        found, at = [], 0
        while len(self.data) >= at + 5:
            size = int.from_bytes(self.data[at + 1 : at + 5], "big")
            found.append(bytes(self.data[at + 5 : at + 5 + size]))
            at += 5 + size
        return found


class SessionClient:
    """Asks a session."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connection = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._reader = reader
        self._writer = writer
        self._answers: dict[int, Answer] = {}
        self.connection.initiate_connection()
        self._flush()
        self._reading = asyncio.ensure_future(self._read())

    async def call(self, path: str, message: bytes = b"", **metadata: str) -> Answer:
        """Call a method with one message, and wait for its end."""
        answer, _ = self.begin(path, [message], metadata)
        async with asyncio.timeout(10):
            await answer.ended.wait()
        return answer

    def begin(
        self,
        path: str,
        messages: Iterable[bytes] = (),
        metadata: Mapping[str, str | tuple[str, ...]] | None = None,
        *,
        last: bool = True,
    ) -> tuple[Answer, int]:
        """Call a method; return the answer that is yet to come, and the stream."""
        stream = self.connection.get_next_available_stream_id()
        head = [(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", path)]
        head += [("content-type", "application/grpc"), ("te", "trailers")]
        for name, value in (metadata or {}).items():
            head += [(name, each) for each in ((value,) if isinstance(value, str) else value)]
        answer = self._answers[stream] = Answer()
        self.connection.send_headers(stream, head)
        for message in messages:
            self.send(stream, message)
        if last:
            self.end(stream)
        self._flush()
        return answer, stream

    def send(self, stream: int, message: bytes) -> None:
        """Send a message."""
        self.raw(stream, b"\0" + len(message).to_bytes(4, "big") + message)

    def raw(self, stream: int, data: bytes) -> None:
        """Send bytes as they are."""
        self.connection.send_data(stream, data)
        self._flush()

    def end(self, stream: int) -> None:
        """Say that no further message comes."""
        self.connection.end_stream(stream)
        self._flush()

    def reset(self, stream: int) -> None:
        """Give a call up."""
        self.connection.reset_stream(stream)
        self._flush()

    async def close(self) -> None:
        """End the connection."""
        self._writer.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        while data := await self._reader.read(1 << 16):
            for event in self.connection.receive_data(data):
                if isinstance(event, DataReceived):
                    self._answers[event.stream_id].data += event.data
                    self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, ResponseReceived | TrailersReceived):
                    answer, found = self._answers[event.stream_id], dict(event.headers)
                    if "grpc-status" in found:
                        answer.status = int(found["grpc-status"])
                        answer.words = unquote(found["grpc-message"])
                elif isinstance(event, StreamEnded | StreamReset):
                    self._answers[event.stream_id].ended.set()
            self._flush()

    def _flush(self) -> None:
        self._writer.write(self.connection.data_to_send())


@asynccontextmanager
async def asking(methods: Mapping[str, Method]) -> AsyncIterator[SessionClient]:
    """Serve methods on one end of a pair of sockets; yields who asks at the other end."""
    ours, theirs = socket.socketpair()
    server = asyncio.ensure_future(GrpcServer(*await asyncio.open_connection(sock=ours), methods).serve())
    client = SessionClient(*await asyncio.open_connection(sock=theirs))
    try:
        yield client
    finally:
        await client.close()
        async with asyncio.timeout(10):
            await asyncio.gather(server, return_exceptions=True)
