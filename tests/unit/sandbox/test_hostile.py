"""Names outside the grammar, and requests that no client sends by accident."""

import errno
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandboxclient import Client, digest_of

from dockpass.references.reference import is_digest, is_repository_path, is_tag
from dockpass.sandbox.answers import Refused
from dockpass.sandbox.routes import Kind, parse_path
from dockpass.sandbox.server import SandboxServer

DIGEST = digest_of(b"a")

NAMES = [
    "..",
    "a/..",
    "../a",
    "%2e%2e/a",
    "a%2f..%2fb",
    "a//b",
    "/a",
    "a/",
    "A",
    "a_",
    "-a",
    "a___b",
    "a..b",
    "a b",
    "a%00b",
    "a%0d%0ab",
    "a%ffb",
    "%E2%80%AEa",
    "a:b",
    "a" * 256,
    "~",
]
DIGESTS = [
    "sha256:beef",
    "sha256:" + "A" * 64,
    "sha256:" + "a" * 65,
    "sha256:../../../../etc/passwd",
    "sha256:..%2f..%2fetc%2fpasswd",
    "md5:" + "a" * 32,
    "sha256:" + "a" * 63 + "%00",
    ":",
]
TAGS = [".a", "-a", "a" * 129, "a%0ab", "%F0%9F%98%80", "a b".replace(" ", "%20"), ".."]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rest", ["tags/list", "manifests/v1", f"blobs/{DIGEST}", "blobs/uploads/"])
def test_names_outside_the_grammar(owner: Client, name: str, rest: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        got = owner.raw(method, f"/v2/{name}/{rest}".replace(" ", "%20"))
        assert got.status in {400, 405}
        if got.status == 400:
            assert got.code == "NAME_INVALID"


@pytest.mark.parametrize("digest", DIGESTS)
@pytest.mark.parametrize("kind", ["blobs", "manifests", "referrers"])
def test_digests_outside_the_grammar(owner: Client, digest: str, kind: str) -> None:
    got = owner.raw("GET", f"/v2/a/b/{kind}/{digest}")
    if "/" in digest or "%2f" in digest:
        assert (got.status, got.body) == (404, b"404 page not found\n")
    else:
        assert (got.status, got.code) == (400, "DIGEST_INVALID")


@pytest.mark.parametrize("tag", TAGS)
def test_tags_outside_the_grammar(owner: Client, tag: str) -> None:
    for method, form in (("GET", "manifests"), ("PUT", "manifests"), ("DELETE", "tags/reference")):
        got = owner.raw(method, f"/v2/a/b/{form}/{tag}")
        assert (got.status, got.code) == (404, "MANIFEST_UNKNOWN")


def test_names_may_hold_the_words_of_routes(owner: Client, path: str) -> None:
    for name in (f"{path}/tags", f"{path}/manifests/v1", f"{path}/blobs/uploads", f"{path}/tags/list"):
        digest = owner.image(name, "v1")
        assert owner.tags(name) == ["v1"]
        assert owner.ask("HEAD", f"/v2/{name}/manifests/{digest}").status == 200


def test_a_percent_encoded_digest_is_the_same_digest(owner: Client, path: str) -> None:
    digest = owner.blob(path, b"some")
    assert owner.ask("GET", f"/v2/{path}/blobs/{digest.replace(':', '%3A')}").body == b"some"


@pytest.mark.parametrize(
    "target", ["/", "/v1/", "/v2x/", "/v2/a", "/v2/a/b/c", "/admin", "/v2/tags/list", "//"]
)
def test_what_is_no_path_of_a_registry(owner: Client, target: str) -> None:
    assert owner.raw("GET", target).status in {400, 404}


def test_words_of_a_request_come_back_clean(owner: Client) -> None:
    got = owner.raw("GET", "/v2/a%1b%5d0;title%07%E2%80%AE/tags/list")
    assert got.code == "NAME_INVALID"
    assert "\x1b" not in got.data["errors"][0]["detail"]["name"]
    assert "\u202e" not in got.data["errors"][0]["detail"]["name"]


_PARTS = st.text(alphabet="ab./_-:%~A2f0\n", max_size=8) | st.sampled_from([DIGEST, "v1", "a/b", "..", ""])
_WORDS = st.sampled_from(["tags/list", "tags/reference", "blobs", "blobs/uploads", "manifests", "referrers"])


@given(st.text(max_size=300) | st.tuples(_PARTS, _WORDS, _PARTS).map("/".join))
def test_every_path_is_either_within_the_grammar_or_refused(text: str) -> None:
    try:
        route = parse_path(f"/v2/{text}")
    except Refused:
        return
    if route is None or route.kind in {Kind.BASE, Kind.CATALOG}:
        return
    assert is_repository_path(route.repository)
    if route.kind is Kind.BLOB:
        assert is_digest(route.reference)
    if route.kind is Kind.TAG:
        assert is_tag(route.reference)


@pytest.mark.parametrize(
    "raw",
    [
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET /v2/ HTTP/9.9\r\n\r\n",
        b"GET /v2/" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /v2/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + b"a" * 200_000 + b"\r\n\r\n",
    ],
    ids=lambda raw: repr(raw[:40]),
)
def test_what_is_no_request_harms_nobody(
    shared: SandboxServer, owner: Client, raw: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    host, _, port = shared.host.partition(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65536)
        except OSError as error:
            if error.errno not in {errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN}:
                raise  # it may hang up on what is too long
    assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert owner.ask("GET", "/v2/").status == 200
    assert capfd.readouterr() == ("", "")


def test_a_client_that_hangs_up_leaves_an_upload_to_go_on_with(
    owner: Client, shared: SandboxServer, path: str
) -> None:
    token = owner.token(f"repository:{path}:pull,push").data["token"]
    location = owner.ask("POST", f"/v2/{path}/blobs/uploads/").headers["Location"]
    host, _, port = shared.host.partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        head = f"PATCH {location} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Length: 100\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 10)
    seen = (owner.ask("GET", location).headers["Range"] for _ in range(2000))
    assert "0-9" in seen
    rest = owner.ask("PATCH", location, b"y", {"Content-Range": "10-10"})
    assert (rest.status, rest.headers["Range"]) == (202, "0-10")


def test_nothing_is_written_outside_the_directory(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    with SandboxServer(inside) as sandbox:
        client = Client(sandbox, sandbox.accounts.personal)
        client.image("a/b", "v1")
        for name in NAMES:
            client.raw("POST", f"/v2/{name}/blobs/uploads/".replace(" ", "%20"), b"x")
    assert [found.name for found in tmp_path.iterdir()] == ["inside"]
