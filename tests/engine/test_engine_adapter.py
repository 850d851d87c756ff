"""The engine over the SDK, against a real Docker Engine and a real registry."""

from __future__ import annotations

import base64
import io
import json
import os
import stat
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from logins import ANONYMOUS, Given
from notes import Notes
from servers import PASSWORD, USER, Registry, free_port, wait_until
from slowproxy import SlowProxy

from dockpass.engines.base import BuildRequest
from dockpass.engines.docker import DockerEngine, open_engine
from dockpass.engines.endpoint import Endpoint
from dockpass.errors import Cancelled, DockpassError, LoginRefused, UsageError
from dockpass.references.credential import Credential
from dockpass.secrets import Secret
from engine import Images, tiny_program

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]

StartRegistry = Callable[..., Registry]
GOOD = Credential(USER, Secret(PASSWORD))
WRONG = Credential(USER, Secret("canary-wrong"))


@pytest.fixture
def engine(docker_host: str) -> Iterator[DockerEngine]:
    opened = open_engine(Endpoint(docker_host, "the test"))
    yield opened
    opened.close()


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def registry(start_registry: StartRegistry) -> Registry:
    return start_registry("htpasswd")


@pytest.fixture
def pushed(registry: Registry, images: Images, docker_host: str) -> str:
    """A private image in the registry, which the engine itself has no more."""
    name = f"{registry.host}/team/base:1"
    images.make(name, 1000)
    first = open_engine(Endpoint(docker_host, "the test"))
    first.push(name, Given(GOOD), Notes())
    first.close()
    images.forget(name)
    assert not images.has(name)
    return name


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's own docker directory."""
    made = Path(os.environ["HOME"]) / ".docker"
    made.mkdir()
    return made


def keeps(home: Path, **config: object) -> None:
    (home / "config.json").write_text(json.dumps(config))


def entry(credential: Credential) -> dict[str, str]:
    pair = f"{credential.username}:{credential.password.reveal()}"
    return {"auth": base64.b64encode(pair.encode()).decode()}


def request(root: Path, dockerfile: str, *tags: str, **files: bytes) -> BuildRequest:
    """Write a context and ask for its build."""
    root.mkdir(exist_ok=True)
    (root / "Dockerfile").write_text(dockerfile)
    for name, content in files.items():
        (root / name).write_bytes(content)
        (root / name).chmod(0o755)
    return BuildRequest(root, root / "Dockerfile", tags)


def cut_once(engine: DockerEngine, ready: Callable[[], bool]) -> Callable[[], float]:
    """Cut from another thread when `ready`; the returned function tells when that was."""
    at: list[float] = []

    def cut() -> None:
        wait_until(ready, 20, "the moment to cut")
        at.append(time.monotonic())
        engine.cut()

    thread = threading.Thread(target=cut)
    thread.start()

    def when() -> float:
        thread.join()
        return at[0]

    return when


# Logins


@pytest.mark.parametrize("auth", ["htpasswd", "token"])
def test_a_login_is_accepted_or_refused_by_the_registry(
    engine: DockerEngine, start_registry: StartRegistry, auth: str
) -> None:
    host = start_registry(auth).host
    assert engine.login(host, Given(GOOD)) == "Login Succeeded"
    # The same user again: the SDK's own login would take the entry that it knows.
    with pytest.raises(LoginRefused) as caught:
        engine.login(host, Given(WRONG))
    assert "nauthorized" in caught.value.words
    assert "canary" not in caught.value.message


def test_a_login_at_nothing_is_no_refusal(engine: DockerEngine) -> None:
    with pytest.raises(DockpassError) as caught:
        engine.login(f"127.0.0.1:{free_port()}", Given(GOOD))
    assert caught.value.id == "connection-refused"


# Pull, push, and whose credentials they use


@pytest.mark.parametrize("auth", ["htpasswd", "token"])
def test_a_private_image_is_pushed_and_pulled(
    engine: DockerEngine, images: Images, notes: Notes, start_registry: StartRegistry, auth: str
) -> None:
    name = f"{start_registry(auth).host}/team/app:1"
    images.make(name, 3_000_000)
    digest = engine.push(name, Given(GOOD), notes)
    images.forget(name)
    assert engine.pull(name, Given(GOOD), notes) == digest
    assert digest.startswith("sha256:")
    assert images.has(name)
    states = {state for _, state, _, _ in notes.layers}
    assert {"pushing", "pushed", "pulling", "extracting", "pulled"} <= states
    assert max(total for _, state, _, total in notes.layers if state == "pushed") >= 3_000_000
    assert engine.pull(f"{name.rpartition(':')[0]}@{digest}", Given(GOOD), notes) == digest


