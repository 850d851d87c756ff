"""Deleting, as the distribution specification has it: the workflow "Content Management" of its own suite."""

from collections.abc import Callable
from operator import attrgetter

import pytest
from conformance import assert_refused
from sandboxclient import Client, digest_of

from dockpass.sandbox.flavours import Flavour
from dockpass.sandbox.server import SandboxServer

Start = Callable[..., SandboxServer]

LAYER = b"a layer"
ABSENT = digest_of(b"was never pushed")


def status(client: Client, path: str, what: str, method: str = "GET") -> int:
    return client.ask(method, f"/v2/{path}/{what}").status


def test_a_tag_goes_alone_and_at_once(judged: Client, path: str) -> None:
    digest = judged.image(path, "v1", "v2")
    assert status(judged, path, "manifests/v1", "DELETE") == 202
    assert [status(judged, path, "manifests/v1", method) for method in ("GET", "HEAD")] == [404, 404]
    assert judged.tags(path) == ["v2"]
    assert status(judged, path, f"manifests/{digest}") == 200


def test_a_manifest_goes_with_every_tag_on_it(judged: Client, path: str) -> None:
    digest = judged.image(path, "v1", "v2")
    other = judged.image(path, "v3", layer=b"another")
    assert status(judged, path, f"manifests/{digest}", "DELETE") == 202
    for gone in (digest, "v1", "v2"):
        assert [status(judged, path, f"manifests/{gone}", method) for method in ("GET", "HEAD")] == [404, 404]
    assert judged.tags(path) == ["v3"]
    assert status(judged, path, f"manifests/{other}") == 200


def test_a_manifest_can_go_after_its_last_tag(judged: Client, path: str) -> None:
    digest = judged.image(path, "v1")
    assert status(judged, path, "manifests/v1", "DELETE") == 202
    assert judged.ask("GET", f"/v2/{path}/tags/list").data == {"name": path, "tags": []}
    assert status(judged, path, f"manifests/{digest}", "DELETE") == 202
    assert status(judged, path, f"manifests/{digest}") == 404


@pytest.mark.parametrize("first", ["manifest", "blob"])
def test_a_blob_goes_before_or_after_its_manifest(judged: Client, path: str, first: str) -> None:
    manifest, blob = judged.image(path, "v1"), digest_of(LAYER)
    order = [f"manifests/{manifest}", f"blobs/{blob}"]
    for what in order if first == "manifest" else reversed(order):
        assert status(judged, path, what, "DELETE") == 202
        assert [status(judged, path, what, method) for method in ("GET", "HEAD", "DELETE")] == [404] * 3


def test_sha512_goes_too(judged: Client, path: str) -> None:
    digest = digest_of(LAYER, "sha512")
    assert judged.ask("POST", f"/v2/{path}/blobs/uploads/?digest={digest}", LAYER).status == 201
    assert status(judged, path, f"blobs/{digest}", "DELETE") == 202
    assert status(judged, path, f"blobs/{digest}") == 404


@pytest.mark.parametrize("there", [True, False], ids=["repository", "no repository"])
@pytest.mark.parametrize(
    ("what", "answer", "code"),
    [
        ("manifests/v2", 404, "MANIFEST_UNKNOWN"),
        ("manifests/.no-tag", 404, "MANIFEST_UNKNOWN"),
        (f"manifests/{ABSENT}", 404, "MANIFEST_UNKNOWN"),
        (f"blobs/{ABSENT}", 404, "BLOB_UNKNOWN"),
        ("manifests/sha256:beef", 400, "DIGEST_INVALID"),
        ("blobs/sha256:beef", 400, "DIGEST_INVALID"),
    ],
)
def test_what_is_not_there_cannot_be_deleted(
    judged: Client, path: str, there: bool, what: str, answer: int, code: str
) -> None:
    if there:
        judged.image(path, "v1")
    assert_refused(judged.ask("DELETE", f"/v2/{path}/{what}"), answer, code)


@pytest.mark.parametrize("flavour", [Flavour.NO_DELETE, Flavour.DOCKERHUB], ids=attrgetter("value"))
def test_deletion_that_is_switched_off(start: Start, flavour: Flavour) -> None:
    sandbox = start(None, flavour)
    client = Client(sandbox, sandbox.accounts.personal)
    manifest, blob = client.image("a/b", "v1"), digest_of(LAYER)
    for what in ("manifests/v1", f"manifests/{manifest}", f"blobs/{blob}"):
        got = client.ask("DELETE", f"/v2/a/b/{what}")
        assert_refused(got, 405, "UNSUPPORTED")
        assert {"GET", "HEAD"} <= set(got.headers["Allow"].split(", "))
        assert "DELETE" not in got.headers["Allow"]
        assert status(client, "a/b", what) == 200
