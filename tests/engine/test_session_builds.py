"""Builds through a session of dockpass's own, with the BuildKit of a new and of an old Docker Engine."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from builderbench import CANARY, WITHOUT_LOGIN, Bench, benched, registry_with_base, runs
from clientprograms import demanded
from images import Pusher
from servers import PASSWORD, USER, wait_until

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("buildkit")]

SECRET = ("--secret", "id=tok,env=TOK")
MOUNTS = """FROM {base}
COPY . /src
RUN --mount=type=cache,target=/cache --mount=type=secret,id=tok cat /run/secrets/tok
"""
WHOLE = """FROM {base} AS first
RUN --mount=type=cache,target=/cache echo kept > /cache/file
FROM {base}
RUN --mount=type=secret,id=tok <<EOF
cat /run/secrets/tok > /dev/null && echo mounted
EOF
COPY --link --from=first /bin/busybox /again
"""


@pytest.fixture(params=["new", "old"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """Each engine, beside which there is no buildx."""
    found: Bench = request.getfixturevalue(request.param)
    found.plugin.unlink()
    return found


def askers(bench: Bench) -> set[str]:
    """Return the kinds of programs that asked the token server."""
    assert bench.registry.tokens is not None
    return {"engine" if each.startswith("dockerd") else "dockpass" for each in bench.registry.tokens.askers}


def test_it_builds_with_tokens_that_dockpass_asks_for(bench: Bench) -> None:
    (bench.program.work / "a").write_text("a")
    ended = bench.build(MOUNTS, *SECRET, "--tag", "by-session:1")
    assert ended.returncode == 0, ended.stderr
    assert "built by BuildKit without buildx in Docker" in ended.stderr
    assert "docker has no buildx plugin" in ended.stderr
    assert "BUILDX_BUILDER is not used" in ended.stderr
    given = f"gave the engine a token for {bench.registry.host} (repository:team/base:pull)"
    assert given in ended.stderr
    assert bench.docker("inspect", "--format", "{{.Id}}", "by-session:1") == ended.stdout.strip()
    assert bench.registry.tokens is not None
    assert ("gitlab-ci-token", ["repository:team/base:pull"]) in bench.registry.tokens.requests
    assert askers(bench) == {"dockpass"}
    assert {user for user, _ in bench.registry.tokens.requests} == {"gitlab-ci-token"}
    bench.check_clean(ended)
    again = bench.build(MOUNTS, *SECRET)
    assert re.search(r"#\d+ cached: .*COPY \. /src", again.stderr)
    bench.check_clean(again)


def test_it_pushes_with_the_same_login(bench: Bench) -> None:
    tag = f"{bench.registry.host}/team/by-session:1"
    ended = bench.build("FROM {base}\nRUN echo built\n", "--push", "--tag", tag)
    assert ended.returncode == 0, ended.stderr
    assert "built and pushed sha256:" in ended.stderr
    assert Pusher(bench.registry, "team/by-session").has("1")
    bench.check_clean(ended)


def test_it_builds_all_that_buildkit_can(new: Bench) -> None:
    ended = new.build(WHOLE, *SECRET, "--builder", "buildkit")
    assert ended.returncode == 0, ended.stderr
    assert "mounted" in ended.stderr
    new.check_clean(ended)
    refused = new.build("FROM {base}\n", "--builder", "buildkit", "--platform", "linux/amd64,linux/arm64")
    assert refused.returncode == 2
    assert "cannot build for linux/amd64 and linux/arm64 at once: Docker 26.1.5" in refused.stderr
    assert "create the config" not in refused.stderr


NAMED = """FROM alpine:3
COPY --from=other / /other
RUN --mount=type=secret,id=tok ls /other; cat /run/secrets/tok
"""


def test_named_contexts_stand_for_images_and_stages(new: Bench) -> None:
    new.plugin.unlink()
    other = new.program.work / "other"
    other.mkdir()
    for name, text in (("wanted", "w"), ("unwanted", "u"), (".dockerignore", "un*\n")):
        (other / name).write_text(text)
    contexts = ("--build-context", f"alpine:3=docker-image://{new.base}", "--build-context", "other=other")
    ended = new.build(NAMED, *SECRET, *contexts, "--cache-to", "type=inline", "--tag", "named:1")
    assert ended.returncode == 0, ended.stderr
    assert re.search(r"^  #\d+ wanted$", ended.stderr, re.MULTILINE)
    assert "unwanted" not in ended.stderr
    assert f"gave the engine a token for {new.registry.host} (repository:team/base:pull)" in ended.stderr
    assert new.docker("inspect", "--format", "{{.Id}}", "named:1") == ended.stdout.strip()
    assert askers(new) == {"dockpass"}
    new.check_clean(ended)
    failed = new.build("FROM {base}\nRUN exit 4\n", *contexts)
    assert "did not complete successfully: exit code: 4" in failed.stderr
    started = new.start("FROM {base}\nRUN sleep 4712\n", *contexts)
    wait_until(lambda: runs("sleep", "4712"), 30, "the command")
    started.send_signal(signal.SIGINT)
    assert "Cancelled." in started.communicate(timeout=20)[0]
    wait_until(lambda: not runs("sleep", "4712"), 10, "the end of the command")


PLATFORMS = """FROM scratch
ARG TARGETARCH
COPY --from={base} /bin/busybox /$TARGETARCH
"""


@pytest.mark.parametrize("builder", ["buildx", "buildkit"])
def test_with_containerds_store_it_builds_for_several_platforms_and_exports_a_cache(
    containerd: Bench, builder: str
) -> None:
    host, name = containerd.registry.host, f"team/multi-{builder}"
    cache = f"type=registry,ref={host}/team/cache-{builder}:1,mode=max"
    platforms = ("--platform", "linux/amd64,linux/arm64", "--cache-to", cache)
    options = ("--builder", builder, *platforms, "--push", "--tag", f"{host}/{name}:1")
    ended = containerd.build(PLATFORMS, *options)
    assert ended.returncode == 0, ended.stderr
    assert f"cache {host}/team/cache-{builder}:1" in ended.stderr
    assert Pusher(containerd.registry, name).architectures("1") >= {"amd64", "arm64"}
    assert containerd.registry.tokens is not None
    asked = [scopes for user, scopes in containerd.registry.tokens.requests if user == "gitlab-ci-token"]
    assert [f"repository:team/cache-{builder}:pull,push"] in asked
    containerd.check_clean(ended)


def test_an_older_engine_is_refused_what_it_lacks(old: Bench) -> None:
    refused = old.build(WHOLE, *SECRET, "--builder", "buildkit")
    assert refused.returncode == 2
    assert "Dockerfile:4 uses a heredoc" in refused.stderr


def test_a_wrong_login_is_sent_once_and_refused(bench: Bench) -> None:
    bench.log_in_at_home(USER, "wrong-password")
    before = bench.program.home_config.read_bytes()
    for _ in range(2):
        ended = bench.build(MOUNTS, *SECRET, "--pull", **WITHOUT_LOGIN)
        assert ended.returncode == 3, ended.stderr
        assert "wrong-password" not in ended.stderr
        assert "refused the login" in ended.stderr
    assert bench.registry.tokens is not None
    assert [user for user, _ in bench.registry.tokens.requests] == [f"refused {USER}"] * 2
    assert askers(bench) == {"dockpass"}
    assert bench.program.home_config.read_bytes() == before
    bench.check_clean(ended)


def test_a_login_is_not_confused_with_one_of_a_build_before(bench: Bench) -> None:
    """BuildKit remembers how a registry was asked, and would use another build's way for this one."""
    without = bench.build(MOUNTS, *SECRET, "--pull", **WITHOUT_LOGIN)
    assert without.returncode == 1
    assert "does not allow anonymous access" in without.stderr
    ended = bench.build(MOUNTS, *SECRET, "--pull")
    assert ended.returncode == 0, ended.stderr
    after = bench.build(f"{MOUNTS}RUN true\n", *SECRET, "--pull", **WITHOUT_LOGIN)
    assert after.returncode == 1
    assert "does not allow anonymous access" in after.stderr
    assert askers(bench) == {"dockpass", "engine"}  # the engine asks without a login
    assert bench.registry.tokens is not None
    assert {user for user, _ in bench.registry.tokens.requests} <= {"", "gitlab-ci-token"}


