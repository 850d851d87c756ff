"""Reading the config of a run: the resolver of the run, and the reader of docker's command line, agree."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from readerworld import CONFIG, World
from thorough import examples

from dockpass.dockerconfig.readers.model import Reader, SecretKind, Verdict, fingerprint_of
from dockpass.dockerconfig.runconfig import RIVALS, RunConfig, without_rivals
from dockpass.dockerconfig.temporary import config_json
from dockpass.errors import DockpassError
from dockpass.references.credential import Credential
from dockpass.secrets import Redactor, Secret

from .conftest import WriteConfig, basic

HUB = "https://index.docker.io/v1/"
HOSTS = ("reg.example", "reg.example:5000", "docker.io", "other.example", "localhost:5000")
KEYS = (
    *HOSTS,
    HUB,
    "index.docker.io",
    "https://reg.example",
    "http://reg.example:5000/v2/",
    "https://reg.example/v1/",
    "reg.example/group",
    "REG.example",
    "https://other.example:443",
)
TEXTS = st.sampled_from(["", "u", "alice", "canary-secret", "a:b", "ü", "<token>"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "auth": st.one_of(
            st.just(""),
            st.builds(lambda user, secret: basic(user, secret)["auth"], TEXTS, TEXTS),
            st.sampled_from(["****", "YWxpY2U=", "YWxp\nY2U6eA=="]),
        ),
        "username": TEXTS,
        "password": TEXTS,
        "identitytoken": TEXTS,
    },
)


def read_by_run(directory: Path, host: str) -> tuple[str, str, str]:
    """Return the verdict, the user and the secret's fingerprint."""
    try:
        login = RunConfig(directory).login_for(host)
    except DockpassError:
        return "fails", "", ""
    if login is None:
        return "anonymous", "", ""
    secret = login.identity_token or login.password
    return "login", login.username, fingerprint_of(secret)


def read_by_docker(config: Any, host: str) -> tuple[str, str, str]:
    """Return the same, as the reader of docker's command line has it."""
    [reading] = [each for each in World({CONFIG: config}).read_all(host) if each.reader is Reader.CLI]
    if reading.verdict is Verdict.FAILS:
        return "fails", "", ""
    winner = reading.winner
    if winner is None or winner.secret_kind is SecretKind.NONE:
        return "anonymous", "", ""
    return "login", winner.user, winner.fingerprint


def differs(config: dict[str, Any]) -> bool:
    """The known differences: docker sends these to a registry in another form, and a run does not at all.

    An entry that docker cannot decode fails the whole file there, and only its own host in a run; a
    password without a user name is no login in a run.
    """
    entries = config["auths"].values()
    return any(_cannot_be_decoded(each) or _has_no_user(each) for each in entries)


def _cannot_be_decoded(entry: dict[str, str]) -> bool:
    encoded = entry.get("auth", "")
    if not encoded:
        return False
    try:
        user, colon, _ = base64.b64decode(encoded.replace("\n", ""), validate=True).decode().partition(":")
    except ValueError:
        return True
    return not colon or not user


def _has_no_user(entry: dict[str, str]) -> bool:
    return not entry.get("auth") and not entry.get("username") and not entry.get("identitytoken")


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=st.dictionaries(st.sampled_from(KEYS), FIELDS, max_size=4), host=st.sampled_from(HOSTS))
def test_a_run_and_dockers_command_line_read_the_same_login(
    tmp_path: Path, entries: dict[str, Any], host: str
) -> None:
    config = {"auths": entries}
    if differs(config):
        return
    (tmp_path / "config.json").write_text(json.dumps(config))
    by_docker = read_by_docker(config, host)
    [reading] = [each for each in World({CONFIG: config}).read_all(host) if each.reader is Reader.CLI]
    if reading.verdict is Verdict.CHANCE:  # docker takes any one of them, by chance
        assert read_by_run(tmp_path, host)[0] == "login"
        return
    assert read_by_run(tmp_path, host) == by_docker


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize(
    "login",
    [
        Credential("alice", Secret("canary:with:colons")),
        Credential("", Secret(""), Secret("canary-token")),
        Credential("alice", Secret(""), Secret("canary-token")),
        Credential("ü", Secret("pässword\t")),
    ],
)
def test_what_is_written_is_read_back(write_config: WriteConfig, host: str, login: Credential) -> None:
    key = HUB if host == "docker.io" else host
    config = RunConfig(write_config(config_json({key: login}, {})))
    assert config.login_for(host) == login
    assert config.logins() == {key: login}


def test_the_dummy_is_no_login_and_a_login_at_its_host_is_one(write_config: WriteConfig) -> None:
    config = RunConfig(write_config(config_json({}, {})))
    assert config.login_for("dockpass.invalid") is None
    assert config.logins() == {}
    alice = Credential("alice", Secret("canary"))
    config = RunConfig(write_config(config_json({"dockpass.invalid": alice}, {})))
    assert config.login_for("dockpass.invalid") == alice


def test_an_entry_is_read_by_every_spelling_of_its_key(write_config: WriteConfig) -> None:
    config = RunConfig(
        write_config({"auths": {"https://reg.example/v1/": basic("u", "s"), HUB: basic("h", "s")}})
    )
    assert {key: login.username for key, login in config.logins().items()} == {"reg.example": "u", HUB: "h"}


def test_a_login_that_was_read_is_masked_from_then_on(write_config: WriteConfig) -> None:
    redactor = Redactor()
    config = RunConfig(write_config({"auths": {"reg.example": basic("u", "canary-changed")}}), redactor)
    assert config.login_for("reg.example")
    assert "canary" not in redactor("it says canary-changed")


@pytest.mark.parametrize(
    "entry", [{"auth": "****"}, {"registrytoken": "canary"}, {"identitytoken": 5}, "canary", {"auth": "YQ=="}]
)
def test_an_entry_that_cannot_be_used_is_an_error_and_not_anonymous(
    write_config: WriteConfig, entry: object
) -> None:
    directory = write_config({"auths": {"reg.example": entry}})
    for read in (lambda: RunConfig(directory).login_for("reg.example"), RunConfig(directory).logins):
        with pytest.raises(DockpassError) as caught:
            read()
        assert str(directory / "config.json") in caught.value.message
        assert "canary" not in caught.value.message


def test_a_child_gets_no_variable_that_wins_over_docker_config() -> None:
    environ = {"DOCKER_CONFIG": "/run", "PATH": "/bin"}
    assert without_rivals(dict.fromkeys(RIVALS, "x") | environ) == environ
