"""Carries out a deletion plan in small batches, each after a new look; tells tag by tag what was seen."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dockpass.cleanup.plan import DeletionPlan
from dockpass.cleanup.watch import Watch
from dockpass.errors import DockpassError
from dockpass.registry.client import RegistryClient, TooManyRequests
from dockpass.registry.failures import RegistryError
from dockpass.registry.retry import MOST_WAITS, Sleep, pause_after, wait
from dockpass.registry.workers import each

DELETES = 8
"""Requests to delete that follow one look."""
SECONDS = 2.0
"""How long after a look a request to delete may still be sent."""
LOOKS = 8

_UNREAD = "it was not deleted, because it could not be read"

_REFUSALS = frozenset({401, 403, 429})
_OFF = frozenset({405, 501})


@dataclass(frozen=True, slots=True)
class TagResult:
    """What became of one tag: deleted, gone, moved, kept, failed, unknown or lost.

    `deleted` and `gone` mean that the tag was looked for and is not there: because of this run, or without
    it. `unknown` means that it could not be looked for. `lost` is a tag that was to stay and is not there, or
    is not whole; one that was to go is lost only if this run deleted the image to which it was moved.
    """

    tag: str
    digest: str
    outcome: str
    detail: str = ""


async def execute(
    client: RegistryClient,
    path: str,
    plan: DeletionPlan,
    on_result: Callable[[TagResult], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Delete what the plan lets go, at most 8 requests or 2 seconds after a look at all the tags.

    Raises the refusal after which nothing more is begun: 401, 403, no answer, a 405 before anything was
    deleted, a look that failed, or a kept tag that went along. What was done until then has been told by
    `on_result`. Until one request has succeeded they go alone, so that a login that may not delete is
    refused once and not eight times; so do the first deletion of a single tag and the first of an image whose
    parts a kept one needs too, which show what the registry takes along.
    """
    if plan.deletions:
        await _Execution(client, path, plan, on_result, clock, sleep).run()


@dataclass(frozen=True, slots=True)
class _Step:
    """One request: a digest with all these tags, or its only tag alone."""

    digest: str
    tags: tuple[str, ...]
    whole: bool
    waits: int = 0


