"""An engine that answers as told, and a config in the home that would hurt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakeengine import FakeEngine
from notes import Notes

from dockpass.engines.docker import DockerEngine, open_engine
from dockpass.engines.endpoint import Endpoint


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def fake() -> Iterator[FakeEngine]:
    engine = FakeEngine()
    yield engine
    engine.stop()


@pytest.fixture
def engine(fake: FakeEngine) -> Iterator[DockerEngine]:
    opened = open_engine(Endpoint(fake.url, "the test"))
    yield opened
    opened.close()


@pytest.fixture
def in_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Write the person's own `config.json`; the SDK would read it."""

    def write(text: str) -> Path:
        path = tmp_path / "home" / ".docker" / "config.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.setenv("DOCKER_CONFIG", str(path.parent))
        return path

    return write