def test_good_credentials_in_the_home_are_not_used(
    docker_host: str, pushed: str, registry: Registry, home: Path, notes: Notes, images: Images
) -> None:
    keeps(home, auths={registry.host: entry(GOOD)})
    engine = open_engine(Endpoint(docker_host, "the test"))
    with pytest.raises(DockpassError, match="No credentials for this registry"):
        engine.pull(pushed, ANONYMOUS, notes)
    with pytest.raises(LoginRefused):
        engine.pull(pushed, Given(WRONG), notes)
    images.make(pushed)
    with pytest.raises(LoginRefused):
        engine.push(pushed, Given(WRONG), notes)


def test_wrong_credentials_in_the_home_are_not_used(
    docker_host: str,
    pushed: str,
    registry: Registry,
    home: Path,
    notes: Notes,
    tmp_path: Path,
    images: Images,
) -> None:
    keeps(home, auths={registry.host: entry(WRONG)})
    engine = open_engine(Endpoint(docker_host, "the test"))
    assert engine.pull(pushed, Given(GOOD), notes)
    images.forget(pushed)
    built = request(tmp_path / "context", f"FROM {pushed}\nCOPY Dockerfile /\n", "built:1")
    images.made.append("built:1")
    assert engine.build(built, Given(by_key={registry.host: GOOD}), notes)


# Broken helpers


