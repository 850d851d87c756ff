"""The clients that people use push and pull by `dockpass exec`, whatever logins lie where they would look else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clientprograms import Containers, Home, StartSandbox, found, found_in_wheel
from execclients import PLACES, Exec, exec_in
from sandboxclient import Client

import dockpass
from dockpass.sandbox.server import SandboxServer

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]


@pytest.fixture
def sandbox(start_sandbox: StartSandbox) -> SandboxServer:
    return start_sandbox()


@pytest.fixture
def exec_(tmp_path: Path, sandbox: SandboxServer) -> Iterator[Exec]:
    with exec_in(tmp_path, sandbox) as call:
        yield call


def test_skopeo_copies_and_never_reads_the_config_where_it_is_told_another(
    exec_: Exec, sandbox: SandboxServer, layout: Path, tmp_path: Path
) -> None:
    copy = (found("skopeo"), "copy", "--dest-tls-verify=false", f"oci:{layout}:one")
    assert "never read" not in exec_(*copy, f"docker://{sandbox.host}/web/backend:v1")
    assert Client(sandbox, sandbox.accounts.job).tags("web/backend") == ["v1"]
    said = exec_(
        *copy,
        f"docker://{sandbox.host}/web/backend:v2",
        "--dest-authfile",
        f"{tmp_path}/{PLACES[0]}",
        fails=True,
    )
    assert "its option --dest-authfile may name another login" in said
    assert "never read, so no login came from it" in said


@pytest.mark.parametrize("name", ["podman", "buildah"])
def test_podman_and_buildah_pull_and_push(
    containers: Containers, exec_: Exec, sandbox: SandboxServer, layout: Path, name: str
) -> None:
    found(name)
    tag = f"{sandbox.host}/web/backend"
    exec_(found("skopeo"), "copy", "--dest-tls-verify=false", f"oci:{layout}:one", f"docker://{tag}:v1")
    environ = containers(name, sandbox.host).keywords["environ"]  # type: ignore[attr-defined]
    exec_(name, "pull", "--tls-verify=false", f"{tag}:v1", **environ)
    exec_(name, "push", "--tls-verify=false", f"{tag}:v1", f"{tag}:v2", **environ)
    assert Client(sandbox, sandbox.accounts.job).tags("web/backend") == ["v1", "v2"]


def test_docker_pulls_builds_and_pushes(
    exec_: Exec, sandbox: SandboxServer, layout: Path, docker_host: str, tmp_path: Path
) -> None:
    tag, engine = f"{sandbox.host}/web/backend", {"DOCKER_HOST": docker_host}
    exec_(found("skopeo"), "copy", "--dest-tls-verify=false", f"oci:{layout}:one", f"docker://{tag}:v1")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").write_text(f"FROM {tag}:v1\nLABEL made=inside\n")
    exec_("docker", "pull", f"{tag}:v1", **engine)
    exec_("docker", "build", "--pull", "-t", f"{tag}:v2", "app", DOCKER_BUILDKIT="0", **engine)
    exec_("docker", "push", f"{tag}:v2", **engine)
    assert Client(sandbox, sandbox.accounts.job).tags("web/backend") == ["v1", "v2"]
    exec_("docker", "rmi", f"{tag}:v1", f"{tag}:v2", **engine)


def test_a_logout_and_a_login_inside_stay_inside_and_ask_no_keychain(
    exec_: Exec, sandbox: SandboxServer, docker_host: str, tmp_path: Path
) -> None:
    """A config whose last login was removed would make docker store the next one with `pass`, if that is there."""
    (tmp_path / "bin").mkdir()
    for name in ("pass", "docker-credential-pass"):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/asked\n")
        (tmp_path / "bin" / name).chmod(0o755)
    account = sandbox.accounts.cleanup
    (tmp_path / "secret").write_text(account.secret.reveal())
    script = (
        f"docker logout {sandbox.host} && "
        f"docker login -u {account.username} --password-stdin {sandbox.host} < secret && docker context ls"
    )
    path = f"{tmp_path / 'bin'}:{Home(tmp_path).variables()['PATH']}"
    said = exec_("sh", "-c", script, PATH=path, DOCKER_HOST=docker_host)
    assert f"the login for {sandbox.host} was replaced; that is gone with it" in said
    assert not (tmp_path / "asked").exists()


def test_compose_pulls_and_pushes_as_a_plugin_of_the_persons_own(
    exec_: Exec, sandbox: SandboxServer, layout: Path, docker_host: str, tmp_path: Path
) -> None:
    plugins = tmp_path / ".docker" / "cli-plugins"
    plugins.mkdir()
    (plugins / "docker-compose").symlink_to(found_in_wheel("docker-compose"))
    tag, engine = f"{sandbox.host}/web/backend", {"DOCKER_HOST": docker_host}
    exec_(found("skopeo"), "copy", "--dest-tls-verify=false", f"oci:{layout}:one", f"docker://{tag}:v1")
    services = {"services": {"one": {"image": f"{tag}:v1"}, "two": {"image": f"{tag}:v2", "build": "."}}}
    (tmp_path / "compose.yaml").write_text(json.dumps(services))
    exec_("docker", "compose", "pull", "one", **engine)
    exec_("docker", "tag", f"{tag}:v1", f"{tag}:v2", **engine)
    exec_("docker", "compose", "push", "two", **engine)
    assert Client(sandbox, sandbox.accounts.job).tags("web/backend") == ["v1", "v2"]
    exec_("docker", "rmi", f"{tag}:v1", f"{tag}:v2", **engine)


def test_syft_reads_an_image_whatever_login_its_variables_have(
    exec_: Exec, sandbox: SandboxServer, layout: Path
) -> None:
    syft = found_in_wheel("syft")
    tag = f"{sandbox.host}/web/backend:v1"
    exec_(found("skopeo"), "copy", "--dest-tls-verify=false", f"oci:{layout}:one", f"docker://{tag}")
    wrong = {
        "SYFT_REGISTRY_AUTH_AUTHORITY": sandbox.host,
        "SYFT_REGISTRY_AUTH_USERNAME": "nobody",
        "SYFT_REGISTRY_AUTH_PASSWORD": "canary-wrong",
        "SYFT_CHECK_FOR_APP_UPDATE": "false",
    }
    said = exec_(
        syft, "scan", "-q", f"registry:{tag}", "-o", "json", SYFT_REGISTRY_INSECURE_USE_HTTP="true", **wrong
    )
    assert "never read" not in said
    assert json.loads(said[: said.rindex("}") + 1])["source"]["type"] == "image"


def test_helm_pushes_a_chart_unless_its_options_name_another_login(
    exec_: Exec, sandbox: SandboxServer, tmp_path: Path
) -> None:
    helm = found_in_wheel("helm")
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 0.1.0\n")
    subprocess.run([helm, "package", "."], check=True, cwd=tmp_path, env=Home(tmp_path).variables())
    push = (helm, "push", "--plain-http", "chart-0.1.0.tgz", f"oci://{sandbox.host}/web/backend")
    assert "Pushed:" in exec_(*push)
    assert Client(sandbox, sandbox.accounts.job).tags("web/backend/chart") == ["0.1.0"]
    said = exec_(*push, "--username", "nobody", "--password", "canary-wrong", fails=True)
    assert "its option --username may name another login" in said


def test_a_plugin_of_the_persons_own_is_found_and_sees_no_login_of_buildx(
    exec_: Exec, tmp_path: Path
) -> None:
    """docker runs it, and it prints what it was given."""
    plugin = tmp_path / ".docker" / "cli-plugins" / "docker-hello"
    plugin.parent.mkdir()
    plugin.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = docker-cli-plugin-metadata ]; then\n'
        """    echo '{"SchemaVersion":"0.1.0","Vendor":"test","Version":"1"}'\n"""
        'else echo "config=$DOCKER_CONFIG|$(cd $BUILDX_CONFIG && echo *)|$(cat $BUILDX_CONFIG/current)|"; fi\n'
    )
    plugin.chmod(0o755)
    (tmp_path / "buildx" / "instances").mkdir(exist_ok=True)
    (tmp_path / "buildx" / "current").write_text("mine")
    found("docker")
    said = exec_("docker", "hello")
    config, inside, current = said.partition("config=")[2].split("|")[:3]
    assert "/dockpass-" in config
    assert (inside, current) == ("current instances", "mine")


def test_an_archive_of_64_mib_comes_out_as_docker_writes_it(docker_host: str, tmp_path: Path) -> None:
    """Through a pipe, byte for byte."""
    environ = Home(tmp_path).variables(
        DOCKER_HOST=docker_host,
        PYTHONPATH=str(Path(dockpass.__file__).parents[1]),
        CI_REGISTRY="registry.example",
        CI_REGISTRY_IMAGE="registry.example/a",
        CI_JOB_TOKEN="canary-token-0123456789",
    )
    name = "dockpass-test/archive:1"

    def sh(script: str, *words: str) -> str:
        ended = subprocess.run(
            ["sh", "-c", script, "sh", *words],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    sh('head -c 67108864 /dev/urandom > data && tar -cf - data | docker import - "$1"', name)
    try:
        save = ("docker", "save", name)
        through = sh('"$@" | sha256sum', sys.executable, "-m", "dockpass", "exec", "-q", "--", *save)
        assert sh('"$@" | sha256sum', *save) == through
    finally:
        sh('docker rmi "$1"', name)
