"""Reads every tag of a repository, and carries out a deletion plan: bounded, resumable, told tag by tag."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from dockpass.errors import DockpassError
from dockpass.registry.client import Manifest, RegistryClient
from dockpass.registry.deletion import Deletion, DeletionPlan, TagInfo
from dockpass.registry.failures import RegistryError

READS = 64
DELETES = 8

Progress = Callable[[int, int], None]
Item = TypeVar("Item")

_BROKEN = frozenset({"MANIFEST_UNKNOWN", "BLOB_UNKNOWN", "NAME_UNKNOWN", "MANIFEST_INVALID", "NOT_FOUND"})
_STOPS = frozenset({401, 403, 405})


@dataclass(frozen=True, slots=True)
class TagResult:
    """What became of one tag: deleted, gone, moved, kept or failed."""

    tag: str
    digest: str
    outcome: str
    detail: str = ""


async def survey(client: RegistryClient, path: str, progress: Progress) -> list[TagInfo]:
    """Read every tag's manifest and config, 64 at a time; a tag that cannot be read says why."""
    tags = await client.tags(path)
    reader = _Reader(client, path)
    found: list[TagInfo] = []
    progress(0, len(tags))

    async def read(tag: str) -> None:
        found.append(await reader.read(tag))
        progress(len(found), len(tags))

    await _each(tags, read, READS)
    return sorted(found, key=lambda info: info.tag)


async def execute(
    client: RegistryClient,
    path: str,
    plan: DeletionPlan,
    on_result: Callable[[TagResult], None],
) -> None:
    """Delete, 8 at a time; each digest is looked up again just before.

    Raises the first refusal (401, 403, 405) after which nothing more is tried; what was done until then
    has been told by `on_result`.
    """

    async def delete(deletion: Deletion) -> None:
        for result in await _delete(client, path, deletion):
            on_result(result)

    await _each(plan.deletions, delete, DELETES)


async def can_delete_single_tags(client: RegistryClient, path: str) -> bool:
    """Tell whether the registry can delete one tag alone, asked with a tag that does not exist."""
    try:
        await client.delete_tag(path, "dockpass-asks-whether-tags-can-be-deleted")
    except RegistryError:
        return False
    return True


class _Reader:
    """Reads tags; what several of them share is read once."""

    def __init__(self, client: RegistryClient, path: str) -> None:
        self._client = client
        self._path = path
        self._configs: dict[str, asyncio.Task[Mapping[str, Any]]] = {}

    async def read(self, tag: str) -> TagInfo:
        try:
            manifest = await self._client.manifest(self._path, tag)
            created = await self._created(manifest)
        except RegistryError as error:
            if error.answer.code not in _BROKEN and error.answer.status != 404:
                raise
            return TagInfo(tag, "", problem=error.answer.in_words)
        children = _digests(manifest.data.get("manifests"))
        subject = manifest.data.get("subject")
        return TagInfo(
            tag,
            manifest.digest,
            created,
            _size(manifest),
            children,
            str(subject.get("digest", "")) if isinstance(subject, dict) else "",
        )

    async def _created(self, manifest: Manifest) -> datetime | None:
        if manifest.is_index:
            children = [
                await self._client.manifest(self._path, digest)
                for digest in _digests(manifest.data.get("manifests"))[:1]
            ]
            return await self._created(children[0]) if children and not children[0].is_index else None
        config = manifest.data.get("config")
        digest = config.get("digest") if isinstance(config, dict) else None
        if not isinstance(digest, str):
            return None
        if digest not in self._configs:
            self._configs[digest] = asyncio.ensure_future(self._client.config(self._path, digest))
        return parse_time((await self._configs[digest]).get("created"))


async def _delete(client: RegistryClient, path: str, deletion: Deletion) -> list[TagResult]:
    """Delete one digest, or single tags of it, if every tag still points there."""
    moved = {tag for tag in deletion.tags if await _points_elsewhere(client, path, tag, deletion.digest)}
    results = [
        TagResult(tag, deletion.digest, "moved", "it points elsewhere now, and was left alone")
        for tag in moved
    ]
    staying = [tag for tag in deletion.tags if tag not in moved]
    if not staying:
        return results
    try:
        if deletion.whole:
            existed = await client.delete_digest(path, deletion.digest)
            outcome = "deleted" if existed else "gone"
            return results + [TagResult(tag, deletion.digest, outcome) for tag in staying]
        for tag in staying:
            existed = await client.delete_tag(path, tag)
            results.append(TagResult(tag, deletion.digest, "deleted" if existed else "gone"))
    except RegistryError as error:
        if error.answer.status in _STOPS:
            raise
        done = {result.tag for result in results}
        results += [
            TagResult(tag, deletion.digest, "failed", error.message) for tag in staying if tag not in done
        ]
    return results


async def _points_elsewhere(client: RegistryClient, path: str, tag: str, digest: str) -> bool:
    try:
        return (await client.manifest(path, tag)).digest != digest
    except RegistryError as error:
        if error.answer.status == 404:
            return False  # gone already, which the deletion will tell
        raise


async def _each(items: Sequence[Item], work: Callable[[Item], Awaitable[None]], at_once: int) -> None:
    """Work on every item, `at_once` at a time; the first error ends the others."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, len(items))):
                group.create_task(worker())
    except* DockpassError as errors:
        raise _first(errors) from None


def _first(errors: BaseExceptionGroup[DockpassError]) -> DockpassError:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, DockpassError):
        raise error
    return error


def parse_time(value: object) -> datetime | None:
    """Parse RFC 3339 as image configs have it; None for what is none, or for no real time."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None and found.year > 1980 else None


def _digests(entries: object) -> tuple[str, ...]:
    listed = entries if isinstance(entries, list) else []
    found = (entry.get("digest") for entry in listed if isinstance(entry, dict))
    return tuple(digest for digest in found if isinstance(digest, str))


def _size(manifest: Manifest) -> int:
    layers = manifest.data.get("layers")
    listed = layers if isinstance(layers, list) else []
    sizes = (layer.get("size") for layer in listed if isinstance(layer, dict))
    return sum(size for size in sizes if isinstance(size, int))
