"""`dockpass exec` as a person starts it: outputs, statuses and signals of the program, and the config's end."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Program
from waiting import within

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
    ended = program.run("exec", "--also", "nowhere.example", "--", "true", DOCKPASS_EXEC="1:outer.example")
    assert "no login of your own: nowhere.example: " in ended.stderr
    assert (
        "the login is for registry.example, and that of the program around it for outer.example"
        in ended.stderr
    )
    own = {"auths": {"ghcr.example": {"auth": "bWU6cGFzc3dvcmQ="}, "other.example": {"auth": "bWU6b3RoZXI="}}}
    program.home_config.write_text(json.dumps(own))
    for words, keys in (
        (("--also", "ghcr.example", "--set", "CI_REGISTRY_IMAGE="), {"ghcr.example"}),
        (
            ("--repo", "other.example/x", "--unset", "CI_JOB_TOKEN", "--also", "ghcr.example"),
            {"other.example", "ghcr.example"},
        ),
    ):
        ended = program.run("exec", *words, "--", "sh", "-c", "cat $DOCKER_CONFIG/config.json; echo")
        assert json.loads(ended.stdout)["auths"].keys() - {"dockpass.invalid"} == keys, ended.stderr
    assert json.loads(program.home_config.read_text()) == own


def test_the_report_tells_everything_and_no_secret(program: Program) -> None:
    script = f"""
