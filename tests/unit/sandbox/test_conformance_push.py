"""Pushing blobs, as the distribution specification has it: the first half of its own suite's workflow "Push"."""

import re
import uuid

import pytest
from conformance import (
    OCTETS,
    WAYS,
    assert_refused,
    begin,
    by_chunks,
    by_post_and_put,
    chunk,
    closing,
    where,
)
from sandboxclient import Client, Got, digest_of

RAW = bytes(range(256)) * 2
DIGEST = digest_of(RAW)
ABSENT = digest_of(b"was never pushed")
HALF = len(RAW) // 2


def pulled(client: Client, path: str, digest: str) -> Got:
    return client.ask("GET", f"/v2/{path}/blobs/{digest}")


def is_session(got: Got, path: str) -> bool:
    return got.status == 202 and where(got).startswith(f"/v2/{path}/blobs/uploads/")


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("way", WAYS)
def test_a_blob_is_pushed(judged: Client, path: str, way: str, algorithm: str) -> None:
    digest = digest_of(RAW, algorithm)
    assert pulled(judged, path, digest).status == 404
    got = WAYS[way](judged, path, RAW, digest)
    assert (got.status, got.headers["Docker-Content-Digest"]) == (201, digest)
    assert judged.ask("GET", where(got)).body == RAW
    found = pulled(judged, path, digest)
    assert (found.status, found.body, found.headers["Docker-Content-Digest"]) == (200, RAW, digest)
    assert judged.ask("HEAD", f"/v2/{path}/blobs/{digest}").headers["Content-Length"] == str(len(RAW))


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("way", WAYS)
def test_a_blob_that_is_not_its_digests_is_not_kept(
    judged: Client, path: str, way: str, algorithm: str
) -> None:
    digest = digest_of(RAW, algorithm)
    spoilt = RAW + b"oh no"
    assert_refused(WAYS[way](judged, path, spoilt, digest), 400, "DIGEST_INVALID")
    assert pulled(judged, path, digest).status == 404
    assert pulled(judged, path, digest_of(spoilt, algorithm)).status == 404


@pytest.mark.parametrize("way", ["one POST", "POST and PUT", "a stream"])
@pytest.mark.parametrize("raw", [b"", b"{}"], ids=["empty", "empty JSON"])
def test_a_blob_of_nearly_nothing(judged: Client, path: str, way: str, raw: bytes) -> None:
    assert WAYS[way](judged, path, raw, digest_of(raw)).status == 201
    got = pulled(judged, path, digest_of(raw))
    assert (got.status, got.body, got.headers["Content-Length"]) == (200, raw, str(len(raw)))


def test_a_session_has_a_uuid_and_no_least_length_of_a_chunk(judged: Client, path: str) -> None:
    got = judged.ask("POST", f"/v2/{path}/blobs/uploads/", b"")
    assert is_session(got, path)
    name = where(got).partition("?")[0].rpartition("/")[2]
    assert str(uuid.UUID(name)) == name
    assert "OCI-Chunk-Min-Length" not in got.headers
    target = where(got)
    for first in range(3):
        answer = chunk(judged, target, RAW[first : first + 1], first)
        assert (answer.status, answer.headers["Range"]) == (202, f"0-{first}")
        target = where(answer)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("before", [0, HALF], ids=["the first chunk", "the last chunk"])
def test_a_chunk_out_of_order_is_told_and_can_be_put_right(
    judged: Client, path: str, before: int, method: str
) -> None:
    target = begin(judged, path)
    if before:
        target = where(chunk(judged, target, RAW[:before], 0))
    wrong = HALF if not before else 0
    got = chunk(judged, closing(target, DIGEST), RAW[wrong : wrong + HALF], wrong, method)
    assert_refused(got, 416, "RANGE_INVALID")
    told = judged.ask("GET", target)
    assert (told.status, told.body) == (204, b"")
    assert told.headers["Range"] == f"0-{max(before - 1, 0)}"
    rest = chunk(judged, where(told), RAW[before:], before)
    assert (rest.status, rest.headers["Range"]) == (202, f"0-{len(RAW) - 1}")
    assert judged.ask("PUT", closing(where(rest), DIGEST), b"").status == 201
    assert pulled(judged, path, DIGEST).body == RAW


def test_a_chunk_that_is_sent_again_is_out_of_order(judged: Client, path: str) -> None:
    first = begin(judged, path)
    assert chunk(judged, first, RAW[:HALF], 0).status == 202
    assert_refused(chunk(judged, first, RAW[:HALF], 0), 416, "RANGE_INVALID")
    told = judged.ask("GET", first)
    assert (told.status, told.headers["Range"]) == (204, f"0-{HALF - 1}")
    assert chunk(judged, where(told), RAW[HALF:], HALF).status == 202


@pytest.mark.parametrize("content_range", ["0-9", "0-999"], ids=["longer", "shorter"])
def test_a_chunk_of_another_length_than_it_says(judged: Client, path: str, content_range: str) -> None:
    target = begin(judged, path)
    got = judged.ask("PATCH", target, RAW[:50], {"Content-Range": content_range, **OCTETS})
    assert_refused(got, 400, "SIZE_INVALID")
    assert by_chunks(judged, path, RAW, DIGEST).status == 201


