"""The sandbox and the clients that people use: docker, skopeo, podman, buildah, and two Python libraries."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sandboxclient import CONFIG, INDEX, LAYER, MANIFEST, Client, digest_of
from servers import Missing, program

from dockpass.sandbox.accounts import Account, Accounts
from dockpass.sandbox.flavours import Flavour
from dockpass.sandbox.server import SandboxServer
from engine import Images

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]

NEEDED = frozenset({"docker", "skopeo"})

Start = Callable[..., SandboxServer]
Run = Callable[..., "Ended"]


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start sandboxes that end with the test."""
    with ExitStack() as stack:
        yield lambda *given, **named: stack.enter_context(SandboxServer(*given, **named))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a client with a home of the test's own; a failure fails the test unless it is expected."""

    def run_one(
        name: str,
        *arguments: str,
        stdin: str = "",
        fails: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> Ended:
        own = {
            "HOME": str(tmp_path),
            "XDG_RUNTIME_DIR": str(tmp_path),
            "DOCKER_CONFIG": str(tmp_path / "docker"),
        }
        ended = subprocess.run(
            [_found(name), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=100,
            env={**os.environ, **own, **(environ or {})},
        )
        assert (ended.returncode != 0) == fails, ended.stdout + ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run_one


def _found(name: str) -> str:
    try:
        return program(name)
    except Missing as missing:
        if name in NEEDED and os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(f"CI has to have it: {missing}")
        pytest.skip(str(missing))


@pytest.fixture
def docker(run: Run, docker_host: str) -> Run:
    return lambda *arguments, **named: run("docker", "-H", docker_host, *arguments, **named)


@pytest.fixture
def images(docker_host: str) -> Iterator[Images]:
    made = Images(docker_host)
    yield made
    made.forget(*made.made)


def log_in(docker: Run, sandbox: SandboxServer, account: Account, *, fails: bool = False) -> Ended:
    user = "AWS" if sandbox.flavour is Flavour.ECR else account.username
    return docker(
        "login", "-u", user, "--password-stdin", sandbox.host, stdin=account.secret.reveal(), fails=fails
    )


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """An OCI layout: an index `all` of images for two machines, and one of the images as `one`."""
    root = tmp_path / "layout"
    (root / "blobs" / "sha256").mkdir(parents=True)
    (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def put(media_type: str, raw: bytes, **more: object) -> dict[str, object]:
        digest = digest_of(raw)
        (root / "blobs" / "sha256" / digest.partition(":")[2]).write_bytes(raw)
        return {"mediaType": media_type, "digest": digest, "size": len(raw), **more}

    children = []
    for machine in ("amd64", "arm64"):
        archive = tar_of(machine.encode() * 700)
        layer = put(f"{LAYER}+gzip", gzip.compress(archive))
        rootfs = {"type": "layers", "diff_ids": [digest_of(archive)]}
        config = put(CONFIG, json.dumps({"architecture": machine, "os": "linux", "rootfs": rootfs}).encode())
        image = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
        platform = {"os": "linux", "architecture": machine}
        children.append(put(MANIFEST, json.dumps(image).encode(), platform=platform))
    index = put(INDEX, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}).encode())
    named = [
        {**index, "annotations": {"org.opencontainers.image.ref.name": "all"}},
        {**children[0], "annotations": {"org.opencontainers.image.ref.name": "one"}},
    ]
    (root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": named}))
    return root


def tar_of(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("file")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def digest_in(layout: Path, name: str) -> str:
    listed = json.loads((layout / "index.json").read_text())["manifests"]
    return next(
        str(entry["digest"])
        for entry in listed
        if entry.get("annotations", {}).get("org.opencontainers.image.ref.name") == name
    )


# docker


@pytest.mark.parametrize("flavour", Flavour)
def test_docker_logs_in_pushes_and_pulls(start: Start, docker: Run, images: Images, flavour: Flavour) -> None:
    sandbox = start(None, flavour)
    tag = f"{sandbox.host}/web/{flavour.value}:v1"
    log_in(docker, sandbox, sandbox.accounts.job)
    made = images.make(tag, 300_000)
    pushed = docker("push", tag)
    assert "v1: digest: sha256:" in pushed.out
    images.forget(tag)
    assert not images.has(tag)
    docker("pull", tag)
    assert docker("image", "inspect", "-f", "{{.Id}}", tag).out.strip() == made
    assert ("PUT", f"/v2/web/{flavour.value}/manifests/v1", 201) in [
        (asked.method, asked.path, asked.status) for asked in sandbox.requests
    ]


def test_docker_is_told_that_a_password_is_wrong(start: Start, docker: Run) -> None:
    sandbox, other = start(), Accounts.random()
    ended = log_in(docker, sandbox, other.job, fails=True)
    assert "HTTP Basic: Access denied" in ended.err
    assert other.job.secret.reveal() not in ended.err


def test_docker_logs_in_but_may_not_push_to_another_project(
    start: Start, docker: Run, images: Images
) -> None:
    accounts = Accounts.random()
    job = replace(accounts.job, projects=("web/own",))
    sandbox = start(accounts=replace(accounts, job=job))
    log_in(docker, sandbox, job)
    own, foreign = f"{sandbox.host}/web/own:v1", f"{sandbox.host}/web/foreign:v1"
    images.make(own, 10)
    images.make(foreign, 10)
    docker("push", own)
    assert "denied" in docker("push", foreign, fails=True).err
    assert "denied" in docker("pull", foreign, fails=True).err


def test_docker_is_kept_from_a_protected_tag(start: Start, docker: Run, images: Images) -> None:
    sandbox = start(protected_tags=["^v"])
    log_in(docker, sandbox, sandbox.accounts.job)
    tag = f"{sandbox.host}/web/backend:v1"
    images.make(tag, 10)
    assert "denied: the tag v1 is protected" in docker("push", tag, fails=True).err


def test_docker_pulls_without_a_login_where_anybody_may(start: Start, docker: Run, images: Images) -> None:
    sandbox = start(None, Flavour.ANONYMOUS)
    pusher = Client(sandbox, sandbox.accounts.job)
    tag = f"{sandbox.host}/web/backend:v1"
    log_in(docker, sandbox, sandbox.accounts.job)
    images.make(tag, 10)
    docker("push", tag)
    docker("logout", sandbox.host)
    images.forget(tag)
    docker("pull", tag)
    assert "denied" in docker("push", f"{sandbox.host}/web/backend:v1", fails=True).err
    assert pusher.tags("web/backend") == ["v1"]


def test_docker_mounts_a_layer_from_another_repository(start: Start, docker: Run, images: Images) -> None:
    sandbox = start()
    log_in(docker, sandbox, sandbox.accounts.job)
    one, two = f"{sandbox.host}/web/one:v1", f"{sandbox.host}/web/two:v1"
    images.make(one, 100_000)
    docker("push", one)
    docker("tag", one, two)
    images.made.append(two)
    assert "Mounted from web/one" in docker("push", two).out
    assert any("mount=sha256" in asked.path and asked.status == 201 for asked in sandbox.requests)


# skopeo


def skopeo(run: Run, sandbox: SandboxServer, account: Account, *arguments: str, **named: Any) -> Ended:
    command, rest = arguments[0], arguments[1:]
    credentials = f"{account.username}:{account.secret.reveal()}"
    options = {
        "copy": [],
        "inspect": ["--tls-verify=false", f"--creds={credentials}"],
        "list-tags": ["--tls-verify=false", f"--creds={credentials}"],
        "delete": ["--tls-verify=false", f"--creds={credentials}"],
    }[command]
    if command == "copy":
        side = "dest" if rest[-1].startswith("docker://") else "src"
        options = [f"--{side}-tls-verify=false", f"--{side}-creds={credentials}"]
        if all(part.startswith("docker://") for part in rest[-2:]):
            options += ["--src-tls-verify=false", f"--src-creds={credentials}"]
    return run("skopeo", "--insecure-policy", command, *options, *rest, **named)


def test_skopeo_copies_inspects_lists_and_deletes(
    start: Start, run: Run, layout: Path, tmp_path: Path
) -> None:
    sandbox = start()
    writer, cleaner = sandbox.accounts.deploy, sandbox.accounts.cleanup
    there = f"docker://{sandbox.host}/web/backend"
    skopeo(run, sandbox, writer, "copy", f"oci:{layout}:one", f"{there}:v1")
    skopeo(run, sandbox, writer, "copy", "--all", f"oci:{layout}:all", f"{there}:all")
    assert skopeo(run, sandbox, writer, "list-tags", there).data["Tags"] == ["all", "v1"]
    shown = skopeo(run, sandbox, writer, "inspect", "--raw", f"{there}:all").out
    assert digest_of(shown.rstrip("\n").encode()) == digest_in(layout, "all")
    assert skopeo(run, sandbox, writer, "inspect", f"{there}:v1").data["Digest"] == digest_in(layout, "one")
    skopeo(run, sandbox, writer, "copy", "--all", f"{there}:all", f"oci:{tmp_path}/back:all")
    assert digest_in(tmp_path / "back", "all") == digest_in(layout, "all")
    skopeo(run, sandbox, writer, "delete", f"{there}:v1", fails=True)
    skopeo(run, sandbox, cleaner, "delete", f"{there}:v1")
    assert skopeo(run, sandbox, writer, "list-tags", there).data["Tags"] == ["all"]


def test_skopeo_copies_from_one_repository_to_another(start: Start, run: Run, layout: Path) -> None:
    sandbox = start()
    one, two = (f"docker://{sandbox.host}/web/{name}" for name in ("one", "two"))
    writer = sandbox.accounts.job
    skopeo(run, sandbox, writer, "copy", f"oci:{layout}:one", f"{one}:v1")
    skopeo(run, sandbox, writer, "copy", f"{one}:v1", f"{two}:v2")
    assert Client(sandbox, writer).tags("web/two") == ["v2"]


def test_skopeo_is_told_that_deletion_is_switched_off(start: Start, run: Run, layout: Path) -> None:
    sandbox = start(None, Flavour.NO_DELETE)
    there, cleaner = f"docker://{sandbox.host}/web/backend:v1", sandbox.accounts.cleanup
    skopeo(run, sandbox, cleaner, "copy", f"oci:{layout}:one", there)
    assert "405" in skopeo(run, sandbox, cleaner, "delete", there, fails=True).err


# podman and buildah


@pytest.fixture
def containers(tmp_path: Path) -> Mapping[str, str]:
    """What keeps podman and buildah to the test's own directory."""
    root = tmp_path / "containers"
    root.mkdir()
    (root / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{root}/graph"\nrunroot = "{root}/run"\n'
    )
    (root / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    return {
        "CONTAINERS_STORAGE_CONF": str(root / "storage.conf"),
        "REGISTRY_AUTH_FILE": str(root / "auth.json"),
        "STORAGE_DRIVER": "vfs",
    }


@pytest.mark.parametrize("name", ["podman", "buildah"])
def test_podman_and_buildah_log_in_pull_and_push(
    start: Start, run: Run, layout: Path, containers: Mapping[str, str], name: str
) -> None:
    _found(name)
    sandbox = start()
    account = sandbox.accounts.job
    skopeo(run, sandbox, account, "copy", f"oci:{layout}:one", f"docker://{sandbox.host}/web/backend:v1")
    policy = str(Path(containers["REGISTRY_AUTH_FILE"]).with_name("policy.json"))

    def call(*arguments: str, stdin: str = "", fails: bool = False) -> Ended:
        return run(name, *arguments, stdin=stdin, fails=fails, environ=containers)

    login = ["login", "--tls-verify=false", "-u", account.username, "--password-stdin", sandbox.host]
    call(*login, stdin="canary-wrong", fails=True)
    call(*login, stdin=account.secret.reveal())
    tag = f"{sandbox.host}/web/backend"
    call("pull", "--tls-verify=false", f"--signature-policy={policy}", f"{tag}:v1")
    call("push", "--tls-verify=false", f"--signature-policy={policy}", f"{tag}:v1", f"{tag}:v2")
    assert Client(sandbox, account).tags("web/backend") == ["v1", "v2"]


# libraries


def test_oras_pushes_and_pulls_files(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With Basic, for this library asks for one token, to read, and never for a wider one."""
    from oras import client

    sandbox = start(None, Flavour.DISTRIBUTION)
    account = sandbox.accounts.job
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    (tmp_path / "note.txt").write_text("a note")
    monkeypatch.chdir(tmp_path)
    oras = client.OrasClient(hostname=sandbox.host, insecure=True, auth_backend="basic")
    oras.login(username=account.username, password=account.secret.reveal(), hostname=sandbox.host)
    oras.push(target=f"{sandbox.host}/web/notes:v1", files=["note.txt"])
    found = oras.pull(target=f"{sandbox.host}/web/notes:v1", outdir=str(tmp_path / "back"))
    assert [Path(path).read_text() for path in found] == ["a note"]
    assert oras.get_tags(f"{sandbox.host}/web/notes") == ["v1"]


def test_dxf_pushes_pulls_and_deletes(start: Start) -> None:
    """With a token of the test's, for this library logs in by https only."""
    import dxf

    sandbox = start()
    account = sandbox.accounts.cleanup
    registry = dxf.DXF(sandbox.host, "web/data", insecure=True)
    registry.token = Client(sandbox, account).token("repository:web/data:pull,push,delete").data["token"]
    digest = registry.push_blob(data=b"some data", digest=digest_of(b"some data"))
    assert b"".join(registry.pull_blob(digest)) == b"some data"
    registry.set_alias("v1", digest)
    assert registry.list_aliases() == ["v1"]
    assert registry.get_alias("v1") == [digest]
    registry.del_alias("v1")
    assert registry.list_aliases() == []
    registry.del_blob(digest)
    assert Client(sandbox, account).ask("GET", f"/v2/web/data/blobs/{digest}").status == 404
