"""The commands, by a real Docker Engine and by the embedded one, against a real registry."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from images import Pusher
from program import Program
from servers import CLEANUP_PASSWORD, JOB_TOKEN, PASSWORD, USER, Registry, wait_until

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]

StartRegistry = Callable[..., Registry]
SECRETS = (JOB_TOKEN, CLEANUP_PASSWORD, PASSWORD)


@pytest.fixture(params=["docker", "embedded"])
def program(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Program]:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'engine = "{request.param}"\n')
    docker = request.param == "docker"
    host = request.getfixturevalue("docker_host") if docker else "unix:///nonexistent/docker.sock"
    environ = {"DOCKER_HOST": host, "DOCKPASS_CONFIG": str(settings)}
    made = Program(tmp_path, environ | {"DOCKPASS_STORE": str(tmp_path / "images")})
    (made.work / "Dockerfile").write_text("FROM scratch\nCOPY hello /hello\n")
    (made.work / "hello").write_text(str(tmp_path))
    made.home_config.parent.mkdir()
    made.home_config.write_text(
        json.dumps({"auths": {"elsewhere.example": {"auth": "YTpi"}}, "credsStore": "broken"})
    )
    yield made
    made.remove()


def job(registry: Registry) -> dict[str, str]:
    return {"CI_REGISTRY": registry.host, "CI_JOB_TOKEN": JOB_TOKEN}


def clean(program: Program, *ended: subprocess.CompletedProcess[str]) -> None:
    """Nothing is left, the home config is as it was, and no secret stands anywhere."""
    assert program.left == []
    assert json.loads(program.home_config.read_text())["credsStore"] == "broken"
    said = "".join(each.stdout + each.stderr for each in ended) + program.written()
    encoded = [base64.b64encode(f"{USER}:{secret}".encode()).decode() for secret in SECRETS]
    assert not [secret for secret in (*SECRETS, *encoded) if secret in said]


def built(program: Program) -> str:
    ended = program.run("build", "--clean-env", "--set", f"DOCKER_HOST={program.environ['DOCKER_HOST']}")
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def forget(program: Program, image: str) -> None:
    """Remove a local image."""
    host = program.environ["DOCKER_HOST"]
    docker = subprocess.run(["docker", "-H", host, "rmi", "--force", image], capture_output=True)
    assert docker.returncode == 0 or program.run("images", "rm", image).returncode == 0


def test_a_gitlab_job_pushes_with_its_token(program: Program, start_registry: StartRegistry) -> None:
    registry = start_registry("token")
    image = built(program)
    ended = program.run("push", "--repo", f"{registry.host}/web/backend", "--tag", "1", **job(registry))
    assert ended.returncode == 0, ended.stderr
    assert image.startswith("sha256:")
    assert ended.stdout.startswith(f"{registry.host}/web/backend:1@sha256:")
    assert any(user == "gitlab-ci-token" and scopes for user, scopes in registry.tokens.requests)
    clean(program, ended)


def test_user_and_password_push_and_the_process_list_is_warned_of(
    program: Program, start_registry: StartRegistry
) -> None:
    registry = start_registry("htpasswd")
    built(program)
    ended = program.run(
        "push",
        "--repo",
        f"{registry.host}/web/backend",
        "--tag",
        "1",
        f"--registry-username={USER}",
        f"--registry-password={PASSWORD}",
    )
    assert ended.returncode == 0, ended.stderr
    assert "process list" in ended.stderr
    clean(program, ended)


def test_the_ignore_switch_leaves_the_push_without_a_login(
    program: Program, start_registry: StartRegistry
) -> None:
    registry = start_registry("token")
    program.home_config.write_text(json.dumps({"auths": {}, "credsStore": ""}))
    built(program)
    ended = program.run(
        "push",
        "--repo",
        f"{registry.host}/web/backend",
        "--tag",
        "1",
        WERF_IGNORE_CI_DOCKER_AUTOLOGIN="1",
        **job(registry),
    )
    assert ended.returncode == 1
    assert "denied" in ended.stderr or "does not allow anonymous access" in ended.stderr
    assert not [user for user, _ in registry.tokens.requests if user == "gitlab-ci-token"]
    assert program.left == []


def test_cleanup_uses_the_cleanup_password_and_deletes_by_rule(
    program: Program, start_registry: StartRegistry
) -> None:
    registry = start_registry("token")
    pusher = Pusher(registry, "web/backend")
    for number in range(4):
        pusher.image(f"v{number}", created=datetime(2024, 1, number + 1, tzinfo=UTC))
    variables = {
        "WERF_IMAGES_CLEANUP_PASSWORD": CLEANUP_PASSWORD,
        "CI_REGISTRY_IMAGE": f"{registry.host}/web/backend",
    }
    ended = program.run("cleanup", "--keep-last", "2", "--yes", **variables)
    assert ended.returncode == 0, ended.stderr
    assert [pusher.has(f"v{number}") for number in range(4)] == [False, False, True, True]
    assert {user for user, _ in registry.tokens.requests if user} >= {"werf-cleanup"}
    clean(program, ended)


def test_cleanup_with_user_and_password(program: Program, start_registry: StartRegistry) -> None:
    registry = start_registry("token")
    pusher = Pusher(registry, "web/backend")
    pusher.image("old", created=datetime(2024, 1, 1, tzinfo=UTC))
    pusher.image("new", created=datetime(2024, 2, 1, tzinfo=UTC))
    ended = program.run(
        "cleanup",
        "--repo",
        f"{registry.host}/web/backend",
        f"--registry-username={USER}",
        "--registry-password-stdin",
        "--keep-last=1",
        "--yes",
        stdin=f"{PASSWORD}\n",
    )
    assert ended.returncode == 0, ended.stderr
    assert not pusher.has("old")
    assert pusher.has("new")
    clean(program, ended)


def test_an_external_config_is_used_without_a_login(program: Program, start_registry: StartRegistry) -> None:
    registry = start_registry("htpasswd")
    built(program)
    (program.work / ".docker").mkdir()
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    config = program.work / ".docker" / "config.json"
    config.write_text(json.dumps({"auths": {registry.host: {"auth": auth}}}))
    before = config.read_bytes()
    ended = program.run(
        "push", "--repo", f"{registry.host}/web/backend", "--tag", "1", WERF_DOCKER_CONFIG="./.docker"
    )
    assert ended.returncode == 0, ended.stderr
    assert "no login" in ended.stderr
    assert config.read_bytes() == before
    assert PASSWORD not in ended.stdout + ended.stderr
    assert auth not in ended.stdout + ended.stderr


def test_a_wrong_password_ends_before_the_work(program: Program, start_registry: StartRegistry) -> None:
    registry = start_registry("token")
    built(program)
    ended = program.run(
        "push",
        "--repo",
        f"{registry.host}/web/backend",
        "--tag",
        "1",
        CI_REGISTRY=registry.host,
        CI_JOB_TOKEN="canary-wrong-token",
    )
    assert ended.returncode == 3
    assert "Access denied" in ended.stderr
    assert "canary-wrong-token" not in ended.stdout + ended.stderr
    clean(program, ended)


def test_a_build_pulls_its_private_base_image_with_the_job_token(
    program: Program, start_registry: StartRegistry
) -> None:
    registry = start_registry("token")
    base = f"{registry.host}/web/base:3"
    built(program)
    pushed = program.run("push", "--repo", f"{registry.host}/web/base", "--tag", "3", **job(registry))
    assert pushed.returncode == 0, pushed.stderr
    # A base image that is there already would not be pulled.
    forget(program, base)
    (program.work / "Dockerfile").write_text(f"FROM {base}\nCOPY hello /again\n")
    ended = program.run("build", "--tag", "mine:1", **job(registry))
    assert ended.returncode == 0, ended.stderr
    assert ("gitlab-ci-token", ["repository:web/base:pull"]) in registry.tokens.requests
    clean(program, ended)


def test_pull_and_deploy_say_the_digest_that_was_pushed(
    program: Program, start_registry: StartRegistry
) -> None:
    registry = start_registry("token")
    built(program)
    repo = f"{registry.host}/web/backend"
    pushed = program.run("push", "--repo", repo, "--tag", "1", **job(registry))
    pulled = program.run("pull", "--repo", repo, "--tag", "1", **job(registry))
    values = program.run("deploy", "--repo", repo, "--tag", "1", "--values", **job(registry))
    digest = pushed.stdout.strip().partition("@")[2]
    assert pulled.stdout == pushed.stdout
    assert values.stdout == f"image: {repo}@{digest}\n"
    clean(program, pushed, pulled, values)


def test_a_job_token_that_may_not_delete_is_told_by_the_registry(
    program: Program, start_registry: StartRegistry
) -> None:
    registry = start_registry("token")
    pusher = Pusher(registry, "web/backend")
    pusher.image("old", created=datetime(2024, 1, 1, tzinfo=UTC))
    ended = program.run(
        "cleanup", "--repo", f"{registry.host}/web/backend", "--keep-last=0", "--yes", **job(registry)
    )
    assert ended.returncode in {1, 3}
    assert "401" in ended.stderr
    assert pusher.has("old")
    clean(program, ended)


def test_deletion_that_is_switched_off_is_explained(program: Program, start_registry: StartRegistry) -> None:
    registry = start_registry("token", delete=False)
    pusher = Pusher(registry, "web/backend")
    pusher.image("old", created=datetime(2024, 1, 1, tzinfo=UTC))
    ended = program.run(
        "cleanup",
        "--repo",
        f"{registry.host}/web/backend",
        "--keep-last=0",
        "--yes",
        WERF_IMAGES_CLEANUP_PASSWORD=CLEANUP_PASSWORD,
    )
    assert ended.returncode == 1
    assert "switched off" in ended.stderr
    assert pusher.has("old")
    clean(program, ended)


def test_a_tag_that_shares_its_digest_with_a_kept_one_is_kept(
    program: Program, start_registry: StartRegistry
) -> None:
    registry = start_registry("token")
    pusher = Pusher(registry, "web/backend")
    pusher.image("stable", "old", created=datetime(2024, 1, 1, tzinfo=UTC))
    pusher.image("gone", created=datetime(2024, 1, 2, tzinfo=UTC), labels={"n": "2"})
    ended = program.run(
        "cleanup",
        "--repo",
        f"{registry.host}/web/backend",
        "--older-than=1d",
        "--keep=stable",
        "--yes",
        WERF_IMAGES_CLEANUP_PASSWORD=CLEANUP_PASSWORD,
    )
    assert ended.returncode == 0, ended.stderr
    assert [pusher.has(tag) for tag in ("stable", "old", "gone")] == [True, True, False]
    clean(program, ended)


@pytest.mark.parametrize("command", ["pull", "deploy"])
def test_a_kill_in_mid_login_leaves_no_config(program: Program, command: str) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{server.getsockname()[1]}"
    child = subprocess.Popen(
        program.command(command, "--repo", f"{host}/a", "--tag", "1"),
        cwd=program.work,
        env=program.variables(CI_REGISTRY=host, CI_JOB_TOKEN=JOB_TOKEN),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        connection, _ = server.accept()
        assert program.left
        child.kill()
        child.wait(20)
        wait_until(lambda: not program.left, 10, "the removal of the config")
        connection.close()
    finally:
        if child.poll() is None:
            child.kill()
        server.close()


def test_json_is_one_event_a_line_and_ends_with_the_end(
    program: Program, start_registry: StartRegistry
) -> None:
    registry = start_registry("token")
    built(program)
    ended = program.run(
        "push", "--repo", f"{registry.host}/web/backend", "--tag", "1", "--json", **job(registry)
    )
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    kinds = [event["event"] for event in found]
    assert kinds[-1] == "ended"
    assert kinds.count("config-created") == kinds.count("config-removed") == kinds.count("ended") == 1
    assert next(event for event in found if event["event"] == "config-removed")["gone"] is True
    clean(program, ended)


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT]
)
def test_no_config_is_left_whatever_ends_the_program(
    program: Program, start_registry: StartRegistry, number: signal.Signals
) -> None:
    registry = start_registry("token")
    Pusher(registry, "web/backend").image("old", created=datetime(2024, 1, 1, tzinfo=UTC))
    # Without an answer to its question, a cleanup waits; a pseudo-terminal makes it ask.
    leader, follower = os.openpty()
    child = subprocess.Popen(
        program.command("cleanup", "--repo", f"{registry.host}/web/backend", "--keep-last=0"),
        cwd=program.work,
        env=program.variables(WERF_IMAGES_CLEANUP_PASSWORD=CLEANUP_PASSWORD),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    try:
        wait_until(lambda: bool(program.left), 20, "the config")
        child.send_signal(number)
        child.wait(20)
        wait_until(lambda: not program.left, 10, "the removal of the config")
    finally:
        if child.poll() is None:
            child.kill()
        os.close(leader)
        os.close(follower)
    assert Pusher(registry, "web/backend").has("old")


def test_many_at_once_do_not_meet(program: Program, start_registry: StartRegistry) -> None:
    registry = start_registry("token")
    built(program)
    began = time.monotonic()
    children = [
        subprocess.Popen(
            program.command("push", "--repo", f"{registry.host}/web/backend", "--tag", f"t{number}"),
            cwd=program.work,
            env=program.variables(**job(registry)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(20)
    ]
    ended = [(child.communicate(timeout=120), child.returncode) for child in children]
    failed = [(said, status) for said, status in ended if status]
    assert not failed, failed[0]
    assert program.left == []
    assert time.monotonic() - began < 120
