"""The server's own life: threads, ports, directories, two at a time."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import pytest
from sandboxclient import Client

from dockpass.errors import DockpassError
from dockpass.sandbox.application import Notebook
from dockpass.sandbox.faults import Faults
from dockpass.sandbox.server import PREFIX, SandboxServer


@pytest.fixture(autouse=True)
def own_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_sandbox_listens_on_loopback_and_leaves_nothing(own_temporary: Path) -> None:
    before = threading.active_count()
    with SandboxServer() as sandbox:
        assert sandbox.host.startswith("127.0.0.1:")
        assert sandbox.url == f"http://{sandbox.host}"
        assert sandbox.realm == f"{sandbox.url}/jwt/auth"
        (kept,) = own_temporary.glob(f"{PREFIX}*")
        assert kept.stat().st_mode & 0o777 == 0o700
        Client(sandbox, sandbox.accounts.personal).image("a/b", "v1")
    assert list(own_temporary.iterdir()) == []
    assert threading.active_count() == before
    host, _, port = sandbox.host.partition(":")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, int(port)), timeout=5)


def test_stopping_twice_and_starting_again(own_temporary: Path) -> None:
    sandbox = SandboxServer(own_temporary / "kept")
    sandbox.stop()
    sandbox.start()
    with pytest.raises(RuntimeError):
        sandbox.start()
    digest = Client(sandbox, sandbox.accounts.personal).image("a/b", "v1")
    sandbox.stop()
    sandbox.stop()
    sandbox.start()
    client = Client(sandbox, sandbox.accounts.personal)
    assert client.ask("GET", "/v2/a/b/manifests/v1").headers["Docker-Content-Digest"] == digest
    sandbox.stop()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "registry.example", "", "127.0.0.1:80"])
def test_another_address_is_refused_with_the_reason(address: str) -> None:
    with pytest.raises(DockpassError) as caught:
        SandboxServer(address=address)
    assert caught.value.id == "sandbox-address"
    assert "plain http" in caught.value.message
    assert "127.0.0.1" in caught.value.hint


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_number_that_is_no_port(port: int) -> None:
    with pytest.raises(DockpassError) as caught:
        SandboxServer(port=port)
    assert caught.value.id == "sandbox-port"


def test_a_port_in_use_is_told_and_another_taken() -> None:
    with SandboxServer() as first:
        port = int(first.host.partition(":")[2])
        with SandboxServer(port=port) as second:
            assert second.host != first.host
            (note,) = second.notes
            assert note.startswith(f"Port {port} is in use")
            assert second.host.partition(":")[2] in note
    with SandboxServer(port=port) as third:
        assert third.host == first.host
        assert third.notes == ()


def test_a_start_that_fails_leaves_nothing(own_temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise DockpassError("made-up", "It fails.")

    monkeypatch.setattr("dockpass.sandbox.server.Storage", fails)
    sandbox = SandboxServer()
    with pytest.raises(DockpassError, match="It fails"):
        sandbox.start()
    assert list(own_temporary.iterdir()) == []
    monkeypatch.undo()
    monkeypatch.setattr(tempfile, "tempdir", str(own_temporary))
    with sandbox:
        assert Client(sandbox, sandbox.accounts.personal).ask("GET", "/v2/").status == 200


FORGETFUL = """
import sys, urllib.request
from dockpass.sandbox.server import SandboxServer
sandbox = SandboxServer()
sandbox.start()
try:
    urllib.request.urlopen(sandbox.url + "/v2/")
except urllib.request.HTTPError as error:
    print(error.code)
