"""A run with an engine that does what the test says, in a real temporary config."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dockpass import turns
from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.decision import Decision
from dockpass.auth.facts import BaseImage, Facts, Options, Source, SourceKind, Variable
from dockpass.dockerconfig.places import Place
from dockpass.dockerconfig.temporary import TemporaryConfig
from dockpass.engines.base import BuildRequest, EngineInfo, Sink
from dockpass.errors import Cancelled, DockpassError
from dockpass.references.address import host_of_reference, host_of_registry
from dockpass.references.credential import Credential, Logins
from dockpass.runs.events import Event
from dockpass.runs.request import RunRequest
from dockpass.runs.run import Run, start_run
from dockpass.runs.services import Services
from dockpass.secret_names import is_secret_name
from dockpass.secrets import Secret

REPO = "registry.example/web/backend"
JOB_TOKEN = "canary-job-token-0123456789"
JOB = {"CI_REGISTRY": "registry.example", "CI_JOB_TOKEN": JOB_TOKEN}


@dataclass
class FakeEngine:
    """Does nothing but remember; a method named in `faults` raises, `blocked` waits for `cut`,
    `stubborn` for its own event only."""

    images: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Exception] = field(default_factory=dict)
    untagged: str = ""
    blocked: bool = False
    proxy: str = ""
    stubborn: threading.Event | None = None
    calls: list[tuple[str, ...]] = field(default_factory=list)
    sent: list[Credential | None] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)
    is_cut: threading.Event = field(default_factory=threading.Event)

    def _call(self, name: str, *words: str) -> None:
        self.calls.append((name, *words))
        if name in self.faults:
            raise self.faults[name]

    def _work(self) -> None:
        self.reached.set()
        if self.stubborn is not None:
            self.stubborn.wait(20)
        if self.blocked:
            assert self.is_cut.wait(10), "nobody cut the engine"
            raise Cancelled

    def info(self) -> EngineInfo:
        return EngineInfo("Docker", "28.2", "unix:///run/docker.sock", "the default socket")

    def lacks_containerd_store(self) -> bool:
        return False

    def own_proxy(self) -> str:
        return self.proxy

    def login(self, key: str, logins: Logins) -> str:
        self._call("login", key)
        self.sent.append(logins.login_for(host_of_registry(key)))
        return "Login Succeeded"

    def image_id(self, reference: str) -> str | None:
        self._call("image_id", reference)
        if reference in {self.untagged, *self.images.values()}:
            return reference
        return self.images.get(reference)

    def tag(self, image: str, reference: str) -> None:
        self._call("tag", image, reference)
        self.images[reference] = image

    def untag(self, reference: str) -> bool:
        self._call("untag", reference)
        if list(self.images.values()).count(self.images.get(reference, "")) == 1:
            return False
        return self.images.pop(reference, None) is not None

    def pull(self, reference: str, logins: Logins, sink: Sink) -> str:
        self.sent.append(logins.login_for(host_of_reference(reference)))
        self._call("pull", reference)
        sink.layer("aa", "pulling", 1, 2)
        self._work()
        return "sha256:" + "a" * 64

    def push(self, reference: str, logins: Logins, sink: Sink) -> str:
        self.sent.append(logins.login_for(host_of_reference(reference)))
        self._call("push", reference)
        sink.log(f"pushing with {JOB_TOKEN}")
        self._work()
        return "sha256:" + "b" * 64

    def check_build(self, request: BuildRequest) -> None:
        self._call("check_build", str(request.dockerfile))

    def build(self, request: BuildRequest, logins: Logins, sink: Sink) -> str:
        self.sent.extend(logins.logins().values())
        self._call("build", str(request.dockerfile))
        self._work()
        return "sha256:" + "c" * 64

    def cut(self) -> None:
        self.is_cut.set()

    def close(self) -> None:
        self._call("close")


def make_facts(
    home: Path, repo: str | None = REPO, base: tuple[str, ...] | None = None, **values: str
) -> Facts:
    """Facts of a process environment."""
    source = Source(SourceKind.PROCESS)
    variables = {
        name: Variable(name, Secret(value) if is_secret_name(name) else value, source)
        for name, value in values.items()
    }
    images = None if base is None else tuple(BaseImage(name) for name in base)
    return Facts(variables, Options(repo=repo), images, str(home), str(home))


def make_request(command: Command, facts: Facts, **options: object) -> RunRequest:
    """A request with the decision that follows from the facts."""
    decision = decide(command, facts)
    assert isinstance(decision, Decision)
    return RunRequest(command, facts, decision, **options)  # type: ignore[arg-type]


@dataclass
class Bench:
    """Starts runs with one engine; `home`, `state` and the runtime directory are the test's own."""

    directory: Path
    engine: FakeEngine
    services: Services

    def run(self, command: Command, facts: Facts, **options: object) -> tuple[Run, list[Event]]:
        """Run to the end."""
        run = start_run(make_request(command, facts, **options), self.services)
        assert run.wait(20)
        return run, run.feed.since(0).events

    @property
    def left(self) -> list[Path]:
        """Temporary configs that are still there."""
        return sorted(self.directory.glob("runtime/dockpass-*"))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o1777)
    monkeypatch.setattr(turns, "SHARED", (tmp_path / "shared",))
    for name in ("home", "state", "runtime"):
        (tmp_path / name).mkdir(mode=0o700)
    engine = FakeEngine()

    def open_engine(environ: Mapping[str, str], home: Path) -> FakeEngine:
        if "connect" in engine.faults:
            raise engine.faults["connect"]
        return engine

    environ = {
        "TMPDIR": str(tmp_path / "runtime"),
        "HOME": str(tmp_path / "home"),
        "PATH": "/usr/bin:/bin",
    }
    services = Services(
        environ,
        tmp_path / "home",
        tmp_path / "home",
        tmp_path / "state",
        open_engine=open_engine,
        create_config=_in(tmp_path / "runtime"),
    )
    return Bench(tmp_path, engine, services)


def _in(directory: Path) -> Callable[..., TemporaryConfig]:
    def create(entries: Mapping[str, Credential], environ: Mapping[str, str]) -> TemporaryConfig:
        return TemporaryConfig.create(entries, environ=environ, where=(Place(directory, "the test"),))

    return create


class Fault(DockpassError):
    """A failure that a test asks for."""

    def __init__(self) -> None:
        super().__init__("asked-for", "It failed as asked.", "Nothing to do.")
