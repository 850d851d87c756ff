"""What the tags of a repository need while some of them are deleted: looked at again before each batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice

from dockpass.cleanup.plan import DeletionPlan, TagInfo
from dockpass.cleanup.reading import TagReader
from dockpass.errors import DockpassError
from dockpass.registry.client import RegistryClient
from dockpass.registry.workers import each

READS = 64
IN_TURN = 32
"""How many of the tags that are to go are looked at with those that stay."""


class Watch:
    """Knows which digests are needed now, and by which tag that stays; what was needed once stays needed.

    A tag that is to go is of no account as long as it points where the plan saw it; once it points
    elsewhere, or is not deleted after all, it stays. The first look is at all tags. After it the tags that
    stay and new ones are looked at each time, and those that are to go in turn: looking at all of them
    before every batch would take longer than deleting them, and grow with the square of their number.
    """

    def __init__(self, client: RegistryClient, path: str, plan: DeletionPlan) -> None:
        self._client = client
        self._path = path
        self._reader = TagReader(client, path)
        self._infos = {row.info.tag: row.info for row in plan.rows}
        self._pending = {row.info.tag for row in plan.rows if row.deletes}
        self._in_turn = deque(sorted(self._pending))
        self._deleted: set[str] = set()
        self._gone: set[str] = set()
        self._needed: dict[str, str] = {}
        self._doubts: dict[str, str] = {}
        self._telling: bool | None = None
        for info in self._infos.values():
            if info.tag not in self._pending:
                self._add_needs(info)

    @property
    def gone(self) -> tuple[TagInfo, ...]:
        """Tags that were to stay and are not there any more."""
        return tuple(self._infos[tag] for tag in sorted(self._gone))

    async def renew(self) -> None:
        """List the tags again, and look at each that may have moved; raises where that cannot be done.

        A tag whose image cannot be read now is a doubt until it can be read again. A list that leaves out a
        tag that is there may leave out others, so it counts as one that failed.
        """
        listed = frozenset(await self._client.tags(self._path))
        self._gone -= listed  # somebody put it back
        wanted = (listed | self._infos.keys()) - self._gone
        if self._telling is None:
            await self._find_out_whether_it_tells(sorted(wanted))
        else:
            wanted -= (self._pending & listed) - self._next_in_turn()
        missing: list[str] = []
        unlisted: list[str] = []
        self._doubts = {}

        async def look(tag: str) -> None:
            is_there = await self._is_unmoved(tag) or await self._read(tag, missing)
            if is_there and tag not in listed:
                unlisted.append(tag)

        await each(sorted(wanted), look, READS)
        if missing or unlisted:
            listed = frozenset(await self._client.tags(self._path))
        for tag in sorted(set(unlisted) - listed):
            if (await self._client.look(self._path, tag)).digest:
                raise list_incomplete(tag)
        for tag in missing:
            if tag in listed:
                self._doubts[tag] = "is listed but was not found"
            elif tag in self._infos and tag not in self._pending:
                self._gone.add(tag)

    def is_pending(self, tag: str) -> bool:
        """Tell whether a tag still points where the plan saw it, as far as is known."""
        return tag in self._pending

    def why_needed(self, digest: str, *, whole: bool) -> str:
        """Return why a digest may not be deleted, or not lose its last tag; empty where it may.

        `whole` says that every tag on it would go.
        """
        sibling = self.on(digest)
        if sibling and not whole:
            return ""
        if sibling or digest in self._needed:
            return f"{(*sibling, self._needed.get(digest, ''))[0]} now uses the same image"
        if self._doubts:
            tag = min(self._doubts)
            return f"{tag} {self._doubts[tag]}; it may need this image"
        return ""

    def on(self, digest: str) -> tuple[str, ...]:
        """Return the tags that stay and point at a digest."""
        found = (tag for tag, info in self._infos.items() if info.digest == digest)
        return tuple(sorted(tag for tag in found if tag not in self._pending and tag not in self._gone))

    def needing(self, digest: str) -> TagInfo | None:
        """Return a tag that stays and needs a digest that is not its own."""
        info = self._infos.get(self._needed.get(digest, ""))
        return info if info and info.digest != digest else None

    def is_deleted(self, tag: str) -> None:
        """Take note that a tag is not there any more; where it is listed again, it is a new one."""
        self._pending.discard(tag)
        self._gone.discard(tag)
        self._deleted.add(tag)
        self._infos.pop(tag, None)

    def stays(self, tag: str) -> None:
        """Take note that a tag that was to go stays, with all that its image needs."""
        if tag in self._pending:
            self._pending.discard(tag)
            self._add_needs(self._infos[tag])

    def _next_in_turn(self) -> set[str]:
        """Return the tags that are to go whose turn it is, those looked at longest ago."""
        self._in_turn = deque(tag for tag in self._in_turn if tag in self._pending)
        taken = set(islice(self._in_turn, IN_TURN))
        self._in_turn.rotate(-len(taken))
        return taken

    async def _find_out_whether_it_tells(self, tags: Iterable[str]) -> None:
        """Find out by the tags that stay whether a look without a body tells where they point."""
        agreed: list[bool] = []

        async def compare(tag: str) -> None:
            told = await self._client.current_digest(self._path, tag)
            seen = await self._client.look(self._path, tag)
            agreed.append(not seen.digest or not told or told == seen.digest)

        await each([tag for tag in tags if tag not in self._pending][:READS], compare, READS)
        self._telling = all(agreed)

    async def _is_unmoved(self, tag: str) -> bool:
        info = self._infos.get(tag)
        if info is None or not info.digest or info.doubt or not self._telling:
            return False
        return await self._client.current_digest(self._path, tag) == info.digest

    async def _read(self, tag: str, missing: list[str]) -> bool:
        """Read a tag that may have moved; return whether it is there."""
        known = self._infos.get(tag)
        seen = await self._client.look(self._path, tag)
        if seen.status == 404:
            if tag not in self._deleted:
                missing.append(tag)
            return False
        if known and known.digest and seen.digest == known.digest and not known.doubt:
            return True
        info = await self._reader.read(tag, seen)
        self._pending.discard(tag)
        self._deleted.discard(tag)
        self._infos[tag] = info
        self._add_needs(info)
        if info.doubt:
            self._doubts[tag] = f"cannot be read ({info.doubt})"
        return True

    def _add_needs(self, info: TagInfo) -> None:
        for digest in filter(None, (info.digest, *info.needs)):
            self._needed.setdefault(digest, info.tag)


def list_incomplete(tag: str) -> DockpassError:
    """Return the error for a list of tags without one that the registry has."""
    return DockpassError(
        "tag-list-incomplete",
        f"The registry's tag list leaves out {tag}, which exists, so other tags may be missing from it too.",
        "Nothing more is deleted: a tag that is not listed may need what would go. Run the cleanup again when"
        " the registry lists all tags.",
    )