@pytest.mark.parametrize("so_far", [0, HALF])
def test_an_upload_can_be_cancelled(judged: Client, path: str, so_far: int) -> None:
    target = begin(judged, path)
    if so_far:
        target = where(chunk(judged, target, RAW[:so_far], 0))
    got = judged.ask("DELETE", target, None, {"Content-Length": "0"})
    assert (got.status, got.body) == (204, b"")
    for again in (
        judged.ask("GET", target),
        judged.ask("DELETE", target),
        chunk(judged, target, RAW, 0),
        judged.ask("PUT", closing(target, DIGEST), RAW),
    ):
        assert_refused(again, 404, "BLOB_UPLOAD_UNKNOWN")


def test_an_upload_that_is_closed_is_over(judged: Client, path: str) -> None:
    target = begin(judged, path)
    assert judged.ask("PUT", closing(target, DIGEST), RAW, OCTETS).status == 201
    assert_refused(judged.ask("GET", target), 404, "BLOB_UPLOAD_UNKNOWN")
    assert_refused(judged.ask("PUT", closing(target, DIGEST), RAW, OCTETS), 404, "BLOB_UPLOAD_UNKNOWN")


@pytest.mark.parametrize("digest", ["sha256:beef", f"md5:{'a' * 32}", "none", ""])
def test_a_digest_that_is_none_is_refused_and_the_session_goes_on(
    judged: Client, path: str, digest: str
) -> None:
    target = begin(judged, path)
    assert_refused(judged.ask("PUT", closing(target, digest), RAW, OCTETS), 400, "DIGEST_INVALID")
    assert_refused(judged.ask("PUT", target, RAW, OCTETS), 400, "DIGEST_INVALID")
    if digest:
        got = judged.ask("POST", f"/v2/{path}/blobs/uploads/?digest={digest}", RAW, OCTETS)
        assert_refused(got, 400, "DIGEST_INVALID")
    assert judged.ask("PUT", closing(target, DIGEST), RAW, OCTETS).status == 201


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_an_algorithm_that_is_announced(judged: Client, path: str, algorithm: str) -> None:
    target = begin(judged, path, f"?digest-algorithm={algorithm}")
    target = where(chunk(judged, target, RAW, 0))
    digest = digest_of(RAW, algorithm)
    assert judged.ask("PUT", closing(target, digest), b"").status == 201
    assert pulled(judged, path, digest).body == RAW


@pytest.mark.parametrize("rest", ["", f"&digest={DIGEST}"])
@pytest.mark.parametrize("algorithm", ["md5", "sha384", "SHA256", "..%2Fetc", "%1b%5d0"])
def test_an_algorithm_that_is_not_known(judged: Client, path: str, algorithm: str, rest: str) -> None:
    got = judged.ask("POST", f"/v2/{path}/blobs/uploads/?digest-algorithm={algorithm}{rest}", RAW)
    assert_refused(got, 400, "DIGEST_INVALID")
    assert re.search(r"sha256.*sha512", got.message)
    assert "\x1b" not in str(got.data)
    assert pulled(judged, path, DIGEST).status == 404


def test_a_blob_is_mounted_from_where_it_is(judged: Client, path: str) -> None:
    by_post_and_put(judged, f"{path}/one", RAW, DIGEST)
    got = judged.ask("POST", f"/v2/{path}/two/blobs/uploads/?mount={DIGEST}&from={path}/one", b"")
    assert (got.status, where(got)) == (201, f"/v2/{path}/two/blobs/{DIGEST}")
    assert got.headers["Docker-Content-Digest"] == DIGEST
    assert judged.ask("GET", where(got)).body == RAW


@pytest.mark.parametrize(
    "query",
    [
        f"mount={DIGEST}",
        f"mount={ABSENT}",
        f"mount={ABSENT}&from={{path}}/one",
        f"mount={DIGEST}&from={{path}}/three",
        "from={path}/one",
        "mount=&from={path}/one",
    ],
    ids=[
        "without a source",
        "of what is nowhere",
        "of what is not in the source",
        "from a repository that is not there",
        "of nothing",
        "of an empty digest",
    ],
)
def test_a_mount_that_is_not_possible_begins_an_upload(judged: Client, path: str, query: str) -> None:
    by_post_and_put(judged, f"{path}/one", RAW, DIGEST)
    got = judged.ask("POST", f"/v2/{path}/two/blobs/uploads/?{query.format(path=path)}", b"")
    assert is_session(got, f"{path}/two")
    assert pulled(judged, f"{path}/two", DIGEST).status == 404
    assert judged.ask("PUT", closing(where(got), DIGEST), RAW, OCTETS).status == 201
    assert pulled(judged, f"{path}/two", DIGEST).body == RAW


def test_a_mount_of_what_is_in_the_repository_itself_needs_no_source(judged: Client, path: str) -> None:
    by_post_and_put(judged, path, RAW, DIGEST)
    got = judged.ask("POST", f"/v2/{path}/blobs/uploads/?mount={DIGEST}", b"")
    assert (got.status, where(got)) == (201, f"/v2/{path}/blobs/{DIGEST}")


def test_a_mount_of_what_is_no_digest_is_refused(judged: Client, path: str) -> None:
    got = judged.ask("POST", f"/v2/{path}/blobs/uploads/?mount=sha256:beef&from={path}/one", b"")
    assert_refused(got, 400, "DIGEST_INVALID")
