"""The engine adapter against a real Docker Engine: cancelling, and the traps of the SDK."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from logins import ANONYMOUS, Given
from servers import JOB_TOKEN, Registry

from dockpass.colours import Colours
from dockpass.engines.base import BuildRequest
from dockpass.engines.client import RunClient
from dockpass.engines.docker import DockerEngine, open_engine
from dockpass.engines.endpoint import Endpoint
from dockpass.errors import Cancelled, DockpassError, LoginRefused
from dockpass.references.credential import Credential
from dockpass.secrets import Secret

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]

RIGHT = Credential("gitlab-ci-token", Secret(JOB_TOKEN))
WRONG = Credential("gitlab-ci-token", Secret("canary-wrong"))


class Quiet:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, text: str) -> None:
        self.lines.append(text)

    def output(self, text: str, colours: Colours) -> None:
        self.lines.append(text)

    def layer(self, layer_id: str, state: str, current: int, total: int) -> None:
        self.lines.append(f"{layer_id} {state}")

    def check(self) -> None:
        """Never cancelled from here."""


@pytest.fixture
def engine(docker_host: str) -> Iterator[DockerEngine]:
    opened = open_engine(Endpoint(docker_host, "the test"))
    yield opened
    opened.close()


@pytest.fixture
def hanging() -> Iterator[tuple[str, threading.Event]]:
    """A registry that takes connections and never answers."""
    reached = threading.Event()
    held: list[socket.socket] = []
    server = socket.create_server(("127.0.0.1", 0))

    def take() -> None:
        while True:
            try:
                held.append(server.accept()[0])
            except OSError:
                return
            reached.set()

    threading.Thread(target=take, daemon=True).start()
    yield f"127.0.0.1:{server.getsockname()[1]}", reached
    server.close()
    for connection in held:
        connection.close()


def built(engine: DockerEngine, directory: Path, text: str = "FROM scratch\nCOPY a /a\n") -> str:
    (directory / "Dockerfile").write_text(text)
    (directory / "a").write_text(str(directory))
    return engine.build(BuildRequest(directory, directory / "Dockerfile"), ANONYMOUS, Quiet())


def test_a_cancel_ends_a_pull_a_push_and_a_build_within_half_a_second(
    engine: DockerEngine, docker_host: str, hanging: tuple[str, threading.Event], tmp_path: Path
) -> None:
    host, reached = hanging
    name = f"{host}/a/b:1"
    engine.tag(built(engine, tmp_path), name)
    (tmp_path / "Dockerfile").write_text(f"FROM {host}/other:1\n")
    works: tuple[Callable[[DockerEngine], str], ...] = (
        lambda engine: engine.pull(f"{host}/c/d:1", ANONYMOUS, Quiet()),
        lambda engine: engine.push(name, ANONYMOUS, Quiet()),
        lambda engine: engine.build(BuildRequest(tmp_path, tmp_path / "Dockerfile"), ANONYMOUS, Quiet()),
    )
    for work in works:
        reached.clear()
        ended: list[BaseException] = []
        own = open_engine(Endpoint(docker_host, "the test"))

        def carry_out(
            work: Callable[[DockerEngine], str] = work,
            own: DockerEngine = own,
            ended: list[BaseException] = ended,
        ) -> None:
            try:
                work(own)
            except DockpassError as error:
                ended.append(error)

        thread = threading.Thread(target=carry_out)
        thread.start()
        assert reached.wait(20)
        began = time.monotonic()
        own.cut()
        thread.join(5)
        assert time.monotonic() - began < 0.5
        assert isinstance(ended[0], Cancelled)
        # What a push gave a name to is given back also after a cut.
        own.tag(name, f"{host}/again:1")
        own.close()


def test_a_login_is_always_asked_of_the_registry(
    engine: DockerEngine, start_registry: Callable[..., Registry]
) -> None:
    host = start_registry("token").host
    assert engine.login(host, Given(RIGHT)) == "Login Succeeded"
    with pytest.raises(LoginRefused) as refused:
        engine.login(host, Given(WRONG))
    assert "Access denied" in refused.value.words
    assert "canary-wrong" not in str(refused.value)


def test_a_failure_inside_the_stream_is_a_failure(
    engine: DockerEngine, start_registry: Callable[..., Registry], tmp_path: Path
) -> None:
    name = f"{start_registry('token').host}/web/backend:1"
    engine.tag(built(engine, tmp_path), name)
    with pytest.raises(DockpassError) as failed:
        engine.push(name, ANONYMOUS, Quiet())
    assert failed.value.id == "denied"


def test_the_home_config_is_never_read(
    docker_host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_registry: Callable[..., Registry]
) -> None:
    host = start_registry("token").host
    config = tmp_path / ".docker"
    config.mkdir()
    # A broken entry would raise in the SDK's constructor, a helper would be run by its login.
    broken = {
        "auths": {host: {"auth": "x"}},
        "credHelpers": {"elsewhere.example": "missing"},
        "credsStore": "missing",
    }
    (config / "config.json").write_text(json.dumps(broken))
    monkeypatch.setenv("HOME", str(tmp_path))
    opened = open_engine(Endpoint(docker_host, "the test"))
    assert opened.login(host, Given(RIGHT)) == "Login Succeeded"
    with pytest.raises(DockpassError):
        opened.pull(f"{host}/web/backend:1", ANONYMOUS, Quiet())
    opened.close()


def test_a_build_sends_only_the_credentials_it_is_given(
    engine: DockerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import base64

    sent: list[dict[str, object]] = []
    send = RunClient.send

    def spied(self: RunClient, request: object, **kwargs: object) -> object:
        header = request.headers.get("X-Registry-Config")  # type: ignore[attr-defined]
        if header:
            sent.append(json.loads(base64.urlsafe_b64decode(header)))
        return send(self, request, **kwargs)

    monkeypatch.setattr(RunClient, "send", spied)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY a /a\n")
    (tmp_path / "a").write_text("a")
    request = BuildRequest(tmp_path, tmp_path / "Dockerfile")
    engine.build(request, Given(by_key={"registry.example": RIGHT}), Quiet())
    assert [list(found) for found in sent] == [["registry.example"]]


def test_a_build_honours_dockerignore_and_a_dockerfile_outside(engine: DockerEngine, tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    for name in ("kept", "left"):
        (context / name).write_text(name)
    (context / ".dockerignore").write_text("left\n")
    dockerfile = tmp_path / "Elsewhere"
    dockerfile.write_text("FROM scratch\nCOPY kept /kept\n")
    assert engine.build(BuildRequest(context, dockerfile), ANONYMOUS, Quiet()).startswith("sha256:")
    dockerfile.write_text("FROM scratch\nCOPY left /left\n")
    with pytest.raises(DockpassError):
        engine.build(BuildRequest(context, dockerfile), ANONYMOUS, Quiet())


def test_a_context_without_files_is_said(engine: DockerEngine, tmp_path: Path) -> None:
    with pytest.raises(DockpassError) as failed:
        engine.build(BuildRequest(tmp_path / "none", tmp_path / "Dockerfile"), ANONYMOUS, Quiet())
    assert failed.value.id == "context-missing"


def test_the_last_name_of_an_image_is_not_taken_away(engine: DockerEngine, tmp_path: Path) -> None:
    image = built(engine, tmp_path)
    engine.tag(image, "registry.example/only:1")
    assert engine.untag("registry.example/only:1") is False
    engine.tag(image, "registry.example/other:1")
    assert engine.untag("registry.example/only:1") is True
    assert engine.image_id(image) == image


def test_no_engine_is_said_with_the_endpoint_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DockpassError) as failed:
        open_engine(Endpoint(f"unix://{tmp_path}/none.sock", "DOCKER_HOST"))
    assert failed.value.id == "no-engine"
    assert str(tmp_path) in failed.value.message
    assert "systemctl start docker" in failed.value.hint
