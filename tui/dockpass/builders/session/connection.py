"""Connections to an engine that are upgraded: of a session, in which the engine asks, and to its BuildKit."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence

from dockpass.engines.endpoint import Endpoint
from dockpass.errors import DockpassError
from dockpass.system import reason
from dockpass.text import clean

SECONDS = 10.0
"""How long the engine may take to upgrade the connection."""
_LARGEST_HEAD = 16 << 10

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def open_session(endpoint: Endpoint, headers: Mapping[str, str], methods: tuple[str, ...]) -> Streams:
    """Return the two directions of a session's connection; raises `DockpassError`.

    `headers` name the session, `methods` are the paths that it serves.
    """
    lines = [f"X-Docker-Expose-Session-{name}: {value}" for name, value in headers.items()]
    lines += [f"X-Docker-Expose-Session-Grpc-Method: {method}" for method in methods]
    return await _open(endpoint, "/session", lines)


async def open_control(endpoint: Endpoint) -> Streams:
    """Return the two directions of a connection to BuildKit's own API; raises `DockpassError`."""
    return await _open(endpoint, "/grpc", ())


async def _open(endpoint: Endpoint, path: str, lines: Sequence[str]) -> Streams:
    try:
        async with asyncio.timeout(SECONDS):
            reader, writer = await _connected(endpoint)
            try:
                await _upgrade(reader, writer, path, lines)
            except BaseException:
                writer.close()
                raise
    except TimeoutError as error:
        raise _refused(endpoint, f"no answer within {SECONDS:g} s") from error
    except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        words = reason(error) if isinstance(error, OSError) else str(error)
        raise _refused(endpoint, words) from error
    return reader, writer


async def _connected(endpoint: Endpoint) -> Streams:
    scheme, _, address = endpoint.url.partition("://")
    if scheme == "unix":
        return await asyncio.open_unix_connection(address, limit=_LARGEST_HEAD)
    host, _, port = address.partition("/")[0].rpartition(":")
    secure = scheme == "https" or endpoint.tls is not None
    return await asyncio.open_connection(
        host.strip("[]"),
        int(port),
        limit=_LARGEST_HEAD,
        ssl=_trust(endpoint) if secure else None,
    )


def _trust(endpoint: Endpoint) -> ssl.SSLContext:
    tls = endpoint.tls
    context = ssl.create_default_context(cafile=(tls.ca or None) if tls and tls.verify else None)
    if tls is not None and not tls.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if tls is not None and tls.cert and tls.key:
        context.load_cert_chain(tls.cert, tls.key)
    return context


async def _upgrade(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    path: str,
    lines: Sequence[str],
) -> None:
    request = (f"POST {path} HTTP/1.1", "Host: docker", "Connection: Upgrade", "Upgrade: h2c", *lines)
    writer.write("\r\n".join((*request, "Content-Length: 0", "", "")).encode("ascii"))
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    status = head.partition(b"\r\n")[0].split(b" ", 2)
    if len(status) < 2 or status[1] != b"101":
        shown = clean(b" ".join(status).decode("latin-1"), 120)
        raise ValueError(f"it answers {shown}")


def _refused(endpoint: Endpoint, words: str) -> DockpassError:
    return DockpassError(
        "session-refused",
        f"The engine at {clean(endpoint.url)} does not open a BuildKit session: {clean(words, 300)}.",
        "A proxy in front of the engine may let no session through. --builder classic needs none.",
    )
