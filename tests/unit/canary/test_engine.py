"""An engine that repeats the login that it was sent, in every spelling and at every limit: nothing is shown."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from canaries import Canary, all_spelled, in_header
from fakeengine import Answer, FakeEngine
from planted import Planted

LOGIN = ("--registry-username", "robot", "--registry-password-stdin")

IMAGE = f"sha256:{'a' * 64}"


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    made = FakeEngine()
    made.on("POST /auth", Answer(body={"Status": "Login Succeeded"}))
    made.on("GET /images/local/json", Answer(body={"Id": IMAGE, "RepoDigests": []}))
    yield made
    made.stop()


def words(canary: Canary, header: str) -> str:
    return f"bad X-Registry-Auth {header} ; {all_spelled(canary.value)}"


def answers(canary: Canary, header: str) -> Mapping[str, Answer]:
    said = words(canary, header)
    long = "x" * 590 + canary.value
    events: list[dict[str, Any]] = [
        {"stream": f"{said}\n"},
        {"status": said},
        {"status": said, "id": "aa"},
        {"stream": "y" * 4090 + canary.value + "\n"},
        {"stream": "z" * 16_380 + canary.value[:7]},
        {"stream": canary.value[7:] + "\n"},
        {"error": f"{said} {long}", "errorDetail": {"message": f"{long} {said}"}},
    ]
    return {
        "a refusal": Answer(400, {"message": said}),
        "a long refusal": Answer(500, {"message": long}),
        "a page": Answer(502, f"<html><title>{said}</title>{said}</html>"),
        "a header": Answer(401, {"message": "no"}, headers={"WWW-Authenticate": in_header(said)}),
        "a stream": Answer(stream=lambda: iter(events)),
        "a broken stream": Answer(stream=lambda: iter([(said * 500).encode() + b"\n", said.encode()])),
        "an error without an end": Answer(stream=lambda: iter([b'{"error": "' + said.encode() * 500])),
    }


def engine_header(password: str) -> str:
    """The header as dockpass sends it, in both alphabets."""
    login = {"username": "robot", "password": password, "serveraddress": "127.0.0.1:1"}
    raw = json.dumps(login).encode()
    return f"{base64.urlsafe_b64encode(raw).decode()} {base64.b64encode(raw).decode()}"


NAMES = list(answers(Canary("x"), ""))


@pytest.mark.parametrize("answer", NAMES)
@pytest.mark.parametrize("what", ["pull", "push", "build", "login"])
def test_what_an_engine_says_shows_no_login(
    machine: Planted, engine: FakeEngine, what: str, answer: str
) -> None:
    canary = machine.aviary("the password on stdin")
    repeated = answers(canary, engine_header(canary.value))[answer]
    repo = f"{machine.at}/web/app{os.getpid()}"  # pushes to one name wait for each other
    command = "pull" if what == "login" else what
    path = {"login": "/auth", "pull": "/images/create", "build": "/build"}.get(what, f"/images/{repo}/push")
    engine.on(f"POST {path}", repeated)
    engine.on(f"POST /images/{IMAGE}/tag", Answer(201))
    missing = Answer(404, {"message": f"No such image: {repo}:main"})
    engine.on(f"GET /images/{repo}:main/json", missing)
    more = {"push": ("--image", "local", "--repo", f"{repo}")}.get(command, ())
    (machine.work / "Dockerfile").write_text(f"FROM {machine.at}/web/base:3\n")
    form = ("--json",) if NAMES.index(answer) % 2 else ()
    words = (command, "--engine", "docker", *LOGIN, *more, *form, "--no-proxy")
    ended = machine.run(*words, stdin=canary.value.encode(), DOCKER_HOST=engine.url)
    assert not machine.leaks(ended.all), ended
    assert "Traceback" not in ended.err
    assert machine.leaks_elsewhere() == []
    assert any(asked.path == path for asked in engine.asked), [asked.path for asked in engine.asked]
