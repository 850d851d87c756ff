"""What the tests against the distribution specification have in common: its codes, its Locations, its uploads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from sandboxclient import Client, Got

# spec.md, "Error Codes", and what Distribution sends beyond it: see `answers.py`.
OF_DISTRIBUTION = frozenset({"RANGE_INVALID", "PAGINATION_NUMBER_INVALID", "UNKNOWN"})
CODES = frozenset(
    {
        "BLOB_UNKNOWN",
        "BLOB_UPLOAD_INVALID",
        "BLOB_UPLOAD_UNKNOWN",
        "DENIED",
        "DIGEST_INVALID",
        "MANIFEST_BLOB_UNKNOWN",
        "MANIFEST_INVALID",
        "MANIFEST_UNKNOWN",
        "NAME_INVALID",
        "NAME_UNKNOWN",
        "SIZE_INVALID",
        "TOOMANYREQUESTS",
        "UNAUTHORIZED",
        "UNSUPPORTED",
    }
)
OCTETS = {"Content-Type": "application/octet-stream"}

Way = Callable[[Client, str, bytes, str], Got]


def assert_refused(got: Got, status: int, code: str) -> None:
    """Hold a refusal against the form of spec.md, "Error Codes"."""
    assert got.status == status, got
    assert set(got.data) == {"errors"}
    for error in got.data["errors"]:
        assert set(error) <= {"code", "message", "detail"}
        assert isinstance(error["message"], str)
    assert got.code == code
    assert code in CODES | OF_DISTRIBUTION


def where(got: Got) -> str:
    """Return the path and query of an answer's Location, which may be absolute or relative."""
    parts = urlsplit(str(got.headers["Location"]))
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def closing(target: str, digest: str) -> str:
    """Return the target that closes an upload; its Location may have a query of its own."""
    return f"{target}{'&' if '?' in target else '?'}digest={digest}"


def begin(client: Client, path: str, query: str = "") -> str:
    """Open an upload; return its target."""
    got = client.ask("POST", f"/v2/{path}/blobs/uploads/{query}", b"")
    assert got.status == 202, got
    return where(got)


def chunk(client: Client, target: str, raw: bytes, first: int, method: str = "PATCH") -> Got:
    """Send a chunk that begins at `first`."""
    length = {"Content-Range": f"{first}-{first + len(raw) - 1}", **OCTETS}
    return client.ask(method, target, raw, length)


def by_one_post(client: Client, path: str, raw: bytes, digest: str) -> Got:
    return client.ask("POST", f"/v2/{path}/blobs/uploads/?digest={digest}", raw, OCTETS)


def by_post_and_put(client: Client, path: str, raw: bytes, digest: str) -> Got:
    return client.ask("PUT", closing(begin(client, path), digest), raw, OCTETS)


def by_stream(client: Client, path: str, raw: bytes, digest: str) -> Got:
    got = client.ask("PATCH", begin(client, path), raw, OCTETS)
    assert got.status == 202, got
    return client.ask("PUT", closing(where(got), digest), None, OCTETS)


def by_one_chunk(client: Client, path: str, raw: bytes, digest: str) -> Got:
    got = chunk(client, begin(client, path), raw, 0)
    assert (got.status, got.headers["Range"]) == (202, f"0-{len(raw) - 1}")
    return client.ask("PUT", closing(where(got), digest), b"", OCTETS)


def by_chunks(client: Client, path: str, raw: bytes, digest: str) -> Got:
    target, third = begin(client, path), len(raw) // 3
    for first in range(0, len(raw), third):
        part = raw[first : first + third]
        got = chunk(client, target, part, first)
        assert (got.status, got.headers["Range"]) == (202, f"0-{first + len(part) - 1}")
        target = where(got)
    return client.ask("PUT", closing(target, digest), b"", OCTETS)


def by_chunks_and_a_last_in_the_put(client: Client, path: str, raw: bytes, digest: str) -> Got:
    half = len(raw) // 2
    got = chunk(client, begin(client, path), raw[:half], 0)
    assert got.status == 202, got
    return chunk(client, closing(where(got), digest), raw[half:], half, "PUT")


WAYS: Mapping[str, Way] = {
    "one POST": by_one_post,
    "POST and PUT": by_post_and_put,
    "a stream": by_stream,
    "one chunk": by_one_chunk,
    "chunks": by_chunks,
    "chunks, the last in the PUT": by_chunks_and_a_last_in_the_put,
}
