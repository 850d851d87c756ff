"""Pull: the manifest for this platform, and the blobs that are not yet there, verified as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from dockpass.engines.base import Sink
from dockpass.engines.embedded.manifest import (
    Descriptor,
    Index,
    Manifest,
    Platform,
    choose,
    parse,
    refuse,
)
from dockpass.engines.embedded.remote import BrokenOffError, Fetched, Remote
from dockpass.engines.embedded.sources import remember_source
from dockpass.engines.embedded.store import Ingest, Store
from dockpass.engines.embedded.storeerrors import wrong_blob
from dockpass.engines.embedded.writebehind import WriteBehind
from dockpass.errors import DockpassError
from dockpass.references.reference import Reference
from dockpass.registry.failures import RegistryError
from dockpass.registry.retry import MOST_TRIES, may_pass

AT_ONCE = 4
ENOUGH = 64 << 10
"""Bytes by which a download has to get on, in however many tries, for these to be counted anew."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """An image that is whole in the store. `digest` is that of the name: of the index, if it is one."""

    manifest: Manifest
    digest: str


async def pull(
    store: Store, remote: Remote, reference: Reference, platform: Platform, sink: Sink, *, named: bool = True
) -> Pulled:
    """Pull one reference; it is named only when every blob is there."""
    fetched, manifest = await resolve(remote, reference, platform, sink)
    with store.in_use():
        await fetch_all(store, remote, manifest.blobs, sink)
        store.put(manifest.raw, manifest.media_type)
        if named:
            if aside := store.mend():
                sink.log(f"the list of images could not be read; it is {aside} now, and a new one is begun")
            store.name(str(reference), manifest.descriptor)
    return Pulled(manifest, fetched.digest)


async def resolve(
    remote: Remote, reference: Reference, platform: Platform, sink: Sink
) -> tuple[Fetched, Manifest]:
    """Return what the reference names, and the manifest for the platform."""
    fetched = await remote.manifest(reference.digest or reference.tag or "latest")
    found = parse(fetched.raw, fetched.digest, fetched.media_type)
    if isinstance(found, Index):
        chosen = choose(found, platform)
        sink.log(f"{reference} is an index of {len(found.manifests)}; taking {chosen.platform}")
        child = await remote.manifest(chosen.digest)
        found = parse(child.raw, child.digest, child.media_type or chosen.media_type)
    if isinstance(found, Index):
        refuse(chosen.digest, f"it is an index in the index {reference}; pull one platform by its digest")
    return fetched, found


async def fetch_all(store: Store, remote: Remote, blobs: Iterable[Descriptor], sink: Sink) -> None:
    """Fetch the blobs that are not there, a few at once; the first failure ends the others."""
    await each_at_once(blobs, lambda blob: _fetch(store, remote, blob, sink), AT_ONCE)


async def each_at_once(
    blobs: Iterable[Descriptor], work: Callable[[Descriptor], Awaitable[None]], at_once: int
) -> None:
    """Do the work for each blob, some at once; the first failure ends the others and is raised."""
    gate = asyncio.Semaphore(at_once)

    async def gated(blob: Descriptor) -> None:
        async with gate:
            await work(blob)

    try:
        async with asyncio.TaskGroup() as group:
            for blob in blobs:
                group.create_task(gated(blob))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _fetch(store: Store, remote: Remote, blob: Descriptor, sink: Sink) -> None:
    short = blob.digest.partition(":")[2][:12]
    if store.is_sound(blob, sink.check):
        sink.layer(short, "exists", blob.size, blob.size)
    else:
        sink.layer(short, "waiting", 0, blob.size)
        with store.ingest(blob.digest.partition(":")[0]) as ingest:
            await _download(remote, blob, ingest, short, sink)
            store.commit(ingest, blob)
        sink.layer(short, "pulled", blob.size, blob.size)
    remember_source(store, blob.digest, remote.repository)


async def _download(remote: Remote, blob: Descriptor, ingest: Ingest, short: str, sink: Sink) -> None:
    """Write the blob, going on where a broken connection left off, as long as something comes."""
    attempt, counted = 0, 0
    while True:
        try:
            await _part(remote, blob, ingest, short, sink)
            return
        except BrokenOffError as broken:
            reason = broken.reason
        except DockpassError as error:
            if not may_pass(error):
                raise _elsewhere(blob, error) from error
            reason = error
        attempt += 1
        if ingest.size >= counted + ENOUGH:
            attempt, counted = 1, ingest.size
        if attempt == MOST_TRIES:
            raise reason
        sink.layer(short, "retrying", ingest.size, blob.size)
        sink.log(f"{short}: {reason.message} Going on at {ingest.size:,} bytes.")
        await remote.pause(attempt)


def _elsewhere(blob: Descriptor, error: DockpassError) -> DockpassError:
    """Return the error for a blob that the registry does not keep, which some manifests say openly."""
    missing = isinstance(error, RegistryError) and error.answer.status == 404
    if not (missing and blob.urls):
        return error
    return DockpassError(
        "layer-elsewhere",
        f"The layer {blob.digest[:19]} is not kept by the registry: its manifest names {blob.urls[0]}"
        " in its place, and the embedded engine loads nothing from other servers.",
        "Pull with --engine docker, or take an image without foreign layers.",
    )


async def _part(remote: Remote, blob: Descriptor, ingest: Ingest, short: str, sink: Sink) -> None:
    if blob.size and ingest.size == blob.size:
        return
    async with remote.blob(blob.digest, ingest.size) as stream:
        if stream.status == 200 and ingest.size:
            ingest.restart()  # a server that knows no ranges sends all of it again
        arrived = ingest.size
        async with WriteBehind(ingest) as written:
            async for chunk in stream.chunks():
                sink.check()
                arrived += len(chunk)
                if arrived > blob.size:
                    raise _too_long(blob)
                await written.write(chunk)
                sink.layer(short, "pulling", arrived, blob.size)


def _too_long(blob: Descriptor) -> DockpassError:
    return wrong_blob(blob, f"is longer than the {blob.size:,} bytes that were promised")
