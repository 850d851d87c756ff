"""`dockpass exec` as a person starts it: outputs, statuses and signals of the program, and the config's end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Program

TOKEN = "canary-token-0123456789"
JOB = {"CI_REGISTRY": "registry.example", "CI_JOB_TOKEN": TOKEN, "CI_REGISTRY_IMAGE": "registry.example/a/b"}


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path, dict(JOB))
    yield made
    assert made.left == []
    made.remove()


def test_the_program_gets_the_login_and_nothing_of_it_stays(program: Program) -> None:
    script = 'cat "$DOCKER_CONFIG/config.json"; ls -l /proc/self/fd | wc -l >&2; stat -c "|%a" "$DOCKER_CONFIG"; exit 7'
    ended = program.run("exec", "--", "sh", "-c", script, DOCKER_AUTH_CONFIG='{"auths":{}}')
    assert ended.returncode == 7
    printed, _, mode = ended.stdout.partition("|")
    auths = json.loads(printed)["auths"]
    assert auths.keys() == {"registry.example", "dockpass.invalid"}
    assert mode.strip() == "700"
    first, descriptors, last = ended.stderr.splitlines()
    assert first.startswith(
        "dockpass: sh gets gitlab-ci-token with CI_JOB_TOKEN for registry.example (rule autologin)"
    )
    assert (
        int(descriptors) == 5
    )  # stdin, stdout, stderr, the directory that ls reads, and the line of the total
    assert last.startswith("dockpass: sh exited with status 7 after ")
    assert last.endswith("; config removed and verified")
    assert TOKEN not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("sh", "-c", "exit 255"), 255),
        (("sh", "-c", "kill -9 $$"), 137),
        (("sh", "-c", "kill -TERM $$"), -signal.SIGTERM),
        (("no-such-program",), 127),
    ],
)
def test_statuses_are_those_of_a_shell(program: Program, words: tuple[str, ...], status: int) -> None:
    assert program.run("exec", "--quiet", "--", *words).returncode == status


def test_a_wrong_command_line_has_no_status_that_a_program_could_have(program: Program) -> None:
    assert program.run("exec", "--nope", "--", "true").returncode == 125


def test_quiet_says_nothing_and_the_words_of_the_program_arrive_as_they_are(program: Program) -> None:
    words = ["a b", "--", "-v", "\udcff", ""]
    ended = subprocess.run(
        program.command("exec", "-q", "--", "printf", r"%s\0", *words),
        cwd=program.work,
        env=program.variables(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    assert (ended.stderr, ended.returncode) == (b"", 0)
    assert ended.stdout == b"a b\0--\0-v\0\xff\0\0"


def test_without_a_terminal_a_signal_reaches_program_and_grandchild_once(program: Program) -> None:
    """The program is in a group of its own, so that a runner's kill of the whole group does not come twice."""
    script = "trap 'echo got' TERM; sh -c 'trap \"echo got; exit\" TERM; echo up; sleep 60 & wait' & echo up; wait; wait"
    child = subprocess.Popen(
        program.command("exec", "-q", "--", "sh", "-c", script),
        cwd=program.work,
        env=program.variables(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout
    assert [child.stdout.readline() for _ in range(2)] == ["up\n"] * 2
    os.killpg(child.pid, signal.SIGTERM)
    assert child.stdout.read() == "got\n" * 2
    assert child.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_dockpass_dies_of_the_signal_that_ended_the_program(program: Program, number: signal.Signals) -> None:
    child = subprocess.Popen(
        program.command("exec", "-q", "--", "sh", "-c", "echo up; exec sleep 60"),
        cwd=program.work,
        env=program.variables(),
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdout
    assert child.stdout.readline() == b"up\n"
    child.send_signal(number)
    assert child.wait(10) == -number
    child.stdout.close()


def test_a_config_without_a_host_is_refused_and_none_is_made(program: Program) -> None:
    ended = program.run("exec", "--for", "build", "--", "true", CI_JOB_TOKEN="")
    assert ended.returncode == 125
    assert "--also HOST" in ended.stderr


def test_the_persons_own_login_is_added_on_request(program: Program) -> None:
    program.home_config.parent.mkdir()
    own = {"auths": {"ghcr.example": {"auth": "bWU6cGFzc3dvcmQ="}, "other.example": {"auth": "bWU6b3RoZXI="}}}
    program.home_config.write_text(json.dumps(own))
    for words, keys in (
        (("--also", "ghcr.example", "--set", "CI_REGISTRY_IMAGE="), {"ghcr.example"}),
        (
            ("--repo", "other.example/x", "--unset", "CI_JOB_TOKEN", "--also", "ghcr.example"),
            {"other.example", "ghcr.example"},
        ),
    ):
        ended = program.run("exec", *words, "--", "sh", "-c", "cat $DOCKER_CONFIG/config.json")
        assert json.loads(ended.stdout)["auths"].keys() - {"dockpass.invalid"} == keys, ended.stderr
    assert json.loads(program.home_config.read_text()) == own


def test_a_plan_runs_nothing(program: Program) -> None:
    ended = program.run(
        "exec", "--dry-run", "--", "sh", "-c", "touch ran", TRIVY_TOKEN="x", TRIVY_PASSWORD="canary"
    )
    assert ended.returncode == 0
    assert "TRIVY_PASSWORD" in ended.stdout
    assert not (program.work / "ran").exists()
    assert "canary" not in ended.stdout + ended.stderr


def test_a_token_for_a_foreign_registry_needs_a_word(program: Program) -> None:
    assert program.run("exec", "--repo", "evil.example/x", "--", "true").returncode == 125
    allowed = program.run("exec", "--repo", "evil.example/x", "--allow-foreign-registry", "--", "true")
    assert allowed.returncode == 0
