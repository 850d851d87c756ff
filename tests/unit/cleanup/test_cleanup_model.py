"""The whole cleanup on a registry that exists in memory only: whatever happens meanwhile and whatever fails,
no tag that stays loses what it needed well before, no outcome is false, and the exit status is true.

The repositories are small, so that everything meets: images shared by several tags, indexes of indexes,
artifacts, manifests that cannot be read, tags that move, and deletions that fail or only claim to succeed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from fakeregistry import IMAGE, INDEX, digest_of
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from dockpass.auth.command import Command
from dockpass.cleanup.execute import TagResult
from dockpass.cleanup.inventory import survey
from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.plan import DeletionPlan, Policy, plan_deletion
from dockpass.errors import DockpassError
from dockpass.registry.answer import Answer, Where
from dockpass.registry.client import TooManyRequests
from dockpass.registry.contents import Seen, read_content
from dockpass.registry.failures import RegistryError, error_of
from dockpass.registry.listing import Listing
from dockpass.registry.transport import Response
from dockpass.runs import cleanup
from dockpass.runs.events import TagDeleted
from dockpass.runs.feed import Feed
from dockpass.runs.job import Job

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)
PAGE = 10
BASE = "https://model.example"
REFUSALS = frozenset({401, 403, 429})


def error(status: int, code: str) -> RegistryError:
    return error_of("request", "model.example", Answer(Where.REGISTRY, status, code, "as the test says"))


def response(status: int, body: bytes = b"", url: str = BASE) -> Response:
    return Response(status, {}, (), body, url, "", lambda text: text)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How a registry behaves."""

    single: bool = True
    takes_along: bool = False
    """It deletes the manifest with any of its tags."""
    heads: bool = True
    cuts: bool = False
    """It ends its list after ten tags, and names no next page."""
    batch: int = 8
    fails: Mapping[int, int] = field(default_factory=dict)
    """Which request is answered by which status; 599 stands for no answer."""
    locked: Mapping[str, int] = field(default_factory=dict)
    """Which digest's deletion is refused with which status."""
    idle: frozenset[str] = frozenset()
    """Digests whose deletion is accepted, and not done."""
    denied: frozenset[str] = frozenset()
    """Digests whose deletion is done, and answered by 404."""
    broken: frozenset[str] = frozenset()
    """Digests whose deletion is done, and answered by 500."""
    hidden: frozenset[str] = frozenset()
    """Tags that are there and are answered by a page with 404 once something was deleted."""
    opaque: Mapping[str, int] = field(default_factory=dict)
    """Digests whose manifest cannot be read, from how many deletions on."""


