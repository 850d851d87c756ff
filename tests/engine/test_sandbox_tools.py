"""The sandbox, podman and buildah, and the Python libraries oras and dxf."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dxf
import pytest
from clientprograms import Containers, Ended, Run, StartSandbox, digest_in, found, skopeo
from hostile import Authority
from oras.auth.utils import parse_auth_header
from oras.client import OrasClient
from requests import HTTPError
from sandboxclient import Client, digest_of
from servers import CLEANUP_PASSWORD, Registry
from tlsproxy import TlsProxy

from dockpass.sandbox.accounts import Account
from dockpass.sandbox.flavours import Flavour
from dockpass.sandbox.server import SandboxServer

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]

# podman and buildah


def log_in(call: Run, sandbox: SandboxServer, account: Account, **named: Any) -> Ended:
    secret = named.pop("secret", account.secret.reveal())
    options = ["--tls-verify=false", "-u", account.username, "--password-stdin"]
    return call("login", *options, sandbox.host, stdin=secret, **named)


@pytest.mark.parametrize("name", ["podman", "buildah"])
def test_podman_and_buildah_log_in_pull_push_and_inspect(
    start_sandbox: StartSandbox,
    run: Run,
    layout: Path,
    containers: Containers,
    name: str,
) -> None:
    found(name)
    sandbox = start_sandbox()
    account, call = sandbox.accounts.job, containers(name, sandbox.host)
    tag = f"{sandbox.host}/web/backend"
    skopeo(run, sandbox, account, "copy", f"oci:{layout}:one", f"docker://{tag}:v1")
    refused = log_in(call, sandbox, account, secret="canary-wrong", fails=True)
    assert "canary-wrong" not in refused.err
    log_in(call, sandbox, account)
    call("pull", "--tls-verify=false", f"{tag}:v1")
    call("push", "--tls-verify=false", f"{tag}:v1", f"{tag}:v2")
    assert Client(sandbox, account).tags("web/backend") == ["v1", "v2"]
    call("rmi", f"{tag}:v1")
    call("pull", "--tls-verify=false", f"{tag}:v2")
    here = call("inspect", "--type=image", f"{tag}:v2").data
    there = skopeo(run, sandbox, account, "inspect", f"docker://{tag}:v2").data["Digest"]
    assert there == (here[0]["Digest"] if name == "podman" else here["FromImageDigest"])
    call("logout", sandbox.host)
    call("pull", "--tls-verify=false", f"{tag}:v1", fails=True)


@pytest.mark.parametrize("name", ["podman", "buildah"])
def test_podman_and_buildah_push_an_index_and_ask_the_registry_for_it(
    start_sandbox: StartSandbox,
    run: Run,
    layout: Path,
    containers: Containers,
    name: str,
) -> None:
    found(name)
    sandbox = start_sandbox()
    account, call = sandbox.accounts.cleanup, containers(name, sandbox.host)
    tag = f"{sandbox.host}/web/backend"
    skopeo(run, sandbox, account, "copy", "--all", f"oci:{layout}:all", f"docker://{tag}:all")
    log_in(call, sandbox, account)
    call("manifest", "create", "mine")
    call("manifest", "add", "--tls-verify=false", "--all", "mine", f"docker://{tag}:all")
    call("manifest", "push", "--tls-verify=false", "--all", "mine", f"docker://{tag}:mine")
    call("manifest", "rm", "mine")
    machines = {
        entry["platform"]["architecture"]: entry["digest"]
        for entry in call("manifest", "inspect", f"{tag}:mine").data["manifests"]
    }
    assert machines["amd64"] == digest_in(layout, "one")
    assert set(machines) == {"amd64", "arm64"}
    assert ("GET", "/v2/web/backend/manifests/mine", 200) in [
        (asked.method, asked.path, asked.status) for asked in sandbox.requests
    ]
    call("pull", "--tls-verify=false", f"{tag}@{machines['arm64']}")
    # podman 4.3 and buildah 1.28 cannot delete in a registry: `rmi` takes away what is here, and refuses docker://.
    call("rmi", f"{tag}@{machines['arm64']}")
    assert "unsupported transport" in call("rmi", f"docker://{tag}:mine", fails=True).err
    assert Client(sandbox, account).tags("web/backend") == ["all", "mine"]


def test_podman_searches_repositories_and_tags(start_sandbox: StartSandbox, containers: Containers) -> None:
    found("podman")
    sandbox = start_sandbox()
    account, call = sandbox.accounts.cleanup, containers("podman", sandbox.host)
    Client(sandbox, account).image("web/backend", "v1", "v2")
    Client(sandbox, account).image("web/other", "v1")
    log_in(call, sandbox, account)
    search = ("search", "--tls-verify=false", "--format=json")
    listed = call(*search, "--list-tags", f"{sandbox.host}/web/backend").data
    assert [(entry["Name"], entry["Tags"]) for entry in listed] == [
        (f"{sandbox.host}/web/backend", ["v1", "v2"])
    ]
    assert [entry["Name"] for entry in call(*search, f"{sandbox.host}/back").data] == [
        f"{sandbox.host}/web/backend"
    ]


# oras


@dataclass(frozen=True)
class Place:
    """A registry with GitLab's tokens, and a login that may do everything."""

    host: str
    username: str
    password: str

    def client(self, **options: Any) -> OrasClient:
        """Return a client that has logged in."""
        made = OrasClient(hostname=self.host, insecure=True, **options)
        made.login(username=self.username, password=self.password, hostname=self.host)
        return made


