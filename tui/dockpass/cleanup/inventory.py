"""Reads every tag of a repository, for a plan of what to delete."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from dockpass.cleanup.plan import TagInfo
from dockpass.cleanup.reading import TagReader
from dockpass.registry.client import RegistryClient
from dockpass.registry.failures import RegistryError
from dockpass.registry.workers import each

READS = 64

Progress = Callable[[int, int], None]


async def survey(client: RegistryClient, path: str, progress: Progress) -> list[TagInfo]:
    """Read every tag's manifest and config, 64 at a time; a tag that cannot be read says why.

    Any failure but a broken image ends the survey: half of it is nothing to plan with. A tag that is gone
    before it was read is left out, if the registry no longer lists it.
    """
    tags = await client.tags(path)
    reader = TagReader(client, path)
    found: list[TagInfo] = []
    progress(0, len(tags))

    async def read(tag: str) -> None:
        found.append(await reader.read(tag))
        progress(len(found), len(tags))

    await each(tags, read, READS)
    if any(info.doubt and not info.digest for info in found):
        listed = frozenset(await client.tags(path))
        found = [info for info in found if info.digest or info.tag in listed]
    return sorted(found, key=lambda info: info.tag)


async def can_delete_single_tags(client: RegistryClient, path: str) -> bool | None:
    """Tell whether the registry can delete one tag alone, asked with a tag that does not exist.

    None if its answer does not tell, for example because this login may not delete at all.
    """
    try:
        await client.delete_tag(path, f"dockpass-asks-{secrets.token_hex(8)}")
    except RegistryError as error:
        return False if error.id == "tag-deletion-unsupported" else None
    return True
