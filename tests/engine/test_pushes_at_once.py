"""Pushes of one image and tag at once with a real Docker Engine, also of different users and killed ones."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from program import Program
from servers import Registry, wait_until
from slowproxy import SlowProxy

from engine import Images

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]

FAST = 1 << 30


@pytest.fixture
def program(tmp_path: Path, docker_host: str) -> Iterator[Program]:
    made = Program(tmp_path, {"DOCKER_HOST": docker_host})
    yield made
    made.remove()


@pytest.fixture
def registry_away(start_registry: Callable[..., Registry]) -> Iterator[str]:
    """A registry that is 15 ms away each way."""
    with SlowProxy(start_registry().host, FAST, 0.015) as proxy:
        yield proxy.host


def push(program: Program, host: str, tag: str = "t", **more: str) -> subprocess.Popen[str]:
    words = ("push", "--engine", "docker", "--repo", f"{host}/a/b", "--image", "local/app:1", "--tag", tag)
    return subprocess.Popen(
        program.command(*words),
        env=program.variables(**more),
        cwd=program.work,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def names(images: Images) -> list[str]:
    return sorted(images.docker("images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").splitlines())


@pytest.mark.parametrize("named", [False, True])
def test_ten_pushes_at_once_succeed_and_leave_the_names_as_they_were(
    program: Program, images: Images, registry_away: str, named: bool
) -> None:
    images.make("local/app:1", 200_000)
    if named:
        images.docker("tag", "local/app:1", f"{registry_away}/a/b:t")
        images.made.append(f"{registry_away}/a/b:t")
    before = names(images)
    children = []
    for number in range(10):
        home = {"HOME": "/nonexistent", "DOCKPASS_STATE": "/proc/none"} if number % 2 else {}
        children.append(push(program, registry_away, **home))
        time.sleep(0.1)  # what is told of: so far apart they were in each other's way
    ended = [(child.communicate(timeout=120), child.returncode) for child in children]
    assert [code for _, code in ended] == [0] * 10, ended
    assert len({out for (out, _), _ in ended}) == 1
    assert names(images) == before


def test_the_next_push_puts_right_what_a_killed_one_left(
    program: Program, images: Images, start_registry: Callable[..., Registry]
) -> None:
    images.make("local/app:1", 200_000)
    images.make("local/other:1", 10)
    before = names(images)
    direct = start_registry().host
    with SlowProxy(direct, FAST, 0.3) as away:
        child = push(program, away.host)
        wait_until(lambda: names(images) != before, 30, "the name")
        child.kill()
        child.communicate()
    assert names(images) != before
    ended = push(program, direct, "u")
    said = ended.communicate(timeout=60)[1]
    assert ended.returncode == 0, said
    assert re.search(r"a killed push had left the name \S+/a/b:t", said)
    assert names(images) == before
    for path in Path("/dev/shm").glob(f"dockpass-name-{os.getuid()}-*"):
        with suppress(FileNotFoundError):  # of another test, which goes on at the same time
            note = path.read_text()
            assert away.host not in note
            assert direct not in note
