"""Reads what a tag stands for: its image, how old that is, and every digest that it needs, at any depth."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dockpass.cleanup.plan import TagInfo
from dockpass.errors import DockpassError
from dockpass.registry.client import RegistryClient
from dockpass.registry.contents import INDEX_TYPES, MEDIA_TYPES, MOST_NAMED, Manifest, Seen, digests_in
from dockpass.registry.failures import RegistryError

MOST_IMAGES = 50
"""An index with more is no image for several platforms; its age is not looked up."""
MOST_NEEDED = 1000
"""Manifests that one tag may need; of more it counts as not known what they need."""

_BROKEN = frozenset({"MANIFEST_UNKNOWN", "BLOB_UNKNOWN", "NAME_UNKNOWN", "MANIFEST_INVALID", "NOT_FOUND"})
_IMAGE_CONFIGS = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
_IMAGE_TYPES = frozenset(MEDIA_TYPES) - {*INDEX_TYPES}
# What BuildKit's cache lists in an index: layers and a config, which need no manifests.
_BLOB_TYPE = re.compile(r"\.(?:layer|rootfs|config|cacheconfig)\b")
_CREATED = "org.opencontainers.image.created"


@dataclass(frozen=True, slots=True)
class _Link:
    """A digest that a manifest names; `nests` says that it may need others, `ages` that it is an image."""

    digest: str
    nests: bool
    ages: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """One manifest: what it names, and where its age is found."""

    links: tuple[_Link, ...] = ()
    is_index: bool = False
    config: str = ""
    created: datetime | None = None
    size: int = 0
    twin: str = ""
    problem: str = ""
    known: bool = True
    there: bool = True


class TagReader:
    """Reads tags of one repository; manifests and configs that several of them share are read once."""

    def __init__(self, client: RegistryClient, path: str) -> None:
        self._client = client
        self._path = path
        self._nodes: dict[str, _Node] = {}
        self._ages: dict[str, datetime | None] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def read(self, tag: str, seen: Seen | None = None) -> TagInfo:
        """Read a tag, looked at already or not; raises where the registry or the login is at fault."""
        seen = seen or await self._client.look(self._path, tag)
        top = _node(seen)
        if seen.digest and top.known:
            self._nodes[seen.digest] = top
        subject = next(iter(digests_in([seen.manifest.data.get("subject")])), "") if seen.manifest else ""
        found, doubt = await self._needed(top)
        created, problem = None, top.problem or doubt
        images = self._images(top)
        if not problem:
            try:
                created = _youngest([await self._created(image) for image in images])
            except DockpassError as error:
                problem = problem_of(error)
        return TagInfo(
            tag,
            seen.digest,
            created,
            sum(image.size for image in images),
            tuple(digest for digest in found if digest != seen.digest),
            subject,
            seen.twin,
            problem,
            doubt,
        )

    async def _needed(self, top: _Node) -> tuple[list[str], str]:
        """Return every digest that is needed below, and why it is not known whether these are all."""
        found: dict[str, None] = {}
        waiting = list(top.links)
        doubt = "" if top.known else top.problem
        for link in waiting:  # grows meanwhile
            if link.digest in found:
                continue
            if len(found) == MOST_NEEDED:
                return list(found), f"it needs more than {MOST_NEEDED:,} others"
            found[link.digest] = None
            node = await self._at(link.digest)
            waiting.extend(node.links)
            if node.twin:
                found[node.twin] = None
            if not node.known and (node.there or link.nests):
                doubt = doubt or f"{link.digest[:19]}, which it lists, cannot be read: {node.problem}"
        return list(found), doubt

    async def _at(self, digest: str) -> _Node:
        async with self._locks.setdefault(digest, asyncio.Lock()):
            if digest in self._nodes:
                return self._nodes[digest]
            node = _node(await self._client.look(self._path, digest))
            if node.known and node.there:  # what is not there may come, and what could not be read may heal
                self._nodes[digest] = node
            return node

    def _images(self, top: _Node) -> list[_Node]:
        """Return the images that a manifest stands for: itself, or those of an index that are there."""
        if not top.is_index:
            return [top]
        found: dict[str, _Node] = {}
        waiting = [link.digest for link in top.links if link.ages]
        for digest in waiting:
            node = self._nodes.get(digest)
            if node is None or not node.there or digest in found:
                continue
            found[digest] = node
            if node.is_index:
                waiting.extend(link.digest for link in node.links if link.ages)
        images = [node for node in found.values() if not node.is_index]
        return images if len(images) <= MOST_IMAGES else []

    async def _created(self, image: _Node) -> datetime | None:
        if not image.config:
            return image.created
        async with self._locks.setdefault(image.config, asyncio.Lock()):
            if image.config not in self._ages:
                content = await self._client.config(self._path, image.config)
                self._ages[image.config] = parse_time(content.get("created"))
            return self._ages[image.config]


def _node(seen: Seen) -> _Node:
    """Return what a look found of one manifest.

    One that cannot be read, or is of a format that is not known here, needs every digest that it names.
    """
    manifest = seen.manifest
    named = [_Link(digest, nests=False, ages=False) for digest in sorted(seen.named or ())]
    if manifest is None:
        return _Node(
            links=tuple(named),
            twin=seen.twin,
            problem=seen.problem,
            known=seen.named is not None,
            there=not seen.absent,
        )
    links = [_link(entry, ages=not _is_attestation(entry)) for entry in _entries(manifest)]
    subjects = digests_in([manifest.data.get("subject")])
    links += [_Link(digest, nests=False, ages=False) for digest in subjects]
    known = manifest.is_standard or seen.named is not None
    if not manifest.is_standard:
        links += named
    config = manifest.data.get("config")
    is_image = isinstance(config, dict) and config.get("mediaType", _IMAGE_CONFIGS[0]) in _IMAGE_CONFIGS
    annotations = manifest.data.get("annotations")
    return _Node(
        links=tuple(links),
        is_index=manifest.is_index,
        config=str(config.get("digest")) if isinstance(config, dict) and is_image else "",
        created=parse_time(annotations.get(_CREATED)) if isinstance(annotations, dict) else None,
        size=_size(manifest),
        twin=seen.twin,
        problem="" if known else f"it names more than {MOST_NAMED:,} digests",
        known=known,
    )


def _entries(manifest: Manifest) -> list[dict[str, Any]]:
    """Return the descriptors of an index, each of which has a valid digest."""
    return [entry for entry in manifest.data.get("manifests") or () if digests_in([entry])]


def _link(entry: dict[str, Any], *, ages: bool) -> _Link:
    kind = entry.get("mediaType")
    is_leaf = isinstance(kind, str) and (kind in _IMAGE_TYPES or _BLOB_TYPE.search(kind) is not None)
    return _Link(str(entry["digest"]), not is_leaf, ages)


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


def problem_of(error: DockpassError) -> str:
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


def _is_attestation(entry: object) -> bool:
    """Tell whether BuildKit put this entry beside its image: it has no platform, and no age of its own."""
    platform = entry.get("platform") if isinstance(entry, dict) else None
    return isinstance(platform, dict) and platform.get("os") == "unknown"


def _size(manifest: Manifest) -> int:
    layers: Any = manifest.data.get("layers")
    listed = layers if isinstance(layers, list) else []
    sizes = (layer.get("size") for layer in listed if isinstance(layer, dict))
    return sum(size for size in sizes if isinstance(size, int))
