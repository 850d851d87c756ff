"""The entry for a host is found in docker's order, and every source is told with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from helperprograms import WriteHelper

from dockpass.dockerconfig.helpers import HelperOutcome, HelperResult
from dockpass.dockerconfig.keys import host_of_key, shown_key
from dockpass.dockerconfig.resolve import Found, Resolution, resolve, system_store
from dockpass.references.credential import Credential
from dockpass.secrets import MASK, Secret

from .conftest import WriteConfig, basic

HOST = "registry.example"
HUB = "https://index.docker.io/v1/"
NOWHERE = {"PATH": "/nowhere"}


class Helpers:
    """Answers by helper name, and remembers what was asked."""

    def __init__(self, **answers: HelperResult) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str]] = []

    def __call__(self, name: str, key: str, environ: Mapping[str, str]) -> HelperResult:
        self.asked.append((name, key))
        return self.answers[name]


def found(username: str) -> HelperResult:
    return HelperResult(HelperOutcome.FOUND, f"from {username}", Credential(username, Secret("x")))


NONE = HelperResult(HelperOutcome.NOT_FOUND, "has no entry")
BROKEN = HelperResult(HelperOutcome.FAILED, "it is locked")


def outcomes(resolution: Resolution) -> list[Found]:
    return [step.outcome for step in resolution.trace]


def users(resolution: Resolution) -> dict[str, str]:
    return {key: credential.username for key, credential in resolution.credentials.items()}


def test_a_hosts_own_helper_is_final_and_the_rest_is_told_as_skipped(write_config: WriteConfig) -> None:
    directory = write_config(
        {
            "auths": {HOST: basic("plain", "x")},
            "credsStore": "store",
            "credHelpers": {HOST: "own"},
        }
    )
    helpers = Helpers(own=NONE)
    resolution = resolve(directory, [HOST], environ=NOWHERE, run_helper=helpers)
    assert resolution.credentials == {}
    assert helpers.asked == [("own", HOST)]
    assert outcomes(resolution) == [Found.NOTHING, Found.SKIPPED, Found.SKIPPED]
    assert [step.source.split()[0] for step in resolution.trace[:2]] == ["credHelpers", "credsStore"]
    assert all("final" in step.because for step in resolution.trace[1:])


def test_with_a_store_plain_entries_are_not_used(write_config: WriteConfig) -> None:
    directory = write_config({"auths": {HOST: basic("plain", "x")}, "credsStore": "store"})
    resolution = resolve(directory, [HOST], environ=NOWHERE, run_helper=Helpers(store=found("stored")))
    assert users(resolution) == {HOST: "stored"}
    assert outcomes(resolution) == [Found.USED, Found.SKIPPED]
    assert "the store is asked instead" in resolution.trace[1].because


def test_the_exact_key_wins_over_one_that_reduces_to_the_host(write_config: WriteConfig) -> None:
    directory = write_config({"auths": {f"https://{HOST}/v1/": basic("url", "x"), HOST: basic("exact", "y")}})
    resolution = resolve(directory, [HOST], environ=NOWHERE)
    assert users(resolution) == {HOST: "exact"}
    assert outcomes(resolution) == [Found.USED]


@pytest.mark.parametrize(
    "key", [f"https://{HOST}", f"http://{HOST}/v2/", f"{HOST}/group/project", f"https://me@{HOST}:/"]
)
def test_a_key_that_reduces_to_the_host_is_used(write_config: WriteConfig, key: str) -> None:
    resolution = resolve(write_config({"auths": {key: basic("me", "x")}}), [HOST], environ=NOWHERE)
    assert users(resolution) == {HOST: "me"}
    assert shown_key(key) in resolution.trace[0].because


def test_two_keys_that_fit_equally_are_told_and_the_first_is_taken(write_config: WriteConfig) -> None:
    keys = [f"{HOST}/first", f"{HOST}/second"]
    directory = write_config({"auths": {key: basic(key[-5:], "x") for key in keys}})
    resolution = resolve(directory, [HOST], environ=NOWHERE)
    assert users(resolution) == {HOST: "first"}
    assert f"any one of {keys[0]}, {keys[1]}" in resolution.trace[0].because


def test_docker_hub_is_found_under_its_own_key_only(write_config: WriteConfig) -> None:
    directory = write_config({"auths": {HUB: basic("hub", "x")}})
    assert users(resolve(directory, ["docker.io"], environ=NOWHERE)) == {HUB: "hub"}
    directory = write_config({"auths": {"docker.io": basic("hub", "x")}})
    resolution = resolve(directory, ["docker.io"], environ=NOWHERE)
    assert resolution.credentials == {}
    assert "docker does not read docker.io for it" in resolution.trace[0].because


@pytest.mark.parametrize("key", ["Registry.Example", f"{HOST}:443"])
def test_an_entry_that_only_looks_right_is_told(write_config: WriteConfig, key: str) -> None:
    resolution = resolve(write_config({"auths": {key: basic("me", "x")}}), [HOST], environ=NOWHERE)
    assert outcomes(resolution) == [Found.NOTHING]
    assert f"docker does not read {key} for it" in resolution.trace[0].because


def test_another_port_is_another_registry(write_config: WriteConfig) -> None:
    directory = write_config({"auths": {HOST: basic("plain", "x"), f"{HOST}:5000": basic("port", "x")}})
    assert users(resolve(directory, [f"{HOST}:5000"], environ=NOWHERE)) == {f"{HOST}:5000": "port"}
    assert resolve(directory, [f"{HOST}:5001"], environ=NOWHERE).credentials == {}


def test_a_helper_that_fails_for_one_host_hurts_no_other(write_config: WriteConfig) -> None:
    directory = write_config(
        {
            "auths": {"c.example": basic("plain", "x")},
            "credHelpers": {"a.example": "bad", "b.example": "good"},
        }
    )
    helpers = Helpers(bad=BROKEN, good=found("helped"))
    hosts = ["a.example", "b.example", "c.example"]
    resolution = resolve(directory, hosts, environ=NOWHERE, run_helper=helpers)
    assert users(resolution) == {"b.example": "helped", "c.example": "plain"}
    assert outcomes(resolution) == [Found.FAILED, Found.USED, Found.USED]
    assert "it is locked" in resolution.trace[0].because


def test_only_helpers_of_the_hosts_that_are_asked_for_run(write_config: WriteConfig) -> None:
    helpers = Helpers()
    directory = write_config({"auths": {HOST: basic("me", "x")}, "credHelpers": {"other.example": "bad"}})
    assert users(resolve(directory, [HOST, HOST], environ=NOWHERE, run_helper=helpers)) == {HOST: "me"}
    assert helpers.asked == []


def test_a_real_helper_is_asked_for_dockers_key(write_config: WriteConfig, write_helper: WriteHelper) -> None:
    environ = write_helper(
        "real", 'read -r key; printf \'{"ServerURL":"%s","Username":"me","Secret":"x"}\' "$key"'
    )
    resolution = resolve(write_config({"credsStore": "real"}), ["docker.io"], environ=environ)
    assert users(resolution) == {HUB: "me"}
    assert resolution.trace[0].because == "credsStore: from docker-credential-real"


@pytest.mark.parametrize(
    ("entry", "outcome", "because"),
    [
        ({"auth": "%"}, Found.FAILED, "not base64"),
        ({}, Found.NOTHING, "holds no credentials"),
        ({"registrytoken": "canary"}, Found.FAILED, "does not send the registry token"),
        ({**basic("me", "x"), "registrytoken": "canary"}, Found.USED, "does not send the registry token"),
        ({"identitytoken": "canary"}, Found.USED, "of an identity token"),
    ],
)
def test_an_entry_is_told_with_what_became_of_it(
    write_config: WriteConfig, entry: object, outcome: Found, because: str
) -> None:
    resolution = resolve(write_config({"auths": {HOST: entry}}), [HOST], environ=NOWHERE)
    assert outcomes(resolution) == [outcome]
    assert because in resolution.trace[0].because
    assert "canary" not in repr(resolution)


def test_a_missing_config_holds_nothing_and_a_broken_one_fails(
    write_config: WriteConfig, tmp_path: Path
) -> None:
    assert outcomes(resolve(tmp_path / "none", [HOST], environ=NOWHERE)) == [Found.NOTHING]
    assert outcomes(resolve(tmp_path, [HOST], environ=NOWHERE)) == [Found.NOTHING]
    resolution = resolve(write_config("{"), [HOST], environ=NOWHERE)
    assert outcomes(resolution) == [Found.FAILED]
    assert "line 1" in resolution.trace[0].because


def test_an_empty_config_makes_docker_ask_the_systems_store(
    write_config: WriteConfig, write_helper: WriteHelper, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = system_store(NOWHERE)
    environ = write_helper(name, "exit 1")
    helpers = Helpers(**{name: found("keychain")})
    for directory in (write_config({}), tmp_path / "none"):
        resolution = resolve(directory, [HOST], environ=environ, run_helper=helpers)
        assert users(resolution) == {HOST: "keychain"}
        assert outcomes(resolution) == [Found.NOTHING, Found.USED]
    full = write_config({"auths": {"other.example": {}}})
    assert resolve(full, [HOST], environ=environ, run_helper=helpers).credentials == {}


def test_the_systems_store_is_the_platforms(tmp_path: Path) -> None:
    assert system_store(NOWHERE, "linux") == "secretservice"
    assert system_store(NOWHERE, "darwin") == "osxkeychain"
    (tmp_path / "pass").write_text("")
    (tmp_path / "pass").chmod(0o755)
    assert system_store({"PATH": str(tmp_path)}, "linux") == "pass"


def test_dockers_variable_is_told_as_not_used(write_config: WriteConfig) -> None:
    environ = {
        **NOWHERE,
        "DOCKER_AUTH_CONFIG": '{"auths":{"registry.example":{"auth":"Y2FuYXJ5OmNhbmFyeQ=="}}}',
    }
    resolution = resolve(write_config({"auths": {HOST: basic("me", "x")}}), [HOST], environ=environ)
    assert users(resolution) == {HOST: "me"}
    assert outcomes(resolution) == [Found.SKIPPED, Found.USED]
    assert "Y2Fu" not in repr(resolution)


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("a.example", "a.example"),
        ("a.example:5000/x/y", "a.example:5000"),
        ("https://a.example:5000/v2/?q#f", "a.example:5000"),
        ("https://user:pw@A.example/v1", "A.example"),
        ("https://a.example?q", "a.example"),
        ("https://[::1]:5000/", "[::1]:5000"),
        ("https://[::1]/", "::1"),
        ("https://", "https:"),
        ("", ""),
    ],
)
def test_a_key_reduces_to_its_host_as_docker_reads_it(key: str, host: str) -> None:
    assert host_of_key(key) == host


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("me:canary-pw@host", f"{MASK}@host"),
        ("https://me:p@canary-pw@host/v1/", f"https://{MASK}@host/v1/"),
        ("me:p@canary-pw@host/x", f"{MASK}@host/x"),
        ("me:p/canary-pw@host/x", f"{MASK}@host/x"),
        (
            "no key for “:canary-pw@host” (nor me:canary-pw@host)",
            f"no key for “{MASK}@host” (nor {MASK}@host)",
        ),
        (f"host:5000/app:v1@sha256:{'a' * 64}", f"host:5000/app:v1@sha256:{'a' * 64}"),
        ("host.example/app:v1", "host.example/app:v1"),
    ],
)
def test_a_key_is_shown_without_a_login_in_it(key: str, shown: str) -> None:
    assert shown_key(key) == shown


def test_a_key_of_a_megabyte_is_shown_at_once() -> None:
    assert len(shown_key("(a:" * 300_000 + "@")) <= 200
