"""Manifests, tags and referrers, asked over HTTP."""

import json
from typing import Any
from urllib.parse import urljoin

import pytest
from sandboxclient import CONFIG, INDEX, MANIFEST, Client, digest_of

from dockpass.registry.links import next_page

ABSENT = digest_of(b"was never pushed")


def manifest(client: Client, path: str, reference: str) -> Any:
    return client.ask("GET", f"/v2/{path}/manifests/{reference}")


def test_an_image_by_tag_and_by_digest(owner: Client, path: str) -> None:
    digest = owner.image(path, "v1")
    by_tag, by_digest = manifest(owner, path, "v1"), manifest(owner, path, digest)
    assert by_tag.body == by_digest.body
    assert digest_of(by_tag.body) == digest == by_tag.headers["Docker-Content-Digest"]
    assert by_tag.headers["Content-Type"] == MANIFEST
    head = owner.ask("HEAD", f"/v2/{path}/manifests/v1")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(by_tag.body))
    again = owner.ask("GET", f"/v2/{path}/manifests/v1", None, {"If-None-Match": by_tag.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


def test_a_pushed_manifest_says_where_it_is(owner: Client, path: str) -> None:
    owner.image(path, "v1")
    raw = manifest(owner, path, "v1").body
    got = owner.put(path, "v2", raw)
    assert got.headers["Location"] == f"/v2/{path}/manifests/{digest_of(raw)}"
    assert got.headers["Docker-Content-Digest"] == digest_of(raw)
    assert owner.put(path, digest_of(raw, "sha512"), raw).status == 201
    assert manifest(owner, path, digest_of(raw, "sha512")).body == raw


def test_what_is_not_there(owner: Client, path: str) -> None:
    assert manifest(owner, path, "v1").code == "MANIFEST_UNKNOWN"
    assert owner.ask("GET", f"/v2/{path}/tags/list").code == "NAME_UNKNOWN"
    owner.blob(path, b"alone")
    assert owner.ask("GET", f"/v2/{path}/tags/list").code == "NAME_UNKNOWN"
    owner.image(path, "v1")
    for reference in ("v2", ABSENT):
        got = manifest(owner, path, reference)
        assert (got.status, got.code) == (404, "MANIFEST_UNKNOWN")
        assert owner.ask("DELETE", f"/v2/{path}/manifests/{reference}").code == "MANIFEST_UNKNOWN"


@pytest.mark.parametrize(
    ("raw", "media_type"),
    [
        (b"", MANIFEST),
        (b"[]", MANIFEST),
        (b"{", MANIFEST),
        (b"[" * 100_000, MANIFEST),
        (b"{}", MANIFEST),
        (b'{"schemaVersion": 1}', MANIFEST),
        (b'{"schemaVersion": 2}', ""),
        (b'{"schemaVersion": 2, "mediaType": "a/b"}', MANIFEST),
        (b'{"schemaVersion": 2, "mediaType": 5}', MANIFEST),
        (b'{"schemaVersion": 2, "layers": {}}', MANIFEST),
        (b'{"schemaVersion": 2, "layers": [1]}', MANIFEST),
        (b'{"schemaVersion": 2, "config": {"digest": "sha256:../../etc/passwd"}}', MANIFEST),
        (b'{"schemaVersion": 2, "subject": {"digest": "x"}}', MANIFEST),
        (b'{"schemaVersion": 2, "manifests": [{}]}', INDEX),
    ],
)
def test_what_is_no_manifest(owner: Client, path: str, raw: bytes, media_type: str) -> None:
    got = owner.put(path, "v1", raw, media_type)
    assert (got.status, got.code) == (400, "MANIFEST_INVALID")


def test_a_manifest_has_at_most_4_mib(owner: Client, path: str) -> None:
    small = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "annotations": {"a": ""}}).encode()
    fits = small.replace(b'"a": "', b'"a": "' + b"x" * ((4 << 20) - len(small)))
    assert len(fits) == 4 << 20
    assert owner.put(path, "v1", fits).status == 201
    assert manifest(owner, path, "v1").body == fits
    got = owner.put(path, "v1", fits + b" ")
    assert (got.status, got.code) == (413, "SIZE_INVALID")


