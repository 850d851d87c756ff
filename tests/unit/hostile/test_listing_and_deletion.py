"""A29 to A36: lists without end, digests that lie, and deletions that are none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakeregistry import IMAGE, INDEX, Asked, FakeRegistry, Said, digest_of, refusal
from hostile import ELSEWHERE, Reply, World
from logins import ANONYMOUS

from dockpass.cleanup.execute import TagResult, execute
from dockpass.cleanup.inventory import survey
from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.plan import DeletionPlan, Policy, TagInfo, plan_deletion
from dockpass.errors import DockpassError
from dockpass.registry.client import RegistryClient
from dockpass.registry.failures import RegistryError
from dockpass.registry.listing import MOST_PAGES
from dockpass.registry.retry import pause_after, telling
from dockpass.registry.session import Session
from dockpass.registry.transport import Response, Sent, Transport
from dockpass.secrets import Secret

LIST = "/v2/web/tags/list"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)


@pytest.fixture
async def client(fake: FakeRegistry) -> AsyncIterator[RegistryClient]:
    async with RegistryClient(fake.host, ANONYMOUS) as opened:
        yield opened


async def refused(client: RegistryClient) -> DockpassError:
    with pytest.raises(DockpassError) as caught:
        await client.tags("web")
    assert caught.value.message.isprintable()
    return caught.value


async def planned(client: RegistryClient, match: str = ".*", single: bool | None = None) -> DeletionPlan:
    tags = await survey(client, "web", lambda _done, _total: None)
    return plan_deletion(tags, Policy(NOW, CleanupOptions(match=match)), single_tags=single)


async def carried_out(client: RegistryClient, plan: DeletionPlan) -> dict[str, TagResult]:
    results: list[TagResult] = []
    await execute(client, "web", plan, results.append)
    return {result.tag: result for result in results}


@pytest.mark.parametrize(
    "link",
    [
        '<https://evil.example/v2/web/tags/list>; rel="next"',
        '<http://registry.example/v2/web/tags/list>; rel="next"',
        '<//evil.example/x>; rel="next"',
        '<https://registry.example:1/x>; rel="next"',
        '<https://me@registry.example/x>; rel="next"',
        '<https://[broken/x>; rel="next"',
        '<file:///etc/passwd>; rel="next"',
        '<javascript:alert(1)>; rel="next"',
        '</v2/web/tags/list?n=1000>; rel="next"',
        '</x>; rel="last", <https://evil.example/>; rel="next"',
    ],
)
async def test_a29_a_next_page_that_leaves_the_registry_or_repeats_is_refused(
    world: World, link: str
) -> None:
    evil = await world.server("evil.example", address=ELSEWHERE)
    server = await world.server("registry.example")
    server.on("/v2/", Reply())
    server.on(LIST, Reply(200, {"tags": ["v1"]}, (("Link", link),)))
    error = await refused(await world.client(server.host))
    assert error.id == "answer-refused"
    assert len(server.asked) == 2
    assert not evil.asked
    assert "evil.example" not in world.names.asked


@pytest.mark.parametrize(
    "link",
    ["", "<", "<<>>", "</x", "</x>;rel", '</x>; rel="prev"', "\x00", '<>; rel="next"', "next", "</x>" * 2000],
)
async def test_a29_a_broken_link_is_no_next_page(
    fake: FakeRegistry, client: RegistryClient, link: str
) -> None:
    fake.say("GET", LIST, Said(200, {"tags": ["v1"]}, (("Link", link.replace("\x00", "%00")),)))
    assert await client.tags("web") == ["v1"]


async def test_a29_a_chain_without_end_is_cut(fake: FakeRegistry, client: RegistryClient) -> None:
    pages = [
        Said(200, {"tags": [f"v{page}"]}, (("Link", f'<{LIST}?last=v{page}>; rel="next"'),))
        for page in range(MOST_PAGES + 5)
    ]
    fake.say("GET", LIST, *pages)
    assert "does not end" in (await refused(client)).message
    assert len(fake.requests("GET", LIST)) == MOST_PAGES


async def test_a30_no_tags_are_no_tags_and_odd_ones_a_typed_error(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    for body in ({"tags": None}, {"name": "web", "tags": []}, {"tags": []}):
        fake.say("GET", LIST, Said(200, body))
        assert await client.tags("web") == []
    for body in (
        {},
        {"status": "ok"},
        {"tags": "v1"},
        {"tags": 5},
        {"tags": {"v1": 1}},
        {"tags": [1]},
        {"tags": [None]},
        [],
        "v1",
        None,
    ):
        fake.say("GET", LIST, Said(200, json.dumps(body)))
        assert (await refused(client)).id == "answer-refused"


async def test_a30_duplicates_and_disorder_do_not_matter(fake: FakeRegistry, client: RegistryClient) -> None:
    fake.say("GET", LIST, Said(200, {"tags": ["b", "a", "b", "c", "a"]}))
    assert await client.tags("web") == ["a", "b", "c"]


async def test_a30_five_million_tags_are_refused_in_bounded_memory(world: World) -> None:
    server = await world.server("registry.example")
    server.on("/v2/", Reply())

    def pieces():
        yield b'{"tags":["v0"'
        for start in range(0, 5_000_000, 10_000):
            yield b"".join(b',"v%d"' % number for number in range(start, start + 10_000))
        yield b"]}"

    server.on(LIST, Reply(pieces=pieces()))
    assert "more than 4096 KiB" in (await refused(await world.client(server.host))).message


async def test_a31_bytes_that_do_not_have_their_digest_are_refused(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    raw, other = b'{"schemaVersion":2}', "sha256:" + "0" * 64
    lies = (
        other,
        "sha256:../../x",
        digest_of(raw).upper(),
        "sha256:" + digest_of(raw)[7:].upper(),
        "sha1:" + hashlib.sha1(raw).hexdigest(),
        "md5:" + hashlib.md5(raw).hexdigest(),
        digest_of(raw) + "0",
        "shake_128:" + "0" * 64,
    )
    for lie in lies:
        fake.say("GET", "/v2/web/manifests/v1", Said(200, raw, (("Docker-Content-Digest", lie),)))
        with pytest.raises(DockpassError) as caught:
            await client.manifest("web", "v1")
        assert caught.value.id == "answer-refused"
    fake.say("GET", f"/v2/web/manifests/{other}", Said(200, raw, (("Docker-Content-Digest", other),)))
    with pytest.raises(DockpassError, match="digest"):
        await client.manifest("web", other)
    fake.say("GET", f"/v2/web/blobs/{other}", Said(200, raw))
    with pytest.raises(DockpassError, match="digest"):
        await client.config("web", other)


async def test_a31_a_digest_of_another_form_is_never_asked_for(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    for digest in (
        "sha256:../../x",
        "sha256:" + "A" * 64,
        "sha1:" + "a" * 40,
        "sha256:" + "a" * 63,
        "sha256:",
    ):
        for call in (
            client.config("web", digest),
            client.delete_digest("web", digest),
        ):
            with pytest.raises(DockpassError) as caught:
                await call
            assert caught.value.id == "answer-refused"
    assert not fake.asked


async def test_a31_both_algorithms_are_checked_by_their_own(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    raw = b'{"schemaVersion":2}'
    digest = "sha512:" + hashlib.sha512(raw).hexdigest()
    fake.say("GET", f"/v2/web/manifests/{digest}", Said(200, raw), Said(200, raw + b" "))
    assert (await client.manifest("web", digest)).digest == digest
    with pytest.raises(DockpassError):
        await client.manifest("web", digest)


def sha512_of(raw: bytes) -> str:
    return f"sha512:{hashlib.sha512(raw).hexdigest()}"


async def test_a31_an_index_that_lists_a_tag_by_its_other_digest_keeps_it(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    leaf = fake.image("leaf", LONG_AGO)
    raw = fake.manifests[leaf][0]
    fake.manifests[sha512_of(raw)] = fake.manifests[leaf]
    fake.index("keep", [sha512_of(raw)])
    plan = await planned(client, "leaf")
    assert {row.info.tag: row.reason for row in plan.rows}["leaf"] == "part of the kept index keep"


@pytest.mark.parametrize("long", ["keep", "old"])
async def test_a31_two_tags_whose_digests_differ_by_the_algorithm_share_their_image(
    fake: FakeRegistry, client: RegistryClient, long: str
) -> None:
    digest = fake.image("old", LONG_AGO)
    fake.tagged["keep"] = digest
    raw, kind = fake.manifests[digest]
    headers = (("Docker-Content-Digest", sha512_of(raw)), ("Content-Type", kind))
    fake.say("GET", f"/v2/web/manifests/{long}", Said(200, raw, headers))
    plan = await planned(client, "old", single=True)
    assert {row.info.tag: row.deletes for row in plan.rows} == {"keep": False, "old": False}
    assert not plan.deletions


async def test_a32_a_digest_with_a_kept_tag_is_never_deleted(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    digest = fake.image("old", LONG_AGO)
    fake.tagged["release"] = digest
    plan = await planned(client, "old", single=False)
    assert not plan.deletions
    assert {row.info.tag: row.deletes for row in plan.rows} == {"old": False, "release": False}


async def test_a33_a_tag_that_moved_since_the_plan_is_left_alone_and_told(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.image("old", LONG_AGO)
    plan = await planned(client)
    fake.image("old", NOW, number=2)
    found = await carried_out(client, plan)
    assert found["old"].outcome == "moved"
    assert not [asked for asked in fake.asked if asked.method == "DELETE"]


async def test_a33_an_image_that_a_kept_tag_came_to_need_is_kept(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    old = fake.image("old", LONG_AGO)
    fake.image("release", LONG_AGO, number=2)
    plan = await planned(client, "old", single=True)
    fake.tagged["release"] = old
    assert (await carried_out(client, plan))["old"].outcome == "kept"
    assert old in fake.manifests


def test_a34_the_part_of_a_kept_index_is_protected() -> None:
    part, whole = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    tags = [TagInfo("amd64", part, LONG_AGO), TagInfo("release", whole, LONG_AGO, children=(part,))]
    plan = plan_deletion(tags, Policy(NOW, CleanupOptions(match="amd64")), single_tags=True)
    assert not plan.deletions
    assert "part of the kept index release" in next(
        row.reason for row in plan.rows if row.info.tag == "amd64"
    )


async def test_a35_a_deletion_that_only_claims_to_be_one_is_told(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    digest = fake.image("old", LONG_AGO)
    plan = await planned(client)
    fake.say("DELETE", f"/v2/web/manifests/{digest}", Said(202))
    found = (await carried_out(client, plan))["old"]
    assert found.outcome == "failed"
    assert "still exists" in found.detail


async def test_a35_a_single_tag_that_only_claims_to_be_gone_is_told(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.tags_deletable = True
    fake.tagged["release"] = fake.image("old", LONG_AGO)
    plan = await planned(client, "old", single=True)
    fake.say("DELETE", "/v2/web/manifests/old", Said(202))
    assert (await carried_out(client, plan))["old"].outcome == "failed"
    assert set(fake.tagged) == {"old", "release"}


async def test_a35_what_is_gone_already_is_told_so(fake: FakeRegistry, client: RegistryClient) -> None:
    digest = fake.image("old", LONG_AGO)
    plan = await planned(client)
    del fake.manifests[digest], fake.tagged["old"]
    assert (await carried_out(client, plan))["old"].outcome == "gone"


async def test_a35_a_404_to_the_deletion_is_looked_at_again(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    digest = fake.image("old", LONG_AGO)
    plan = await planned(client)
    fake.say("DELETE", f"/v2/web/manifests/{digest}", refusal(404, "MANIFEST_UNKNOWN"))
    found = (await carried_out(client, plan))["old"]
    assert (found.outcome, found.detail) == (
        "failed",
        "the registry said it does not exist, but it still exists",
    )


async def test_a35_a_registry_that_deletes_the_parts_of_an_index_is_stopped_after_the_first(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    """What a kept index shares with those that go is looked for after the first of them."""
    parts = [fake.image(created=LONG_AGO, number=number) for number in range(2)]
    for number in range(3):
        fake.manifest(
            {
                "schemaVersion": 2,
                "mediaType": INDEX,
                "manifests": [{"mediaType": IMAGE, "digest": part, "size": 1} for part in parts],
                "annotations": {"n": str(number)},
            },
            f"old-{number}",
        )
    kept = fake.index("keep", parts)
    plan = await planned(client, "old-.*")

    def cascade(asked: Asked) -> None:
        if asked.method == "DELETE":
            for part in parts:
                fake.manifests.pop(part, None)

    fake.before = cascade
    results: list[TagResult] = []
    with pytest.raises(DockpassError) as caught:
        await execute(client, "web", plan, results.append)
    assert caught.value.id == "kept-tag-lost"
    assert [(result.tag, result.outcome) for result in results] == [("old-0", "deleted"), ("keep", "lost")]
    assert f"keep needs {min(parts)}, which no longer exists" in caught.value.message
    assert results[1].digest == kept


@pytest.mark.parametrize("status", [405, 401, 403])
async def test_a35_a_refusal_ends_it_and_the_same_cleanup_can_be_run_again(
    fake: FakeRegistry, client: RegistryClient, status: int
) -> None:
    digests = [fake.image(f"v{number}", LONG_AGO, number=number) for number in range(20)]
    plan = await planned(client)
    for digest in digests:
        fake.say("DELETE", f"/v2/web/manifests/{digest}", refusal(status, "UNSUPPORTED"))
    with pytest.raises(RegistryError):
        await carried_out(client, plan)
    assert len([asked for asked in fake.asked if asked.method == "DELETE"]) == 1
    assert len((await planned(client)).deletions) == 20


async def test_a35_too_many_requests_in_the_middle_are_waited_for(fake: FakeRegistry) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    fake.say("GET", "/x", Said(429, b"", (("Retry-After", "7"),)), Said(200, b"ok"))
    fake.say("GET", "/y", Said(429))
    async with Transport(sleep=sleep) as transport:
        session = Session(fake.host, None, transport)
        assert (await session.send("GET", "/x", "", limit=100)).status == 200
        assert (await session.send("GET", "/y", "", limit=100)).status == 429
    assert waits == [7.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("999999", None),
        ("9" * 400, None),
        ("61", None),
        ("60", 60.0),
        ("-5", 1.0),
        ("0", 1.0),
        ("", 1.0),
        ("garbage", 1.0),
        ("30\x1f", 30.0),
        ("30" + " " * 30, 30.0),
        ("NaN", 1.0),
        ("inf", 1.0),
        ("1e9", 1.0),
        ("Mon, 01 Jan 1990 00:00:00 GMT", 1.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Mon, 99 Foo 2026 99:99:99 GMT", 1.0),
        ("\ud800", 1.0),
        ("٣", 3.0),
    ],
)
def test_a36_a_wait_is_between_a_second_and_a_minute_or_none_at_all(
    header: str, seconds: float | None
) -> None:
    sent = Sent(Secret(""), Secret(""))
    busy = Response(429, {"Retry-After": header}, (), b"", "https://registry.example/v2/", "", sent)
    assert pause_after(busy) == seconds
    assert pause_after(replace(busy, status=503)) is None


async def test_a36_a_wait_that_would_not_help_is_told_at_once(fake: FakeRegistry) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    fake.say("GET", "/x", Said(429, b"", (("Retry-After", "900"),)))
    async with Transport(sleep=sleep) as transport:
        session = Session(fake.host, None, transport)
        assert (await session.send("GET", "/x", "", limit=100)).status == 429
    assert waits == []
    assert len(fake.requests("GET", "/x")) == 1


async def test_a36_who_waits_says_so_before(fake: FakeRegistry) -> None:
    told: list[str] = []

    async def sleep(seconds: float) -> None:
        told.append(f"slept {seconds:g}")

    fake.say("GET", "/x", Said(429, b"", (("Retry-After", "7"),)), Said(200))
    with telling(lambda wait: told.append(wait.in_words)):
        async with Transport(sleep=sleep) as transport:
            await Session(fake.host, None, transport).send("GET", "/x", "", limit=100)
    assert told == [
        f"{fake.host} answered 429 (too many requests): waiting 7 seconds, then asking again (1 of 2)",
        "slept 7",
    ]