@pytest.fixture
def note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file in the current directory; no engine, which the library would ask to log in too."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "note.txt").write_text("a note")
    return "note.txt"


@pytest.fixture(params=["sandbox", "docker-registry"])
def place(
    request: pytest.FixtureRequest,
    start_sandbox: StartSandbox,
    start_registry: Callable[..., Registry],
) -> Place:
    """The sandbox, and the registry that it has to be like."""
    if request.param == "sandbox":
        sandbox = start_sandbox()
        account = sandbox.accounts.cleanup
        return Place(sandbox.host, account.username, account.secret.reveal())
    return Place(start_registry("token").host, "werf-cleanup", CLEANUP_PASSWORD)


def pulled(oras: OrasClient, target: str) -> list[str]:
    return [Path(path).read_text() for path in oras.pull(target=target, outdir="back")]


@pytest.mark.registry
def test_oras_logs_in_pushes_lists_and_pulls(place: Place, note: str) -> None:
    """It keeps the first token, even where a 401 asks for more: so the widest request has to come first."""
    target = f"{place.host}/web/notes:v1"
    with pytest.raises(ValueError, match="authentication required"):
        place.client().push(target=target, files=[note])
    oras = place.client()
    assert oras.do_request(f"http://{place.host}/v2/web/notes/blobs/uploads/", "POST").status_code == 202
    oras.push(target=target, files=[note])
    oras.push(target=f"{place.host}/web/notes:v2", files=[note], do_chunked=True)
    assert oras.get_tags(target) == ["v1", "v2"]
    assert pulled(oras, target) == ["a note"]
    assert pulled(place.client(), target) == ["a note"]


@pytest.mark.registry
def test_oras_deletes_with_a_token_for_all_that_it_does(place: Place, note: str) -> None:
    """A challenge to DELETE names that action alone, but this library reads the manifest with the same token."""
    target = f"{place.host}/web/notes:v1"
    oras = place.client()
    challenge = parse_auth_header(oras.session.get(f"http://{place.host}/v2/").headers["WWW-Authenticate"])
    challenge.scope = "repository:web/notes:pull,push,delete"
    oras.auth.set_token_auth(oras.auth.request_token(challenge))
    oras.push(target=target, files=[note])
    assert oras.delete_tags(target, ["v1", "none"]) == ["v1"]
    assert oras.get_tags(target) == []


def test_oras_pushes_and_pulls_with_a_password_alone(start_sandbox: StartSandbox, note: str) -> None:
    sandbox = start_sandbox(None, Flavour.DISTRIBUTION)
    account = sandbox.accounts.job
    oras = Place(sandbox.host, account.username, account.secret.reveal()).client(auth_backend="basic")
    target = f"{sandbox.host}/web/notes:v1"
    oras.push(target=target, files=[note])
    assert pulled(oras, target) == ["a note"]
    assert oras.get_tags(target) == ["v1"]