@dataclass(kw_only=True)
class Model:
    """A repository, and what a test checks at each deletion.

    `moves` are what others do, each with how many deletions have to be done and how many requests come then.
    """

    habits: Habits = field(default_factory=Habits)
    moves: list[tuple[int, int, str, bytes]] = field(default_factory=list)
    manifests: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    since: dict[str, tuple[int, int]] = field(default_factory=dict)  # by requests and by deletions
    looked: int | None = None
    deleted_since: bool = False
    requests: int = 0
    requests_since: int = 0
    deletions: int = 0
    planned: dict[str, str] = field(default_factory=dict)
    by_us: set[str] = field(default_factory=set)
    by_others: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    along: set[str] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)
    bad: list[str] = field(default_factory=list)

    def put(self, raw: bytes) -> str:
        self.manifests[digest_of(raw)] = raw
        return digest_of(raw)

    def tag(self, name: str, raw: bytes, *, late: bool = False) -> None:
        """Push a manifest whose parts are all there under a tag; without one, take the tag away."""
        if not raw:
            if self.tags.pop(name, ""):
                self.by_others.add(name)
        elif all(part in self.manifests for part in NAMES_OF.get(raw, ())):
            self.tags[name] = self.put(raw)
            self.since[name] = (self.requests, self.deletions + late)

    def below(self, digest: str) -> set[str]:
        """Everything that a digest needs, read as the most generous reader would."""
        found, waiting = set[str](), [digest]
        while waiting:
            raw = self.manifests.get(waiting.pop(), b"")
            new = {other for other in self.manifests if other[7:].encode() in raw} - found
            found |= new
            waiting.extend(new)
        return found

    def plan_is(self, plan: DeletionPlan) -> None:
        """Take note of what is to go, and hold it against what the tags need that stay."""
        self.planned = {row.info.tag: row.info.digest for row in plan.rows if row.deletes}
        going = {deletion.digest for deletion in plan.deletions if deletion.whole}
        for tag in self.tags.keys() - self.planned.keys():
            needed = going & {self.tags[tag], *self.below(self.tags[tag])}
            if needed:
                self.bad.append(f"the plan takes {needed} from {tag}")

    # What a client asks

    async def _begin(self, kind: str) -> None:
        await asyncio.sleep(0)
        self.requests += 1
        self.requests_since += bool(self.planned)
        for move in list(self.moves):
            done, later, name, raw = move
            if self.planned and (self.deletions, self.requests_since) > (done, later):
                self.moves.remove(move)
                self.tag(name, raw, late=later > 0 or self.deletions > done)
        if kind == "list" and (self.looked is None or self.deleted_since):
            self.looked, self.deleted_since = self.requests, False
        status = self.habits.fails.get(self.requests, 0)
        if not status or (kind == "delete" and status == 404):
            return
        if kind != "head":
            self.ends.add(f"request {self.requests}: {kind} {status}")
        if status == 429 and kind == "delete":
            raise TooManyRequests(error(429, "TOOMANYREQUESTS"), response(429))
        raise error(status, "UNKNOWN") if status != 599 else DockpassError("no-answer", "No answer came.")

    async def page(self, target: str) -> Response:
        await self._begin("list")
        names = sorted(self.tags)
        if self.habits.cuts:
            after = target.partition("last=")[2]
            names = [name for name in names if name > after][:PAGE]
        return response(200, json.dumps({"name": "r", "tags": names}).encode(), BASE + target)

    async def look(self, path: str, reference: str) -> Seen:
        await self._begin("look")
        digest = self.tags.get(reference, reference)
        if digest not in self.manifests:
            return Seen(status=404, problem="404 MANIFEST_UNKNOWN", absent=True)
        if reference in self.habits.hidden and self.deletions:
            return Seen(status=404, problem="404 and a page")
        if self.deletions >= self.habits.opaque.get(digest, 1000):
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
        return self._delete(digest, [tag for tag, found in self.tags.items() if found == digest], whole=True)

    async def delete_tag(self, path: str, tag: str) -> bool:
        await self._begin("delete")
        digest = self.tags.get(tag, "")
        if not self.habits.takes_along:
            return self._delete(digest, [tag] if digest else [], whole=False)
        going = [other for other, on in self.tags.items() if digest and on == digest]
        done = self._delete(digest, going, whole=True)
        self.along |= {other for other in going if other not in self.tags} - self.planned.keys()
        return done

    def _delete(self, digest: str, tags: list[str], *, whole: bool) -> bool:
        self.deletions += 1
        self.requests_since = 0
        self.deleted_since = True
        if digest in self.habits.locked:
            status = self.habits.locked[digest]
            if status in REFUSALS or (status == 405 and not self.by_us):
                self.ends.add(f"{digest} {status}")
            raise error(status, "LOCKED")
        if not tags and digest not in self.manifests:
            return False
        if digest in self.habits.idle:
            return True
        if whole and not self.habits.takes_along:
            self._check(digest)
        for tag in tags:
            del self.tags[tag]
            self.by_us.add(tag)
        if whole:
            self.manifests.pop(digest, None)
            self.dropped.add(digest)
        if digest in self.habits.broken:
            raise error(500, "UNKNOWN")
        return digest not in self.habits.denied

    def _check(self, digest: str) -> None:
        """No tag that stays may have needed this digest when the look before it began, or a batch ago."""
        for tag, on in self.tags.items():
            goes = self.planned.get(tag) == on
            requests, deletions = self.since[tag]
            seen = requests < (self.looked or 0) or deletions <= self.deletions - self.habits.batch
            if not goes and seen and (digest == on or digest in self.below(on)):
                self.bad.append(f"{tag} needed {digest}")

    def told(self, result: TagResult) -> None:
        """Hold one outcome against what is so at that moment."""
        now = self.tags.get(result.tag, "")
        ambiguous = result.digest in self.habits.broken | self.habits.denied
        true = {
            "deleted": not now
            and (
                result.tag in self.by_us
                or (result.tag in self.by_others and result.digest in self.dropped | self.habits.idle)
            ),
            "gone": not now
            and (result.tag not in self.by_us or ambiguous or self.since[result.tag] != (0, 0)),
            "lost": not now,
            "moved": now not in {"", result.digest},
            "kept": bool(now) or result.tag in self.by_others,
            "failed": bool(now),
            "unknown": True,
        }
        if not true[result.outcome]:
            self.bad.append(f"{result} is false")


