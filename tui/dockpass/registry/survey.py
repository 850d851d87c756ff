"""Reads every tag of a repository, and carries out a deletion plan: bounded, resumable, told tag by tag."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from dockpass.errors import DockpassError
from dockpass.registry.client import Manifest, RegistryClient, digests_in
from dockpass.registry.deletion import Deletion, DeletionPlan, TagInfo
from dockpass.registry.failures import RegistryError

READS = 64
DELETES = 8
MOST_PARTS = 50
"""An index that lists more is no image for several platforms; its age is not looked up."""

Progress = Callable[[int, int], None]
Tell = Callable[[str, Iterable[str], str], None]
Item = TypeVar("Item")

_BROKEN = frozenset({"MANIFEST_UNKNOWN", "BLOB_UNKNOWN", "NAME_UNKNOWN", "MANIFEST_INVALID", "NOT_FOUND"})
_STOPS = frozenset({401, 403, 405})
_IMAGE_CONFIGS = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
_CREATED = "org.opencontainers.image.created"


@dataclass(frozen=True, slots=True)
class TagResult:
    """What became of one tag: deleted, gone, moved, kept or failed."""

    tag: str
    digest: str
    outcome: str
    detail: str = ""


async def survey(client: RegistryClient, path: str, progress: Progress) -> list[TagInfo]:
    """Read every tag's manifest and config, 64 at a time; a tag that cannot be read says why.

    Any failure but a broken image ends the survey: half of it is nothing to plan with.
    """
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
    """Delete, 8 at a time; each digest is looked up again just before, and kept tags once at the start.

    Raises the first refusal (401, 403, 405, no answer) after which nothing more is begun; what was done
    until then has been told by `on_result`. The first deletion goes alone, so that a login that may not
    delete is refused once and not eight times.
    """
    if not plan.deletions:
        return
    execution = _Execution(client, path, await _needed_now(client, path, plan), on_result)
    await execution.delete(plan.deletions[0])
    await _each(plan.deletions[1:], execution.delete, DELETES)
    if execution.refusal:
        raise execution.refusal


async def can_delete_single_tags(client: RegistryClient, path: str) -> bool | None:
    """Tell whether the registry can delete one tag alone, asked with a tag that does not exist.

    None if its answer does not tell, for example because this login may not delete at all.
    """
    try:
        await client.delete_tag(path, f"dockpass-asks-{secrets.token_hex(8)}")
    except RegistryError as error:
        return False if error.id == "tag-deletion-unsupported" else None
    return True


class _Reader:
    """Reads tags; a config that several of them share is read once."""

    def __init__(self, client: RegistryClient, path: str) -> None:
        self._client = client
        self._path = path
        self._ages: dict[str, datetime | None] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def read(self, tag: str) -> TagInfo:
        try:
            manifest = await self._client.manifest(self._path, tag)
        except DockpassError as error:
            return TagInfo(tag, "", problem=_problem(error))
        parts, created, problem = [manifest], None, ""
        try:
            parts = await self._parts(manifest)
            created = _youngest([await self._created(part) for part in parts])
        except DockpassError as error:
            problem = _problem(error)
        return TagInfo(
            tag,
            manifest.digest,
            created,
            sum(_size(part) for part in parts),
            _children(manifest, *parts),
            next(iter(digests_in([manifest.data.get("subject")])), ""),
            problem,
        )

    async def _parts(self, manifest: Manifest) -> list[Manifest]:
        """Return the images that a manifest stands for: itself, or those of an index that are there."""
        if not manifest.is_index:
            return [manifest]
        entries = manifest.data.get("manifests")
        images = digests_in([entry for entry in entries or () if not _is_attestation(entry)])
        found = []
        for digest in images if len(images) <= MOST_PARTS else ():
            try:
                found.append(await self._client.manifest(self._path, digest))
            except RegistryError as error:
                if error.answer.status != 404:  # an index may list platforms that were never pushed
                    raise
        return found

    async def _created(self, manifest: Manifest) -> datetime | None:
        config = manifest.data.get("config")
        if isinstance(config, dict) and config.get("mediaType", _IMAGE_CONFIGS[0]) in _IMAGE_CONFIGS:
            digest = str(config.get("digest"))
            async with self._locks.setdefault(digest, asyncio.Lock()):
                if digest not in self._ages:
                    content = await self._client.config(self._path, digest)
                    self._ages[digest] = parse_time(content.get("created"))
            return self._ages[digest]
        annotations = manifest.data.get("annotations")
        return parse_time(annotations.get(_CREATED)) if isinstance(annotations, dict) else None


class _Execution:
    """Carries out deletions until one is refused. `needed` says which staying tag needs which digest."""

    def __init__(
        self,
        client: RegistryClient,
        path: str,
        needed: Mapping[str, str],
        on_result: Callable[[TagResult], None],
    ) -> None:
        self.refusal: DockpassError | None = None
        self._client = client
        self._path = path
        self._needed = needed
        self._on_result = on_result

    async def delete(self, deletion: Deletion) -> None:
        """Delete one digest, or single tags of it, if every tag still points there."""
        if self.refusal:
            return
        waiting = set(deletion.tags)

        def tell(outcome: str, tags: Iterable[str], detail: str) -> None:
            for tag in sorted(tags):
                waiting.remove(tag)
                self._on_result(TagResult(tag, deletion.digest, outcome, detail))

        try:
            await self._carry_out(deletion, waiting, tell)
        except RegistryError as error:
            if error.answer.status in _STOPS:
                self.refusal = self.refusal or error
            else:
                tell("failed", tuple(waiting), error.message)
        except DockpassError as error:
            tell("failed", tuple(waiting), error.message)
            if error.id != "answer-refused":  # no answer at all: the next ones would get none either
                self.refusal = self.refusal or error

    async def _carry_out(self, deletion: Deletion, waiting: set[str], tell: Tell) -> None:
        for tag in deletion.tags:
            if await self._points_elsewhere(tag, deletion.digest):
                tell("moved", [tag], "it points elsewhere now, and was left alone")
        if not deletion.whole:
            for tag in sorted(waiting):
                existed = await self._client.delete_tag(self._path, tag)
                tell(*await self._seen(tag, deletion.digest, existed=existed, of=[tag]))
        elif deletion.digest in self._needed:
            newcomer = self._needed[deletion.digest]
            tell("kept", tuple(waiting), f"{newcomer} has come to need the same image since")
        elif waiting:
            existed = await self._client.delete_digest(self._path, deletion.digest)
            tell(*await self._seen(min(waiting), deletion.digest, existed=existed, of=tuple(waiting)))

    async def _seen(
        self, tag: str, digest: str, *, existed: bool, of: Sequence[str]
    ) -> tuple[str, Sequence[str], str]:
        """Look for one of the tags again: only what is seen to be gone was deleted."""
        if not existed:
            return "gone", of, ""
        try:
            still = await self._client.manifest(self._path, tag)
        except DockpassError as error:
            absent = isinstance(error, RegistryError) and error.answer.status == 404
            return "deleted", of, "" if absent else f"but not looked for again: {error.message}"
        if still.digest == digest:
            return "failed", of, "the registry said that it deleted it, and it is still there"
        return "deleted", of, ""

    async def _points_elsewhere(self, tag: str, digest: str) -> bool:
        try:
            return (await self._client.manifest(self._path, tag)).digest != digest
        except RegistryError as error:
            if error.answer.status == 404:
                return False  # gone already, which the deletion will tell
            raise


async def _needed_now(client: RegistryClient, path: str, plan: DeletionPlan) -> dict[str, str]:
    """Return the digests that tags need now which are not to go, each with such a tag.

    The plan spares what they needed when it was made; but a rollback, for example, puts a kept tag
    back on an old digest that is about to go.
    """
    going = {row.info.tag for row in plan.rows if row.deletes}
    needed: dict[str, str] = {}

    async def look(tag: str) -> None:
        try:
            manifest = await client.manifest(path, tag)
        except DockpassError as error:
            _problem(error)
            return
        needed.update(dict.fromkeys((manifest.digest, *_children(manifest)), tag))

    staying = [tag for tag in await client.tags(path) if tag not in going]
    await _each(staying, look, READS)
    return needed


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
        _raise_first(errors)


def _raise_first(errors: BaseExceptionGroup[DockpassError]) -> NoReturn:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    raise error from None


def parse_time(value: object) -> datetime | None:
    """Parse RFC 3339 as image configs have it; None for what is none, or for no real time.

    Reproducible builds write 1970 or 1980, which says nothing of an image's age.
    """
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None and found.year > 1980 else None


def _problem(error: DockpassError) -> str:
    """Return what is wrong with one image; raises what is the registry's or the login's fault."""
    if isinstance(error, RegistryError):
        if error.answer.code in _BROKEN or error.answer.status == 404:
            return error.answer.in_words
    elif error.id == "answer-refused":
        return error.message
    raise error


def _youngest(ages: Sequence[datetime | None]) -> datetime | None:
    """Return the latest time; None if one is not known."""
    known = [age for age in ages if age]
    return max(known) if known and len(known) == len(ages) else None


def _children(*manifests: Manifest) -> tuple[str, ...]:
    """Return the digests that indexes list, in order and each once."""
    return tuple(
        dict.fromkeys(
            digest for manifest in manifests for digest in digests_in(manifest.data.get("manifests"))
        )
    )


def _is_attestation(entry: object) -> bool:
    """Tell whether BuildKit put this entry beside its image: it has no platform, and no age of its own."""
    platform = entry.get("platform") if isinstance(entry, dict) else None
    return isinstance(platform, dict) and platform.get("os") == "unknown"


def _size(manifest: Manifest) -> int:
    layers: Any = manifest.data.get("layers")
    listed = layers if isinstance(layers, list) else []
    sizes = (layer.get("size") for layer in listed if isinstance(layer, dict))
    return sum(size for size in sizes if isinstance(size, int))