def test_a_manifest_needs_its_blobs_in_its_own_repository(owner: Client, path: str) -> None:
    owner.image(f"{path}/one", "v1")
    raw = manifest(owner, f"{path}/one", "v1").body
    got = owner.put(f"{path}/two", "v1", raw)
    assert (got.status, got.code) == (400, "MANIFEST_BLOB_UNKNOWN")
    assert got.data["errors"][0]["detail"]["digest"].startswith("sha256:")
    assert manifest(owner, f"{path}/two", "v1").status == 404


def test_a_layer_with_addresses_of_its_own_need_not_be_there(owner: Client, path: str) -> None:
    foreign = [{"mediaType": "x/y", "digest": ABSENT, "size": 1, "urls": ["https://elsewhere.example"]}]
    assert owner.image(path, "v1", layers=foreign)


def test_an_index_needs_its_children(owner: Client, path: str) -> None:
    child = owner.image(path)
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [{"digest": child, "size": 1}]}
    owner.manifest(path, index, "all")
    index["manifests"] = [{"digest": ABSENT, "size": 1}]
    got = owner.put(path, "all", json.dumps(index).encode(), INDEX)
    assert (got.status, got.code) == (400, "MANIFEST_BLOB_UNKNOWN")


def test_a_manifest_under_another_digest_is_refused(owner: Client, path: str) -> None:
    owner.image(path, "v1")
    got = owner.put(path, ABSENT, manifest(owner, path, "v1").body)
    assert (got.status, got.code) == (400, "DIGEST_INVALID")
    assert manifest(owner, path, "v1").status == 200


def test_deleting_a_digest_takes_every_tag_on_it(owner: Client, path: str) -> None:
    digest = owner.image(path, "v1", "latest")
    owner.image(path, "v2", layer=b"another")
    assert owner.ask("DELETE", f"/v2/{path}/manifests/{digest}").status == 202
    assert owner.tags(path) == ["v2"]
    assert manifest(owner, path, digest).code == "MANIFEST_UNKNOWN"


@pytest.mark.parametrize("form", ["manifests", "tags/reference"])
def test_deleting_a_tag_takes_nothing_else(owner: Client, path: str, form: str) -> None:
    digest = owner.image(path, "v1", "latest")
    assert owner.ask("DELETE", f"/v2/{path}/{form}/v1").status == 202
    assert owner.tags(path) == ["latest"]
    assert manifest(owner, path, digest).status == 200
    assert owner.ask("DELETE", f"/v2/{path}/{form}/v1").code == "MANIFEST_UNKNOWN"
    assert owner.ask("DELETE", f"/v2/{path}/{form}/latest").status == 202
    assert owner.tags(path) == []


