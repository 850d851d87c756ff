"""Which engine answers, and what is said where none does."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from fakeengine import VERSION, Answer, FakeEngine

from dockpass.engines.detect import EngineState, detect_engine
from dockpass.engines.docker import open_engine
from dockpass.engines.endpoint import Endpoint, TlsFiles
from dockpass.errors import DockpassError


def detected(url: str, home: Path, seconds: float = 1.0) -> EngineState:
    return detect_engine({"DOCKER_HOST": url}, home, lambda _: seconds)


def test_the_engine_that_answers_is_told_with_how_it_was_found(fake: FakeEngine, tmp_path: Path) -> None:
    state = detected(fake.url, tmp_path)
    assert state.error is None
    assert state.info is not None
    assert (state.info.name, state.info.version, state.info.endpoint) == ("Docker", "99.0", fake.url)
    assert state.info.how == "DOCKER_HOST is set"
    assert state.endpoint is not None
    assert state.endpoint.candidates


def test_podman_is_told_apart(fake: FakeEngine, tmp_path: Path) -> None:
    fake.on("GET /version", Answer(body={**VERSION, "Components": [None, {"Name": "Podman Engine"}]}))
    info = detected(fake.url, tmp_path).info
    assert info is not None
    assert info.name == "Podman"


@pytest.mark.parametrize("home", ["{", '{"credsStore": "no-such-helper"}', "\x00"])
def test_a_broken_home_config_does_not_matter(
    fake: FakeEngine, tmp_path: Path, in_home: Callable[[str], Path], home: str
) -> None:
    directory = in_home(home).parent
    state = detect_engine({"DOCKER_HOST": fake.url, "DOCKER_CONFIG": str(directory)}, tmp_path)
    assert state.info is not None


def test_no_socket_names_the_endpoint_and_the_command_that_would_start_one(tmp_path: Path) -> None:
    state = detected(f"unix://{tmp_path}/none.sock", tmp_path)
    assert state.error is not None
    assert state.error.id == "no-engine"
    assert f"unix://{tmp_path}/none.sock (DOCKER_HOST is set)" in state.error.message
    assert "No such file" in state.error.message
    assert "start" in state.error.hint.lower()
    assert state.endpoint is not None


def test_a_socket_that_nobody_listens_on_is_no_engine(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "left.sock"))
    error = detected(f"unix://{tmp_path}/left.sock", tmp_path).error
    assert error is not None
    assert "refused" in error.message.lower()


@pytest.mark.bound_by_modes
def test_a_socket_that_one_may_not_use_says_how_one_may(fake: FakeEngine, tmp_path: Path) -> None:
    Path(fake.url.removeprefix("unix://")).chmod(0)
    error = detected(fake.url, tmp_path).error
    assert error is not None
    assert error.id == "socket-permission"
    assert "docker group" in error.hint


def test_a_refused_socket_says_how_one_may_use_it(
    fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    error = detected(fake.url, tmp_path).error
    assert error is not None
    assert error.id == "socket-permission"
    assert "docker group" in error.hint


def test_an_engine_that_never_answers_is_given_up_in_time(fake: FakeEngine, tmp_path: Path) -> None:
    fake.on("GET /version", Answer(takes_body=False))
    error = detected(fake.url, tmp_path, 0.3).error
    assert error is not None
    assert error.id == "no-engine"


def test_an_answer_that_trickles_is_given_up_in_time(fake: FakeEngine, tmp_path: Path) -> None:
    def trickle() -> object:
        while not fake.released.wait(0.05):
            yield b" "

    fake.on("GET /version", Answer(stream=trickle))
    error = detected(fake.url, tmp_path, 0.3).error
    assert error is not None
    assert "no answer within 0.3 s" in error.message


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body={"message": "hello"}),
        Answer(body=[1]),
        Answer(body={**VERSION, "ApiVersion": "../.."}),
        Answer(404, {}),
        Answer(stream=lambda: [b"<html>"]),
    ],
)
def test_what_is_no_engine_is_said_to_be_none(fake: FakeEngine, tmp_path: Path, answer: Answer) -> None:
    fake.on("GET /version", answer)
    error = detected(fake.url, tmp_path).error
    assert error is not None
    assert error.id == "not-an-engine"


def test_ssh_is_refused_with_the_command_that_forwards_the_socket(tmp_path: Path) -> None:
    error = detected("ssh://me@lab", tmp_path).error
    assert error is not None
    assert error.id == "endpoint-unsupported"
    assert "ssh -nNT -L" in error.hint
    assert "me@lab" in error.hint


@pytest.mark.parametrize("url", ["npipe:////./pipe/docker", "fd://", "x://y"])
def test_other_schemes_are_refused_in_words(tmp_path: Path, url: str) -> None:
    error = detected(url, tmp_path).error
    assert error is not None
    assert error.id == "endpoint-unsupported"


@pytest.mark.parametrize(
    "url", ["tcp://", "tcp://a b:1", "tcp://[::1", "tcp://127.0.0.1:notaport", "unix://x"]
)
def test_an_address_that_is_none_is_an_error_in_words(tmp_path: Path, url: str) -> None:
    error = detected(url, tmp_path).error
    assert error is not None
    assert error.message.endswith(".")


def test_missing_tls_files_are_an_error_in_words() -> None:
    tls = TlsFiles(ca="/nowhere/ca.pem")
    with pytest.raises(DockpassError) as caught:
        open_engine(Endpoint("tcp://127.0.0.1:1", "the test", tls))
    assert "ca.pem" in caught.value.message
