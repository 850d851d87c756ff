import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakeregistry import IMAGE, INDEX, FakeRegistry, Said, digest_of, refusal
from logins import ANONYMOUS

from dockpass.cleanup.execute import TagResult, execute
from dockpass.cleanup.inventory import can_delete_single_tags, survey
from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.plan import DeletionPlan, Policy, TagInfo, plan_deletion
from dockpass.cleanup.reading import parse_time
from dockpass.cleanup.watch import IN_TURN
from dockpass.errors import DockpassError
from dockpass.registry.client import RegistryClient
from dockpass.registry.failures import RegistryError

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)


@pytest.fixture
async def client(fake: FakeRegistry) -> AsyncIterator[RegistryClient]:
    async with RegistryClient(fake.host, ANONYMOUS) as opened:
        yield opened


async def surveyed(client: RegistryClient) -> dict[str, TagInfo]:
    return {info.tag: info for info in await survey(client, "web", lambda done, total: None)}


async def planned(client: RegistryClient, match: str = ".*", single: bool | None = None) -> DeletionPlan:
    tags = await survey(client, "web", lambda done, total: None)
    return plan_deletion(tags, Policy(NOW, CleanupOptions(match=match)), single_tags=single)


async def carried_out(client: RegistryClient, plan: DeletionPlan) -> dict[str, str]:
    results: list[TagResult] = []
    await execute(client, "web", plan, results.append)
    return {result.tag: result.outcome for result in results}


# Reading


async def test_every_tag_is_read_and_progress_told(fake: FakeRegistry, client: RegistryClient) -> None:
    digests = {f"v{number}": fake.image(f"v{number}", LONG_AGO, number=number) for number in range(100)}
    told: list[tuple[int, int]] = []
    found = await survey(client, "web", lambda done, total: told.append((done, total)))
    assert {info.tag: info.digest for info in found} == digests
    assert all(info.created == LONG_AGO and info.size == 100 for info in found)
    assert told == [(done, 100) for done in range(101)]


