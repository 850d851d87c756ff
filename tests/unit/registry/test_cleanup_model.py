"""The whole cleanup on a registry that exists in memory only: whatever happens meanwhile and whatever fails,
no tag that stays loses what it needed well before, and no outcome is false."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fakeregistry import IMAGE, INDEX, digest_of
from hypothesis import given, settings
from hypothesis import strategies as st

from dockpass.errors import DockpassError
from dockpass.registry.contents import Seen, read_content
from dockpass.registry.deletion import DeletionPlan, Policy, plan_deletion
from dockpass.registry.execution import DELETES, TagResult, execute
from dockpass.registry.failures import Answer, RegistryError, error_of
from dockpass.registry.survey import survey

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)


def error(status: int, code: str) -> RegistryError:
    return error_of("request", "model.example", Answer("registry", status, code, "as the test says"))


@dataclass
class Habits:
    """How a registry behaves: `takes_along` deletes the manifest with its tag, `heads` tells of tags."""

    single: bool = True
    takes_along: bool = False
    heads: bool = True
    fails: Mapping[int, int] = field(default_factory=dict)  # which request is answered by which status
    locked: Mapping[str, int] = field(default_factory=dict)  # which tag's image by which status
    idle: frozenset[str] = frozenset()  # deletions of these tags' images are accepted, and not done
    unreadable: frozenset[str] = frozenset()


@dataclass
class Model:
    """A repository, and what a test checks at each deletion. `moves` are what others do, by deletions done."""

    habits: Habits
    moves: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    since: dict[str, tuple[int, int]] = field(default_factory=dict)  # by requests and by deletions
    looked: int | None = None
    deleted_since: bool = False
    requests: int = 0
    deletions: int = 0
    planned: dict[str, str] = field(default_factory=dict)
    bad: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def put(self, data: object) -> str:
        raw = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.manifests[digest_of(raw)] = raw
        return digest_of(raw)

    def tag(self, name: str, digest: str) -> None:
        """Put a tag on a digest that is there; without one, take it away."""
        if not digest:
            self.tags.pop(name, None)
        if digest in self.manifests:
            self.tags[name] = digest
            self.since[name] = (self.requests, self.deletions)

    def below(self, digest: str) -> set[str]:
        """Everything that a digest needs, read as the most generous reader would."""
        found, waiting = set[str](), [digest]
        while waiting:
            raw = self.manifests.get(waiting.pop(), b"")
            new = {other for other in self.manifests if other[7:].encode() in raw} - found
            found |= new
            waiting.extend(new)
        return found

    # What a client asks

    async def _begin(self, kind: str) -> None:
        await asyncio.sleep(0)
        self.requests += 1
        for done in [done for done in self.moves if self.planned and self.deletions >= done]:
            for name, digest in self.moves.pop(done):
                self.tag(name, digest)
        if kind == "list" and (self.looked is None or self.deleted_since):
            self.looked, self.deleted_since = self.requests, False
        status = self.habits.fails.get(self.requests, 0)
        if status and not (kind == "delete" and status == 404):
            raise error(status, "UNKNOWN") if status != 599 else DockpassError("no-answer", "No answer came.")

    async def tags_of(self) -> list[str]:
        await self._begin("list")
        return sorted(self.tags)

    async def look(self, path: str, reference: str) -> Seen:
        await self._begin("look")
        digest = self.tags.get(reference, reference)
        if digest not in self.manifests:
            return Seen(status=404, problem="404 MANIFEST_UNKNOWN", absent=True)
        if reference in self.habits.unreadable:
            return Seen(status=0, problem="it is compressed")
        return read_content(self.manifests[digest], digest, "", claimed=True)

    async def current_digest(self, path: str, tag: str) -> str:
        try:
            await self._begin("head")
        except DockpassError:
            return ""
        return self.tags.get(tag, "") if self.habits.heads else ""

    async def config(self, path: str, digest: str) -> dict[str, str]:
        return {"created": LONG_AGO.isoformat()}

    async def delete_digest(self, path: str, digest: str) -> bool:
        await self._begin("delete")
        return self._delete(digest, [tag for tag, found in self.tags.items() if found == digest])

    async def delete_tag(self, path: str, tag: str) -> bool:
        await self._begin("delete")
        digest = self.tags.get(tag, "")
        if self.habits.takes_along and digest:
            along = [other for other, on in self.tags.items() if on == digest]
            done = self._delete(digest, along)
            self.lost += [other for other in along if other not in self.tags and other != tag]
            return done
        return self._delete("", [tag] if digest else [])

    def _delete(self, digest: str, tags: list[str]) -> bool:
        self.deletions += 1
        self.deleted_since = True
        for tag in tags:
            if tag in self.habits.locked:
                raise error(self.habits.locked[tag], "LOCKED")
        if not tags and digest not in self.manifests:
            return False
        if self.habits.idle.intersection(tags):
            return True
        if digest and not self.habits.takes_along:
            self._check(digest)
        for tag in tags:
            del self.tags[tag]
        self.manifests.pop(digest, None)
        return True

    def _check(self, digest: str) -> None:
        """No tag that stays may have needed this digest when the look before it began, or 8 deletions ago."""
        for tag, on in self.tags.items():
            goes = self.planned.get(tag) == on
            requests, deletions = self.since[tag]
            seen = requests < (self.looked or 0) or deletions < self.deletions - DELETES
            if not goes and seen and (digest == on or digest in self.below(on)):
                self.bad.append(f"{tag} needed {digest}")


class Client:
    """The model as the code under test sees it."""

    def __init__(self, model: Model) -> None:
        self.look = model.look
        self.current_digest = model.current_digest
        self.config = model.config
        self.delete_digest = model.delete_digest
        self.delete_tag = model.delete_tag
        self._model = model

    async def tags(self, path: str) -> list[str]:
        return await self._model.tags_of()


def image(number: int, **extra: Any) -> dict[str, Any]:
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "c" * 64}
    return {"mediaType": IMAGE, "config": config, "layers": [{"size": number}], **extra}


NAMES = [*(f"old-{number:02}" for number in range(22)), *(f"keep-{number}" for number in range(6))]


@st.composite
def models(draw: st.DrawFn) -> Model:
    """Draw a repository of images, indexes of any depth, artifacts, broken manifests, and what happens."""
    tag_names = st.sampled_from(NAMES)
    habits = Habits(
        single=draw(st.booleans()),
        heads=draw(st.booleans()),
        takes_along=draw(st.integers(0, 5)) == 0,
        fails=draw(
            st.dictionaries(st.integers(30, 200), st.sampled_from([500, 503, 403, 599]), max_size=3)
            if draw(st.booleans())
            else st.just({})
        ),
        locked=draw(st.dictionaries(tag_names, st.sampled_from([409, 412, 423, 500]), max_size=3)),
        idle=draw(st.frozensets(tag_names, max_size=1)),
        unreadable=draw(st.frozensets(tag_names, max_size=1)) if draw(st.booleans()) else frozenset(),
    )
    model = Model(habits)
    count = draw(st.integers(2, 14))
    digests: list[str] = [model.put(image(number)) for number in range(count)]
    for number in range(draw(st.integers(0, 8))):
        digests.append(model.put(draw(manifests(number, digests))))
    for number, digest in enumerate(digests):
        kept = number >= count and draw(st.booleans())
        if kept:
            model.tag(f"keep-{number % 6}", digest)
        elif draw(st.integers(0, 3)):
            model.tag(f"old-{number:02}", digest)
    for name in draw(st.lists(tag_names, unique=True, max_size=3)):
        model.tag(name, draw(st.sampled_from(digests)))
    for digest in draw(st.lists(st.sampled_from(digests), max_size=2)):
        model.tag(f"sha256-{digest[7:]}.sig", draw(st.sampled_from(digests)))
    moves = draw(
        st.lists(
            st.tuples(st.integers(0, 4), st.sampled_from([*NAMES, "new"]), st.sampled_from([*digests, ""])),
            max_size=4,
        )
    )
    for at, name, digest in moves:
        model.moves.setdefault(at, []).append((name, digest))
    return model


@st.composite
def manifests(draw: st.DrawFn, number: int, digests: list[str]) -> bytes:
    """Draw a manifest that names others: an index, an artifact, or one that no strict reader takes."""
    listed = draw(st.lists(st.sampled_from(digests[-6:]), min_size=1, max_size=3))
    types = st.sampled_from([IMAGE, INDEX, ""])
    data: dict[str, Any] = {
        "mediaType": INDEX,
        "manifests": [{"mediaType": draw(types), "digest": digest} for digest in listed],
        "annotations": {"n": str(number)},
    }
    kind = draw(st.sampled_from(["index", "index", "index", "subject", "twice", "other case"]))
    if kind == "subject":
        data = image(number, subject={"digest": listed[0]})
    elif kind == "other case":
        data = {"layers": [], "Manifests": data["manifests"]}
    raw = json.dumps(data).encode()
    return b'{"mediaType": "x", ' + raw[1:] if kind == "twice" else raw


async def clean_up(model: Model) -> tuple[DeletionPlan | None, list[TagResult], DockpassError | None]:
    client: Any = Client(model)
    results: list[TagResult] = []
    plan = None

    def told(result: TagResult) -> None:
        results.append(result)
        now = model.tags.get(result.tag, "")
        true = {
            "deleted": not now,
            "gone": not now,
            "lost": not now,
            "moved": now not in {"", result.digest},
            "failed": bool(now),
        }
        if not true.get(result.outcome, True):
            model.bad.append(f"{result} is false")

    try:
        tags = await survey(client, "r", lambda done, total: None)
        plan = plan_deletion(tags, Policy(NOW, match="old-.*"), single_tags=model.habits.single)
        model.planned = {row.info.tag: row.info.digest for row in plan.rows if row.deletes}
        model.looked = None
        await execute(client, "r", plan, told)
    except DockpassError as failure:
        return plan, results, failure
    return plan, results, None


@settings(max_examples=250, deadline=None)
@given(models())
def test_no_tag_that_stays_loses_anything_and_no_outcome_is_false(model: Model) -> None:
    before = {tag: (digest, model.below(digest)) for tag, digest in model.tags.items()}
    plan, results, failure = asyncio.run(clean_up(model))
    assert model.bad == []
    told = [result.tag for result in results if result.outcome != "lost"]
    assert len(told) == len(set(told))
    if plan is None:
        assert model.deletions == 0
        return
    assert set(told) <= model.planned.keys()
    if failure is None:
        assert set(told) == model.planned.keys()
    for tag, (digest, needed) in before.items():
        if model.tags.get(tag) == digest and model.since[tag] == (0, 0) and not model.habits.takes_along:
            assert {digest, *needed} <= model.manifests.keys(), f"{tag} is left without what it needs"
    if model.lost:
        kept = [tag for tag in model.lost if tag not in model.planned]
        assert not kept or {result.tag for result in results if result.outcome == "lost"} & set(kept)