def test_a_base_from_the_local_store_needs_no_login_and_that_is_said(new: Bench) -> None:
    login = new.program.directory / "login"
    login.mkdir()
    new.log_in_at_home(USER, PASSWORD)
    new.docker("--config", str(new.program.home_config.parent), "pull", new.base)
    new.log_in_at_home(USER, "wrong-password")
    local = new.build(MOUNTS, *SECRET, "--builder", "buildkit", **WITHOUT_LOGIN)
    assert local.returncode == 0, local.stderr
    assert f"{new.base} came from the local store, so no login was used for it" in local.stderr
    assert new.build(MOUNTS, *SECRET, "--builder", "buildkit", "--pull", **WITHOUT_LOGIN).returncode == 3


@pytest.fixture(params=["newer_host", "docker_host"])
def basic(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, newer: Path, request: pytest.FixtureRequest
) -> Iterator[Bench]:
    """Each engine beside a registry without tokens, with the login for it at home."""
    host = request.getfixturevalue(request.param)
    with (
        demanded(),
        registry_with_base(tmp_path_factory.mktemp("basic"), newer, "htpasswd") as registry,
        benched(tmp_path, host, newer, registry) as bench,
    ):
        bench.plugin.unlink()
        bench.log_in_at_home(USER, PASSWORD)
        yield bench