async def test_a_config_that_several_tags_share_is_read_once(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    for number in range(10):
        fake.image(f"v{number}", LONG_AGO, number=number)
    await surveyed(client)
    assert len([asked for asked in fake.asked if "/blobs/" in asked.path]) == 1


async def test_an_index_is_as_young_as_its_youngest_image(fake: FakeRegistry, client: RegistryClient) -> None:
    old, young = fake.image("", LONG_AGO), fake.image("", NOW)
    attestation = fake.image("", None)
    fake.index("all", [old, young], [attestation])
    found = (await surveyed(client))["all"]
    assert found.created == NOW
    assert found.children == (old, young, attestation)
    assert found.size == 200


async def test_an_index_with_an_image_of_unknown_age_has_no_age(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.index("all", [fake.image("", LONG_AGO), fake.image("", None)])
    assert (await surveyed(client))["all"].created is None


async def test_an_index_may_list_platforms_that_are_not_there(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    missing = digest_of(b"missing")
    fake.index("all", [missing, fake.image("", LONG_AGO)])
    found = (await surveyed(client))["all"]
    assert found.created == LONG_AGO
    assert missing in found.children


@pytest.mark.parametrize(
    ("kind", "answer", "doubted"),
    [
        (IMAGE, refusal(404, "MANIFEST_UNKNOWN"), False),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", refusal(404, "MANIFEST_UNKNOWN"), False),
        ("application/vnd.buildkit.cacheconfig.v0", refusal(404, "MANIFEST_UNKNOWN"), False),
        (INDEX, refusal(404, "MANIFEST_UNKNOWN"), True),
        ("application/vnd.example", refusal(404, "MANIFEST_UNKNOWN"), True),
        (IMAGE, Said(404, b"<html>"), True),
        (IMAGE, refusal(451, "DENIED"), True),
    ],
)
async def test_what_is_not_there_is_a_doubt_where_it_might_need_others(
    fake: FakeRegistry, client: RegistryClient, kind: str, answer: Said, doubted: bool
) -> None:
    part = digest_of(b"part")
    fake.manifest({"mediaType": INDEX, "manifests": [{"mediaType": kind, "digest": part}]}, "kept")
    fake.image("v1", LONG_AGO)
    fake.say("GET", f"/v2/web/manifests/{part}", answer)
    assert bool((await surveyed(client))["kept"].doubt) == doubted
    assert bool((await planned(client, "v.*")).deletions) != doubted


async def test_the_parts_of_an_index_in_an_index_are_known(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    leaf = fake.image("", LONG_AGO)
    inner = fake.index("", [leaf])
    fake.index("outer", [inner])
    assert set((await surveyed(client))["outer"].children) == {inner, leaf}


async def test_an_artifact_tells_its_subject_and_its_age_by_annotation(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    subject = fake.image("v1", LONG_AGO)
    fake.manifest(
        {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": "sha256:x"},
            "subject": {"digest": subject},
            "annotations": {"org.opencontainers.image.created": LONG_AGO.isoformat()},
        },
        "sbom",
    )
    found = (await surveyed(client))["sbom"]
    assert (found.subject, found.created, found.problem) == (subject, LONG_AGO, "")


UNUSUAL = {
    "images of another key": {"layers": [], "images": [{"digest": "DIGEST"}]},
    "a map of digests": {"layers": [], "platforms": {"linux/amd64": "DIGEST"}},
    "an artifact manifest": {
        "mediaType": "application/vnd.oci.artifact.manifest.v1+json",
        "blobs": [{"mediaType": IMAGE, "digest": "DIGEST"}],
    },
    "docker's first schema": {
        "mediaType": "application/vnd.docker.distribution.manifest.v1+json",
        "fsLayers": [{"blobSum": "DIGEST"}],
    },
    "a list of another type": {
        "mediaType": "application/vnd.example.v1",
        "manifests": [],
        "parts": ["DIGEST"],
    },
    "layers of another type": {"mediaType": "application/vnd.example.v1", "layers": [{"digest": "DIGEST"}]},
    "an annotation of another type": {
        "mediaType": "application/vnd.example.v1",
        "layers": [],
        "annotations": {"base": "docker://web@DIGEST"},
    },
    "an image with a field more": {"mediaType": IMAGE, "config": {}, "images": [{"digest": "DIGEST"}]},
    "an index with a field more": {"mediaType": INDEX, "manifests": [], "blobs": [{"digest": "DIGEST"}]},
    "an image whose layer is an image": {
        "mediaType": IMAGE,
        "layers": [{"mediaType": IMAGE, "digest": "DIGEST"}],
    },
    "an image whose config is an index": {
        "mediaType": IMAGE,
        "config": {"mediaType": INDEX, "digest": "DIGEST"},
    },
    "a type that is no text": {"mediaType": ["DIGEST"], "layers": []},
}


@pytest.mark.parametrize("claimed", [True, False])
@pytest.mark.parametrize("what", UNUSUAL)
async def test_all_that_an_unusual_manifest_names_stays_with_it(
    fake: FakeRegistry, client: RegistryClient, what: str, claimed: bool
) -> None:
    named = fake.image("v1", LONG_AGO)
    part = fake.image("v2", LONG_AGO, number=2)
    fake.index("v3", [part])
    fake.image("v4", LONG_AGO, number=4)
    for tag, digest in (("kept-image", named), ("kept-index", fake.tagged["v3"])):
        content = json.loads(json.dumps(UNUSUAL[what]).replace("DIGEST", digest))
        if isinstance(content.get("config"), dict):
            content["config"].setdefault("digest", digest_of(b"config"))
        fake.manifest(content, tag)
        if not claimed:
            raw, media_type = fake.manifests[fake.tagged[tag]]
            fake.say("GET", f"/v2/web/manifests/{tag}", Said(200, raw, (("Content-Type", media_type),)))
    assert await carried_out(client, await planned(client, "v.*")) == {"v4": "deleted"}
    assert {"v1", "v2", "v3"} <= fake.tagged.keys()


async def test_what_a_plain_image_names_as_its_base_is_not_needed(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    base = fake.image("v1", LONG_AGO)
    fake.image("kept", NOW, annotations={"org.opencontainers.image.base.digest": base})
    fake.image("also", NOW, artifactType="application/vnd.example", layers=[{"digest": base}])
    assert await carried_out(client, await planned(client, "v.*")) == {"v1": "deleted"}


async def test_a_broken_image_is_told_and_the_others_are_read(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.image("good", LONG_AGO)
    fake.tagged["no-manifest"] = digest_of(b"nothing")
    broken = fake.image("no-config", "2020-01-01T00:00:00Z")
    fake.tagged["lies"] = broken
    fake.blobs.pop(next(digest for digest, raw in fake.blobs.items() if b"2020" in raw))
    fake.say("GET", "/v2/web/manifests/lies", Said(200, b"{}", (("Docker-Content-Digest", broken),)))
    found = await surveyed(client)
    assert found["no-manifest"].problem == "404 MANIFEST_UNKNOWN: manifest unknown"
    assert found["no-config"].problem == "404 BLOB_UNKNOWN"
    assert found["no-config"].digest == broken
    assert "does not match the digest" in found["lies"].problem
    assert not found["good"].problem


@pytest.mark.parametrize("status", [401, 403, 500])
async def test_any_other_failure_ends_the_survey(
    fake: FakeRegistry, client: RegistryClient, status: int
) -> None:
    for number in range(100):
        fake.image(f"v{number}", LONG_AGO, number=number)
    fake.say("GET", "/v2/web/manifests/v50", refusal(status, "NO"))
    with pytest.raises(RegistryError) as caught:
        await surveyed(client)
    assert caught.value.answer.status == status


async def test_an_empty_repository_has_nothing_to_read(client: RegistryClient) -> None:
    assert await surveyed(client) == {}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2026-05-01T12:00:00Z", NOW),
        ("2026-05-01T12:00:00.123456789Z", NOW + timedelta(microseconds=123456)),
        ("2026-05-01T14:00:00+02:00", NOW),
        ("0001-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("1980-01-01T00:00:01Z", None),
        ("2026-05-01T12:00:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_times_that_say_nothing_are_no_times(value: object, found: datetime | None) -> None:
    assert parse_time(value) == found


# Deleting


async def test_a_plan_is_carried_out_tag_by_tag(fake: FakeRegistry, client: RegistryClient) -> None:
    fake.tagged["also"] = fake.image("v1", LONG_AGO)
    fake.image("v2", LONG_AGO, number=2)
    kept = fake.image("new", NOW)
    outcomes = await carried_out(client, await planned(client))
    assert outcomes == {"v1": "deleted", "also": "deleted", "v2": "deleted"}
    assert fake.tagged == {"new": kept}


async def test_a_tag_that_moved_is_left_alone(fake: FakeRegistry, client: RegistryClient) -> None:
    fake.image("v1", LONG_AGO)
    fake.image("v2", LONG_AGO, number=2)
    plan = await planned(client)
    moved_to = fake.image("v1", LONG_AGO, number=3)
    assert await carried_out(client, plan) == {"v1": "moved", "v2": "deleted"}
    assert fake.tagged == {"v1": moved_to}


async def test_what_is_gone_already_is_told_as_gone(fake: FakeRegistry, client: RegistryClient) -> None:
    digest = fake.image("v1", LONG_AGO)
    plan = await planned(client)
    del fake.manifests[digest], fake.tagged["v1"]
    assert await carried_out(client, plan) == {"v1": "gone"}


@pytest.mark.parametrize("how", ["rollback", "new tag", "new index"])
async def test_an_image_that_a_tag_came_back_to_is_kept(
    fake: FakeRegistry, client: RegistryClient, how: str
) -> None:
    fake.image("latest", NOW)
    old = fake.image("v1", LONG_AGO)
    plan = await planned(client)
    if how == "new index":
        fake.index("all", [old])
    else:
        fake.tagged["latest" if how == "rollback" else "fresh"] = old
    results: list[TagResult] = []
    await execute(client, "web", plan, results.append)
    assert [(result.tag, result.outcome) for result in results] == [("v1", "kept")]
    assert "now uses the same image" in results[0].detail
    assert old in fake.manifests


@pytest.mark.parametrize(
    "answer",
    [refusal(404, "NAME_UNKNOWN"), Said(200, {"name": "web", "tags": None}), Said(200, {"tags": ["v1"]})],
)
async def test_a_list_that_leaves_out_a_tag_that_is_there_ends_it(
    fake: FakeRegistry, client: RegistryClient, answer: Said
) -> None:
    fake.image("kept", NOW)
    old = fake.image("v1", LONG_AGO)
    plan = await planned(client)
    fake.index("fresh", [old])
    fake.say("GET", "/v2/web/tags/list", answer)
    with pytest.raises(DockpassError) as caught:
        await carried_out(client, plan)
    assert caught.value.id == "tag-list-incomplete"
    assert "leaves out kept" in caught.value.message
    assert not [asked for asked in fake.asked if asked.method == "DELETE"]


async def test_single_tags_leave_the_image_to_the_others(fake: FakeRegistry, client: RegistryClient) -> None:
    fake.tags_deletable = True
    digest = fake.image("v1", LONG_AGO)
    fake.tagged["stable"] = digest
    assert await carried_out(client, await planned(client, "v.*", single=True)) == {"v1": "deleted"}
    assert fake.tagged == {"stable": digest}
    assert digest in fake.manifests


def many(fake: FakeRegistry, count: int) -> list[str]:
    return [fake.image(f"v{number:02}", LONG_AGO, number=number) for number in range(count)]


@pytest.mark.parametrize(("status", "code"), [(405, "UNSUPPORTED"), (403, "DENIED"), (401, "UNAUTHORIZED")])
async def test_a_refusal_stops_after_the_first(
    fake: FakeRegistry, client: RegistryClient, status: int, code: str
) -> None:
    for digest in many(fake, 30):
        fake.say("DELETE", f"/v2/web/manifests/{digest}", refusal(status, code))
    plan = await planned(client)
    results: list[TagResult] = []
    with pytest.raises(RegistryError) as caught:
        await execute(client, "web", plan, results.append)
    assert caught.value.answer.status == status
    assert not results
    assert len([asked for asked in fake.asked if asked.method == "DELETE"]) == 1


async def test_a_refusal_on_the_way_tells_all_that_was_done(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    digests = many(fake, 30)
    fake.say("DELETE", f"/v2/web/manifests/{digests[10]}", refusal(403, "DENIED", "protected"))
    plan = await planned(client)
    results: list[TagResult] = []
    with pytest.raises(RegistryError, match="protected"):
        await execute(client, "web", plan, results.append)
    gone = {f"v{number:02}" for number in range(30)} - set(fake.tagged)
    assert {result.tag for result in results if result.outcome == "deleted"} == gone
    assert len(gone) < 20


async def test_one_failure_of_the_registry_is_told_and_the_rest_goes_on(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    digests = many(fake, 10)
    fake.say("DELETE", f"/v2/web/manifests/{digests[4]}", refusal(409, "LOCKED", "the tag is immutable"))
    plan = await planned(client)
    results: list[TagResult] = []
    await execute(client, "web", plan, results.append)
    (failed,) = [result for result in results if result.outcome != "deleted"]
    assert (failed.tag, failed.outcome) == ("v04", "failed")
    assert "the tag is immutable" in failed.detail
    assert await carried_out(client, await planned(client, "v0[^4]")) == {}


async def test_an_interrupted_cleanup_goes_on_where_it_was(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    many(fake, 30)
    plan = await planned(client)
    results: list[TagResult] = []
    enough = asyncio.Event()

    def told(result: TagResult) -> None:
        results.append(result)
        if len(results) == 5:
            enough.set()

    task = asyncio.create_task(execute(client, "web", plan, told))
    await enough.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert 5 <= len(results) < 30
    left = set(fake.tagged)
    assert left
    assert set(await carried_out(client, await planned(client))) == left
    assert not fake.tagged


async def test_a_lost_registry_ends_the_deletion(fake: FakeRegistry, client: RegistryClient) -> None:
    many(fake, 20)
    plan = await planned(client)
    away: Any = Said(302, b"", (("Location", "/"),))
    fake.say("GET", "/v2/web/tags/list", away)
    fake.say("GET", "/", away)
    with pytest.raises(DockpassError):
        await carried_out(client, plan)
    assert len(fake.tagged) == 20


@pytest.mark.parametrize(
    ("answer", "able"),
    [
        (refusal(404, "MANIFEST_UNKNOWN"), True),
        (refusal(400, "DIGEST_INVALID"), False),
        (refusal(405, "UNSUPPORTED"), False),
        (refusal(403, "DENIED"), None),
    ],
)
async def test_whether_single_tags_can_be_deleted_is_asked_with_a_tag_that_nobody_has(
    fake: FakeRegistry, client: RegistryClient, answer: Said, able: bool | None
) -> None:
    def scripted(asked: Any) -> None:
        if asked.method == "DELETE" and "/manifests/" in asked.path:
            fake.say("DELETE", asked.path, answer)

    fake.before = scripted
    assert await can_delete_single_tags(client, "web") is able


async def test_after_a_wait_there_is_a_new_look_before_the_deletion_is_sent_again(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.image("latest", NOW)
    old = fake.image("v1", LONG_AGO)
    fake.say("DELETE", f"/v2/web/manifests/{old}", Said(429, b"", (("Retry-After", "7"),)))
    plan = await planned(client)
    waits: list[float] = []
    results: list[TagResult] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        fake.tagged["latest"] = old

    await execute(client, "web", plan, results.append, sleep=sleep)
    assert waits == [7.0]
    assert [(result.tag, result.outcome) for result in results] == [("v1", "kept")]
    assert len([asked for asked in fake.asked if asked.method == "DELETE"]) == 1


async def test_a_look_that_is_two_seconds_old_is_renewed(fake: FakeRegistry, client: RegistryClient) -> None:
    fake.image("v1", LONG_AGO)
    plan = await planned(client)
    lists = len(fake.requests("GET", "/v2/web/tags/list"))
    ticks = iter([0.0, 2.5, 3.0, 4.0, 5.0])
    await execute(client, "web", plan, lambda _: None, clock=lambda: next(ticks))
    assert not fake.tagged
    assert len(fake.requests("GET", "/v2/web/tags/list")) == lists + 3  # twice before it, once after


async def test_a_registry_that_is_slow_to_show_a_shared_part_is_not_asked_for_ever(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    leaf = fake.image("", LONG_AGO)
    fake.index("stays", [leaf])
    fake.index("v1", [leaf, fake.image("", LONG_AGO, n=1)])
    plan = await planned(client, "v1")
    now, looks = [0.0], [0]

    def three_seconds(asked: Any) -> None:
        if asked.path.endswith(leaf):
            now[0] += 3.0
            looks[0] += 1
            assert looks[0] < 20

    fake.before = three_seconds
    await execute(client, "web", plan, lambda _: None, clock=lambda: now[0])
    assert "v1" not in fake.tagged


async def test_the_looks_grow_with_the_batches_and_not_with_the_square(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    """What stays is looked at before each batch, what is to go in turn: all of it would take longer than the rest."""
    fake.image("stable", NOW)
    many(fake, 200)
    plan = await planned(client, "v.*")
    begun = len(fake.asked)
    assert set((await carried_out(client, plan)).values()) == {"deleted"}
    asked = fake.asked[begun:]
    batches = 1 + 200 // 8
    looks = [each.path.rpartition("/")[2] for each in asked if each.method == "HEAD"]
    assert looks.count("stable") >= batches
    assert len(looks) <= 201 + batches * (1 + IN_TURN)
    assert all(looks.count(f"v{number:02}") for number in range(200))


async def test_a_tag_that_is_to_go_and_moves_is_seen_when_its_turn_comes(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    """With few such tags at once: it keeps the image that it points at now, though both were to go."""
    digests = many(fake, 20)
    plan = await planned(client, "v.*")

    def move(asked: Any) -> None:
        if asked.method == "DELETE":
            fake.tagged["v18"] = digests[19]

    fake.before = move
    outcomes = await carried_out(client, plan)
    assert digests[19] in fake.manifests
    assert outcomes["v18"] in {"moved", "kept"}
    assert outcomes["v19"] == "kept"


@pytest.mark.parametrize("answer", [Said(405), Said(200), "stale"])
async def test_where_head_does_not_tell_the_manifest_itself_is_read(
    fake: FakeRegistry, client: RegistryClient, answer: Said | str
) -> None:
    stable = fake.image("stable", NOW)
    digests = many(fake, 20)
    plan = await planned(client, "v.*")
    stale = Said(200, b"", (("Docker-Content-Digest", digests[0]),))
    said = answer if isinstance(answer, Said) else stale
    fake.say("HEAD", "/v2/web/manifests/stable", said)

    def move(asked: Any) -> None:
        if asked.method == "DELETE":
            fake.tagged["stable"] = digests[19]

    fake.before = move
    results: list[TagResult] = []
    await execute(client, "web", plan, results.append)
    assert {result.tag for result in results if result.outcome == "kept"} == {"v19"}
    assert fake.tagged == {"stable": digests[19], "v19": digests[19]}
    assert stable in fake.manifests


async def test_a_deletion_in_flight_when_the_run_is_cancelled_has_an_unknown_outcome(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.image("v1", LONG_AGO)
    fake.tagged["also"] = fake.tagged["v1"]
    fake.image("v2", LONG_AGO, number=2)
    plan = await planned(client)
    sent = asyncio.Event()

    class Hanging:
        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

        async def delete_digest(self, path: str, digest: str) -> bool:
            sent.set()
            await asyncio.Event().wait()
            return True

    hanging: Any = Hanging()
    results: list[TagResult] = []
    run = asyncio.create_task(execute(hanging, "web", plan, results.append))
    await sent.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert {result.outcome for result in results} == {"unknown"}
    assert {result.tag for result in results} in ({"v1", "also"}, {"v2"})  # what was not begun is not told
    assert {result.detail for result in results} == {"the cleanup stopped while it was being deleted"}
