"""The sandbox and the programs that people use: docker and skopeo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from clientprograms import Ended, Run, StartSandbox, digest_in, found, make_layout, skopeo
from program import Program, StartedSandbox
from sandboxclient import Client, digest_of

from dockpass.sandbox.accounts import Account, Accounts
from dockpass.sandbox.faults import Faults
from dockpass.sandbox.flavours import PROFILES, Flavour
from dockpass.sandbox.server import SandboxServer
from engine import Images

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]


def log_in(docker: Run, sandbox: SandboxServer, account: Account, *, fails: bool = False) -> Ended:
    user = PROFILES[sandbox.flavour].basic_user or account.username
    return docker(
        "login", "-u", user, "--password-stdin", sandbox.host, stdin=account.secret.reveal(), fails=fails
    )


# docker


@pytest.mark.parametrize("flavour", Flavour)
def test_docker_logs_in_pushes_and_pulls(
    start_sandbox: StartSandbox, docker: Run, images: Images, flavour: Flavour
) -> None:
    sandbox = start_sandbox(None, flavour)
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


def test_docker_is_told_that_a_password_is_wrong(start_sandbox: StartSandbox, docker: Run) -> None:
    sandbox, other = start_sandbox(), Accounts.random()
    ended = log_in(docker, sandbox, other.job, fails=True)
    assert "HTTP Basic: Access denied" in ended.err
    assert other.job.secret.reveal() not in ended.err


def test_docker_logs_in_but_may_not_push_to_another_project(
    start_sandbox: StartSandbox, docker: Run, images: Images
) -> None:
    accounts = Accounts.random()
    job = replace(accounts.job, projects=("web/own",))
    sandbox = start_sandbox(accounts=replace(accounts, job=job))
    log_in(docker, sandbox, job)
    own, foreign = f"{sandbox.host}/web/own:v1", f"{sandbox.host}/web/foreign:v1"
    images.make(own, 10)
    images.make(foreign, 10)
    docker("push", own)
    assert "denied" in docker("push", foreign, fails=True).err
    assert "denied" in docker("pull", foreign, fails=True).err


def test_docker_is_kept_from_a_protected_tag(
    start_sandbox: StartSandbox, docker: Run, images: Images
) -> None:
    sandbox = start_sandbox(protected_tags=["^v"])
    log_in(docker, sandbox, sandbox.accounts.job)
    tag = f"{sandbox.host}/web/backend:v1"
    images.make(tag, 10)
    assert "denied: the tag v1 is protected" in docker("push", tag, fails=True).err


def test_docker_pulls_without_a_login_where_anybody_may(
    start_sandbox: StartSandbox, docker: Run, images: Images
) -> None:
    sandbox = start_sandbox(None, Flavour.ANONYMOUS)
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


def test_docker_mounts_a_layer_from_another_repository(
    start_sandbox: StartSandbox, docker: Run, images: Images
) -> None:
    sandbox = start_sandbox()
    log_in(docker, sandbox, sandbox.accounts.job)
    one, two = f"{sandbox.host}/web/one:v1", f"{sandbox.host}/web/two:v1"
    images.make(one, 100_000)
    docker("push", one)
    docker("tag", one, two)
    images.made.append(two)
    assert "Mounted from web/one" in docker("push", two).out
    assert any("mount=sha256" in asked.path and asked.status == 201 for asked in sandbox.requests)


# skopeo


def test_skopeo_copies_inspects_lists_and_deletes(
    start_sandbox: StartSandbox, run: Run, layout: Path, tmp_path: Path
) -> None:
    sandbox = start_sandbox()
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


def test_skopeo_copies_from_one_repository_to_another(
    start_sandbox: StartSandbox, run: Run, layout: Path
) -> None:
    sandbox = start_sandbox()
    one, two = (f"docker://{sandbox.host}/web/{name}" for name in ("one", "two"))
    writer = sandbox.accounts.job
    skopeo(run, sandbox, writer, "copy", f"oci:{layout}:one", f"{one}:v1")
    skopeo(run, sandbox, writer, "copy", f"{one}:v1", f"{two}:v2")
    assert Client(sandbox, writer).tags("web/two") == ["v2"]


def test_skopeo_is_told_that_deletion_is_switched_off(
    start_sandbox: StartSandbox, run: Run, layout: Path
) -> None:
    sandbox = start_sandbox(None, Flavour.NO_DELETE)
    there, cleaner = f"docker://{sandbox.host}/web/backend:v1", sandbox.accounts.cleanup
    skopeo(run, sandbox, cleaner, "copy", f"oci:{layout}:one", there)
    assert "405" in skopeo(run, sandbox, cleaner, "delete", there, fails=True).err


def test_four_skopeos_push_the_same_at_once(start_sandbox: StartSandbox, run: Run, tmp_path: Path) -> None:
    """Uploads are slow here, so that one begins before another has ended."""
    kept, layout = tmp_path / "kept", make_layout(tmp_path / "large", 10_000_000)
    sandbox = start_sandbox(kept, faults=Faults(latency=0.5, path="/blobs/uploads/"))
    account, tags = sandbox.accounts.job, ["v1", "v2", "v3", "v4"]
    there = f"docker://{sandbox.host}/web/backend"

    def push(tag: str) -> None:
        skopeo(run, sandbox, account, "copy", f"oci:{layout}:one", f"{there}:{tag}")

    with ThreadPoolExecutor(len(tags)) as pool:
        list(pool.map(push, tags))
    finished = Counter(
        asked.path.partition("digest=")[2]
        for asked in sandbox.requests
        if (asked.method, asked.status) == ("PUT", 201) and "digest=" in asked.path
    )
    assert len(finished) == 2
    assert min(finished.values()) > 1, "no two of them pushed the same blob at once"
    assert Client(sandbox, account).tags("web/backend") == tags
    stored = {f"sha256:{path.name}" for path in kept.glob("blobs/sha256/*/*")}
    assert len(list(kept.glob("blobs/*/*/*"))) == 3
    assert stored == {unquote(digest) for digest in finished} | {digest_in(layout, "one")}
    assert list((kept / "uploads").iterdir()) == []
    for tag in tags:
        skopeo(run, sandbox, account, "copy", f"{there}:{tag}", f"oci:{tmp_path}/back:{tag}")
        assert digest_in(tmp_path / "back", tag) == digest_in(layout, "one")


# docker, after `dockpass sandbox --shell`

JOB = """
set -e
eval "$(cat)"
printf %s "$CI_REGISTRY_PASSWORD" | docker login -u "$CI_REGISTRY_USER" --password-stdin "$CI_REGISTRY"
docker tag "$1" "$CI_REGISTRY_IMAGE/app:v1"
docker push "$CI_REGISTRY_IMAGE/app:v1"
docker rmi "$1" "$CI_REGISTRY_IMAGE/app:v1"
docker pull "$CI_REGISTRY_IMAGE/app:v1"
docker image inspect -f 'id={{.Id}}' "$CI_REGISTRY_IMAGE/app:v1"
docker rmi "$CI_REGISTRY_IMAGE/app:v1"
docker logout "$CI_REGISTRY"
kill -TERM "$DOCKPASS_SANDBOX_PID"
"""


@pytest.fixture
def dockpass(tmp_path: Path) -> Iterator[Program]:
    (tmp_path / "tmp").mkdir()
    made = Program(tmp_path, {"TMPDIR": str(tmp_path / "tmp")})
    yield made
    made.remove()


def test_docker_logs_in_with_what_the_sandbox_prints_for_a_shell(
    dockpass: Program, run: Run, docker_host: str, images: Images
) -> None:
    found("docker")
    made = images.make("dockpass-test/shell:v1", 300_000)
    with StartedSandbox(dockpass, "--shell") as started:
        ended = run(
            "sh", "-c", JOB, "sh", images.made[0], stdin=started.out, environ={"DOCKER_HOST": docker_host}
        )
        assert started.child.wait(30) == 0
    secret = started.out.partition("CI_JOB_TOKEN=")[2].split()[0]
    assert "Login Succeeded" in ended.out
    assert f"id={made}" in ended.out
    assert secret not in ended.out + ended.err + "".join(started.said)
    assert list((dockpass.directory / "tmp").iterdir()) == []
    assert dockpass.left == []
    assert dockpass.processes == []
