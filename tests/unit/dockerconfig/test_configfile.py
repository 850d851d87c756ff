"""Whatever lies where docker's config should be, reading it ends at once and says what is wrong."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import needed
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.dockerconfig.configfile import LARGEST_FILE, ConfigFile, FileState, read_config
from dockpass.dockerconfig.resolve import resolve
from dockpass.references.credential import Credential
from dockpass.secrets import Secret

from .conftest import WriteConfig, basic


def ids(config: ConfigFile) -> list[str]:
    return [finding.id for finding in config.findings]


def test_entries_helpers_store_context_and_proxies_are_read(write_config: WriteConfig) -> None:
    directory = write_config(
        {
            "auths": {"registry.example": basic("me", "pass:word"), "marker.example": {}},
            "credsStore": "pass",
            "credHelpers": {"gcr.io": "gcloud"},
            "currentContext": "remote",
            "proxies": {"default": {"httpProxy": "http://proxy.example"}},
        }
    )
    config = read_config(directory)
    assert config.state is FileState.READ
    assert config.findings == ()
    assert config.problem == ""
    assert config.entries["registry.example"].credential == Credential("me", Secret("pass:word"))
    assert config.entries["marker.example"].credential is None
    assert (config.creds_store, config.cred_helpers) == ("pass", {"gcr.io": "gcloud"})
    assert config.current_context == "remote"
    assert config.proxies == {"default": {"httpProxy": "http://proxy.example"}}


def test_names_are_read_in_any_case_as_docker_does(write_config: WriteConfig) -> None:
    directory = write_config({"AUTHS": {"a.example": {"Username": "me", "PASSWORD": "x"}}, "CREDSSTORE": "s"})
    config = read_config(directory)
    assert config.entries["a.example"].credential == Credential("me", Secret("x"))
    assert config.creds_store == "s"


def test_a_missing_directory_and_a_missing_file_are_empty_configs_that_say_so(tmp_path: Path) -> None:
    missing = read_config(tmp_path / "none")
    assert (missing.state, ids(missing)) == (FileState.NO_DIRECTORY, ["config-no-directory"])
    assert "does not exist" in missing.problem
    empty = read_config(tmp_path)
    assert (empty.state, ids(empty)) == (FileState.NO_FILE, ["config-no-file"])
    assert missing.state.is_empty_config
    assert empty.state.is_empty_config
    assert empty.findings[0].hint


def test_a_file_in_place_of_the_directory_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text("{}")
    assert ids(read_config(file)) == ["config-not-a-directory"]
    assert ids(read_config(file / "below")) == ["config-not-a-directory"]


def test_a_pipe_a_directory_a_device_and_a_large_file_are_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    os.mkfifo(file)
    assert "not a regular file" in read_config(tmp_path).problem
    file.unlink()
    file.mkdir()
    assert read_config(tmp_path).state is FileState.UNREADABLE
    file.rmdir()
    file.symlink_to("/dev/zero")
    assert "not a regular file" in read_config(tmp_path).problem
    file.unlink()
    with file.open("wb") as sparse:
        sparse.truncate(1 << 30)
    assert "larger than 1 MiB" in read_config(tmp_path).problem
    file.unlink()
    file.symlink_to(file)
    assert read_config(tmp_path).state is FileState.UNREADABLE


def test_a_file_of_exactly_one_mebibyte_is_read(write_config: WriteConfig) -> None:
    assert read_config(write_config("{}" + " " * (LARGEST_FILE - 2))).state is FileState.READ
    assert read_config(write_config("{}" + " " * (LARGEST_FILE - 1))).state is FileState.UNREADABLE


@pytest.mark.bound_by_modes
def test_a_file_and_a_directory_that_may_not_be_read_are_named(write_config: WriteConfig) -> None:
    directory = write_config({})
    (directory / "config.json").chmod(0)
    assert "Permission denied" in read_config(directory).problem
    directory.chmod(0)
    try:
        assert read_config(directory / "below").state is FileState.UNREADABLE
    finally:
        directory.chmod(0o700)


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ('{\n  "auths": {,}\n}', "line 2, column 13"),
        ('{"auths": ', "line 1, column 11"),
        (b'{\n"a": "\xff"}', "line 2 holds bytes that are not UTF-8"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": NaN}', "NaN is not a value"),
        ('["auths"]', "not a JSON object"),
        ('{"a": ' + "9" * 5000 + "}", "is not JSON"),
    ],
)
def test_broken_json_is_told_with_its_position(
    write_config: WriteConfig, content: object, where: str
) -> None:
    config = read_config(write_config(content))
    assert ids(config) == ["config-broken"]
    assert where in config.problem
    assert str(config.path) in config.problem


@pytest.mark.parametrize("content", ["", " \n", "{} trailing", "\ufeff{}"])
def test_what_docker_takes_for_an_empty_config_is_one(write_config: WriteConfig, content: str) -> None:
    config = read_config(write_config(content))
    assert (config.state, config.findings) == (FileState.READ, ())


def test_a_broken_entry_is_told_and_the_others_are_read(write_config: WriteConfig) -> None:
    broken = {
        "no-base64.example": {"auth": "%%%"},
        "no-colon.example": {"auth": "dXNlcg=="},
        "no-user.example": {"auth": "OnB3"},
        "no-text.example": {"auth": "/////w=="},
        "number.example": {"auth": 5},
        "list.example": [],
        "surrogate.example": {"username": "a", "password": "\ud800"},
        "registry-token.example": {"registrytoken": "canary-token"},
    }
    config = read_config(write_config({"auths": {**broken, "good.example": basic("me", "x")}}))
    assert config.entries["good.example"].credential == Credential("me", Secret("x"))
    assert {key for key, entry in config.entries.items() if entry.note} == set(broken)
    assert ids(config) == ["config-entry"] * len(broken)
    assert all(config.entries[key].credential is None for key in broken)
    assert "canary" not in repr(config)


def test_an_entry_is_read_by_dockers_rules(write_config: WriteConfig) -> None:
    auth = basic("from-auth", "right")
    config = read_config(
        write_config(
            {
                "auths": {
                    "both": {**auth, "username": "other", "password": "wrong"},
                    "token": {**auth, "identitytoken": "refresh"},
                    "token-only": {"identitytoken": "refresh"},
                    "nul": basic("me", "\0padded\0"),
                    "lines": {"auth": auth["auth"][:4] + "\r\n" + auth["auth"][4:]},
                    "no-password": basic("me", ""),
                    "null": None,
                    "two": {**auth, "registrytoken": "bearer"},
                }
            }
        )
    )
    expected = Credential("from-auth", Secret("right"))
    found = {key: entry.credential for key, entry in config.entries.items()}
    assert found == {
        "both": expected,
        "token": Credential("from-auth", Secret("right"), Secret("refresh")),
        "token-only": Credential("", Secret(""), Secret("refresh")),
        "nul": Credential("me", Secret("padded")),
        "lines": expected,
        "no-password": Credential("me", Secret("")),
        "null": None,
        "two": expected,
    }
    assert "registry token" in config.entries["two"].note


def test_a_section_of_the_wrong_kind_and_a_misspelled_one_are_told(write_config: WriteConfig) -> None:
    config = read_config(
        write_config({"auths": [], "credHelpers": "x", "credsStore": 5, "credStore": "pass"})
    )
    assert ids(config) == ["config-section-type"] * 3 + ["config-key-misspelled"]
    assert "credsStore" in config.findings[-1].message
    assert (config.entries, config.cred_helpers, config.creds_store) == ({}, {}, "")


def test_credentials_that_others_may_read_are_told(write_config: WriteConfig) -> None:
    directory = write_config({"auths": {"a.example": basic("me", "x")}})
    (directory / "config.json").chmod(0o644)
    config = read_config(directory)
    assert ids(config) == ["config-readable-by-others"]
    assert "0644" in config.findings[0].message
    write_config({"auths": {"a.example": {}}})
    (directory / "config.json").chmod(0o644)
    assert ids(read_config(directory)) == []


def test_a_config_that_belongs_to_somebody_else_is_told(write_config: WriteConfig) -> None:
    needed.root("only root may give a file away")
    directory = write_config({})
    os.chown(directory / "config.json", 12345, -1)
    assert ids(read_config(directory)) == ["config-foreign-owner"]


def test_hostile_names_reach_nobody_as_they_are(write_config: WriteConfig) -> None:
    config = read_config(write_config({"auths": {"\x1b]0;title\x07evil\u202e": {"auth": "%"}}}))
    said = " ".join(finding.message + finding.hint for finding in config.findings)
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["auth", "username", "password", "identitytoken", "k"]), inner)
    ),
    max_leaves=8,
)
_SECTIONS = st.dictionaries(
    st.sampled_from(["auths", "credsStore", "credHelpers", "proxies", "currentContext", "AUTHS"]),
    _JSON | st.dictionaries(st.sampled_from(["a.example", "https://a.example/v1/"]), _JSON),
)


@given(st.binary(max_size=200) | _SECTIONS.map(lambda found: json.dumps(found).encode()))
def test_no_content_makes_reading_or_resolving_fail(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "config.json").write_bytes(content)
        config = read_config(Path(directory))
        found = resolve(Path(directory), ["a.example"], environ={"PATH": ""})
    assert (config.state is FileState.READ) == (not config.problem)
    assert found.credentials.keys() <= {"a.example"}
    assert {step.host for step in found.trace} == {"a.example"}
