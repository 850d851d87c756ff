"""What a program keeps of the person's docker config, and what it never gets."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from dockpass.dockerconfig.carried import carried_from, original_directory

CONTEXT = hashlib.sha256(b"remote").hexdigest()


@pytest.fixture
def original(tmp_path: Path) -> Path:
    made = tmp_path / "docker"
    (made / "cli-plugins").mkdir(parents=True)
    for kind, name in (("meta", "meta.json"), ("tls", "docker/key.pem")):
        path = made / "contexts" / kind / CONTEXT / name
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    (made / "buildx" / "instances").mkdir(parents=True)
    (made / "buildx" / "config" / "r.example").mkdir(parents=True)
    (made / "buildx" / "current").write_text("mine")
    return made


def write(original: Path, **sections: object) -> None:
    (original / "config.json").write_text(json.dumps(sections))


def test_plugins_context_proxies_and_builders_are_carried_over(original: Path, tmp_path: Path) -> None:
    proxies = {"default": {"httpProxy": "http://p:1"}}
    write(original, proxies=proxies, currentContext="remote", cliPluginsExtraDirs=["/opt/plugins", 7])
    found = carried_from(original, {})
    assert found.sections == {
        "proxies": proxies,
        "currentContext": "remote",
        "cliPluginsExtraDirs": ["/opt/plugins", str(original / "cli-plugins")],
    }
    target = tmp_path / "config"
    target.mkdir(mode=0o700)
    found.write(target)
    assert (target / f"contexts/meta/{CONTEXT}/meta.json").read_text() == "{}"
    key = target / f"contexts/tls/{CONTEXT}/docker/key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (target / "buildx/instances").readlink() == original / "buildx/instances"
    assert not (target / "buildx/current").is_symlink()
    assert not (target / "buildx/config").exists()


@pytest.mark.parametrize("name", ["auths", "Auths", "credsStore", "credHelpers", "HttpHeaders", "anything"])
def test_logins_helpers_and_unknown_sections_are_not(original: Path, name: str) -> None:
    write(original, **{name: {"r.example": {"auth": "x"}}, "aliases": {"builder": "buildx"}})
    assert carried_from(original, {}).sections.keys() == {"aliases", "cliPluginsExtraDirs"}


def test_a_context_of_the_variable_wins_and_is_not_written_into_the_file(original: Path) -> None:
    write(original, currentContext="other")
    found = carried_from(original, {"DOCKER_CONTEXT": "remote"})
    assert (found.context, "currentContext" in found.sections, found.lost) == ("remote", False, ())


def test_an_engine_that_is_named_makes_the_context_needless(original: Path) -> None:
    write(original, currentContext="remote")
    found = carried_from(original, {"DOCKER_HOST": "tcp://e:1"})
    assert (found.context, found.lost) == ("", ())


def test_a_context_that_is_not_there_is_told(original: Path) -> None:
    write(original, currentContext="nowhere")
    found = carried_from(original, {})
    assert found.context == ""
    assert "the context nowhere" in found.lost[0]


@pytest.mark.parametrize("text", ["", "[", "[]", '{"proxies": 7}', None])
def test_any_file_is_survived(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    found = carried_from(tmp_path, {})
    assert found.copied == found.linked == {}


def test_the_original_is_where_docker_looks(tmp_path: Path) -> None:
    assert original_directory({}, tmp_path) == tmp_path / ".docker"
    assert original_directory({"DOCKER_CONFIG": ""}, tmp_path) == tmp_path / ".docker"
    assert original_directory({"DOCKER_CONFIG": "/elsewhere"}, tmp_path) == Path("/elsewhere")
