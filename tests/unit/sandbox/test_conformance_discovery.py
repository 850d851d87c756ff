"""Tags and referrers, as the distribution specification has them: the workflow "Content Discovery"."""

import json
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urljoin

import pytest
from conformance import assert_refused
from sandboxclient import INDEX, MANIFEST, Client, digest_of

from dockpass.registry.links import next_page

NAMES = ["B", "Z", "_x", "a", "test0", "test1", "test10", "test2"]
ABSENT = digest_of(b"was never pushed")
NOTE = "org.example.conformance"
BAGEL, JAM, STAND = "application/vnd.example.bagel", "application/vnd.example.jam", "application/vnd.example"
EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2}


class World(NamedTuple):
    """A repository with referrers: what each is about, and the descriptors that have to be listed."""

    subject: str
    missing: str
    expected: Mapping[str, Mapping[str, object]]


def listed(client: Client, path: str, digest: str, query: str = "") -> Mapping[str, Mapping[str, object]]:
    """Ask for the referrers, hold the form against spec.md, and return them by digest."""
    got = client.ask("GET", f"/v2/{path}/referrers/{digest}{query}")
    assert (got.status, got.headers["Content-Type"]) == (200, INDEX)
    assert (got.data["schemaVersion"], got.data["mediaType"]) == (2, INDEX)
    assert got.headers["OCI-Filters-Applied"] == ("artifactType" if query else None)
    found = {entry["digest"]: entry for entry in got.data["manifests"]}
    assert len(found) == len(got.data["manifests"])
    return found


def push(client: Client, path: str, manifest: Mapping[str, object]) -> tuple[str, int]:
    raw = json.dumps(manifest).encode()
    media_type = str(manifest["mediaType"])
    got = client.put(path, digest_of(raw), raw, media_type)
    about = manifest["subject"]
    assert isinstance(about, dict)
    assert (got.status, got.headers["OCI-Subject"]) == (201, about["digest"])
    return digest_of(raw), len(raw)


@pytest.fixture
def world(judged: Client, path: str) -> World:
    """Five referrers, some pushed before what they are about, and a sixth about what never comes."""
    image = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": []}).encode()
    subject = {"mediaType": MANIFEST, "digest": digest_of(image), "size": len(image)}
    expected: dict[str, Mapping[str, object]] = {}
    judged.blob(path, b"{}")

    def refer(kind: str, note: str, **manifest: object) -> None:
        whole = {"schemaVersion": 2, "subject": subject, "annotations": {NOTE: note}, **manifest}
        digest, size = push(judged, path, whole)
        expected[digest] = {
            "mediaType": manifest["mediaType"],
            "digest": digest,
            "size": size,
            "artifactType": kind,
            "annotations": {NOTE: note},
        }

    def artifact(kind: str, name: str) -> None:
        blob = {"mediaType": kind, "digest": judged.blob(path, name.encode()), "size": len(name)}
        refer(kind, f"config {name}", mediaType=MANIFEST, config=blob, layers=[EMPTY])
        refer(kind, f"layer {name}", mediaType=MANIFEST, artifactType=kind, config=EMPTY, layers=[blob])

    artifact(BAGEL, "a")
    children = [{"mediaType": MANIFEST, "digest": digest, "size": 1} for digest in expected]
    refer(STAND, "index", mediaType=INDEX, artifactType=STAND, manifests=children)
    assert judged.put(path, "tagtest0", image).status == 201
    artifact(JAM, "b")
    subject = {"mediaType": MANIFEST, "digest": ABSENT, "size": 1}
    last = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": JAM, "config": EMPTY, "layers": []}
    missing, _ = push(judged, path, {**last, "subject": subject})
    return World(digest_of(image), missing, expected)


def test_tags_are_listed_whole_and_in_order(judged: Client, path: str) -> None:
    judged.image(path, *reversed(NAMES))
    got = judged.ask("GET", f"/v2/{path}/tags/list")
    assert (got.status, got.data) == (200, {"name": path, "tags": NAMES})
    assert got.headers["Content-Type"].startswith("application/json")
    assert "Link" not in got.headers


