"""Push: blobs that are not yet there, mounted or uploaded, and then the manifest."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from dockpass.engines.base import Sink
from dockpass.engines.embedded.manifest import Descriptor, Manifest
from dockpass.engines.embedded.pull import each_at_once
from dockpass.engines.embedded.remote import (
    BrokenOffError,
    Remote,
    TooLargeError,
    Upload,
)
from dockpass.engines.embedded.sources import remember_source, source_of
from dockpass.engines.embedded.store import CHUNK, Store
from dockpass.engines.embedded.storeerrors import damaged, unwritable
from dockpass.errors import DockpassError
from dockpass.references.reference import Reference
from dockpass.registry.failures import RegistryError
from dockpass.registry.retry import MOST_TRIES

AT_ONCE = 4
LARGEST_WHOLE = 256 << 20
"""Bytes up to which a blob goes in one request; larger ones go in parts, each with a fresh token."""

PART = 64 << 20
SMALL_PART = 8 << 20
MOST_WHOLE = 2
"""Tries in one request. Behind them a blob goes in small parts: a proxy that takes no large request often
hangs up on it before its refusal can be read, and of parts what has arrived is not sent again."""


async def push(store: Store, remote: Remote, reference: Reference, manifest: Manifest, sink: Sink) -> str:
    """Push an image under the reference; return its digest."""
    place = _place(reference, manifest)
    with store.in_use():
        await each_at_once(manifest.blobs, lambda blob: _Blob(store, remote, blob, sink).push(), AT_ONCE)
        await remote.put_manifest(place, manifest.raw, manifest.media_type, manifest.digest)
    return manifest.digest


def _place(reference: Reference, manifest: Manifest) -> str:
    """Return the tag or the digest under which the manifest goes; a digest has to be the manifest's own."""
    if reference.digest and reference.digest != manifest.digest:
        raise DockpassError(
            "push-digest",
            f"{reference} names the digest {reference.digest[:19]}, and the local image of that name has"
            f" {manifest.digest[:19]}: the name is probably that of an index, of which one image was pulled.",
            f"Pull it under a tag and push that: {reference.repository}:TAG.",
        )
    return reference.tag or reference.digest or "latest"


