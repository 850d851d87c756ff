"""How long an engine may take to answer, by who named it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fakeengine import FakeEngine

from dockpass.engines import docker, endpoint
from dockpass.engines.choice import AUTO_SECONDS, EngineChoice, Engines, detect_chosen, open_chosen
from dockpass.engines.docker import DockerEngine
from dockpass.engines.endpoint import OPEN_SECONDS, Endpoint

Ask = Callable[[EngineChoice, dict[str, str], Path], object]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds for which engines were waited."""
    found: list[float] = []
    opened = docker.open_engine

    def open_engine(endpoint: Endpoint, seconds: float = OPEN_SECONDS) -> DockerEngine:
        found.append(seconds)
        return opened(endpoint)

    monkeypatch.setattr(docker, "open_engine", open_engine)
    return found


def environ_of(source: str, fake: FakeEngine, home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Have a source name the engine."""
    identity = hashlib.sha256(b"lab").hexdigest()
    meta = home / ".docker" / "contexts" / "meta" / identity / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": "lab", "Endpoints": {"docker": {"Host": fake.url}}}))
    config = {"currentContext": "lab"} if source == "currentContext" else {}
    (home / ".docker" / "config.json").write_text(json.dumps(config))
    monkeypatch.setattr(endpoint, "DEFAULT_SOCKET", Path(fake.url.removeprefix("unix://")))
    return {
        "DOCKER_HOST": {"DOCKER_HOST": fake.url},
        "DOCKER_CONTEXT": {"DOCKER_CONTEXT": "lab"},
        "the default context": {"DOCKER_CONTEXT": "default"},
    }.get(source, {})


@pytest.mark.parametrize("ask", [open_chosen, detect_chosen])
@pytest.mark.parametrize(
    ("source", "seconds"),
    [
        ("DOCKER_HOST", OPEN_SECONDS),
        ("DOCKER_CONTEXT", OPEN_SECONDS),
        ("currentContext", OPEN_SECONDS),
        ("the default context", AUTO_SECONDS),
        ("a usual socket", AUTO_SECONDS),
    ],
)
def test_an_engine_that_the_person_named_gets_longer_to_answer(
    source: str,
    seconds: float,
    ask: Ask,
    fake: FakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    waits: list[float],
) -> None:
    environ = environ_of(source, fake, tmp_path, monkeypatch)
    opened = ask(EngineChoice(Engines.AUTO, "by default", tmp_path), environ, tmp_path)
    if isinstance(opened, DockerEngine):
        opened.close()
    assert waits == [seconds]


def test_an_engine_that_was_asked_for_gets_longer_wherever_it_is(
    fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    environ = environ_of("a usual socket", fake, tmp_path, monkeypatch)
    detect_chosen(EngineChoice(Engines.DOCKER, "--engine", tmp_path), environ, tmp_path)
    assert waits == [OPEN_SECONDS]