@pytest.mark.parametrize(
    ("query", "tags", "more"),
    [
        ("n=4", NAMES[:4], True),
        ("n=8", NAMES, False),
        ("n=9", NAMES, False),
        ("n=99999999999999", NAMES, False),
        ("n=0", [], False),
        ("n=0&last=a", [], False),
        ("n=4&last=a", NAMES[4:], False),
        ("n=2&last=test1", NAMES[6:], False),
        ("n=1&last=test1", NAMES[6:7], True),
        ("last=a", NAMES[4:], False),
        ("last=test2", [], False),
        ("last=not-there", NAMES[4:], False),
    ],
)
def test_a_part_of_the_tags(judged: Client, path: str, query: str, tags: list[str], more: bool) -> None:
    judged.image(path, *NAMES)
    got = judged.ask("GET", f"/v2/{path}/tags/list?{query}")
    assert (got.status, got.data) == (200, {"name": path, "tags": tags})
    assert ("Link" in got.headers) == more
    if more:
        assert got.headers["Link"].endswith('; rel="next"')


@pytest.mark.parametrize("count", [1, 3, 8])
def test_links_lead_through_all_the_tags(judged: Client, path: str, count: int) -> None:
    judged.image(path, *NAMES)
    target, found = f"/v2/{path}/tags/list?n={count}", []
    while target:
        got = judged.ask("GET", target)
        found += got.data["tags"]
        following = next_page(got.headers.get("Link", ""))
        target = urljoin(target, following) if following else ""
    assert found == NAMES


@pytest.mark.parametrize("count", ["-1", "many", "1.5"])
def test_a_number_of_tags_that_is_none(judged: Client, path: str, count: str) -> None:
    judged.image(path, "v1")
    assert_refused(judged.ask("GET", f"/v2/{path}/tags/list?n={count}"), 400, "PAGINATION_NUMBER_INVALID")


def test_tags_of_a_repository_that_is_not_there(judged: Client, path: str) -> None:
    assert_refused(judged.ask("GET", f"/v2/{path}/tags/list"), 404, "NAME_UNKNOWN")


def test_referrers_of_what_is_there_and_of_what_is_not(judged: Client, path: str, world: World) -> None:
    assert listed(judged, path, world.subject) == world.expected
    assert list(listed(judged, path, ABSENT)) == [world.missing]


@pytest.mark.parametrize(("kind", "count"), [(BAGEL, 2), (JAM, 2), (STAND, 1), ("application/none", 0)])
def test_referrers_of_one_kind(judged: Client, path: str, world: World, kind: str, count: int) -> None:
    found = listed(judged, path, world.subject, f"?artifactType={kind}")
    assert found == {key: one for key, one in world.expected.items() if one["artifactType"] == kind}
    assert len(found) == count


def test_referrers_of_what_nothing_is_about(judged: Client, path: str, world: World) -> None:
    for digest in (digest_of(b"hello world"), digest_of(b"hello world", "sha512"), world.missing):
        assert listed(judged, path, digest) == {}


@pytest.mark.parametrize("query", ["", "?artifactType=a/b"])
def test_referrers_in_a_repository_that_is_not_there(judged: Client, path: str, query: str) -> None:
    assert listed(judged, f"{path}/nowhere", ABSENT, query) == {}


@pytest.mark.parametrize("digest", ["sha256:beef", "latest", f"md5:{'a' * 32}"])
def test_referrers_of_what_is_no_digest(judged: Client, path: str, digest: str) -> None:
    assert_refused(judged.ask("GET", f"/v2/{path}/referrers/{digest}"), 400, "DIGEST_INVALID")


def test_a_referrer_is_listed_once_and_no_longer_than_it_is_there(
    judged: Client, path: str, world: World
) -> None:
    gone, *rest = world.expected
    raw = judged.ask("GET", f"/v2/{path}/manifests/{gone}").body
    assert judged.put(path, "again", raw).status == 201
    assert list(listed(judged, path, world.subject)).count(gone) == 1
    assert judged.ask("DELETE", f"/v2/{path}/manifests/{gone}").status == 202
    assert sorted(listed(judged, path, world.subject)) == sorted(rest)


def test_referrers_outlive_what_they_are_about(judged: Client, path: str, world: World) -> None:
    assert judged.ask("DELETE", f"/v2/{path}/manifests/{world.subject}").status == 202
    assert listed(judged, path, world.subject) == world.expected


def test_an_index_without_a_kind_is_listed_without_one(judged: Client, path: str) -> None:
    about = {"mediaType": MANIFEST, "digest": digest_of(b"x", "sha512"), "size": 1}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "subject": about}
    digest, size = push(judged, path, index)
    found = listed(judged, path, digest_of(b"x", "sha512"))
    assert found == {digest: {"mediaType": INDEX, "digest": digest, "size": size}}
