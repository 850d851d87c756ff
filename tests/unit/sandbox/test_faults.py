"""Faults on purpose, as clients meet them."""

from collections.abc import Callable
from http.client import HTTPConnection, IncompleteRead

import pytest
from sandboxclient import Client, digest_of

from dockpass.errors import DockpassError
from dockpass.sandbox.faults import SOUND, FaultBox, Faults
from dockpass.sandbox.server import SandboxServer

Start = Callable[..., SandboxServer]
DATA = bytes(3_000_000)
DIGEST = digest_of(DATA)


@pytest.fixture
def sandbox(start: Start) -> SandboxServer:
    return start()


@pytest.fixture
def client(sandbox: SandboxServer) -> Client:
    return Client(sandbox, sandbox.accounts.personal)


def test_too_many_requests_so_many_times(sandbox: SandboxServer, client: Client) -> None:
    sandbox.faults = Faults(too_many=2, retry_after=7)
    for _ in range(2):
        got = client.raw("GET", "/v2/")
        assert (got.status, got.code, got.headers["Retry-After"]) == (429, "TOOMANYREQUESTS", "7")
    assert client.raw("GET", "/v2/").status == 401
    assert sandbox.faults.too_many == 0


def test_server_errors_so_many_times(sandbox: SandboxServer, client: Client) -> None:
    sandbox.faults = Faults(server_errors=1)
    assert client.raw("GET", "/v2/").code == "UNKNOWN"
    assert client.raw("GET", "/v2/").status == 401
    assert [asked.status for asked in sandbox.requests] == [500, 401]


def test_faults_may_be_given_at_the_start_and_for_some_requests_only(start: Start) -> None:
    sandbox = start(faults=Faults(server_errors=1, path="/manifests/", method="put"))
    client = Client(sandbox, sandbox.accounts.personal)
    client.blob("a/b", b"x")
    assert client.raw("GET", "/v2/a/b/manifests/v1").status == 401
    assert client.raw("PUT", "/v2/a/b/manifests/v1").status == 500
    assert client.raw("PUT", "/v2/a/b/manifests/v1").status == 401


def test_a_path_that_is_no_pattern_is_told() -> None:
    with pytest.raises(DockpassError) as caught:
        Faults(path="(")
    assert caught.value.id == "sandbox-faults"


@pytest.mark.parametrize("behind", [0, 1, 1_500_000, 2_999_999])
def test_a_blob_is_cut_once(sandbox: SandboxServer, client: Client, behind: int) -> None:
    client.blob("a/b", DATA)
    sandbox.faults = Faults(cut_blob_after=behind)
    assert client.ask("HEAD", f"/v2/a/b/blobs/{DIGEST}").status == 200
    with pytest.raises(IncompleteRead) as caught:
        client.ask("GET", f"/v2/a/b/blobs/{DIGEST}")
    assert len(caught.value.partial) == behind
    assert client.ask("GET", f"/v2/a/b/blobs/{DIGEST}").body == DATA


def test_a_blob_with_other_bytes(sandbox: SandboxServer, client: Client) -> None:
    client.blob("a/b", DATA)
    sandbox.faults = Faults(wrong_digest=1)
    got = client.ask("GET", f"/v2/a/b/blobs/{DIGEST}")
    assert len(got.body) == len(DATA)
    assert digest_of(got.body) != DIGEST == got.headers["Docker-Content-Digest"]
    assert client.ask("GET", f"/v2/a/b/blobs/{DIGEST}").body == DATA


def test_a_manifest_with_other_bytes(sandbox: SandboxServer, client: Client) -> None:
    digest = client.image("a/b", "v1")
    sandbox.faults = Faults(wrong_digest=1)
    got = client.ask("GET", "/v2/a/b/manifests/v1")
    assert digest_of(got.body) != digest == got.headers["Docker-Content-Digest"]
    assert got.data["schemaVersion"] == 2
    assert digest_of(client.ask("GET", "/v2/a/b/manifests/v1").body) == digest


def test_tokens_that_are_born_expired(sandbox: SandboxServer, client: Client) -> None:
    client.image("a/b", "v1")
    sandbox.faults = Faults(expired_tokens=1)
    got = client.ask("GET", "/v2/a/b/tags/list")
    assert got.status == 401
    assert 'error="invalid_token"' in got.headers["WWW-Authenticate"]
    assert client.tags("a/b") == ["v1"]


def test_a_request_that_hangs_ends_with_its_client(sandbox: SandboxServer, client: Client) -> None:
    sandbox.faults = Faults(hang=1)
    connection = HTTPConnection(sandbox.host, timeout=20)
    connection.request("GET", "/v2/")
    while sandbox.faults.hang:
        assert not sandbox.requests
    assert client.raw("GET", "/v2/").status == 401
    connection.close()
    gone = ("GET", "/v2/", "", 0)
    assert any(gone in sandbox.requests for _ in range(2000) if client.raw("GET", "/v2/"))


def test_a_late_answer_is_the_same_answer(sandbox: SandboxServer, client: Client) -> None:
    sandbox.faults = Faults(latency=0.01)
    assert client.ask("GET", "/v2/").status == 200


def test_what_is_left_counts_down_and_setting_counts_anew() -> None:
    box = FaultBox(Faults(too_many=1, server_errors=1, hang=1, cut_blob_after=5, cut_times=2, wrong_digest=1))
    flags = []
    for _ in range(4):
        trouble = box.before("GET", "/v2/")
        flags.append((trouble.too_many, trouble.server_error, trouble.hang))
    assert flags == [(True, False, False), (False, True, False), (False, False, True), (False, False, False)]
    assert box.within("GET", "/x", blob=False).wrong_digest
    assert box.within("GET", "/x", blob=False) == SOUND
    assert [box.within("GET", "/x", blob=True).cut_after for _ in range(3)] == [5, 5, None]
    box.faults = Faults(too_many=1)
    assert box.before("GET", "/v2/").too_many