class Client:
    """The model as the code under test sees it."""

    def __init__(self, model: Model) -> None:
        self.look = model.look
        self.current_digest = model.current_digest
        self.config = model.config
        self.delete_digest = model.delete_digest
        self.delete_tag = model.delete_tag
        self._page = model.page

    async def tags(self, path: str) -> list[str]:
        return await Listing(path, lambda page: None).read(self._page)


# Repositories

NAMES_OF: dict[bytes, tuple[str, ...]] = {}
"""Which digests a manifest of these tests names."""


def image(number: int, **extra: Any) -> dict[str, Any]:
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "c" * 64}
    return {"mediaType": IMAGE, "config": config, "layers": [{"size": number}], **extra}


OLD = [f"old-{number}" for number in range(6)]
LATER = 6
"""The number of the first manifest that is pushed while the cleanup goes on; these name others."""
STAYING = ["stays-0", "stays-1"]
one_of = st.sampled_from


@st.composite
def manifests(draw: st.DrawFn, number: int, digests: list[str]) -> bytes:
    """Draw an image, or what names others: an index, an artifact, or one that few readers take."""
    kinds = ["image"] * (number < LATER) + ["index"] * 5 + ["subject", "twice", "other case", "unusual"]
    kind = draw(one_of(kinds)) if digests else "image"
    if kind == "image":
        return json.dumps(image(number)).encode()
    listed = draw(st.lists(one_of(digests), min_size=1, max_size=2, unique=True))
    kept = draw(one_of([IMAGE, INDEX, ""]))
    data: dict[str, Any] = {
        "mediaType": INDEX,
        "manifests": [{"mediaType": kept, "digest": digest} for digest in listed],
        "annotations": {"n": str(number)},
    }
    if kind == "subject":
        data = image(number, subject={"digest": listed[0]})
    elif kind == "other case":
        data = {"layers": [], "Manifests": data["manifests"], "n": number}
    elif kind == "unusual":
        data = {"mediaType": draw(one_of([IMAGE, INDEX, "x"])), "layers": [], "parts": listed, "n": number}
    raw = json.dumps(data).encode()
    raw = b'{"mediaType": "x", ' + raw[1:] if kind == "twice" else raw
    NAMES_OF[raw] = tuple(listed)
    return raw


@st.composite
def habits_of(draw: st.DrawFn, digests: list[str], naming: list[str]) -> Habits:
    """Draw how a registry behaves: mostly well, with one or two faults that meet.

    `naming` are the digests that name others: what they need is lost to a reader that cannot read them.
    """
    some = one_of(digests)
    few = st.frozensets(some, max_size=1)
    statuses = one_of([405, 405, 409, 500])
    faulty = draw(st.sets(one_of(["fails", "dishonest", "hidden", "along"]), max_size=2))
    return Habits(
        single=draw(st.booleans()) or "along" in faulty,
        takes_along="along" in faulty,
        heads=draw(one_of([True, True, False])),
        cuts=draw(one_of([False, False, False, True])),
        batch=draw(one_of([1, 2, 3, 8, 8])),
        fails=draw(st.dictionaries(st.integers(5, 60), one_of([500, 403, 429, 404, 599]), max_size=2))
        if "fails" in faulty
        else {},
        locked=draw(st.dictionaries(some, statuses, min_size=1, max_size=2)) if draw(st.booleans()) else {},
        idle=draw(few) if "dishonest" in faulty else frozenset(),
        denied=draw(few) if "dishonest" in faulty else frozenset(),
        broken=draw(few) if "dishonest" in faulty else frozenset(),
        hidden=draw(st.frozensets(one_of([*OLD, *STAYING]), min_size=1, max_size=2))
        if "hidden" in faulty
        else frozenset(),
        opaque=draw(st.dictionaries(one_of(naming), one_of([0, 0, 1]), min_size=1, max_size=2))
        if draw(st.booleans())
        else {},
    )