def test_a_registry_without_tokens_gets_the_login_from_the_engine(basic: Bench) -> None:
    ended = basic.build(MOUNTS, *SECRET, "--pull", **WITHOUT_LOGIN)
    assert ended.returncode == 0, ended.stderr
    assert f"gave the engine the login for {basic.registry.host}, which takes no tokens" in ended.stderr
    basic.check_clean(ended)
    basic.log_in_at_home(USER, "wrong-password")
    refused = basic.build(f"{MOUNTS}RUN true\n", *SECRET, "--pull", **WITHOUT_LOGIN)
    assert refused.returncode == 3, refused.stderr
    assert "refused the login" in refused.stderr
    basic.check_clean(refused)


SLEEP = 700_000 + os.getpid()
WAITING = f"FROM {{base}}\nRUN --mount=type=secret,id=tok echo sleeping && sleep {SLEEP}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_cancel_leaves_nothing_running(bench: Bench, number: signal.Signals) -> None:
    child = bench.start(WAITING, *SECRET, "--builder", "buildkit")
    wait_until(lambda: runs("sleep", str(SLEEP)), 60, "the command of the build")
    child.send_signal(number)
    said, _ = child.communicate(timeout=30)
    wait_until(
        lambda: not runs("sleep", str(SLEEP)) and not bench.program.processes and not bench.program.left,
        10,
        "the end",
    )
    if number != signal.SIGKILL:
        assert "removed and verified" in said
        assert child.returncode == 4
        assert "never retrieved" not in said
    assert CANARY not in said


def test_a_failed_command_says_which(bench: Bench) -> None:
    ended = bench.build("FROM {base}\nRUN echo before && false\n")
    assert ended.returncode == 1
    assert "exit code: 1. A command in the Dockerfile failed" in ended.stderr
    assert "before" in ended.stderr
    bench.check_clean(ended)