@pytest.fixture
def noisy_helper(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A helper that writes to the terminal and fails; returns a file that it makes when called."""
    called = tmp_path / "called"
    helper = tmp_path / "docker-credential-noisy"
    helper.write_text(f"#!/bin/sh\necho called >>{called}\necho NOISE >&2\necho NOISE\nexit 1\n")
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    keeps(home, credsStore="noisy", credHelpers={"other.test": "missing-helper"})
    return called


def test_a_broken_helper_of_the_person_breaks_no_build_and_tears_no_screen(
    docker_host: str,
    pushed: str,
    registry: Registry,
    noisy_helper: Path,
    notes: Notes,
    tmp_path: Path,
    images: Images,
    capfd: pytest.CaptureFixture[str],
) -> None:
    engine = open_engine(Endpoint(docker_host, "the test"))
    engine.login(registry.host, Given(GOOD))
    built = request(tmp_path / "context", f"FROM {pushed}\nCOPY Dockerfile /\n", "built:1")
    images.made.append("built:1")
    assert engine.build(built, Given(by_key={registry.host: GOOD}), notes)
    assert engine.pull(pushed, Given(GOOD), notes)
    assert not noisy_helper.exists()
    assert capfd.readouterr() == ("", "")


# Builds


def listed(images: Images, image: str) -> set[str]:
    """The files of an image that its build put there."""
    container = images.docker("create", image, "/none")
    try:
        ended = images.docker_bytes("export", container)
    finally:
        images.docker("rm", container)
    with tarfile.open(fileobj=io.BytesIO(ended)) as archive:
        return {
            name for name in archive.getnames() if name.split("/")[0] not in {"dev", "etc", "proc", "sys"}
        }


def test_a_build_tags_and_returns_its_image(
    engine: DockerEngine, images: Images, notes: Notes, tmp_path: Path
) -> None:
    asked = request(tmp_path / "context", "FROM scratch AS one\nCOPY hello /\n", "built:1", hello=b"hello")
    images.made.append("built:1")
    image = engine.build(asked, ANONYMOUS, notes)
    assert engine.image_id("built:1") == image
    assert any(line.startswith("Step 1/2 : FROM scratch") for line in notes.lines)
    assert listed(images, "built:1") >= {"hello"}


def test_a_dockerfile_outside_the_context_is_not_in_the_image(
    engine: DockerEngine, images: Images, notes: Notes, tmp_path: Path
) -> None:
    request(tmp_path / "context", "", hello=b"hello", other=b"")
    (tmp_path / "context" / "Dockerfile").unlink()
    (tmp_path / "Outside").write_text("FROM scratch\nCOPY . /\n")
    (tmp_path / "Outside.dockerignore").write_text("other\n")
    images.made.append("built:1")
    asked = BuildRequest(tmp_path / "context", tmp_path / "Outside", ("built:1",))
    first = engine.build(asked, ANONYMOUS, notes)
    found = listed(images, "built:1")
    assert "hello" in found
    assert not [name for name in found if "dockerfile" in name]
    assert "other" in found, "only BuildKit reads NAME.dockerignore"
    assert engine.build(asked, ANONYMOUS, notes) == first  # from the engine's cache


def test_wrong_credentials_for_a_base_image_are_a_refused_login(
    engine: DockerEngine, pushed: str, registry: Registry, notes: Notes, tmp_path: Path
) -> None:
    asked = request(tmp_path / "context", f"FROM {pushed}\nCOPY Dockerfile /\n")
    with pytest.raises(LoginRefused):
        engine.build(asked, Given(by_key={registry.host: WRONG}), notes)
    with pytest.raises(DockpassError, match="No credentials for this registry"):
        engine.build(asked, Given(by_key={"other.test": GOOD}), notes)


@pytest.mark.parametrize(
    ("dockerfile", "wrong"),
    [
        ("FRM scratch\n", "dockerfile-invalid"),
        ("# nothing\n", "dockerfile-invalid"),
        ("", "dockerfile-invalid"),
        ("FROM scratch\nCOPY nope /\n", "copy-failed"),
        ("FROM scratch\nRUN --mount=type=cache,target=/x true\n", "needs-buildkit"),
        ("FROM scratch\nCOPY --chmod=755 Dockerfile /\n", "needs-buildkit"),
        ("FROM 127.0.0.1:1/nothing:1\nCOPY Dockerfile /\n", "connection-refused"),
        ("FROM UPPER/case\n", "reference-invalid"),
    ],
)
def test_what_a_build_lacks_is_told_apart(
    engine: DockerEngine, notes: Notes, tmp_path: Path, dockerfile: str, wrong: str
) -> None:
    with pytest.raises(DockpassError) as caught:
        engine.build(request(tmp_path / "context", dockerfile), ANONYMOUS, notes)
    assert caught.value.id == wrong, caught.value.message
    assert caught.value.hint


def test_a_target_that_is_not_there_is_told(engine: DockerEngine, notes: Notes, tmp_path: Path) -> None:
    asked = request(tmp_path / "context", "FROM scratch AS one\nCOPY Dockerfile /\n")
    with pytest.raises(DockpassError) as caught:
        engine.build(BuildRequest(asked.context, asked.dockerfile, (), "nope"), ANONYMOUS, notes)
    assert caught.value.id == "target-unknown", caught.value.message


def test_a_context_without_files_never_reaches_the_engine(
    engine: DockerEngine, notes: Notes, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(UsageError, match="0 files"):
        engine.build(BuildRequest(tmp_path / "empty", tmp_path / "Dockerfile"), ANONYMOUS, notes)


def test_a_command_that_fails_shows_its_output_and_its_status(
    engine: DockerEngine, notes: Notes, tmp_path: Path, images: Images
) -> None:
    before = images.containers()
    asked = request(
        tmp_path / "context",
        'FROM scratch\nCOPY tiny /\nRUN ["/tiny"]\n',
        tiny=tiny_program("said \x1b[2Jthis\n", 3),
    )
    with pytest.raises(DockpassError) as caught:
        engine.build(asked, ANONYMOUS, notes)
    assert caught.value.id == "command-failed"
    assert "non-zero code: 3" in caught.value.message
    assert not [line for line in notes.lines if "\x1b" in line]
    assert images.containers() == before


# What is not there


def test_what_is_not_there_is_told_apart(
    engine: DockerEngine, pushed: str, registry: Registry, notes: Notes
) -> None:
    found = {}
    for name, work in {
        "no tag": lambda: engine.pull(f"{registry.host}/team/base:nope", Given(GOOD), notes),
        "no repository": lambda: engine.pull(f"{registry.host}/team/nope:1", Given(GOOD), notes),
        "no local image": lambda: engine.push(f"{registry.host}/team/nope:1", Given(GOOD), notes),
        "nothing to tag": lambda: engine.tag("sha256:" + "0" * 64, "mine:1"),
        "nobody listens": lambda: engine.pull(f"127.0.0.1:{free_port()}/team/base:1", Given(GOOD), notes),
        "no such host": lambda: engine.pull("registry.invalid/team/base:1", Given(GOOD), notes),
    }.items():
        with pytest.raises(DockpassError) as caught:
            work()
        found[name] = caught.value.id
    assert found == {
        "no tag": "not-found",
        "no repository": "not-found",
        "no local image": "not-found",
        "nothing to tag": "not-found",
        "nobody listens": "connection-refused",
        "no such host": "name-unresolved",
    }


def test_names_are_given_and_taken_but_never_the_last(engine: DockerEngine, images: Images) -> None:
    image = images.make("mine:1")
    images.made.append("mine:2")
    engine.tag(image, "mine:2")
    assert engine.image_id("mine:2") == image
    assert engine.untag("mine:2") is True
    assert engine.image_id("mine:2") is None
    assert engine.untag("mine:1") is False
    assert engine.image_id("mine:1") == image
    assert engine.untag("mine:3") is False


# Cancelling

SIZE = 60_000_000
SLOW = 4_000_000


def test_a_cancelled_push_ends_within_half_a_second_and_the_engine_stops(
    engine: DockerEngine, images: Images, notes: Notes, registry: Registry
) -> None:
    with SlowProxy(registry.host, SLOW) as proxy:
        name = f"{proxy.host}/team/big:1"
        images.make(name, SIZE)
        cut_at = cut_once(engine, lambda: proxy.passed > 1_000_000)
        with pytest.raises(Cancelled):
            engine.push(name, Given(GOOD), notes)
        assert time.monotonic() - cut_at() < 0.5
        assert engine.untag(name) is False  # what follows a cancel still works
        # What is in the buffers on the way still trickles through.
        wait_until(lambda: proxy.is_quiet(0.5, 0), 10, "the end of the traffic")
        assert proxy.passed < SIZE / 2


def test_a_cancelled_pull_ends_within_half_a_second_and_the_engine_stops(
    engine: DockerEngine, images: Images, notes: Notes, registry: Registry, docker_host: str
) -> None:
    name = f"{registry.host}/team/big:1"
    images.make(name, SIZE)
    first = open_engine(Endpoint(docker_host, "the test"))
    first.push(name, Given(GOOD), notes)
    first.close()
    images.forget(name)
    with SlowProxy(registry.host, SLOW) as proxy:
        cut_at = cut_once(engine, lambda: proxy.passed > 1_000_000)
        with pytest.raises(Cancelled):
            engine.pull(f"{proxy.host}/team/big:1", Given(GOOD), notes)
        assert time.monotonic() - cut_at() < 0.5
        # What is in the buffers on the way still trickles through.
        wait_until(lambda: proxy.is_quiet(0.5, 0), 10, "the end of the traffic")
        assert proxy.passed < SIZE / 2
    assert not images.has(f"{proxy.host}/team/big:1")


def test_a_cancelled_upload_leaves_nothing_in_the_engine(
    engine: DockerEngine, notes: Notes, tmp_path: Path, docker_host: str
) -> None:
    temporary = Path(docker_host.removeprefix("unix://")).parent / "data" / "tmp"
    before = set(temporary.glob("docker-builder*"))  # dockerd itself leaves some of refused builds
    asked = request(tmp_path / "context", "FROM scratch\nCOPY big /\n")
    with (tmp_path / "context" / "big").open("wb") as file:
        file.truncate(2_000_000_000)  # a hole: it takes no space here
    cut_at = cut_once(engine, lambda: any(sent > 0 for _, _, sent, _ in notes.layers))
    with pytest.raises(Cancelled):
        engine.build(asked, ANONYMOUS, notes)
    assert time.monotonic() - cut_at() < 0.5
    wait_until(lambda: set(temporary.glob("docker-builder*")) <= before, 20, "the engine's own removal")


def test_a_cancelled_command_of_a_build_is_ended_and_its_container_removed(
    engine: DockerEngine, notes: Notes, tmp_path: Path, images: Images
) -> None:
    before = images.containers()
    asked = request(
        tmp_path / "context",
        'FROM scratch\nCOPY tiny /\nRUN ["/tiny"]\n',
        tiny=tiny_program("waiting\n", waits=True),
    )
    cut_at = cut_once(engine, lambda: any("Running in" in line for line in notes.lines))
    with pytest.raises(Cancelled):
        engine.build(asked, ANONYMOUS, notes)
    assert time.monotonic() - cut_at() < 0.5
    wait_until(lambda: images.containers() == before, 20, "the removal of the container")