echo {TOKEN} >&2; cat $DOCKER_CONFIG/config.json > seen
printf '{{"auths":{{"new.example":{{"auth":"bWU6cGFzc3dvcmQ="}}}}}}' > $DOCKER_CONFIG/next; mv $DOCKER_CONFIG/next $DOCKER_CONFIG/config.json
setsid sh -c 'echo $$ > daemon; sleep 30; exit' > /dev/null 2>&1 &
while [ ! -s daemon ]; do :; done
exit 3"""
    ended = program.run("exec", "--report", "report.jsonl", "--", "sh", "-c", script)
    daemon = int((program.work / "daemon").read_text())
    try:
        text = (program.work / "report.jsonl").read_text()
        events = {event["event"]: event for event in map(json.loads, text.splitlines())}
        assert list(events) == [
            "config-created",
            "program-started",
            "program-ended",
            "config-read",
            "config-changed",
            "left-running",
            "config-removed",
            "ended",
        ]
        assert events["program-ended"]["status"] == events["ended"]["exit_status"] == ended.returncode == 3
        assert events["config-read"]["times"] in {1, None}
        assert events["config-changed"]["added"] == ["new.example"]
        assert events["config-changed"]["removed"] == ["registry.example"]
        assert daemon in {pid for pid, _ in events["left-running"]["processes"]}
        assert events["config-removed"]["gone"]
        assert TOKEN not in text + ended.stderr
        assert "still running without this login" in ended.stderr
    finally:
        os.kill(daemon, signal.SIGKILL)


@pytest.mark.parametrize(
    ("place", "said"),
    [("fd:0", "open for reading only"), ("fd:99", "Bad file desc"), ("fd:x", "no descriptor's number")],
)
def test_a_report_that_cannot_be_written_starts_nothing(program: Program, place: str, said: str) -> None:
    ended = program.run("exec", "--report", place, "--", "touch", "ran")
    assert ended.returncode == 125
    assert said in ended.stderr
    assert not (program.work / "ran").exists()


def test_a_report_that_is_lost_on_a_full_disk_is_told(program: Program) -> None:
    ended = program.run("exec", "-q", "--report", "/dev/full", "--", "true")
    assert ended.stderr == "dockpass: ▲ --report /dev/full is incomplete: No space left on device\n"
    assert ended.returncode == 0


def test_a_report_whose_reader_has_gone_is_told_and_the_program_runs_on(program: Program) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            program.command("exec", "-q", "--report", f"fd:{writing}", "--", "touch", "ran"),
            cwd=program.work,
            env=program.variables(),
            pass_fds=(writing,),
            capture_output=True,
            text=True,
        )
    finally:
        os.close(writing)
    assert ended.stderr == f"dockpass: ▲ --report fd:{writing} is incomplete: its reader has gone away\n"
    assert ended.returncode == 0
    assert (program.work / "ran").exists()


def test_survivors_are_ended_on_request(program: Program) -> None:
    script = "setsid sleep 30 > /dev/null 2>&1 & echo $!"
    ended = program.run("exec", "--kill", "--", "sh", "-c", script)
    assert ended.returncode == 0
    assert not Path(f"/proc/{int(ended.stdout)}").exists()
    assert "ending 1 process: " in ended.stderr


def test_survivors_are_waited_for_on_request(program: Program) -> None:
    os.mkfifo(program.work / "go")
    script = "(read line < go; echo later > later) > /dev/null 2>&1 &"
    child = subprocess.Popen(
        program.command("exec", "--wait", "--", "sh", "-c", script),
        cwd=program.work,
        env=program.variables(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr
    while "waiting for 1 process" not in (line := child.stderr.readline()):
        assert line, "it does not wait"
    (program.work / "go").write_text("now\n")
    assert "still running" not in child.stderr.read()
    assert child.wait(10) == 0
    assert (program.work / "later").exists()
    child.stderr.close()


def test_a_killed_dockpass_leaves_neither_config_nor_program(program: Program) -> None:
    child = subprocess.Popen(
        program.command("exec", "-q", "--report", "fd:1", "--", "sh", "-c", "exec sleep 60 > /dev/null"),
        cwd=program.work,
        env=program.variables(),
        stdout=subprocess.PIPE,
    )
    assert child.stdout
    [pid] = [event["pid"] for _ in range(2) if "pid" in (event := json.loads(child.stdout.readline()))]
    handle = os.pidfd_open(pid)
    child.kill()
    child.wait(5)
    assert select.select([handle], [], [], 5)[0], "the program runs on"
    os.close(handle)
    child.stdout.close()
    assert within(lambda: program.left == [])


def test_a_nested_one_has_a_config_of_its_own_and_finds_the_outer_plugins(program: Program) -> None:
    (program.home_config.parent / "cli-plugins").mkdir(parents=True)
    inner = program.command(
        "exec",
        "-q",
        "--for",
        "pull",
        "--",
        "sh",
        "-c",
        "echo $DOCKPASS_EXEC $DOCKER_CONFIG; cat $DOCKER_CONFIG/config.json; echo",
    )
    ended = program.run(
        "exec", "-q", "--", "sh", "-c", 'echo $DOCKER_CONFIG; "$@"; ls $DOCKER_CONFIG', "sh", *inner
    )
    outer, inside, *config, last = ended.stdout.splitlines()
    marker, directory = inside.split()
    assert (marker, last) == ("2:registry.example", "config.json")
    assert directory != outer
    found = json.loads("\n".join(config))
    assert found["cliPluginsExtraDirs"] == [str(program.home_config.parent / "cli-plugins")]
    assert "registry.example" in found["auths"]


def test_the_variables_of_a_job_are_given_and_unknown_ones_are_named(program: Program) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main", str(program.work)], check=True)
    (program.work / ".gitlab-ci.yml").write_text("publish: {variables: {MINE: job}, script: [env]}\n")
    given = ("exec", "--job", "publish", "--repo", "registry.example/a", "--registry-username=me")
    login = ("--registry-password-stdin", "--allow-foreign-registry")
    refused = program.run(*given, *login, "--", "env", stdin=TOKEN)
    assert refused.returncode == 125
    assert "Not known here: " in refused.stderr
    ended = program.run(*given, *login, "--allow-unknown", "--", "env", stdin=TOKEN)
    names = dict(line.split("=", 1) for line in ended.stdout.splitlines())
    assert (names["MINE"], names["CI_JOB_NAME"]) == ("job", "publish")
    assert "CI_JOB_TOKEN" not in names  # the job has another one than this environment
    plan = program.run(*given, *login, "--dry-run", "--", "touch", "ran", stdin=TOKEN)
    assert plan.returncode == 0
    assert "/usr/bin/touch" in plan.stdout or "/bin/touch" in plan.stdout
    assert "Not known here: " in plan.stderr
    assert "CI_JOB_TOKEN" in plan.stderr
    accepted = program.run(*given, *login, "--dry-run", "--allow-unknown", "--", "true", stdin=TOKEN)
    assert "Not known here: " not in accepted.stderr
    assert not (program.work / "ran").exists()


@pytest.mark.parametrize("option", ["--dry-run", "--print-env"])
@pytest.mark.parametrize("unknown", ["CI_JOB_TOKEN", "CI_REGISTRY_IMAGE", "WERF_IMAGES_CLEANUP_PASSWORD"])
def test_a_plan_names_the_values_that_the_login_needs(program: Program, option: str, unknown: str) -> None:
    (program.work / "job.env").write_text(f"{unknown}=[MASKED]\n")
    given = ("exec", "--for", "cleanup", "--env-file", "job.env")
    assert program.run(*given, "--", "touch", "ran").returncode == 125
    plan = program.run(*given, option, "--", "touch", "ran")
    assert plan.returncode == 0, plan.stderr
    if option == "--dry-run":
        assert f"cleanup needs the value of {unknown}, which is not known here." in plan.stderr
    assert not (program.work / "ran").exists()


def test_a_plan_asks_nobody_about_a_foreign_registry(program: Program) -> None:
    plan = program.run("exec", "--dry-run", "--repo", "evil.example/x", "--", "true")
    assert plan.returncode == 0
    assert "The job token would go to evil.example" in plan.stderr


def test_what_would_be_set_is_printed_for_a_shell(program: Program) -> None:
    ended = program.run("exec", "--print-env", "--", "true", DOCKER_AUTH_CONFIG="{}")
    assert "export DOCKER_CONFIG=CONFIG" in ended.stdout.splitlines()
    assert "unset DOCKER_AUTH_CONFIG" in ended.stdout.splitlines()


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
