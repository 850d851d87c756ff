"""Pushing manifests, as the distribution specification has it: the second half of its own suite's "Push"."""

import json

import pytest
from conformance import assert_refused, where
from sandboxclient import CONFIG, INDEX, MANIFEST, Client, Got, digest_of

LAYER, CONFIG_BLOB = b"a layer", b"{}"
ABSENT = digest_of(b"was never pushed")
SUBJECT = {"mediaType": MANIFEST, "digest": ABSENT, "size": 1}


def ready(client: Client, path: str, **extra: object) -> bytes:
    """Push the blobs of an image; return its manifest."""
    client.blob(path, LAYER)
    client.blob(path, CONFIG_BLOB)
    layers = [{"mediaType": "x/y", "digest": digest_of(LAYER), "size": len(LAYER)}]
    return bare({"layers": layers, **extra})


def bare(extra: dict[str, object]) -> bytes:
    config = {"mediaType": CONFIG, "digest": digest_of(CONFIG_BLOB), "size": len(CONFIG_BLOB)}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, **extra}
    return json.dumps(manifest, indent="\t").encode()


def index_of(*digests: str, **extra: object) -> bytes:
    entries = [{"mediaType": MANIFEST, "digest": digest, "size": 1} for digest in digests]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries, **extra}).encode()


def assert_accepted(client: Client, got: Got, raw: bytes, media_type: str = MANIFEST) -> None:
    """Hold an answer to a push against spec.md: its Location can be pulled, byte by byte."""
    assert got.status == 201, got
    found = client.ask("GET", where(got))
    assert (found.status, found.body, found.headers["Content-Type"]) == (200, raw, media_type)


def test_one_manifest_under_four_tags(judged: Client, path: str) -> None:
    raw = ready(judged, path)
    for tag in ("test0", "test1", "test2", "test3"):
        got = judged.put(path, tag, raw)
        assert_accepted(judged, got, raw)
        assert got.headers["Docker-Content-Digest"] == digest_of(raw)
        assert judged.ask("GET", f"/v2/{path}/manifests/{tag}").body == raw
    assert judged.ask("GET", f"/v2/{path}/manifests/{digest_of(raw)}").body == raw


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_manifest_by_its_digest(judged: Client, path: str, algorithm: str) -> None:
    raw = ready(judged, path)
    got = judged.put(path, digest_of(raw, algorithm), raw)
    assert_accepted(judged, got, raw)
    assert got.headers["Docker-Content-Digest"] == digest_of(raw, algorithm)


def test_a_manifest_without_layers_and_without_a_media_type_of_its_own(judged: Client, path: str) -> None:
    judged.blob(path, CONFIG_BLOB)
    raw = bare({"layers": []}).replace(b'"mediaType": "' + MANIFEST.encode() + b'",', b"")
    assert json.loads(raw).keys() == {"schemaVersion", "config", "layers"}
    assert_accepted(judged, judged.put(path, "emptylayer", raw), raw)


def test_parameters_of_the_content_type_are_left_out(judged: Client, path: str) -> None:
    raw = ready(judged, path)
    assert_accepted(judged, judged.put(path, "v1", raw, f"{MANIFEST}; charset=utf-8"), raw)


def test_an_index_of_nothing_of_images_and_of_indexes(judged: Client, path: str) -> None:
    children: list[str] = []
    for raw in (ready(judged, path), index_of()):
        media_type = MANIFEST if not children else INDEX
        assert_accepted(judged, judged.put(path, digest_of(raw), raw, media_type), raw, media_type)
        children.append(digest_of(raw))
    for number in range(2):
        raw = index_of(*children)
        assert_accepted(judged, judged.put(path, f"nested{number}", raw, INDEX), raw, INDEX)
        children.append(digest_of(raw))


def test_fields_that_nobody_knows_are_kept(judged: Client, path: str) -> None:
    raw = ready(judged, path, **{"org.example.unknown": {"any": [1, None]}, "artifactType": "a/b"})
    assert_accepted(judged, judged.put(path, "v1", raw), raw)