class _Blob:
    """One blob on its way to the registry."""

    def __init__(self, store: Store, remote: Remote, blob: Descriptor, sink: Sink) -> None:
        self._store = store
        self._remote = remote
        self._blob = blob
        self._sink = sink
        self._short = blob.digest.partition(":")[2][:12]
        self._path = store.blob(blob.digest)
        self._opened: Upload | None = None
        self._failure: DockpassError | None = None

    async def push(self) -> None:
        """Have the blob in the repository, whatever it takes."""
        self._tell("waiting", 0)
        if await self._remote.has_blob(self._blob.digest):
            self._tell("exists", self._blob.size)
        elif await self._is_mounted():
            self._tell("mounted", self._blob.size)
        else:
            await self._upload()
            self._tell("pushed", self._blob.size)
        remember_source(self._store, self._blob.digest, self._remote.repository)

    async def _is_mounted(self) -> bool:
        source = source_of(self._store, self._blob.digest, self._remote.repository)
        if source is None:
            return False
        self._opened = await self._remote.mount(
            self._blob.digest, source, lambda why: self._sink.log(f"{self._short}: {why}")
        )
        return self._opened is None

    async def _upload(self) -> None:
        if not self._store.has(self._blob):
            raise damaged(self._path, "is missing or has another size")
        try:
            await self._in_requests(self._opened or await self._remote.start_upload())
        except DockpassError as error:
            raise self._failure or await self._at_fault(error) from error

    async def _at_fault(self, error: DockpassError) -> DockpassError:
        """Return the error for a damaged blob, where that is why the registry took another digest."""
        wrong = isinstance(error, RegistryError) and error.answer.code == "DIGEST_INVALID"
        if wrong and not await asyncio.to_thread(self._store.is_sound, self._blob, self._sink.check):
            return damaged(self._path)
        return error

    async def _in_requests(self, upload: Upload) -> None:
        """Send the blob in one request or in parts, and in small parts where those are too large."""
        try:
            if self._blob.size > LARGEST_WHOLE:
                await self._in_parts(upload, PART)
            else:
                await self._whole(upload)
        except TooLargeError as refused:
            self._sink.log(
                f"{self._short}: {refused.reason.message} Going on in parts of {SMALL_PART:,} bytes."
            )
            try:
                await self._in_parts(await self._remote.start_upload(), SMALL_PART)
            except TooLargeError as again:
                raise again.reason from again

    async def _whole(self, upload: Upload) -> None:
        for attempt in range(1, MOST_TRIES + 1):
            try:
                await self._remote.upload_whole(
                    upload, self._blob.digest, self._blob.size, partial(self._bytes, 0, self._blob.size)
                )
                return
            except BrokenOffError as broken:
                await self._pause(attempt, broken)
                reason = broken.reason
            if await self._remote.has_blob(self._blob.digest):
                return  # it had arrived, and only the answer was lost
            if attempt == MOST_WHOLE and self._blob.size > SMALL_PART:
                raise TooLargeError(reason)
            upload = await self._remote.start_upload()

    async def _in_parts(self, upload: Upload, part: int) -> None:
        """Send part after part, going on at what has arrived; tries count anew where more did than ever."""
        offset, furthest, attempt = 0, 0, 0
        while True:
            try:
                if offset == self._blob.size:
                    await self._remote.finish_upload(upload, self._blob.digest)
                    return
                size = min(part, self._blob.size - offset)
                upload = await self._remote.upload_part(
                    upload, offset, size, partial(self._bytes, offset, size)
                )
                offset += size
            except BrokenOffError as broken:
                attempt += 1
                await self._pause(attempt, broken)
                if offset == self._blob.size and await self._remote.has_blob(self._blob.digest):
                    return
                known = await self._remote.uploaded(upload)
                upload, offset = known or (await self._remote.start_upload(), 0)
            if offset > furthest:
                furthest, attempt = offset, 0

    async def _pause(self, attempt: int, broken: BrokenOffError) -> None:
        if self._failure or attempt >= MOST_TRIES:
            raise self._failure or broken.reason
        self._tell("retrying", 0)
        self._sink.log(f"{self._short}: {broken.reason.message} Trying again.")
        await self._remote.pause(attempt)

    async def _bytes(self, offset: int, size: int) -> AsyncIterator[bytes]:
        """Yield a part of the blob; what fails here is kept, for the transport only sees it break off."""
        try:
            async for chunk in self._checked(offset, size):
                yield chunk
        except DockpassError as error:
            self._failure = error
            raise
        except OSError as error:
            self._failure = unwritable(self._path, error, "read")
            raise self._failure from error

    async def _checked(self, offset: int, size: int) -> AsyncIterator[bytes]:
        """Yield a part of the blob; a blob that is sent whole is compared with its digest on the way."""
        found = hashlib.new(self._blob.digest.partition(":")[0])
        whole = (offset, size) == (0, self._blob.size)
        async for chunk in _chunks(self._path, offset, size):
            self._sink.check()
            if whole:
                found.update(chunk)
            offset += len(chunk)
            last = offset == self._blob.size
            if whole and last and found.hexdigest() != self._blob.digest.partition(":")[2]:
                raise damaged(self._path)
            self._tell("pushing", offset)
            yield chunk

    def _tell(self, state: str, current: int) -> None:
        self._sink.layer(self._short, state, current, self._blob.size)


async def _chunks(path: Path, offset: int, size: int) -> AsyncIterator[bytes]:
    left = size
    with path.open("rb") as file:
        file.seek(offset)
        while left:
            chunk = file.read(min(CHUNK, left))
            if not chunk:
                raise damaged(path, "became shorter")
            left -= len(chunk)
            yield chunk
