"""The token server that a registry names is remembered, and a change is never followed unasked."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from fakerealm import PATH, FakeRealm, grants
from logins import Given

from dockpass.errors import DockpassError
from dockpass.findings import Severity
from dockpass.probe.model import LoginState
from dockpass.probe.prober import probe
from dockpass.probe.question import ProbeContext, Question
from dockpass.references.credential import Credential
from dockpass.registry.client import RegistryClient
from dockpass.registry.realms import Realms
from dockpass.registry.transport import Transport
from dockpass.secrets import Secret

HOST = "registry.example"
OLD, NEW = "https://gitlab.example/jwt/auth", "https://other.example/token"
LOGIN = Credential("someone", Secret("canary-password-1"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "realms.json"


def test_the_first_realm_is_told_and_remembered_in_a_file_of_ones_own(file: Path) -> None:
    assert OLD in Realms(file).check(HOST, OLD)
    assert Realms(file).check(HOST, OLD) == ""
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["realms.json"]


def test_another_path_on_the_same_server_is_no_change(file: Path) -> None:
    Realms(file).check(HOST, OLD)
    assert Realms(file).check(HOST, "https://gitlab.example:443/gitlab/jwt/auth") == ""


@pytest.mark.parametrize(
    "realm", [NEW, "http://gitlab.example/jwt/auth", "https://gitlab.example:8443/jwt/auth"]
)
def test_a_changed_realm_is_refused_until_somebody_says_yes(file: Path, realm: str) -> None:
    asked: list[tuple[str, str, str]] = []

    def allow(*words: str) -> bool:
        asked.append(words)  # type: ignore[arg-type]
        return True

    Realms(file).check(HOST, OLD)
    refusing = Realms(file)
    with pytest.raises(DockpassError) as caught:
        refusing.check(HOST, realm)
    assert caught.value.id == "realm-changed"
    assert refusing.changed is not None
    assert refusing.changed.now == realm
    assert "accepted" in Realms(file, allow).check(HOST, realm)
    assert asked == [(HOST, OLD, realm)]
    assert Realms(file).check(HOST, realm) == ""


def test_between_ports_of_this_machine_nothing_is_remembered(file: Path) -> None:
    for port in (5001, 5002):
        assert Realms(file).check("localhost:5000", f"http://127.0.0.1:{port}/token") == ""
    assert not file.exists()
    assert Realms(file).check("localhost:5000", OLD)


def test_each_registry_has_its_own(file: Path) -> None:
    Realms(file).check(HOST, OLD)
    assert NEW in Realms(file).check("quay.example", NEW)
    assert Realms(file).check(HOST, OLD) == ""


@pytest.mark.parametrize("text", ["", "{", "[]", '{"realms": []}', "[" * 100_000])
def test_a_file_that_cannot_be_read_is_told(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    realms = Realms(file)
    realms.check(HOST, OLD)
    assert "every realm counts as new" in realms.problem
    assert Realms(file).check(HOST, OLD) == ""


def test_what_is_no_address_in_the_file_counts_for_nothing(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(json.dumps({"realms": {HOST: 7, "a": "https://a:b:c", "c": "x" * 3000}}))
    assert OLD in Realms(file).check(HOST, OLD)


def test_neither_a_link_nor_a_pipe_is_read(file: Path, tmp_path: Path) -> None:
    file.parent.mkdir()
    other = tmp_path / "other"
    other.write_text(json.dumps({"realms": {HOST: NEW}}))
    file.symlink_to(other)
    realms = Realms(file)
    realms.check(HOST, OLD)
    assert realms.problem
    file.unlink()
    os.mkfifo(file)
    piped = Realms(file)
    piped.check(HOST, OLD)
    assert piped.problem


def test_a_directory_that_cannot_be_written_is_told_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, no directory")
    realms = Realms(tmp_path / "state" / "realms.json")
    assert OLD in realms.check(HOST, OLD)
    assert "cannot be" in realms.problem


async def test_a_probe_withholds_the_login_from_a_changed_realm(file: Path) -> None:
    async with FakeRealm(token=grants("pull")) as fake, Transport() as transport:
        Realms(file).check(fake.host, OLD)
        question = Question(fake.host, PATH, LOGIN, "options")
        found = await probe(question, ProbeContext(transport, guard=Realms(file).check))
        assert [asked.path for asked in fake.asked] == ["/v2/"]
        allowed = await probe(question, ProbeContext(transport, guard=Realms(file, lambda *_: True).check))
    assert found.login.state is LoginState.WITHHELD
    assert [(each.id, each.severity) for each in found.findings] == [("realm-changed", Severity.ERROR)]
    assert allowed.login.state is LoginState.ACCEPTED


async def test_a_client_withholds_the_login_too(file: Path) -> None:
    async with FakeRealm(token=grants("pull")) as fake:
        Realms(file).check(fake.host, OLD)
        async with RegistryClient(fake.host, Given(LOGIN), guard=Realms(file).check) as client:
            with pytest.raises(DockpassError) as caught:
                await client.tags(PATH)
        assert caught.value.id == "realm-changed"
        assert all(not asked.authorization for asked in fake.asked)
        Realms(file).accept(fake.host, f"{fake.url}/auth")
        async with RegistryClient(fake.host, Given(LOGIN), guard=Realms(file).check) as client:
            assert await client.tags(PATH) == ["main"]
