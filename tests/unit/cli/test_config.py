"""`dockpass config` as a process: what it says, what it asks, and that no secret is in it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from program import Program
from readerworld import basic

HOST = "reg.example"
CANARY = "canary-config-4711"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    yield made
    made.remove()


def write(program: Program, content: object) -> None:
    program.home_config.parent.mkdir(exist_ok=True)
    program.home_config.write_text(json.dumps(content))
    program.home_config.chmod(0o600)


def variable(user: str) -> str:
    return json.dumps({"auths": {HOST: basic(user, CANARY)}})


def test_the_readers_of_one_registry(program: Program) -> None:
    write(program, {"auths": {HOST: basic("alice", CANARY)}})
    ended = program.run("config", f"{HOST}/team/app:1", DOCKER_AUTH_CONFIG=variable("ci-reader"))
    assert ended.returncode == 0, ended.stderr
    table = ended.stdout.splitlines()[1:7]
    assert [line.split("  ")[1] for line in table] == [
        "● docker < 28.3",
        "● docker ≥ 28.3",
        "● docker SDK",
        "● podman, buildah",
        "● skopeo",
        "● GitLab Runner",
    ]
    assert ["ci-reader" in line for line in table] == [False, True, False, False, False, True]
    assert "logs in as another user" in " ".join(ended.stdout.split())
    assert "its key is exactly the one that is looked up" in ended.stdout
    assert CANARY not in ended.stdout + ended.stderr
    assert program.home_config.read_text() == json.dumps({"auths": {HOST: basic("alice", CANARY)}})


def test_without_a_registry_all_that_are_known(program: Program) -> None:
    write(program, {"auths": {HOST: basic("alice"), "quay.io/team": basic("bot")}})
    ended = program.run("config", CI_REGISTRY="ci.example:5050", CI_JOB_TOKEN=CANARY)
    names = [line for line in ended.stdout.splitlines() if line and not line.startswith(" ")]
    assert names == ["ci.example:5050", HOST, "quay.io"]
    assert "gitlab-ci-token" in ended.stdout
    assert CANARY not in ended.stdout + ended.stderr


def test_nothing_known_is_said(program: Program) -> None:
    ended = program.run("config")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "Give one" in ended.stderr


def test_json(program: Program) -> None:
    write(program, {"auths": {HOST: basic("alice", CANARY)}, "credHelpers": {"gcr.io": "nowhere"}})
    ended = program.run("config", HOST, "--json", DOCKER_AUTH_CONFIG=variable("alice"))
    (registry,) = json.loads(ended.stdout)["registries"]
    by_reader: dict[str, Any] = {found["reader"]: found for found in registry["readings"]}
    assert registry["disagreements"] == []  # the same user with the same secret, from two places
    assert {found["winner"]["fingerprint"] for found in by_reader.values()} != {None}
    assert len({found["winner"]["fingerprint"] for found in by_reader.values() if found["winner"]}) == 1
    assert by_reader["docker-cli"]["winner"]["source"] == "DOCKER_AUTH_CONFIG"
    assert CANARY not in ended.stdout
    assert basic("alice", CANARY)["auth"] not in ended.stdout


def test_one_reader(program: Program) -> None:
    ended = program.run("config", HOST, "--reader", "podman", "--json")
    (registry,) = json.loads(ended.stdout)["registries"]
    assert [found["reader"] for found in registry["readings"]] == ["podman"]


def test_helpers_are_asked_only_when_told(program: Program, tmp_path: Path) -> None:
    write(program, {"credsStore": "test"})
    helpers = tmp_path / "helpers"
    helpers.mkdir()
    helper = helpers / "docker-credential-test"
    answer = json.dumps({"Username": "kept", "Secret": CANARY})
    helper.write_text(
        f"#!/bin/sh\necho \"$1\" >> {tmp_path}/asked\n[ \"$1\" = list ] && echo '{{}}' || echo '{answer}'\n"
    )
    helper.chmod(0o755)
    path = {"PATH": f"{helpers}:/usr/bin:/bin"}
    ended = program.run("config", HOST, **path)
    assert "not decided" in ended.stdout
    assert "--ask-helpers" in ended.stderr
    assert not (tmp_path / "asked").exists()
    ended = program.run("config", HOST, "--ask-helpers", **path)
    assert "kept" in ended.stdout
    assert "not decided" not in ended.stdout
    assert (tmp_path / "asked").read_text().split() == ["get", "list"]
    assert CANARY not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["config", "https://reg.example"], "is an address"),
        (["config", "a b"], "neither a registry"),
        (["config", HOST, "--reader", "crane"], "docker-sdk"),
    ],
)
def test_what_is_wrong_is_said(program: Program, arguments: list[str], words: str) -> None:
    ended = program.run(*arguments)
    assert ended.returncode == 2
    assert words in ended.stderr


def test_errors_as_json(program: Program) -> None:
    ended = program.run("config", "https://reg.example", "--json")
    assert ended.returncode == 2
    assert json.loads(ended.stdout)["error"]["id"] == "target-scheme"


def test_the_options_say_which_variables_there_are(program: Program) -> None:
    write(program, {"auths": {HOST: basic("alice", CANARY)}})
    (program.work / "ci.env").write_text(f"DOCKER_AUTH_CONFIG={variable('from-file')}\n")
    found = variable("from-shell")
    ended = program.run("config", HOST, "--clean-env", DOCKER_AUTH_CONFIG=found)
    assert "from-shell" not in ended.stdout
    assert "alice" in ended.stdout
    for options, user in (
        (["--env-file=ci.env"], "from-file"),
        ([f"--set=DOCKER_AUTH_CONFIG={variable('from-option')}"], "from-option"),
    ):
        assert user in program.run("config", HOST, *options, DOCKER_AUTH_CONFIG=found).stdout
    ended = program.run("config", HOST, "--unset=DOCKER_AUTH_CONFIG", DOCKER_AUTH_CONFIG=found)
    assert "from-shell" not in ended.stdout
    ended = program.run("config", HOST, "--env-file=none.env")
    assert ended.returncode == 2
    assert CANARY not in ended.stdout + ended.stderr


def test_a_variable_of_type_file(program: Program) -> None:
    """The runner reads the file, docker does not; where the file is not here, nobody knows what is in it."""
    path = program.work / "DOCKER_AUTH_CONFIG"
    for there in (False, True):
        if there:
            path.write_text(variable("ci-reader"))
        ended = program.run("config", f"{HOST}/a", "--json", DOCKER_AUTH_CONFIG=str(path))
        readings = {each["reader"]: each for each in json.loads(ended.stdout)["registries"][0]["readings"]}
        runner = readings["gitlab-runner"]
        assert runner["verdict"] == ("login" if there else "undecided")
        assert not there or runner["winner"]["user"] == "ci-reader"
        assert "uses nothing of it" not in ended.stdout
        said = [found for each in readings.values() for found in each["candidates"]]
        assert any(
            "is a path" in found["evidence"] for found in said if found["reason"] == "variable-refused"
        )
        assert CANARY not in ended.stdout


def test_paths_honours_the_setting_of_the_store(program: Program) -> None:
    listed = json.loads(program.run("paths", "--json").stdout)
    settings = Path(listed["settings"])
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('store = "/srv/images"\n')
    assert json.loads(program.run("paths", "--json").stdout)["store"] == "/srv/images"
    moved = program.run("paths", "--json", DOCKPASS_STORE="/srv/other")
    assert json.loads(moved.stdout)["store"] == "/srv/other"


def test_explain_tells_a_bad_auth_of_the_config_that_is_used(program: Program) -> None:
    bad = base64.b64encode(f"bob:{CANARY}\n".encode()).decode()
    write(program, {"auths": {HOST: {"auth": bad}}})
    other = program.directory / "other"
    other.mkdir()
    (other / "config.json").write_text(program.home_config.read_text())
    command = ("explain", "pull", f"--repo={HOST}/a", "--json")
    for more in ({}, {"WERF_DOCKER_CONFIG": str(other)}):
        ended = program.run(*command, **more)
        [found] = [each for each in json.loads(ended.stdout)["findings"] if each["id"] == "auth-value"]
        assert "line break" in found["message"]
        assert CANARY not in ended.stdout + ended.stderr
    write(program, {"auths": {HOST: basic("bob", CANARY)}})
    assert "auth-value" not in program.run(*command).stdout
    assert "auth-value" not in program.run(*command, "--registry-username=a", "--registry-password=b").stdout


def test_settings_are_listed_in_columns(program: Program) -> None:
    lines = program.run("settings").stdout.splitlines()
    source = lines[0].index("default", len("theme"))
    assert [line[source:] for line in lines[::2] if "keys" not in line] == ["default"] * (len(lines) // 2 - 1)
    assert len({line.index(line.split()[0]) for line in lines[1::2]}) == 1