def test_a_tag_moves(owner: Client, path: str) -> None:
    old = owner.image(path, "v1")
    new = owner.image(path, "v1", layer=b"another")
    assert manifest(owner, path, "v1").headers["Docker-Content-Digest"] == new != old
    assert manifest(owner, path, old).status == 200


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_pages_follow_one_another_to_the_end(owner: Client, path: str, count: int) -> None:
    names = ["B", "_x", "a", "v1", "v10"]
    owner.image(path, *reversed(names))
    target, found, pages = f"/v2/{path}/tags/list?n={count}", [], 0
    while target:
        got = owner.ask("GET", target)
        assert len(got.data["tags"]) <= count
        found += got.data["tags"]
        pages += 1
        following = next_page(got.headers.get("Link", ""))
        target = urljoin(target, following) if following else ""
    assert found == names
    assert pages == -(-len(names) // count)


def test_paging_begins_behind_last(owner: Client, path: str) -> None:
    owner.image(path, "a", "b", "c")
    tags = f"/v2/{path}/tags/list"
    assert owner.ask("GET", f"{tags}?last=a").data == {"name": path, "tags": ["b", "c"]}
    assert owner.ask("GET", f"{tags}?last=aa&n=1").data["tags"] == ["b"]
    assert owner.ask("GET", f"{tags}?n=0").data["tags"] == []
    assert "Link" not in owner.ask("GET", f"{tags}?n=0").headers


@pytest.mark.parametrize("count", ["-1", "x", "1.5", "9999999999999999999", "%D9%A1"])
def test_a_page_size_that_is_no_number(owner: Client, path: str, count: str) -> None:
    owner.image(path, "a")
    got = owner.ask("GET", f"/v2/{path}/tags/list?n={count}")
    assert (got.status, got.code) == (400, "PAGINATION_NUMBER_INVALID")


def test_referrers_are_listed_by_subject_and_kind(owner: Client, path: str) -> None:
    subject = owner.image(path, "v1")
    about = {"mediaType": MANIFEST, "digest": subject, "size": 1}
    sbom = owner.image(path, layer=b"sbom", subject=about, artifactType="example/sbom")
    signature = owner.image(
        path, "sig", layer=b"sig", subject=about, artifactType="example/sig", annotations={"by": "me"}
    )
    plain = owner.image(path, layer=b"plain", subject=about)
    got = owner.ask("GET", f"/v2/{path}/referrers/{subject}")
    assert (got.status, got.headers["Content-Type"]) == (200, INDEX)
    found = {entry["digest"]: entry for entry in got.data["manifests"]}
    assert set(found) == {sbom, signature, plain}
    assert found[signature]["artifactType"] == "example/sig"
    assert found[signature]["annotations"] == {"by": "me"}
    assert found[plain]["artifactType"] == CONFIG
    assert found[sbom]["size"] == len(manifest(owner, path, sbom).body)
    filtered = owner.ask("GET", f"/v2/{path}/referrers/{subject}?artifactType=example/sbom")
    assert [entry["digest"] for entry in filtered.data["manifests"]] == [sbom]
    assert filtered.headers["OCI-Filters-Applied"] == "artifactType"


def test_a_subject_need_not_be_there_and_a_deleted_referrer_is_not_listed(owner: Client, path: str) -> None:
    assert owner.ask("GET", f"/v2/{path}/referrers/{ABSENT}").data["manifests"] == []
    digest = owner.image(path, subject={"digest": ABSENT, "size": 1})
    raw = manifest(owner, path, digest).body
    assert owner.put(path, digest, raw).headers["OCI-Subject"] == ABSENT
    assert len(owner.ask("GET", f"/v2/{path}/referrers/{ABSENT}").data["manifests"]) == 1
    owner.ask("DELETE", f"/v2/{path}/manifests/{digest}")
    assert owner.ask("GET", f"/v2/{path}/referrers/{ABSENT}").data["manifests"] == []


def test_the_catalog_lists_repositories_in_pages(owner: Client, path: str) -> None:
    for name in ("one", "two"):
        owner.image(f"{path}/{name}", "v1")
    assert {f"{path}/one", f"{path}/two"} <= set(owner.ask("GET", "/v2/_catalog").data["repositories"])
    got = owner.ask("GET", f"/v2/_catalog?n=1&last={path}")
    assert got.data["repositories"] == [f"{path}/one"]
    assert next_page(got.headers.get("Link", "")) or got.data["repositories"]


def test_tags_may_come_with_a_digest(owner: Client, path: str) -> None:
    owner.image(path, "v1")
    raw = manifest(owner, path, "v1").body
    digest, names = digest_of(raw), [f"t{number:02}" for number in range(12)]
    query = "&".join(f"tag={name}" for name in names)
    got = owner.put(path, f"{digest}?{query}", raw)
    assert (got.status, got.headers["OCI-Tag"].split(", ")) == (201, names)
    assert owner.tags(path) == [*names, "v1"]
    got = owner.put(path, f"{digest}?tag=fine&tag=..%2Fetc", raw)
    assert (got.status, got.code) == (400, "MANIFEST_INVALID")
    assert "fine" not in owner.tags(path)


@pytest.mark.parametrize("own", [{}, {"artifactType": ""}])
def test_an_artifact_type_that_is_empty_is_the_configs_and_an_index_has_none(
    owner: Client, path: str, own: dict[str, str]
) -> None:
    subject = {"mediaType": MANIFEST, "digest": owner.image(path, "v1"), "size": 1}
    image = owner.image(path, layer=b"about", subject=subject, **own)
    index = owner.manifest(
        path, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "subject": subject, **own}
    )
    listed = owner.ask("GET", f"/v2/{path}/referrers/{subject['digest']}").data["manifests"]
    kinds = {entry["digest"]: entry.get("artifactType") for entry in listed}
    assert kinds == {image: CONFIG, index: None}