def test_oras_pulls_without_a_login_where_anybody_may(start_sandbox: StartSandbox, note: str) -> None:
    sandbox = start_sandbox(None, Flavour.ANONYMOUS)
    account, target = sandbox.accounts.job, f"{sandbox.host}/web/notes:v1"
    oras = Place(sandbox.host, account.username, account.secret.reveal()).client()
    oras.do_request(f"http://{sandbox.host}/v2/web/notes/blobs/uploads/", "POST")
    oras.push(target=target, files=[note])
    (Path.home() / ".docker" / "config.json").unlink()
    assert pulled(OrasClient(hostname=sandbox.host, insecure=True), target) == ["a note"]


# dxf


@dataclass(frozen=True)
class Secured:
    """The sandbox behind TLS, which dxf wants before it sends a password."""

    sandbox: SandboxServer
    host: str
    trusted: Path

    def repository(self, path: str, account: Account, password: str = "") -> dxf.DXF:
        """Return a client that logs in by itself; the token server is told to be behind TLS too."""

        def log_in(client: dxf.DXFBase, response: Any) -> None:
            client.authenticate(account.username, password or account.secret.reveal(), response=response)

        return dxf.DXF(self.host, path, log_in, auth_host=self.host, tlsverify=str(self.trusted))


@pytest.fixture
def secured(start_sandbox: StartSandbox, tmp_path: Path) -> Iterator[Secured]:
    sandbox, authority = start_sandbox(), Authority(tmp_path)
    with TlsProxy(sandbox.host, authority.context("127.0.0.1")) as proxy:
        yield Secured(sandbox, proxy.host, authority.file)


def test_dxf_logs_in_pushes_pulls_and_deletes(secured: Secured, tmp_path: Path) -> None:
    registry = secured.repository("web/data", secured.sandbox.accounts.cleanup)
    (tmp_path / "large").write_bytes(b"some data" * 100_000)
    large = registry.push_blob(str(tmp_path / "large"))
    small = registry.push_blob(data=iter([b"in ", b"pieces"]), digest=digest_of(b"in pieces"))
    assert registry.blob_size(large) == 900_000
    assert digest_of(b"".join(registry.pull_blob(large))) == large
    for alias in ("v1", "v2", "v3"):
        registry.set_alias(alias, *([large, small] if alias == "v2" else [small]))
    assert registry.list_aliases(batch_size=1) == ["v1", "v2", "v3"]
    assert registry.get_alias("v2") == [large, small]
    assert registry.get_alias("v2", sizes=True) == [(large, 900_000), (small, 9)]
    assert registry.del_alias("v2") == [large, small]
    assert registry.list_aliases() == ["v1", "v3"]
    registry.del_blob(large)
    with pytest.raises(HTTPError, match="404"):
        registry.pull_blob(large)


def test_dxf_mounts_a_blob_and_lists_repositories(secured: Secured) -> None:
    account = secured.sandbox.accounts.cleanup
    one, two = (secured.repository(path, account) for path in ("web/one", "web/two"))
    digest = one.push_blob(data=iter([b"some data"]), digest=digest_of(b"some data"))
    assert two.mount_blob("web/one", digest) == digest
    one.set_alias("v1", digest)
    two.set_alias("v1", digest)
    assert one.list_repos() == ["web/one", "web/two"]


def test_dxf_is_refused_what_its_login_may_not_do(secured: Secured) -> None:
    job = secured.sandbox.accounts.job
    registry = secured.repository("web/data", job)
    digest = registry.push_blob(data=iter([b"some data"]), digest=digest_of(b"some data"))
    for refused in (registry.del_blob, secured.repository("web/data", job, "canary-wrong").pull_blob):
        with pytest.raises(dxf.exceptions.DXFUnauthorizedError):
            refused(digest)


def test_dxf_pushes_by_plain_http_with_a_token_that_it_is_given(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox()
    account = sandbox.accounts.cleanup
    registry = dxf.DXF(sandbox.host, "web/data", insecure=True)
    registry.token = Client(sandbox, account).token("repository:web/data:pull,push").data["token"]
    digest = registry.push_blob(data=iter([b"some data"]), digest=digest_of(b"some data"))
    registry.set_alias("v1", digest)
    assert registry.get_alias("v1") == [digest]