class _Execution:
    def __init__(
        self,
        client: RegistryClient,
        path: str,
        plan: DeletionPlan,
        on_result: Callable[[TagResult], None],
        clock: Callable[[], float],
        sleep: Sleep,
    ) -> None:
        self._sleep = sleep
        self._client = client
        self._path = path
        self._on_result = on_result
        self._clock = clock
        self._watch = Watch(client, path, plan)
        self._waiting = deque(_steps(plan))
        self._planned = frozenset(tag for step in self._waiting for tag in step.tags)
        self._needs: dict[str, set[str]] = {}
        for row in plan.rows:
            self._needs.setdefault(row.info.digest, set()).update(row.info.needs)
        self._stop: DockpassError | None = None
        self._has_deleted = False
        self._single_tried = False
        self._shared_tried = False
        self._missing: set[str] = set()
        self._there: set[str] = set()
        self._cut: set[str] = set()
        self._lost: set[str] = set()
        self._looked = 0.0

    async def run(self) -> None:
        while self._waiting and not self._stop:
            batch = [step for step in await self._looked_up(self._next_batch()) if step.tags]
            await self._renew()
            ready = [step for step in batch if self._may_go(step)]
            await each(ready, self._carry_out, DELETES)
        if self._cut and not self._stop:
            await self._renew()
        if self._stop:
            raise self._stop

    def _next_batch(self) -> list[_Step]:
        """Take steps of which none needs another: what needs others is seen to be gone before them."""
        batch: list[_Step] = []
        below: set[str] = set()
        most = DELETES if self._has_deleted else 1
        while self._waiting and len(batch) < most:
            step = self._waiting[0]
            alone = self._shared_of(step) if step.whole else not self._single_tried
            if step.digest in below or (alone and batch):
                break
            batch.append(self._waiting.popleft())
            below |= self._needs.get(step.digest, set())
            if alone:
                break
        return batch

    async def _looked_up(self, batch: Sequence[_Step]) -> list[_Step]:
        """Look at each tag that is to go, and leave out those that moved or are gone."""
        found: list[_Step] = []

        async def look(step: _Step) -> None:
            there: list[str] = []

            async def look_at(tag: str) -> None:
                if await self._is_still_there(tag, step.digest):
                    there.append(tag)

            await each(step.tags, look_at, LOOKS)
            found.append(replace(step, tags=tuple(sorted(there))))

        await each(batch, look, DELETES)
        return sorted(found, key=lambda step: (step.digest, step.tags))

    async def _is_still_there(self, tag: str, digest: str) -> bool:
        try:
            seen = await self._client.look(self._path, tag)
            absent = seen.status == 404 and await self._is_absent(tag, sure=seen.absent)
        except RegistryError as error:
            if error.answer.status in _REFUSALS:
                raise
            self._tell(tag, digest, "unknown", f"{_UNREAD}: {error.answer.in_words}")
            return False
        if absent:
            self._tell(tag, digest, "gone", "")
        elif not seen.digest:
            is_there = seen.status in {200, 404}  # one that is listed, though not found
            self._tell(tag, digest, "failed" if is_there else "unknown", f"{_UNREAD}: {seen.problem}")
        elif seen.digest != digest:
            self._tell(tag, digest, "moved", "it now points to another image, so it was kept")
        return not absent and seen.digest == digest

    async def _renew(self) -> None:
        """Look again, and tell what was to stay and is gone; stop if this run may have taken it along."""
        await self._watch.renew()
        for info in self._watch.gone:
            if info.tag in self._lost:
                continue
            related = info.digest in self._cut or any(info.digest in self._needs[cut] for cut in self._cut)
            if related:
                self._is_lost(info.tag, info.digest)
            elif info.tag not in self._planned:
                self._lost.add(info.tag)
                words = "it should have been kept, but someone else removed it or moved it to a deleted image"
                self._on_result(TagResult(info.tag, info.digest, "lost", words))
        self._looked = self._clock()

    def _may_go(self, step: _Step) -> bool:
        if self._stop:
            return False
        why = self._watch.why_needed(step.digest, whole=step.whole)
        if not all(self._watch.is_pending(tag) for tag in step.tags):
            why = "it changed while other tags were deleted"
        if why:
            for tag in step.tags:
                self._tell(tag, step.digest, "kept", why)
        return not why

    async def _carry_out(self, step: _Step) -> None:
        if self._stop:
            return
        shared = await self._shared_part(step)
        if self._clock() - self._looked > SECONDS:
            self._there.add(shared)
            self._waiting.appendleft(step)
            return
        self._there.discard(shared)
        left = set(step.tags)
        try:
            existed, failure = await self._delete(step)
            if isinstance(failure, TooManyRequests) and await self._waited(step, failure):
                return
            if failure is not None and self._ends_the_run(failure):
                self._stop = self._stop or failure
            if not (isinstance(failure, RegistryError) and failure.answer.status < 500):
                self._cut.add(step.digest)
            await each(step.tags, lambda tag: self._see(step, tag, existed, failure, left), LOOKS)
            if not step.whole:
                await self._look_at_siblings(step)
            elif shared:
                self._shared_tried = True
                await self._look_at_part(shared)
        except asyncio.CancelledError:
            for tag in sorted(left):
                self._tell(tag, step.digest, "unknown", "the cleanup stopped while it was being deleted")
            raise

    async def _delete(self, step: _Step) -> tuple[bool, DockpassError | None]:
        """Send the request; return whether the registry says that it deleted, and its refusal."""
        self._single_tried = self._single_tried or not step.whole
        try:
            if step.whole:
                return await self._client.delete_digest(self._path, step.digest), None
            return await self._client.delete_tag(self._path, step.tags[0]), None
        except DockpassError as error:
            return False, error

    async def _waited(self, step: _Step, refused: TooManyRequests) -> bool:
        """Wait as the registry asks, and put the step back: there is a new look before it is tried again."""
        pause = pause_after(refused.response) if step.waits < MOST_WAITS else None
        if pause is None:
            return False
        await wait(refused.response, pause, step.waits + 1, self._sleep)
        self._waiting.appendleft(replace(step, waits=step.waits + 1))
        return True

    def _ends_the_run(self, error: DockpassError) -> bool:
        """Tell whether the next requests would fare no better; else it is about this image."""
        if not isinstance(error, RegistryError):
            return error.id != "answer-refused"
        answer = error.answer
        off = answer.status in _OFF or answer.code == "UNSUPPORTED" or error.id == "tag-deletion-unsupported"
        return answer.status in _REFUSALS or (off and not self._has_deleted)

    async def _see(
        self, step: _Step, tag: str, existed: bool, failure: DockpassError | None, left: set[str]
    ) -> None:
        """Look for a tag after the request, and tell what is seen; what a refusal ended is untouched."""
        words = _words_of(failure)
        try:
            seen = await self._client.look(self._path, tag)
            absent = seen.status == 404 and await self._is_absent(tag, sure=seen.absent)
        except DockpassError as error:
            words = "; ".join(filter(None, (words, f"it could not be checked again: {_words_of(error)}")))
            outcome = "unknown"
        else:
            if absent:
                outcome = "deleted" if existed else "gone"
            elif seen.digest == step.digest:
                if failure is not None and failure is self._stop:
                    return
                outcome = "failed"
                says = "it was deleted" if existed else "it does not exist"
                words = words or f"the registry said {says}, but it still exists"
            elif seen.digest:
                outcome, words = "moved", "it now points to another image"
            else:
                outcome, words = "unknown", f"it could not be checked again: {seen.problem}"
        left.discard(tag)
        self._has_deleted = self._has_deleted or outcome in {"deleted", "gone"}
        self._tell(tag, step.digest, outcome, words)

    async def _is_absent(self, tag: str, *, sure: bool) -> bool:
        """Tell whether a tag is absent; a 404 that may be anybody's counts only where the list agrees."""
        return sure or tag not in await self._client.tags(self._path)

    async def _look_at_siblings(self, step: _Step) -> None:
        """Look for the tags that share the digest and stay: some registries take them along."""
        for tag in self._watch.on(step.digest):
            if tag in step.tags or tag in self._lost:
                continue
            try:
                seen = await self._client.look(self._path, tag)
                absent = seen.status == 404 and await self._is_absent(tag, sure=seen.absent)
            except DockpassError as error:
                self._stop = self._stop or error
                return
            if absent and tag not in self._lost:
                self._is_lost(tag, step.digest)

    def _shared_of(self, step: _Step) -> list[str]:
        """Return what a step's image and a kept one both need, until it is seen what becomes of it."""
        needs = () if self._shared_tried or not step.whole else sorted(self._needs.get(step.digest, ()))
        return [digest for digest in needs if digest not in self._missing and self._watch.needing(digest)]

    async def _shared_part(self, step: _Step) -> str:
        """Return a part that a kept image needs too, and that is there now; empty without one.

        What was seen in a look that took so long that the step was put back is not looked for again, or it
        would be put back for ever.
        """
        for digest in self._shared_of(step)[:LOOKS]:
            if digest in self._there or (await self._client.look(self._path, digest)).digest:
                return digest
            self._missing.add(digest)  # an index may list what its registry never had
        return ""

    async def _look_at_part(self, digest: str) -> None:
        """Look for a part that stays: a registry may delete an index with all that it lists."""
        info = self._watch.needing(digest)
        try:
            seen = await self._client.look(self._path, digest)
        except DockpassError as error:
            self._stop = self._stop or error
            return
        if info and seen.status == 404:
            self._lost.add(info.tag)
            words = f"needs {digest}, which no longer exists since other tags were deleted"
            self._on_result(TagResult(info.tag, info.digest, "lost", f"it {words}"))
            self._stop = tags_lost(
                f"{info.tag} {words}.",
                "This registry deletes an index with everything that it lists. Push the image again from"
                " wherever you still have it, and use rules that keep each index that shares parts with it.",
            )

    def _is_lost(self, tag: str, digest: str) -> None:
        self._lost.add(tag)
        self._on_result(TagResult(tag, digest, "lost", "it should have been kept, but no longer exists"))
        if self._stop and self._stop.id == "kept-tag-lost":
            return
        self._stop = tags_lost(
            f"{tag} should have been kept, but no longer exists since other tags were deleted;"
            f" its digest was {digest}.",
            "Some registries delete the whole image with one of its tags. Push it again from wherever you"
            " still have it, and use rules that keep every tag of such an image.",
        )

    def _tell(self, tag: str, digest: str, outcome: str, detail: str) -> None:
        if outcome in {"deleted", "gone"}:
            self._watch.is_deleted(tag)
        else:
            self._watch.stays(tag)
        self._on_result(TagResult(tag, digest, outcome, detail))


def tags_lost(message: str, hint: str) -> DockpassError:
    """Return the error for kept tags that the registry no longer has."""
    return DockpassError("kept-tag-lost", message, hint)


def _steps(plan: DeletionPlan) -> list[_Step]:
    steps: list[_Step] = []
    for deletion in plan.deletions:
        groups = [deletion.tags] if deletion.whole else [(tag,) for tag in deletion.tags]
        steps.extend(_Step(deletion.digest, tags, deletion.whole) for tags in groups)
    return steps


def _words_of(error: DockpassError | None) -> str:
    """Return the registry's own words where there are any: they are about this image."""
    if isinstance(error, RegistryError):
        return error.answer.in_words
    return error.message if error else ""