def test_a_layer_that_is_kept_elsewhere_need_not_be_here(judged: Client, path: str) -> None:
    foreign = {"mediaType": "x/y", "digest": ABSENT, "size": 1, "urls": ["https://store.example"]}
    raw = ready(judged, path, layers=[foreign])
    assert_accepted(judged, judged.put(path, "v1", raw), raw)


@pytest.mark.parametrize("what", ["layer", "config", "child"])
def test_a_part_that_is_not_there_is_told_by_its_own_code(judged: Client, path: str, what: str) -> None:
    if what == "child":
        assert_refused(judged.put(path, "v1", index_of(ABSENT), INDEX), 400, "MANIFEST_BLOB_UNKNOWN")
        return
    judged.blob(path, LAYER if what == "config" else CONFIG_BLOB)
    layer = {"mediaType": "x/y", "digest": digest_of(LAYER), "size": len(LAYER)}
    assert_refused(judged.put(path, "v1", bare({"layers": [layer]})), 400, "MANIFEST_BLOB_UNKNOWN")


def test_a_manifest_of_nearly_four_mebibytes_is_taken_and_a_larger_one_told(
    judged: Client, path: str
) -> None:
    notes = {f"large-annotation-{number}": "A" * 10_000 for number in range(390)}
    raw = ready(judged, path, annotations=notes)
    assert_accepted(judged, judged.put(path, "large", raw), raw)
    assert_refused(judged.put(path, "larger", raw + b" " * (4 << 20)), 413, "SIZE_INVALID")


@pytest.mark.parametrize("reference", [ABSENT, "sha256:baddigeststring", f"md5:{'a' * 32}"])
def test_a_manifest_under_a_digest_that_is_not_its_own(judged: Client, path: str, reference: str) -> None:
    raw = ready(judged, path)
    assert_refused(judged.put(path, reference, raw), 400, "DIGEST_INVALID")
    assert judged.ask("GET", f"/v2/{path}/manifests/{digest_of(raw)}").status == 404


@pytest.mark.parametrize("raw", [b"blablabla", b"", b"[]"])
def test_what_is_no_manifest(judged: Client, path: str, raw: bytes) -> None:
    assert_refused(judged.put(path, "v1", raw), 400, "MANIFEST_INVALID")


def test_a_manifest_under_what_is_no_tag(judged: Client, path: str) -> None:
    raw = ready(judged, path)
    assert_refused(judged.put(path, ".INVALID_MANIFEST_NAME", raw), 404, "MANIFEST_UNKNOWN")
    assert_refused(judged.put(path, f"{digest_of(raw)}?tag=v1&tag=.no", raw), 400, "MANIFEST_INVALID")
    assert judged.ask("GET", f"/v2/{path}/manifests/v1").status == 404


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_tags_come_with_a_digest(judged: Client, path: str, algorithm: str) -> None:
    raw = ready(judged, path)
    tags = [f"t{number:02}" for number in range(10)]
    query = "&".join(f"tag={tag}" for tag in tags)
    got = judged.put(path, f"{digest_of(raw, algorithm)}?{query}", raw)
    assert_accepted(judged, got, raw)
    told = ",".join(got.headers.get_all("OCI-Tag", [])).split(",")
    assert [tag.strip() for tag in told] == tags
    for tag in tags:
        head = judged.ask("HEAD", f"/v2/{path}/manifests/{tag}")
        assert head.headers["Docker-Content-Digest"] == digest_of(raw, algorithm)


@pytest.mark.parametrize("kind", [MANIFEST, INDEX])
@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_subject_that_is_not_there_is_taken_and_told(judged: Client, path: str, by: str, kind: str) -> None:
    raw = ready(judged, path, subject=SUBJECT) if kind == MANIFEST else index_of(subject=SUBJECT)
    got = judged.put(path, "v1" if by == "tag" else digest_of(raw), raw, kind)
    assert_accepted(judged, got, raw, kind)
    assert got.headers["OCI-Subject"] == ABSENT


def test_a_manifest_without_a_subject_tells_none(judged: Client, path: str) -> None:
    assert "OCI-Subject" not in judged.put(path, "v1", ready(judged, path)).headers
