"""Pulling, as the distribution specification has it.

Every check of the workflow "Pull" in the project's own suite (opencontainers/distribution-spec, conformance/,
of v1.1.1 and of its rewrite) has a counterpart here, and so has what spec.md asks for in "Pull".
"""

import json
import re
from pathlib import Path

import pytest
from conformance import CODES, OF_DISTRIBUTION, assert_refused
from sandboxclient import CONFIG, MANIFEST, Client, digest_of

from dockpass import sandbox

OCTETS = "application/octet-stream"
LAYER = bytes(range(256)) * 8
ABSENT = digest_of(b"was never pushed")
CONFIG_BLOB = b'{"architecture": "amd64", "os": "linux"}'
# With blanks, fields that nobody knows and a `data` field: what comes back has to be these very bytes.
RAW = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": CONFIG,
            "digest": digest_of(CONFIG_BLOB),
            "size": len(CONFIG_BLOB),
            "data": "eyJhcmNoaXRlY3R1cmUiOiAiYW1kNjQiLCAib3MiOiAibGludXgifQ==",
            "newUnspecifiedField": "hello",
        },
        "layers": [{"mediaType": "x/y", "digest": digest_of(LAYER), "size": len(LAYER)}],
    },
    indent="\t",
).encode()
DIGEST = digest_of(RAW)
REPOSITORY = "conformance/pull"


@pytest.fixture(scope="module", autouse=True)
def image(judged: Client) -> None:
    """One image in every registry that is judged."""
    judged.blob(REPOSITORY, CONFIG_BLOB)
    judged.blob(REPOSITORY, LAYER)
    assert judged.put(REPOSITORY, "v1", RAW).status == 201


def test_the_base_tells_that_the_specification_is_spoken(judged: Client) -> None:
    assert judged.ask("GET", "/v2/").status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("what", "digest", "raw", "media_type"),
    [
        ("manifests/v1", DIGEST, RAW, MANIFEST),
        (f"manifests/{DIGEST}", DIGEST, RAW, MANIFEST),
        (f"blobs/{digest_of(CONFIG_BLOB)}", digest_of(CONFIG_BLOB), CONFIG_BLOB, OCTETS),
        (f"blobs/{digest_of(LAYER)}", digest_of(LAYER), LAYER, OCTETS),
    ],
    ids=["manifest by tag", "manifest by digest", "config", "layer"],
)
def test_what_is_there(
    judged: Client, method: str, what: str, digest: str, raw: bytes, media_type: str
) -> None:
    got = judged.ask(method, f"/v2/{REPOSITORY}/{what}", None, {"Accept": f"{MANIFEST}, {OCTETS}"})
    assert got.status == 200
    assert got.headers["Docker-Content-Digest"] == digest
    assert got.headers["Content-Type"] == media_type
    assert got.headers["Content-Length"] == str(len(raw))
    assert got.body == (raw if method == "GET" else b"")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("repository", [REPOSITORY, "conformance/nowhere"])
@pytest.mark.parametrize(
    ("what", "code"),
    [
        (f"manifests/{ABSENT}", "MANIFEST_UNKNOWN"),
        ("manifests/v2", "MANIFEST_UNKNOWN"),
        ("manifests/.INVALID_MANIFEST_NAME", "MANIFEST_UNKNOWN"),
        (f"manifests/{'a' * 129}", "MANIFEST_UNKNOWN"),
        (f"blobs/{ABSENT}", "BLOB_UNKNOWN"),
    ],
    ids=["digest", "tag", "no tag at all", "tag that is too long", "blob"],
)
def test_what_is_not_there(judged: Client, method: str, repository: str, what: str, code: str) -> None:
    got = judged.ask(method, f"/v2/{repository}/{what}")
    assert got.status == 404
    if method == "GET":
        assert_refused(got, 404, code)


@pytest.mark.parametrize("kind", ["manifests", "blobs"])
@pytest.mark.parametrize("digest", ["sha256:totallywrong", f"md5:{'a' * 32}", f"sha256:{'A' * 64}"])
def test_a_digest_outside_the_grammar_is_refused_in_the_specifications_form(
    judged: Client, kind: str, digest: str
) -> None:
    assert_refused(judged.ask("GET", f"/v2/{REPOSITORY}/{kind}/{digest}"), 400, "DIGEST_INVALID")


def test_a_body_with_a_get_changes_nothing(judged: Client) -> None:
    headers = {"Content-Type": MANIFEST}
    got = judged.ask("GET", f"/v2/{REPOSITORY}/manifests/sha256:totallywrong", b"blablabla", headers)
    assert_refused(got, 400, "DIGEST_INVALID")
    assert judged.ask("GET", f"/v2/{REPOSITORY}/manifests/v1", b"blablabla", headers).body == RAW


@pytest.mark.parametrize(
    ("asked", "first", "behind"),
    [
        ("500-1499", 500, 1500),
        ("500-", 500, 2048),
        ("-500", 1548, 2048),
        ("2000-5000", 2000, 2048),
        ("0-0", 0, 1),
    ],
)
def test_a_range_of_a_blob(judged: Client, asked: str, first: int, behind: int) -> None:
    target = f"/v2/{REPOSITORY}/blobs/{digest_of(LAYER)}"
    got = judged.ask("GET", target, None, {"Range": f"bytes={asked}"})
    assert (got.status, got.body) == (206, LAYER[first:behind])
    assert got.headers["Content-Range"] == f"bytes {first}-{behind - 1}/2048"
    assert got.headers["Content-Length"] == str(behind - first)


@pytest.mark.parametrize("asked", ["500-0", "5000-10000"])
def test_a_range_that_cannot_be_had(judged: Client, asked: str) -> None:
    target = f"/v2/{REPOSITORY}/blobs/{digest_of(LAYER)}"
    assert judged.ask("GET", target, None, {"Range": f"bytes={asked}"}).status == 416


@pytest.mark.parametrize("kind", ["blobs", "manifests"])
def test_sha512_is_as_good_as_sha256(judged: Client, path: str, kind: str) -> None:
    raw = RAW.replace(digest_of(LAYER).encode(), digest_of(LAYER, "sha512").encode())
    judged.blob(path, CONFIG_BLOB)
    digest = digest_of(LAYER if kind == "blobs" else raw, "sha512")
    target = f"/v2/{path}/blobs/uploads/?digest={digest_of(LAYER, 'sha512')}"
    assert judged.ask("POST", target, LAYER).status == 201
    assert judged.put(path, digest_of(raw, "sha512"), raw).status == 201
    got = judged.ask("GET", f"/v2/{path}/{kind}/{digest}")
    assert (got.status, digest_of(got.body, "sha512")) == (200, digest)
    assert got.headers["Docker-Content-Digest"] == digest


def test_no_refusal_has_a_code_that_no_registry_sends() -> None:
    sources = "".join(path.read_text() for path in Path(sandbox.__file__).parent.glob("*.py"))
    used = set(re.findall(r"""Refused\(\s*\d{3},\s*"([A-Z_]+)\"""", sources))
    assert len(used) > 10
    assert used <= CODES | OF_DISTRIBUTION
