"""Blobs and uploads, asked over HTTP as the distribution specification has them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sandboxclient import Client, Got, digest_of

from dockpass.sandbox.server import SandboxServer

DATA = bytes(range(256)) * 40
DIGEST = digest_of(DATA)
ABSENT = digest_of(b"was never pushed")


def begin(client: Client, path: str) -> str:
    got = client.ask("POST", f"/v2/{path}/blobs/uploads/")
    assert got.status == 202
    assert got.headers["Range"] == "0-0"
    assert got.headers["Docker-Upload-UUID"] in got.headers["Location"]
    return str(got.headers["Location"])


def chunk(client: Client, location: str, data: bytes, content_range: str = "") -> Got:
    headers = {"Content-Range": content_range} if content_range else {}
    return client.ask("PATCH", location, data, headers)


def finish(client: Client, location: str, digest: str, data: bytes | None = None) -> Got:
    return client.ask("PUT", f"{location}?digest={digest}", data)


def read(client: Client, path: str, digest: str = DIGEST, **headers: str) -> Got:
    return client.ask("GET", f"/v2/{path}/blobs/{digest}", None, headers)


def test_a_blob_in_one_post(owner: Client, path: str) -> None:
    got = owner.ask("POST", f"/v2/{path}/blobs/uploads/?digest={DIGEST}", DATA)
    assert got.status == 201
    assert got.headers["Location"] == f"/v2/{path}/blobs/{DIGEST}"
    assert got.headers["Docker-Content-Digest"] == DIGEST
    found = read(owner, path)
    assert (found.status, found.body) == (200, DATA)
    assert found.headers["Docker-Content-Digest"] == DIGEST
    assert found.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


def test_a_blob_in_a_session_of_one_put(owner: Client, path: str) -> None:
    assert finish(owner, begin(owner, path), DIGEST, DATA).status == 201
    assert read(owner, path).body == DATA


def test_a_blob_in_chunks(owner: Client, path: str) -> None:
    location = begin(owner, path)
    got = chunk(owner, location, DATA[:1000], "0-999")
    assert (got.status, got.headers["Range"]) == (202, "0-999")
    assert chunk(owner, location, DATA[1000:3000]).headers["Range"] == "0-2999"
    shown = owner.ask("GET", location)
    assert (shown.status, shown.headers["Range"]) == (204, "0-2999")
    assert finish(owner, location, DIGEST, DATA[3000:]).status == 201
    assert read(owner, path).body == DATA
    assert owner.ask("GET", location).code == "BLOB_UPLOAD_UNKNOWN"


@pytest.mark.parametrize(
    ("content_range", "status", "code"),
    [
        ("5-14", 416, "RANGE_INVALID"),
        ("0-9", 416, "RANGE_INVALID"),
        ("11-20", 416, "RANGE_INVALID"),
        ("10-9", 416, "RANGE_INVALID"),
        ("-1-8", 416, "RANGE_INVALID"),
        ("10-", 416, "RANGE_INVALID"),
        ("ten-twenty", 416, "RANGE_INVALID"),
        ("10-9999999999999999999999", 416, "RANGE_INVALID"),
        ("10-20", 400, "SIZE_INVALID"),
        ("10-18", 400, "SIZE_INVALID"),
    ],
)
def test_a_chunk_that_does_not_fit_leaves_no_trace(
    owner: Client, path: str, content_range: str, status: int, code: str
) -> None:
    location = begin(owner, path)
    chunk(owner, location, DATA[:10], "0-9")
    got = chunk(owner, location, DATA[10:20], content_range)
    assert (got.status, got.code, got.headers["Range"]) == (status, code, "0-9")
    assert chunk(owner, location, DATA[10:], f"10-{len(DATA) - 1}").status == 202
    assert finish(owner, location, DIGEST).status == 201


def test_an_empty_blob(owner: Client, path: str) -> None:
    digest = digest_of(b"")
    assert finish(owner, begin(owner, path), digest).status == 201
    got = read(owner, path, digest)
    assert (got.status, got.body, got.headers["Content-Length"]) == (200, b"", "0")


def test_a_sha512_blob(owner: Client, path: str) -> None:
    digest = digest_of(DATA, "sha512")
    assert finish(owner, begin(owner, path), digest, DATA).status == 201
    assert read(owner, path, digest).body == DATA
    assert read(owner, path).status == 404


@pytest.mark.parametrize("way", ["post", "put"])
def test_a_wrong_digest_stores_nothing(owner: Client, path: str, way: str) -> None:
    location = begin(owner, path)
    if way == "post":
        got = owner.ask("POST", f"/v2/{path}/blobs/uploads/?digest={ABSENT}", DATA)
    else:
        got = finish(owner, location, ABSENT, DATA)
    assert (got.status, got.code) == (400, "DIGEST_INVALID")
    assert read(owner, path, ABSENT).code == "BLOB_UNKNOWN"
    assert read(owner, path).code == "BLOB_UNKNOWN"
    assert (owner.ask("GET", location).status == 404) == (way == "put")


def test_a_cancelled_upload_is_gone(owner: Client, path: str) -> None:
    location = begin(owner, path)
    chunk(owner, location, DATA)
    assert owner.ask("DELETE", location).status == 204
    assert owner.ask("DELETE", location).code == "BLOB_UPLOAD_UNKNOWN"
    assert finish(owner, location, DIGEST).code == "BLOB_UPLOAD_UNKNOWN"


def test_an_upload_belongs_to_its_repository(owner: Client, path: str) -> None:
    location = begin(owner, path)
    elsewhere = location.replace(path, f"{path}/other")
    assert owner.ask("PATCH", elsewhere, DATA).code == "BLOB_UPLOAD_UNKNOWN"


def test_a_blob_is_seen_only_where_it_was_pushed_or_mounted(owner: Client, path: str) -> None:
    owner.blob(f"{path}/one", DATA)
    assert read(owner, f"{path}/two").code == "BLOB_UNKNOWN"
    mount = f"/v2/{path}/two/blobs/uploads/?mount={DIGEST}&from={path}"
    assert owner.ask("POST", f"{mount}/three").status == 202
    assert read(owner, f"{path}/two").status == 404
    got = owner.ask("POST", f"{mount}/one")
    assert (got.status, got.headers["Location"]) == (201, f"/v2/{path}/two/blobs/{DIGEST}")
    assert read(owner, f"{path}/two").body == DATA


def test_a_mount_without_its_source_opens_a_session(owner: Client, path: str) -> None:
    owner.blob(f"{path}/one", DATA)
    assert owner.ask("POST", f"/v2/{path}/two/blobs/uploads/?mount={DIGEST}").status == 202
    assert owner.ask("POST", f"/v2/{path}/one/blobs/uploads/?mount={DIGEST}").status == 201


@pytest.mark.parametrize("what", ["mount=sha256:beef&from=a/b", f"mount={DIGEST}&from=../etc", "digest=beef"])
def test_an_upload_with_hostile_words_is_refused(owner: Client, path: str, what: str) -> None:
    got = owner.ask("POST", f"/v2/{path}/blobs/uploads/?{what}", DATA)
    assert got.status == 400
    assert got.code in {"DIGEST_INVALID", "NAME_INVALID"}


@pytest.mark.parametrize(
    ("asked", "first", "behind"),
    [("0-9", 0, 10), ("10-", 10, len(DATA)), ("-5", len(DATA) - 5, len(DATA)), ("10-99999", 10, len(DATA))],
)
def test_a_range_of_a_blob(owner: Client, path: str, asked: str, first: int, behind: int) -> None:
    owner.blob(path, DATA)
    got = read(owner, path, Range=f"bytes={asked}")
    assert (got.status, got.body) == (206, DATA[first:behind])
    assert got.headers["Content-Range"] == f"bytes {first}-{behind - 1}/{len(DATA)}"


@pytest.mark.parametrize("asked", [f"bytes={len(DATA)}-", "bytes=9-1", "bytes=x-y", "lines=1-2"])
def test_a_range_that_is_not_there(owner: Client, path: str, asked: str) -> None:
    owner.blob(path, DATA)
    assert read(owner, path, Range=asked).status == 416


def test_head_tells_the_size_alone(owner: Client, path: str) -> None:
    owner.blob(path, DATA)
    got = owner.ask("HEAD", f"/v2/{path}/blobs/{DIGEST}")
    assert (got.status, got.body, got.headers["Content-Length"]) == (200, b"", str(len(DATA)))
    assert owner.ask("HEAD", f"/v2/{path}/blobs/{ABSENT}").status == 404


def test_a_deleted_blob_stays_where_it_is_still_linked(owner: Client, path: str) -> None:
    owner.blob(f"{path}/one", DATA)
    owner.blob(f"{path}/two", DATA)
    assert owner.ask("DELETE", f"/v2/{path}/one/blobs/{DIGEST}").status == 202
    assert read(owner, f"{path}/one").status == 404
    assert owner.ask("DELETE", f"/v2/{path}/one/blobs/{DIGEST}").code == "BLOB_UNKNOWN"
    assert read(owner, f"{path}/two").body == DATA


def test_a_compressed_body_is_stored_as_it_was_sent(owner: Client, path: str) -> None:
    got = owner.ask("POST", f"/v2/{path}/blobs/uploads/?digest={DIGEST}", DATA, {"Content-Encoding": "gzip"})
    assert got.status == 201


def test_many_push_the_same_blob_at_once(owner: Client, shared: SandboxServer, path: str) -> None:
    data = bytes(300_000)
    digest = digest_of(data)
    together = threading.Barrier(8)

    def push(number: int) -> int:
        location = begin(owner, f"{path}/p{number % 2}")
        together.wait(20)
        return finish(owner, location, digest, data).status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(push, range(8))) == {201}
    assert read(owner, f"{path}/p0", digest).body == data
    assert read(owner, f"{path}/p1", digest).body == data


def test_two_who_write_to_one_upload_do_not_mix(owner: Client, path: str) -> None:
    location = begin(owner, path)
    halves = [b"a" * 200_000, b"b" * 200_000]
    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(
            got.status for got in pool.map(lambda half: chunk(owner, location, half, "0-199999"), halves)
        )
    assert statuses == [202, 416]
    digests = {digest_of(half) for half in halves}
    assert sorted(finish(owner, location, digest).status for digest in digests)[-1] in {201, 404}
    assert sum(read(owner, path, digest).status == 200 for digest in digests) <= 1


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("PUT", "/v2/a/b/blobs/uploads/"),
        ("POST", f"/v2/a/b/blobs/{DIGEST}"),
        ("PATCH", "/v2/a/b/manifests/latest"),
        ("POST", "/v2/a/b/tags/list"),
        ("DELETE", "/v2/"),
        ("PUT", f"/v2/a/b/referrers/{DIGEST}"),
        ("GET", "/v2/a/b/tags/reference/latest"),
    ],
)
def test_a_method_that_a_route_has_not(owner: Client, method: str, target: str) -> None:
    got = owner.raw(method, target)
    assert (got.status, got.code) == (405, "UNSUPPORTED")
    assert got.headers["Allow"]