@st.composite
def models(draw: st.DrawFn) -> Model:
    """Draw a repository of three to six digests, a registry's habits, and what others do meanwhile."""
    raws: list[bytes] = []
    for number in range(draw(st.integers(3, 6))):
        raws.append(draw(manifests(number, [digest_of(raw) for raw in raws])))
    digests = [digest_of(raw) for raw in raws]
    model = Model()
    for raw in raws:
        model.put(raw)
    for number, raw in enumerate(raws):
        if draw(one_of([True, True, True, False])):
            model.tag(f"old-{number}", raw)
    for name in draw(st.lists(one_of([*OLD, *STAYING, "stays-0"]), unique=True, max_size=3)):
        model.tag(name, draw(one_of(raws)))
    if draw(one_of([False, False, True])):
        model.tag(f"sha256-{draw(one_of(digests))[7:]}.sig", draw(one_of(raws)))
    tagged = sorted(set(model.tags.values())) or digests
    later = [draw(manifests(number, tagged)) for number in range(LATER, LATER + 2)]
    pushed_digests = [*map(digest_of, later)]
    naming = [digest_of(raw) for raw in raws if raw in NAMES_OF]
    model.habits = draw(habits_of([*digests, *pushed_digests], [*naming, *pushed_digests, *pushed_digests]))
    if model.habits.cuts:
        for number in range(draw(st.integers(PAGE - 5, PAGE))):
            model.tag(f"a-{number}", raws[0])
    there = sorted(model.tags) or OLD
    moments = st.tuples(one_of([0, 0, 1, 2]), one_of([0, 0, 0, 3, 6]))
    pushed = one_of(later) | one_of(raws)
    pushes = st.tuples(moments, st.just("new") | one_of(there), pushed)
    removals = st.tuples(st.tuples(one_of([0, 0, 1, 2]), st.integers(0, 9)), one_of(there), st.just(b""))
    moves = draw(st.lists(pushes, max_size=2)) + draw(st.lists(removals, max_size=1))
    model.moves = [(*moment, name, raw) for moment, name, raw in moves]
    if draw(one_of([True, False, False, False])):  # a push that nobody here can read, just before a batch
        model.moves.append((draw(one_of([0, 1])), 0, "new", later[0]))
        model.habits = replace(model.habits, opaque={digest_of(later[0]): 0})
    indexes = [digest for digest in tagged if digest in naming]
    if indexes and draw(one_of([True, False, False])):  # an index that stays may meet its parts in a batch
        locked = {draw(one_of(indexes)): draw(one_of([405, 409]))}
        model.habits = replace(model.habits, locked=locked, batch=8)
    model.since = dict.fromkeys(model.tags, (0, 0))
    return model


# The run


@dataclass
class Outcome:
    plan: DeletionPlan | None = None
    results: list[TagResult] = field(default_factory=list)
    failure: DockpassError | None = None

    def of(self, *outcomes: str) -> set[str]:
        return {result.tag for result in self.results if result.outcome in outcomes}


async def clean_up(model: Model) -> Outcome:
    """Read, plan and delete as the command does; its error, or none, is the exit status."""
    client: Any = Client(model)
    run = Outcome()
    services: Any = SimpleNamespace(clock=lambda: 0.0)
    request: Any = SimpleNamespace(command=Command.CLEANUP)

    class Told(Feed):
        def put(self, event: Any) -> None:
            if isinstance(event, TagDeleted):
                result = TagResult(event.tag, event.digest, event.outcome, event.detail)
                run.results.append(result)
                model.told(result)

    try:
        tags = await survey(client, "r", lambda done, total: None)
        run.plan = plan_deletion(
            tags, Policy(NOW, CleanupOptions(match="old-.*")), single_tags=model.habits.single
        )
        model.plan_is(run.plan)
        model.looked = None
        model.ends.clear()
        await cleanup._delete(Job(request, services, Told(lambda text: text)), client, "r", run.plan)
    except DockpassError as failure:
        run.failure = failure
    return run


async def no_wait(*_: object) -> None:
    """A wait that takes no time."""


