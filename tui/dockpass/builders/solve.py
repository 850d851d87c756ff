"""A build asked for through BuildKit's own API: what the engine's API for builds has no words for.

Named contexts, caches that are exported, and several platforms at once. The messages are those of
api/services/control/control.proto of moby/buildkit, the attributes those that its Dockerfile frontend reads.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager

from dockpass.builders.options import cache_fields
from dockpass.builders.session.channel import CallFailed
from dockpass.builders.session.client import GrpcClient
from dockpass.builders.session.connection import open_control
from dockpass.builders.session.wire import all_bytes, decode, encode, text
from dockpass.engines.base import BuildRequest
from dockpass.engines.endpoint import Endpoint
from dockpass.engines.stream import StreamError
from dockpass.references.reference import is_digest

_SOLVE, _STATUS = "/moby.buildkit.v1.Control/Solve", "/moby.buildkit.v1.Control/Status"
_EXPORTER = "moby"
"""Puts the image among the engine's own."""
_SECONDS_OF_STATUS = 5.0
"""How long the last of the progress is waited for."""


def needs_control(request: BuildRequest) -> bool:
    """Tell whether a build cannot be asked for by the engine's API for builds."""
    return bool(request.contexts or request.extras.cache_to or "," in request.platform)


def local_name(name: str) -> str:
    """Return what the session calls the directory of a named context: no name that it has for others."""
    return f"named:{name}"


async def solve(
    endpoint: Endpoint, request: BuildRequest, session: str, ref: str, take: Callable[[bytes], None]
) -> str:
    """Build with a session; return the image's id, empty where none is named. A cancel ends the build.

    `ref` names the build, `take` gets each message of the progress. Raises `StreamError` in BuildKit's
    words, and what the connection raises.
    """
    async with _client(endpoint) as client:
        progress = asyncio.create_task(_follow(client, ref, take))
        try:
            async with aclosing(client.call(_SOLVE, solve_message(request, session, ref))) as answers:
                found = [each async for each in answers]
            await asyncio.wait({progress}, timeout=_SECONDS_OF_STATUS)
        except CallFailed as error:
            await asyncio.wait({progress}, timeout=_SECONDS_OF_STATUS)
            raise StreamError(error.words) from error
        finally:
            progress.cancel()
            await asyncio.gather(progress, return_exceptions=True)
    return image_of(found[-1]) if found else ""


async def _follow(client: GrpcClient, ref: str, take: Callable[[bytes], None]) -> None:
    """Hand the progress of a build on."""
    async with aclosing(client.call(_STATUS, encode((1, ref)))) as answers:
        async for each in answers:
            take(each)


@asynccontextmanager
async def _client(endpoint: Endpoint) -> AsyncIterator[GrpcClient]:
    reader, writer = await open_control(endpoint)
    client = GrpcClient(reader, writer)
    running = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        writer.close()


def solve_message(request: BuildRequest, session: str, ref: str) -> bytes:
    """Return the `SolveRequest` of a build."""
    extras = request.extras
    imports = [cache_fields(each) for each in extras.cache_from]
    caches = b"".join(
        encode((place, _cache(fields)))
        for place, each in ((4, [cache_fields(spec) for spec in extras.cache_to]), (5, imports))
        for fields in each
    )
    exporter = {"name": ",".join(request.tags)} if request.tags else {}
    return b"".join(
        (
            encode((1, ref), (3, _EXPORTER)),
            _map(4, exporter),
            encode((5, session), (6, "dockerfile.v0")),
            _map(7, dict(_attributes(request, imports))),
            encode((8, caches)),
            encode((9, "network.host" if extras.network == "host" else "")),
        )
    )


def _attributes(request: BuildRequest, imports: list[dict[str, str]]) -> Iterator[tuple[str, str]]:
    extras = request.extras
    yield "filename", request.dockerfile.name
    yield "image-resolve-mode", "pull" if extras.pull else "local"
    if request.target:
        yield "target", request.target
    if request.platform:
        yield "platform", request.platform
    if extras.network:
        yield "force-network-mode", extras.network
    for name, value in request.build_args.items():
        yield f"build-arg:{name}", value
    for name, context in request.contexts.items():
        image = f"docker-image://{context.image}" if context.image else ""
        yield f"context:{name}", image or context.other or f"local:{local_name(name)}"
    if imports:
        entries = [{"Type": each.get("type"), "Attrs": _others(each)} for each in imports]
        yield "cache-imports", json.dumps(entries)


def _cache(fields: Mapping[str, str]) -> bytes:
    return encode((1, fields.get("type", ""))) + _map(2, _others(fields))


def _others(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name != "type"}


def _map(number: int, values: Mapping[str, str]) -> bytes:
    """Return a map of texts: an entry each, also where the value is empty."""
    return b"".join(encode((number, encode((1, name), (2, value)))) for name, value in values.items())


def image_of(message: bytes) -> str:
    """Return the image's id from a `SolveResponse`; empty where there is none."""
    entries = [decode(each) for each in all_bytes(decode(message), 1)]
    found = {text(each, 1): text(each, 2) for each in entries}.get("containerimage.digest", "")
    return found if is_digest(found) else ""
