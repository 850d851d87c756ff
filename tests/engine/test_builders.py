"""Builds by real builders over a private base image: BuildKit in a new and in an old Docker Engine."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from builderbench import CANARY, HOSTILE, Bench, runs
from buildkit import PLUGINS
from clientprograms import found
from images import Pusher
from servers import JOB_TOKEN, PASSWORD, USER, running, wait_until
from terminal import Terminal

from dockpass.builders.abilities import OF_BUILDAH, OF_ENGINE, features
from dockpass.buildfiles.needs import Feature
from dockpass.ui.themes import DARK_ROLES

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("buildkit")]

WHOLE = """FROM {base} AS first
RUN --mount=type=cache,target=/cache echo kept > /cache/file
FROM {base}
RUN --mount=type=secret,id=tok <<EOF
cat /run/secrets/tok > /dev/null && echo mounted
cat /run/secrets/tok
EOF
COPY --link --from=first /bin/busybox /again
"""
MOUNTS = """FROM {base}
RUN --mount=type=cache,target=/cache --mount=type=secret,id=tok cat /run/secrets/tok
"""


SECRET = ("--secret", "id=tok,env=TOK")


def test_buildkit_builds_what_needs_it_and_the_login_stays_out_of_the_engine(new: Bench) -> None:
    ended = new.build(WHOLE, *SECRET, "--tag", "whole:1")
    assert ended.returncode == 0, ended.stderr
    assert "built by docker buildx 0.13.1" in ended.stderr
    assert "uses RUN --mount=type=cache, which needs BuildKit" in ended.stderr
    assert f"{new.registry.host}: base image {new.base}; as gitlab-ci-token" in ended.stderr
    assert "BUILDX_BUILDER is not used" in ended.stderr
    assert "mounted" in ended.stderr
    assert "came from the local store" not in ended.stderr
    assert new.docker("inspect", "--format", "{{.Id}}", "whole:1") == ended.stdout.strip()
    assert new.registry.tokens is not None
    assert ("gitlab-ci-token", ["repository:team/base:pull"]) in new.registry.tokens.requests
    askers = set(new.registry.tokens.askers)
    assert "docker-buildx" in askers
    assert not [each for each in askers if each.startswith("dockerd")]
    new.check_clean(ended)
    assert "broken" in new.program.home_config.read_text()


def test_an_older_engine_builds_mounts_and_is_refused_what_it_lacks(old: Bench) -> None:
    ended = old.build(MOUNTS, *SECRET)
    assert ended.returncode == 0, ended.stderr
    assert "built by docker buildx 0.13.1" in ended.stderr
    old.check_clean(ended)
    refused = old.build(WHOLE, *SECRET, "--builder", "buildx")
    assert refused.returncode == 2
    assert "Dockerfile:4 uses a heredoc and Dockerfile:8 uses --link, which docker buildx" in refused.stderr
    assert "create the config" not in refused.stderr


def test_a_builder_that_cannot_is_refused_before_anything_is_created(new: Bench) -> None:
    refused = new.build(WHOLE, *SECRET, "--builder", "classic")
    assert refused.returncode == 2
    assert "Dockerfile:2 uses RUN --mount=type=cache" in refused.stderr
    assert "create the config" not in refused.stderr
    assert new.registry.tokens is not None
    assert new.registry.tokens.requests == []
    new.check_clean(refused)


def test_a_base_from_the_local_store_needs_no_login_and_that_is_said(new: Bench) -> None:
    assert new.build(MOUNTS, *SECRET, "--pull").returncode == 0
    without = {"CI_JOB_TOKEN": "", "CI_REGISTRY": ""}
    # BuildKit leaves no image of that name behind, and docker pull does.
    login = new.program.directory / "login"
    login.mkdir()
    encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (login / "config.json").write_text(json.dumps({"auths": {new.registry.host: {"auth": encoded}}}))
    new.docker("--config", str(login), "pull", new.base)
    shutil.rmtree(login)
    local = new.build(MOUNTS + "RUN true\n", *SECRET, **without)
    assert local.returncode == 0, local.stderr
    assert f"{new.base} came from the local store, so no login was used for it" in local.stderr
    asked = new.build(MOUNTS + "RUN true && true\n", *SECRET, "--pull", **without)
    assert asked.returncode == 1
    assert "it does not allow anonymous access" in asked.stderr
    new.check_clean(asked)


def test_a_wrong_login_of_the_persons_own_is_refused_and_not_tried_for_ever(new: Bench) -> None:
    without = {"CI_JOB_TOKEN": "", "CI_REGISTRY": ""}
    wrong = base64.b64encode(f"{USER}:wrong-password".encode()).decode()
    config = json.loads(new.program.home_config.read_text())
    config["auths"] = {new.registry.host: {"auth": wrong}}
    del config["credsStore"]
    new.program.home_config.write_text(json.dumps(config))
    before = new.program.home_config.read_bytes()
    ended = new.build(MOUNTS, *SECRET, "--pull", **without)
    assert ended.returncode == 3, ended.stderr
    assert f"The build of {new.program.work}/Dockerfile failed" in ended.stderr
    assert "wrong-password" not in ended.stderr
    assert new.registry.tokens is not None
    asked = [user for user, _ in new.registry.tokens.requests]
    assert set(asked) == {f"refused {USER}"}
    assert len(asked) <= 15
    assert new.program.home_config.read_bytes() == before
    new.check_clean(ended)


def test_push_pushes_with_the_same_login(new: Bench) -> None:
    tag = f"{new.registry.host}/team/app:2"
    ended = new.build("FROM {base}\nRUN echo built\n", "--push", "--tag", tag)
    assert ended.returncode == 0, ended.stderr
    assert "built and pushed sha256:" in ended.stderr
    assert f"push {tag}; as gitlab-ci-token" in ended.stderr
    assert Pusher(new.registry, "team/app").has("2")
    new.check_clean(ended)


def test_a_failed_command_says_which(new: Bench) -> None:
    ended = new.build("FROM {base}\nRUN echo before && false\n")
    assert ended.returncode == 1
    assert "exit code: 1. A command in the Dockerfile failed" in ended.stderr
    assert "before" in ended.stderr
    new.check_clean(ended)


SLEEP = 300_000 + os.getpid()
"""Seconds that no other worker waits for."""

WAITING = f"FROM {{base}}\nRUN --mount=type=secret,id=tok echo sleeping && sleep {SLEEP}\n"


def started(bench: Bench, *options: str, dockerfile: str = WAITING) -> subprocess.Popen[str]:
    child = bench.start(dockerfile, *SECRET, *options)
    wait_until(sleeps, 60, "the command of the build")
    return child


def sleeps() -> bool:
    return runs("sleep", str(SLEEP))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_cancel_leaves_nothing_running(new: Bench, number: signal.Signals) -> None:
    child = started(new)
    began = time.monotonic()
    child.send_signal(number)
    said, _ = child.communicate(timeout=30)
    wait_until(lambda: not sleeps() and not new.program.processes and not new.program.left, 10, "the end")
    assert time.monotonic() - began < 15
    if number != signal.SIGKILL:
        assert "removed and verified" in said
        assert child.returncode == 4
    assert CANARY not in said


FEATURES = {
    Feature.MOUNT_CACHE: "RUN --mount=type=cache,target=/c true",
    Feature.MOUNT_BIND: "RUN --mount=type=bind,source=a,target=/c true",
    Feature.NETWORK: "RUN --network=none true",
    Feature.CHMOD: "COPY --chmod=755 a /",
    Feature.HEREDOC: "COPY <<EOF /x\nnothing\nEOF",
    Feature.LINK: "COPY --link a /",
    Feature.PARENTS: "COPY --parents a /",
    Feature.EXCLUDE: "COPY --exclude=b a /",
    Feature.UNPACK: "ADD --unpack=true a /",
    Feature.CHECKSUM: f"ADD --checksum=sha256:{'0' * 64} http://127.0.0.1:1/a /",
}
"""Each on a base from nothing: a command that cannot be run there was at least understood."""
NOT_UNDERSTOOD = re.compile(
    r"unknown flag|unknown instruction|parse error|Unknown flag|not supported|unrecognized|unable to process"
    r"|only supports|requires docker/dockerfile|/<<EOF",
    re.IGNORECASE,
)


def understands(environ: dict[str, str], command: list[str], line: str, folder: Path) -> bool:
    """Tell whether a builder knows what a line asks for."""
    folder.mkdir(exist_ok=True)
    (folder / "a").write_text("a")
    (folder / "Dockerfile").write_text(f"FROM scratch\n{line}\n")
    ended = subprocess.run(
        [*command, str(folder)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    return ended.returncode == 0 or not NOT_UNDERSTOOD.search(ended.stdout + ended.stderr)


def understood(environ: dict[str, str], command: list[str], folder: Path) -> set[Feature]:
    """Return the features that a builder knows; it is asked for several at once."""
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(
            lambda feature: understands(environ, command, FEATURES[feature], folder / feature.name), FEATURES
        )
        return {feature for feature, known in zip(FEATURES, answers, strict=True) if known}


@pytest.mark.parametrize("release", ["newer_host", "docker_host"])
def test_the_table_says_what_the_engines_understand(
    tmp_path: Path, newer: Path, request: pytest.FixtureRequest, release: str
) -> None:
    host = request.getfixturevalue(release)
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "DOCKER_HOST": host}
    buildx = [str(newer / PLUGINS / "docker-buildx"), "build", "--builder", "default", "--network=host"]
    version = subprocess.run(
        ["docker", "-H", host, "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True
    ).stdout
    assert understood(environ, buildx, tmp_path) == FEATURES.keys() & features(OF_ENGINE, version), version


def test_the_table_says_what_buildah_understands(beside: Bench, tmp_path: Path) -> None:
    command = [found("buildah"), "build", "--network=host"]
    version = subprocess.run([command[0], "--version"], capture_output=True, text=True).stdout.split()[2]
    environ = beside.program.variables()
    assert understood(environ, command, tmp_path) == FEATURES.keys() & features(OF_BUILDAH, version), version


@pytest.fixture
def beside(new: Bench) -> Bench:
    """The bench with settings and images of its own for podman and buildah."""
    return with_containers(new)


def with_containers(new: Bench) -> Bench:
    """Give podman and buildah settings and images of their own."""
    home, root = new.program.directory / "home", new.program.directory / "containers"
    settings = home / ".config" / "containers"
    for directory in (settings, root):
        directory.mkdir(parents=True)
    (root / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{root}/graph"\nrunroot = "{root}/run"\n'
    )
    (settings / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    insecure = f'[[registry]]\nlocation = "{new.registry.host}"\ninsecure = true\n'
    (settings / "registries.conf").write_text(insecure)
    new.program.environ["CONTAINERS_STORAGE_CONF"] = str(root / "storage.conf")
    new.program.environ["STORAGE_DRIVER"] = "vfs"
    return new


@pytest.mark.parametrize("builder", ["podman", "buildah"])
def test_podman_and_buildah_build_with_the_same_login(beside: Bench, builder: str) -> None:
    found(builder)
    tag = f"{beside.registry.host}/team/by-{builder}:1"
    wrong = json.dumps({"auths": {beside.registry.host: {"auth": base64.b64encode(b"a:b").decode()}}})
    (beside.program.directory / "wrong.json").write_text(wrong)
    hostile = {"REGISTRY_AUTH_FILE": str(beside.program.directory / "wrong.json")}
    ended = beside.build(MOUNTS, *SECRET, "--builder", builder, "--push", "--tag", tag, **hostile)
    assert ended.returncode == 0, ended.stderr
    assert f"built by {builder} build" in ended.stderr
    assert "with its own images: you asked for it" in ended.stderr
    assert beside.registry.tokens is not None
    assert {user for user, _ in beside.registry.tokens.requests} == {"gitlab-ci-token"}
    assert Pusher(beside.registry, f"team/by-{builder}").has("1")
    beside.check_clean(ended)
    if builder == "buildah":
        return
    again = beside.build(MOUNTS, *SECRET, "--builder", builder)
    assert f"{beside.base} came from the local store" in again.stderr
    assert "cached" in again.stderr
    without = {"CI_JOB_TOKEN": "", "CI_REGISTRY": ""}
    refused = beside.build(MOUNTS, *SECRET, "--builder", builder, "--pull", **without)
    assert refused.returncode == 1
    assert "local store" not in refused.stderr
    assert "does not allow anonymous access" in refused.stderr or "did not accept" in refused.stderr
    lacking = beside.build(WHOLE, *SECRET, "--builder", builder)
    assert lacking.returncode == 2
    assert "Dockerfile:8 uses --link, which" in lacking.stderr
    beside.check_clean(lacking)


def test_podmans_service_builds_and_gets_the_secret(beside: Bench) -> None:
    socket = beside.program.directory / "podman.sock"
    command = [found("podman"), "system", "service", "--time", "60", f"unix://{socket}"]
    log = beside.program.directory / "service.log"
    with running(command, log, beside.program.variables()):
        wait_until(socket.exists, 20, "podman's service")
        ended = beside.build(
            "FROM {base}\nRUN --mount=type=secret,id=tok ! grep -q . /run/secrets/tok || echo not empty\n",
            *SECRET,
            *("--engine", "docker", "--tag", "by-service:1"),
            DOCKER_HOST=f"unix://{socket}",
        )
    assert ended.returncode == 0, ended.stderr
    assert "built by podman build" in ended.stderr
    assert "the first one here that can build it" in ended.stderr
    assert "not empty" in [line.strip() for line in ended.stderr.splitlines()]
    beside.check_clean(ended)


def test_podman_is_taken_for_what_the_engine_is_too_old_for(old: Bench) -> None:
    found("podman")
    beside = with_containers(old)
    beside.plugin.unlink()
    ended = beside.build(MOUNTS, *SECRET, "--build-context", "more=.")
    assert ended.returncode == 0, ended.stderr
    assert "docker has no buildx plugin; BuildKit without buildx lacks --build-context" in ended.stderr
    assert "its images are not the engine's" in ended.stderr
    beside.check_clean(ended)


@pytest.mark.parametrize("builder", ["podman", "buildah"])
def test_a_cancel_ends_podman_and_buildah_too(beside: Bench, builder: str) -> None:
    found(builder)
    texts = {"text": b"canary-file-4711", "key": b"canary-\0-4711"}
    for name, content in texts.items():
        (beside.program.work / name).write_bytes(content)
    files = [word for name in texts for word in ("--secret", f"id={name},src={name}")]
    mounts = " ".join(f"--mount=type=secret,id={name}" for name in texts)
    child = started(beside, "--builder", builder, *files, dockerfile=WAITING.replace("RUN", f"RUN {mounts}"))
    child.send_signal(signal.SIGINT)
    said, _ = child.communicate(timeout=30)
    assert "removed and verified" in said
    wait_until(lambda: not sleeps() and not beside.program.processes, 10, "the end")
    assert beside.program.left == []
    # buildah's own copies for the step, which it does not remove when it is ended.
    storage = Path(beside.program.environ["CONTAINERS_STORAGE_CONF"]).parent
    places = [*Path("/dev/shm").glob("buildah*"), *storage.glob("**/userdata/secrets/*")]
    assert not [path for path in places if path.read_bytes() in {CANARY.encode(), *texts.values()}]
    # And the containers of the build, but no other one.
    if builder == "podman":  # buildah removes them itself
        assert "of the build is removed" in said
    assert [path.name for path in storage.glob("graph/vfs-containers/*/userdata")] == []


def test_without_the_plugin_or_with_a_broken_one_the_reason_is_said(new: Bench) -> None:
    plugin = new.program.home_config.parent / "cli-plugins" / "docker-buildx"
    plugin.unlink()
    plugin.write_text("not a program")
    ended = new.build("FROM {base}\nRUN echo built\n")
    assert ended.returncode == 0, ended.stderr
    assert "built by BuildKit without buildx in Docker 26.1.5" in ended.stderr
    assert "docker has no buildx plugin" in ended.stderr
    refused = new.build(WHOLE, *SECRET, "--builder", "buildx")
    assert "--builder buildx cannot be used: docker has no buildx plugin" in refused.stderr


def test_on_the_screen_a_build_has_its_colours_and_a_cancel_leaves_nothing(new: Bench) -> None:
    run = f"RUN --network=none printf '\\033[32mu%s\\033[0m\\n' $((1+1)) && sleep {SLEEP}"
    (new.program.work / "Dockerfile").write_text(f"FROM {new.base}\nCOPY --link Dockerfile /\n{run}\n")
    job = {"CI_REGISTRY": new.registry.host, "CI_JOB_TOKEN": JOB_TOKEN}
    screen = Terminal(new.program, **job, **HOSTILE)
    try:
        assert screen.shows("Docker 26.1.5")
        screen.answers("1", "Why build")
        screen.answers("\r", "Run build?", "docker buildx 0.13.1", "as gitlab-ci-token")
        assert "--link (Dockerfile:2), RUN --network (Dockerfile:3)" in " ".join(screen.text.split())
        screen.answers("r", "Steps", " u2")
        row, line = next((row, line) for row, line in enumerate(screen.screen.display) if " u2" in line)
        assert screen.screen.buffer[row][line.index("u2")].fg == DARK_ROLES["role-good"].removeprefix("#")
        assert sleeps()
        screen.answers("x", "Cancelled.", "config removed and verified")
        wait_until(lambda: not sleeps(), 10, "the end")
        assert new.program.left == []
        assert JOB_TOKEN.encode() not in screen.raw
    finally:
        screen.child.send_signal(signal.SIGHUP)
        screen.ends()