def holds(model: Model) -> Outcome:
    """Clean a repository up and check all that has to hold; return what was told."""
    before = {tag: (digest, model.below(digest)) for tag, digest in model.tags.items()}
    with patch.multiple("dockpass.cleanup.execute", DELETES=model.habits.batch, wait=no_wait):
        run = asyncio.run(clean_up(model))
    assert model.bad == []
    if run.plan is None:
        assert model.deletions == 0
        return run
    told = [result.tag for result in run.results if result.outcome != "lost"]
    assert len(told) == len(set(told))
    assert set(told) <= model.planned.keys()
    _check_what_stays(model, run, before)
    _check_exit(model, run)
    return run


@settings(max_examples=examples(500))
@given(models())
def test_no_tag_that_stays_loses_anything_no_outcome_is_false_and_the_exit_status_is_true(
    model: Model,
) -> None:
    run = holds(model)  # asserts it all
    assert (run.plan is None) <= (run.results == [])


def repository(*raws: bytes, **habits: Any) -> Model:
    """Return a repository with these images as `old-0`, `old-1`, …"""
    model = Model(habits=Habits(**habits))
    for number, raw in enumerate(raws):
        model.tag(f"old-{number}", raw)
    model.since = dict.fromkeys(model.tags, (0, 0))
    return model


def plain(number: int) -> bytes:
    return json.dumps(image(number)).encode()


def index_of(*raws: bytes, number: int = 0) -> bytes:
    listed = [digest_of(raw) for raw in raws]
    entries = [{"mediaType": IMAGE, "digest": digest} for digest in listed]
    raw = json.dumps({"mediaType": INDEX, "manifests": entries, "annotations": {"n": str(number)}}).encode()
    NAMES_OF[raw] = tuple(listed)
    return raw


def test_a_tag_that_somebody_moves_and_then_takes_away_is_told_once() -> None:
    """It was to go, so its absence is no loss."""
    leaf, one, other = plain(0), index_of(plain(0), number=1), index_of(plain(0), number=2)
    model = repository(leaf, one, other, single=False, batch=1)
    model.moves = [(0, 0, "old-0", index_of(one)), (0, 6, "old-0", b"")]
    run = holds(model)
    assert run.of("lost") == set()
    assert "old-0" in run.of("gone", "moved", "kept")


def test_a_tag_that_could_not_be_looked_at_is_not_told_to_be_there() -> None:
    model = repository(plain(0), plain(1))
    model.moves = [(0, 0, "old-0", b"")]
    model.habits = replace(model.habits, fails=dict.fromkeys(range(4, 9), 500))
    run = holds(model)
    assert (run.of("failed"), run.of("lost")) == (set(), set())


def test_a_405_after_an_image_went_with_an_error_is_about_that_image() -> None:
    leaf, middle = plain(0), index_of(plain(0))
    top = index_of(middle)
    model = repository(leaf, middle, top, single=False)
    model.habits = replace(model.habits, broken=frozenset({digest_of(top)}), locked={digest_of(middle): 405})
    run = holds(model)
    assert run.of("gone") == {"old-2"}
    assert (run.of("failed"), run.of("kept")) == ({"old-1"}, {"old-0"})


def _check_what_stays(model: Model, run: Outcome, before: Mapping[str, tuple[str, set[str]]]) -> None:
    if model.habits.takes_along:
        assert not model.along or run.of("lost") & model.along
        return
    for tag, (digest, needed) in before.items():
        if model.tags.get(tag) == digest and model.since[tag] == (0, 0):
            assert {digest, *needed} <= model.manifests.keys(), f"{tag} is left without what it needs"


def _check_exit(model: Model, run: Outcome) -> None:
    """Zero means that all is done and nothing lost; anything else has a cause that can be named."""
    told = run.of("deleted", "gone", "moved", "kept", "failed", "unknown")
    if run.failure is None:
        assert told == model.planned.keys()
        assert not run.of("failed", "unknown", "lost")
        gone = run.of("deleted", "gone")
        assert all(tag not in model.tags or model.since[tag] != (0, 0) for tag in gone)
        return
    assert "fault" not in run.failure.id
    incomplete = bool(run.of("failed", "unknown", "lost"))
    assert incomplete or model.ends, f"{run.failure!r} has no cause"
    if told != model.planned.keys():
        assert model.ends or run.failure.id == "kept-tag-lost", f"{run.failure!r} ended it early"
