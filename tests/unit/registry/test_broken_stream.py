"""An answer that breaks off gives every byte that came before."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest
from yarl import URL

from dockpass.errors import DockpassError
from dockpass.registry.connection_errors import not_reached
from dockpass.registry.transport import Transport

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


def test_bytes_that_wait_when_the_connection_breaks_are_given_before_the_error() -> None:
    async def read() -> bytes:
        first_is_read = asyncio.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD + b"a" * 10)
            await first_is_read.wait()
            writer.write(b"b" * 90)
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server, Transport() as transport:
            port = server.sockets[0].getsockname()[1]
            async with transport.stream("GET", f"http://127.0.0.1:{port}/") as stream:
                chunks = stream.chunks()
                got = await anext(chunks)
                first_is_read.set()
                while stream._answer.content.exception() is None:
                    await asyncio.sleep(0)
                got += await anext(chunks)
                with pytest.raises(DockpassError, match="not completed"):
                    await anext(chunks)
        return got

    assert asyncio.run(asyncio.wait_for(read(), 20)) == b"a" * 10 + b"b" * 90


def test_what_is_no_http_is_told_without_the_status_that_the_library_makes_up() -> None:
    error = aiohttp.ClientResponseError(
        aiohttp.RequestInfo(URL("http://h:1/v2/"), "GET", {}, URL("http://h:1/v2/")),  # type: ignore[arg-type]
        (),
        status=400,
        message="Bad status line:\n\n  b'<html>hello</html>'\n    ^",
    )
    told = not_reached("http://h:1/v2/", error)
    assert (
        told.message == "h:1 did not answer as a registry: its response is not valid HTTP (Bad status line)."
    )


async def test_a_port_where_nothing_listens_is_told_in_the_systems_words() -> None:
    with socket.socket() as held:  # bound and not listening, so that nobody else can be there
        held.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{held.getsockname()[1]}"
        async with Transport() as transport:
            with pytest.raises(DockpassError) as caught:
                await transport.request("GET", f"https://{host}/v2/", limit=100)
    assert caught.value.message == f"{host} cannot be reached: Connection refused."