"""


def test_a_program_that_forgets_to_stop_ends_and_leaves_nothing(own_temporary: Path) -> None:
    environ = {**os.environ, "TMPDIR": str(own_temporary), "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, "-c", FORGETFUL], capture_output=True, text=True, timeout=60, env=environ
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "401\n", "")
    assert list(own_temporary.iterdir()) == []


def test_two_sandboxes_know_nothing_of_each_other() -> None:
    with SandboxServer() as one, SandboxServer() as other:
        secrets = [{account.secret for account in sandbox.accounts} for sandbox in (one, other)]
        assert not secrets[0] & secrets[1]
        mine, theirs = Client(one, one.accounts.personal), Client(other, other.accounts.personal)
        mine.image("a/b", "v1")
        assert theirs.ask("GET", "/v2/a/b/tags/list").code == "NAME_UNKNOWN"
        foreign = Client(other, one.accounts.personal)
        assert foreign.token().status == 401
        token = mine.token("repository:a/b:pull").data["token"]
        got = theirs.raw("GET", "/v2/a/b/tags/list", None, {"Authorization": f"Bearer {token}"})
        assert got.status == 401
        assert 'error="invalid_token"' in got.headers["WWW-Authenticate"]


def test_default_secrets_look_like_gitlabs_and_are_not_shown() -> None:
    accounts = SandboxServer().accounts
    prefixes = [account.secret.reveal().partition("-")[0] for account in accounts]
    assert prefixes[:4] == ["glcbt", "glpat", "glpat", "gldt"]
    assert all(len(account.secret) >= 32 for account in accounts)
    assert not any(account.secret.reveal() in repr(accounts) for account in accounts)


def test_requests_are_written_down_with_who_and_what_came(own_temporary: Path) -> None:
    with SandboxServer() as sandbox:
        client = Client(sandbox, sandbox.accounts.job)
        client.image("a/b", "v1")
        client.ask("GET", "/v2/a/b/tags/list?n=5")
        client.raw("GET", "/v2/%1b%5bA/tags/list")
        asked = sandbox.requests
        secret = sandbox.accounts.job.secret.reveal()
    assert asked[0] == ("POST", asked[0].path, "", 401)
    assert asked[1][2:] == ("gitlab-ci-token", 200)
    assert asked[1].path.startswith(
        "/jwt/auth?service=container_registry&scope=repository%3Aa%2Fb%3Apull%2Cpush"
    )
    assert asked[-2] == ("GET", "/v2/a/b/tags/list?n=5", "myuser", 200)
    assert asked[-1].status == 400
    assert not any(secret in field for one in asked for field in one[:3])


def test_the_notebook_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockpass.sandbox.application.MOST_REQUESTS", 3)
    notebook = Notebook()
    for number in range(5):
        notebook.add(("GET", str(number), "", 200))  # type: ignore[arg-type]
    assert [asked[1] for asked in notebook.all()] == ["2", "3", "4"]


def test_stopping_does_not_wait_for_those_who_hang() -> None:
    with SandboxServer(faults=Faults(hang=1)) as sandbox, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(Client(sandbox).raw, "GET", "/v2/")
        while sandbox.faults.hang:
            assert not waiting.done()
        sandbox.stop()
        with pytest.raises((OSError, HTTPException)):
            waiting.result(10)


def test_a_full_disk_is_told_in_the_registrys_form(
    own_temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SandboxServer() as sandbox:
        client = Client(sandbox, sandbox.accounts.personal)

        def full(*_: object) -> None:
            raise OSError(28, os.strerror(28))

        monkeypatch.setattr("dockpass.sandbox.blobs.Upload.append", full)
        got = client.ask("POST", "/v2/a/b/blobs/uploads/", b"")
        got = client.ask("PATCH", got.headers["Location"], b"x")
        assert (got.status, got.code) == (500, "UNKNOWN")
        assert "No space left" in got.message
        monkeypatch.undo()
        assert client.ask("GET", "/v2/").status == 200


def test_many_threads_may_read_and_set_at_once() -> None:
    with SandboxServer() as sandbox:
        client = Client(sandbox, sandbox.accounts.personal)
        client.image("a/b", "v1")

        def work(number: int) -> int:
            sandbox.faults = Faults(latency=0.001 * (number % 2))
            len(sandbox.requests)
            return client.ask("GET", "/v2/a/b/manifests/v1").status

        with ThreadPoolExecutor(16) as pool:
            assert set(pool.map(work, range(200))) == {200}