def test_what_a_build_was_not_given_is_said(bench: Bench) -> None:
    required = "FROM {base}\nRUN --mount=type=secret,id=other,required=true cat /run/secrets/other\n"
    ended = bench.build(required)
    assert ended.returncode == 1
    assert "A RUN mounts a secret that the build was not given" in ended.stderr
    no_agent = bench.build("FROM {base}\nRUN --mount=type=ssh,required=true true\n")
    assert no_agent.returncode == 1
    assert "A RUN mounts an SSH agent that the build was not given" in no_agent.stderr
    missing = bench.build("FROM {base}\nCOPY nothing /\n")
    assert missing.returncode == 1
    assert "not in the build context" in missing.stderr
    bench.check_clean(missing)


def entries(bench: Bench, tag: str) -> list[tuple[str, int, int, str, int, int]]:
    """Return what is in an image's layers."""
    raw = subprocess.run(["docker", "-H", bench.host, "save", tag], capture_output=True, check=True).stdout
    found = []
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        manifest = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
        for name in manifest[0]["Layers"]:
            layer = archive.extractfile(name)
            assert layer is not None
            with tarfile.open(fileobj=layer) as files:
                found += [(f.name, f.mode, f.size, f.linkname, f.uid, int(f.mtime)) for f in files]
    return sorted(found)


def test_the_files_of_a_build_are_those_that_buildx_sends(new: Bench) -> None:
    context = new.program.work / "context"
    for name in (f"{'long/' * 30}deep", "src/sub", "a", "a.b", "ignored"):
        (context / name).mkdir(parents=True)
    for name in ("src/x", "a/z", "a.b/z", "ö ✓.txt", "ignored/secret", "kept.md", "n" * 200):
        (context / name).write_text(name)
    (context / "link").symlink_to("src/x")
    (context / "out").symlink_to("/etc/passwd")
    (context / "a/again").hardlink_to(context / "src/x")
    (context / "src/x").chmod(0o750)
    (context / ".dockerignore").write_text("ignored\n**/*.md\n!kept.md\n")
    files = "FROM scratch\nCOPY . /all\nCOPY src/* a.b/z /some/\nCOPY link n* /followed/\n"
    where = ("--file", "Dockerfile", "--context", "context")
    for builder in ("buildx", "buildkit"):
        ended = new.build(files, "--builder", builder, *where, "--tag", f"files:{builder}")
        assert ended.returncode == 0, ended.stderr
        new.docker("builder", "prune", "--all", "--force")
    ours, theirs = entries(new, "files:buildkit"), entries(new, "files:buildx")
    assert [each[:-1] for each in ours] == [each[:-1] for each in theirs]
    times = [(a[0], a[-1], b[-1]) for a, b in zip(ours, theirs, strict=True) if a[-1] != b[-1]]
    assert {name for name, *_ in times} <= {"all", "some", "followed", "all/", "some/", "followed/"}
    assert not [name for name, *_ in ours if "secret" in name]
    assert [name for name, *_ in ours if name.endswith("kept.md")]


@contextmanager
def agent(path: Path, heard: list[bytes]) -> Iterator[None]:
    """An SSH agent without keys."""
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(1000):
            heard.append(request)
            writer.write(b"\0\0\0\5\x0c\0\0\0\0")

    async def serve() -> None:
        await asyncio.start_unix_server(answer, path)
        ready.set()

    def run() -> None:
        loop.create_task(serve())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    yield
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


def test_a_step_reaches_the_agent_that_it_mounts(new: Bench) -> None:
    heard: list[bytes] = []
    with agent(new.program.directory / "agent", heard):
        ended = new.build(
            "FROM {base}\nRUN --mount=type=ssh,required=true ls $SSH_AUTH_SOCK && echo there\n",
            *("--builder", "buildkit", "--ssh", f"default={new.program.directory}/agent"),
        )
    assert ended.returncode == 0, ended.stderr
    assert "there" in ended.stderr
    refused = new.build("FROM {base}\n", "--builder", "buildkit", "--ssh", "default=/etc/passwd")
    assert refused.returncode == 2
    assert "is not the socket of an agent" in refused.stderr
    new.check_clean(refused)
