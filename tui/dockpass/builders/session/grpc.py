"""A gRPC server on one connection, over HTTP/2: what a session is once the connection is upgraded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import quote

from h2.events import DataReceived, Event, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from dockpass.builders.session.channel import Call, CallFailed, Channel, Method, Status, header
from dockpass.builders.session.wire import WireError
from dockpass.text import clean

_log = logging.getLogger("dockpass.session")


class GrpcServer:
    """Serves `methods`, by path (`/package.Service/Method`), until the other side ends the connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        methods: Mapping[str, Method],
    ) -> None:
        self._channel = Channel(reader, writer)
        self._methods = methods
        self._calls: dict[int, tuple[Call, asyncio.Task[None]]] = {}

    async def serve(self) -> None:
        """Serve until the connection ends; raises `ConnectionError` for what is not HTTP/2."""
        try:
            async for event in self._channel.events():
                self._handle(event)
        finally:
            tasks = [task for _, task in self._calls.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _handle(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._begin(event)
            case DataReceived():
                if event.stream_id in self._calls:
                    self._calls[event.stream_id][0].take(event.data)
            case StreamEnded():
                if event.stream_id in self._calls:
                    self._calls[event.stream_id][0].end()
            case StreamReset():
                if event.stream_id in self._calls:
                    self._calls[event.stream_id][1].cancel()

    def _begin(self, event: RequestReceived) -> None:
        found: dict[str, list[str]] = {}
        for name, value in event.headers:
            found.setdefault(header(name), []).append(header(value))
        metadata = {name: tuple(values) for name, values in found.items()}
        call = Call(self._channel, event.stream_id, metadata)
        method = self._methods.get(metadata.get(":path", ("",))[0], _unknown)
        task = asyncio.ensure_future(self._serve_call(event.stream_id, method, call))
        self._calls[event.stream_id] = (call, task)

    async def _serve_call(self, stream: int, method: Method, call: Call) -> None:
        status, words = Status.OK, ""
        try:
            self._channel.connection.send_headers(
                stream, [(":status", "200"), ("content-type", "application/grpc")]
            )
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
            self._channel.connection.send_headers(stream, trailers, end_stream=True)
            await self._channel.flush()


async def _unknown(call: Call) -> None:
    path = clean(call.metadata.get(":path", ("",))[0], 200)
    raise CallFailed(Status.UNIMPLEMENTED, f"dockpass has no {path}")
