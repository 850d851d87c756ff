"""What can be known before a login is checked before it: no config is created, and no registry is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakeengine import Answer, FakeEngine
from plainserver import Give, PlainServer
from program import Program

ID = "sha256:" + "1" * 64
REFUSED = Give(401, b"", {"WWW-Authenticate": 'Basic realm="r"'})


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path, {"DOCKPASS_STORE": str(tmp_path / "images")})
    yield made
    made.remove()


@pytest.fixture
def registry() -> Iterator[PlainServer]:
    with PlainServer(lambda _, got: REFUSED) as server:
        yield server


@pytest.fixture(params=["embedded", "docker"])
def engine(
    request: pytest.FixtureRequest, program: Program, registry: PlainServer
) -> Iterator[tuple[str, FakeEngine]]:
    """Either engine, neither of which has an image."""
    fake = FakeEngine()
    for image in (*(f"{registry.host}/a:{tag}" for tag in ("latest", "1", "2")), "gone:1", ID):
        fake.on(f"GET /images/{image}/json", Answer(404, {"message": f"No such image: {image}"}))
    program.environ["DOCKER_HOST"] = fake.url
    yield request.param, fake
    fake.stop()


def run(
    program: Program, registry: PlainServer, engine: str, *arguments: str
) -> tuple[int, list[dict[str, object]], str]:
    host = registry.host
    environ = {"CI_REGISTRY": host, "CI_JOB_TOKEN": "canary-4711", "CI_REGISTRY_IMAGE": f"{host}/a"}
    ended = program.run(*arguments, f"--engine={engine}", "--json", **environ)
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert program.left == []
    assert "canary-4711" not in ended.stdout + ended.stderr
    return ended.returncode, events, ended.stderr


def untouched(registry: PlainServer, events: list[dict[str, object]], fake: FakeEngine) -> bool:
    login = [asked for asked in fake.asked if asked.path == "/auth"]
    kinds = {str(event["event"]) for event in events}
    return not registry.got and not login and "ended" in kinds and not kinds & {"config-created"}


@pytest.mark.parametrize("options", [(), ("--image=gone:1",), ("--tag=1", "--tag=2")])
def test_a_push_of_nothing_fails_before_anything_is_created(program, registry, engine, options) -> None:
    name, fake = engine
    status, events, _ = run(program, registry, name, "push", *options)
    assert (status, events[-1]["id"]) == (1, "image-missing")
    assert untouched(registry, events, fake)


def test_a_last_build_that_is_gone_is_told_before_the_login(program, registry, engine) -> None:
    name, fake = engine
    (program.directory / "state").mkdir()
    (program.directory / "state" / "last-builds.json").write_text(json.dumps({str(program.work): ID}))
    status, events, _ = run(program, registry, name, "push")
    assert status == 1
    assert "is gone" in str(events[-1]["message"])
    assert untouched(registry, events, fake)


def test_no_engine_is_told_before_a_config_is_created(program, registry) -> None:
    program.environ["DOCKER_HOST"] = f"unix://{program.directory}/none.sock"
    status, events, _ = run(program, registry, "docker", "push", "--image=a:1")
    assert status == 1
    assert {"config-created", "login-started"}.isdisjoint(str(event["event"]) for event in events)
    assert registry.got == []


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("FROM {host}/b\nRUN --mount=type=cache,target=/c true\n", ":2"),
        ("FROM {host}/b\nCOPY --link a /a\n", "--link"),
    ],
)
def test_a_file_that_this_engine_cannot_build_is_refused_before_the_login(
    program, registry, engine, body: str, word: str
) -> None:
    name, fake = engine
    (program.work / "Dockerfile").write_text(body.format(host=registry.host))
    builder = "classic" if name == "docker" else "embedded"  # others of this machine may be able to
    status, events, _ = run(program, registry, name, "build", f"--builder={builder}")
    assert status == 2
    assert word in str(events[-1]["message"])
    assert untouched(registry, events, fake)


def test_what_is_there_is_pushed_after_a_login(program, registry, engine) -> None:
    """The look-up is no other than the work's own: an image that is there gets as far as the login."""
    name, fake = engine
    fake.on("GET /images/app:1/json", Answer(body={"Id": ID}))
    fake.on("POST /auth", Answer(401, {"message": "unauthorized: incorrect username or password"}))
    if name == "embedded":
        (program.work / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
        assert program.run("build", "--engine=embedded", "--tag=app:1").returncode == 0
    status, events, _ = run(program, registry, name, "push", "--image=app:1")
    assert status == 3
    assert "config-created" in {event["event"] for event in events}
