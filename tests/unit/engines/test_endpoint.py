"""Where the engine is."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockpass.engines import endpoint as module
from dockpass.engines.endpoint import Outcome, address, resolve_endpoint
from dockpass.engines.starting import how_to_start
from dockpass.errors import DockpassError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home on a machine whose default socket is `HOME/default.sock`, which is not there yet."""
    monkeypatch.setattr(module, "DEFAULT_SOCKET", tmp_path / "default.sock")
    return tmp_path


def listen(path: Path) -> None:
    """Leave a socket behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def context(directory: Path, name: str, host: str, **more: object) -> Path:
    """Write a context as docker keeps it; return where its TLS files belong."""
    identity = hashlib.sha256(name.encode()).hexdigest()
    meta = directory / "contexts" / "meta" / identity / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host, **more}}}))
    return directory / "contexts" / "tls" / identity / "docker"


def current(directory: Path, text: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(text)


def test_docker_host_goes_before_everything(home: Path) -> None:
    listen(home / "default.sock")
    context(home / ".docker", "lab", "tcp://lab:2375")
    found = resolve_endpoint({"DOCKER_HOST": "unix:///one.sock", "DOCKER_CONTEXT": "lab"}, home)
    assert (found.url, found.how) == ("unix:///one.sock", "DOCKER_HOST is set")


def test_a_context_named_by_the_variable_goes_before_the_current_one(home: Path) -> None:
    context(home / ".docker", "lab", "tcp://lab:2375")
    context(home / ".docker", "other", "tcp://other:2375")
    current(home / ".docker", '{"currentContext": "other"}')
    assert resolve_endpoint({"DOCKER_CONTEXT": "lab"}, home).url == "tcp://lab:2375"
    found = resolve_endpoint({}, home)
    assert found.url == "tcp://other:2375"
    assert found.how == f"other is the current context in {home}/.docker/config.json"


def test_the_current_context_is_that_of_the_persons_own_config(home: Path) -> None:
    own = home / "own"
    context(own, "lab", "tcp://lab:2375")
    current(own, '{"currentContext": "lab"}')
    assert resolve_endpoint({"DOCKER_CONFIG": str(own)}, home).url == "tcp://lab:2375"


def test_the_default_context_asked_for_by_name_passes_over_the_current_one(home: Path) -> None:
    context(home / ".docker", "lab", "tcp://lab:2375")
    current(home / ".docker", '{"currentContext": "lab"}')
    listen(home / "default.sock")
    found = resolve_endpoint({"DOCKER_CONTEXT": "default"}, home)
    assert found.url == f"unix://{home}/default.sock"


def test_a_context_brings_its_tls_files(home: Path) -> None:
    files = context(home / ".docker", "lab", "tcp://lab")
    files.mkdir(parents=True)
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (files / name).write_text("")
    found = resolve_endpoint({"DOCKER_CONTEXT": "lab"}, home)
    assert found.url == "tcp://lab:2376"
    assert found.tls is not None
    assert (found.tls.ca, found.tls.verify) == (str(files / "ca.pem"), True)


def test_a_context_may_leave_the_engine_unverified(home: Path) -> None:
    context(home / ".docker", "lab", "tcp://lab:1", SkipTLSVerify=True)
    tls = resolve_endpoint({"DOCKER_CONTEXT": "lab"}, home).tls
    assert tls is not None
    assert not tls.verify


@pytest.mark.parametrize("meta", ["", "[]", "{}", '{"Endpoints": {"docker": {"Host": 1}}}', "[" * 9999])
def test_a_broken_context_is_an_error_that_names_its_file(home: Path, meta: str) -> None:
    context(home / ".docker", "lab", "tcp://lab:1")
    [file] = (home / ".docker").glob("contexts/meta/*/meta.json")
    file.write_text(meta)
    with pytest.raises(DockpassError) as caught:
        resolve_endpoint({"DOCKER_CONTEXT": "lab"}, home)
    assert caught.value.id == "context-broken"
    assert str(file) in caught.value.message


def test_a_broken_home_config_hides_no_engine(home: Path) -> None:
    current(home / ".docker", '{"auths": ')
    listen(home / "default.sock")
    found = resolve_endpoint({}, home)
    assert found.url == f"unix://{home}/default.sock"
    reasons = {each.source: each.because for each in found.candidates}
    assert "is not JSON" in reasons["currentContext"]


def test_sockets_come_in_order_default_rootless_podman(home: Path) -> None:
    runtime = {"XDG_RUNTIME_DIR": str(home / "run")}
    listen(home / "run" / "podman" / "podman.sock")
    assert resolve_endpoint(runtime, home).url == f"unix://{home}/run/podman/podman.sock"
    listen(home / "run" / "docker.sock")
    assert resolve_endpoint(runtime, home).url == f"unix://{home}/run/docker.sock"
    listen(home / "default.sock")
    found = resolve_endpoint(runtime, home)
    assert found.how == f"{home}/default.sock is there, and nothing names another"


def test_every_source_is_told_with_its_outcome_in_order(home: Path) -> None:
    listen(home / "run" / "docker.sock")
    found = resolve_endpoint({"XDG_RUNTIME_DIR": str(home / "run")}, home)
    assert [(each.source, each.outcome) for each in found.candidates] == [
        ("DOCKER_HOST", Outcome.NOT_SET),
        ("DOCKER_CONTEXT", Outcome.NOT_SET),
        ("currentContext", Outcome.NOT_SET),
        ("default socket", Outcome.NOT_THERE),
        ("rootless docker socket", Outcome.CHOSEN),
        ("rootless podman socket", Outcome.NOT_REACHED),
        ("podman socket", Outcome.NOT_REACHED),
    ]


def test_a_file_that_is_no_socket_is_no_engine(home: Path) -> None:
    (home / "default.sock").write_text("")
    with pytest.raises(DockpassError) as caught:
        resolve_endpoint({}, home)
    assert caught.value.id == "no-engine"
    assert f"there is no socket {home}/default.sock" in caught.value.hint
    assert "DOCKER_HOST is not set" in caught.value.hint
    assert "systemctl" in caught.value.hint or "open -a Docker" in caught.value.hint


def test_tls_variables_bring_the_files_of_the_certificate_path(home: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (home / name).write_text("")
    environ = {"DOCKER_HOST": "tcp://lab", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(home)}
    found = resolve_endpoint(environ, home)
    assert found.url == "tcp://lab:2376"
    assert found.tls is not None
    assert (found.tls.cert, found.tls.key, found.tls.verify) == (
        f"{home}/cert.pem",
        f"{home}/key.pem",
        True,
    )


@pytest.mark.parametrize(
    ("host", "full"),
    [
        ("tcp://lab", "tcp://lab:2375"),
        ("lab:1234", "tcp://lab:1234"),
        (":2375", "tcp://127.0.0.1:2375"),
        ("tcp://:2375", "tcp://127.0.0.1:2375"),
        ("tcp://[::1]", "tcp://[::1]:2375"),
        ("tcp://[::1]:1", "tcp://[::1]:1"),
        ("tcp://lab:1/base/", "tcp://lab:1/base"),
        ("unix:///run/d.sock", "unix:///run/d.sock"),
        ("/run/d.sock", "unix:///run/d.sock"),
        ("ssh://me@lab", "ssh://me@lab"),
        ("HTTPS://lab", "https://lab"),
    ],
)
def test_addresses_are_completed_as_docker_does(host: str, full: str) -> None:
    assert address(host) == full


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("unix:///var/run/docker.sock", "sudo systemctl start docker`"),
        ("unix:///run/user/1000/docker.sock", "systemctl --user start docker`"),
        ("unix:///run/user/1000/podman/podman.sock", "systemctl --user start podman.socket`"),
        ("unix:///run/podman/podman.sock", "sudo systemctl start podman.socket`"),
        ("tcp://lab:2375", "on that machine"),
    ],
)
def test_each_place_has_its_own_way_to_start_an_engine(url: str, command: str) -> None:
    assert how_to_start(url, "linux").endswith(command)
    assert how_to_start("unix:///var/run/docker.sock", "darwin").endswith("open -a Docker`")
