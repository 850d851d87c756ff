"""The command line as a process: what it says, and its exit statuses."""

from __future__ import annotations

import json

import pytest
from program import Program, StartedSandbox

REPO = "registry.example/web/backend"
SECRETS = {
    "CI_JOB_TOKEN": "canary-job-token-1",
    "WERF_IMAGES_CLEANUP_PASSWORD": "canary-cleanup-1",
    "CI_REGISTRY_PASSWORD": "canary-registry-1",
    "DOCKER_AUTH_CONFIG": '{"auths":{"a.example":{"auth":"canary-config-1"}}}',
    "MY_TOKEN": "canary-other-1",
}


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["pusch"], 2, "Did you mean push?"),
        (["push", "--rep", "x"], 2, "--repo"),
        (["--env-file", "x", "push"], 2, "--env-file comes before push"),
        (["--engine", "docker", "explain", "push"], 2, "--engine comes before explain"),
        (["--sandbox", "--set", "A=b"], 2, "The sandbox has its own variables and does not use --set"),
        (["--set", "A=b"], 2, "The screen needs a terminal"),
        (["push"], 2, "needs a repository"),
        (["push", "--repo", "registry.example/UP"], 2, "upper-case"),
        (["cleanup", "--repo", REPO, "--older-than", "soon"], 2, "is not a duration"),
        (["cleanup", "--repo", REPO, "--match", "(", "--dry-run"], 2, "not a regular expression"),
        (["build"], 2, "There is no Dockerfile"),
        (["build", "--file", "none"], 2, "none"),
        (["explain", "push", "--repo", REPO, "--env-file", "none.env"], 2, "none.env"),
        (
            ["push", "--repo", REPO, "--registry-password-stdin", "--registry-username", "u"],
            2,
            "password on stdin is empty",
        ),
        ([], 2, "needs a terminal"),
        (["pull", "--repo", REPO, "--tag", "1", "--engine", "docker"], 1, "systemctl start docker"),
    ],
)
def test_what_is_wrong_is_said_with_its_status(
    program: Program, arguments: list[str], status: int, words: str
) -> None:
    ended = program.run(*arguments)
    assert ended.returncode == status, ended.stderr
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert program.left == []


def test_a_token_for_a_foreign_registry_is_not_sent_unasked(program: Program) -> None:
    ended = program.run(
        "pull", "--repo", "quay.io/a/b", CI_REGISTRY="registry.example", CI_JOB_TOKEN=SECRETS["CI_JOB_TOKEN"]
    )
    assert ended.returncode == 5
    assert "--allow-foreign-registry" in ended.stderr
    assert program.left == []


@pytest.mark.parametrize("command", ["build", "push", "pull", "cleanup", "deploy"])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_secret_is_in_any_explanation(program: Program, command: str, form: list[str]) -> None:
    ended = program.run(
        "explain",
        command,
        "--repo",
        REPO,
        "--set",
        "OTHER_SECRET=canary-set-1",
        "--registry-username",
        "me",
        "--registry-password-stdin",
        *form,
        stdin="canary-typed-1\n",
        CI_REGISTRY="registry.example",
        **SECRETS,
    )
    assert ended.returncode == 0, ended.stderr
    assert "canary" not in ended.stdout + ended.stderr + program.written()


def test_explain_prints_one_object_with_every_part(program: Program) -> None:
    ended = program.run(
        "explain", "push", "--repo", REPO, "--json", CI_REGISTRY="registry.example", CI_JOB_TOKEN="canary-1"
    )
    found = json.loads(ended.stdout)
    assert list(found) == [
        "command",
        "repo",
        "method",
        "username",
        "secret_from",
        "config_dir",
        "login",
        "warnings",
        "trace",
        "why_not",
        "base_images",
        "findings",
        "unknown",
    ]
    assert found["method"] == "autologin"


def test_an_error_of_explain_is_an_object_too(program: Program) -> None:
    ended = program.run("explain", "push", "--json")
    assert ended.returncode == 2
    assert json.loads(ended.stdout)["error"]["id"] == "repo-required"


@pytest.mark.parametrize("kind", ["missing", "a file", "without config.json", "broken"])
def test_an_external_config_that_cannot_be_used_is_said(program: Program, kind: str) -> None:
    directory = program.work / "external"
    if kind == "a file":
        directory.write_text("")
    elif kind != "missing":
        directory.mkdir()
    if kind == "broken":
        (directory / "config.json").write_text('{"auths": ')
    ended = program.run("deploy", "--repo", "127.0.0.1:1/a", "--tag", "1", WERF_DOCKER_CONFIG="external")
    assert ended.returncode == 2
    assert str(directory) in ended.stderr
    assert program.left == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_completions(program: Program, shell: str) -> None:
    assert "_DOCKPASS_COMPLETE" in program.run("completions", shell).stdout


def test_paths_and_settings_say_where_everything_comes_from(program: Program) -> None:
    assert str(program.directory / "state") in program.run("paths").stdout
    settings = json.loads(program.run("settings", "--json").stdout)
    assert settings["settings"]["theme"]["from"] == "default"


def test_the_version_names_what_it_stands_on(program: Program) -> None:
    assert "textual" in program.run("--version", "--verbose").stdout
    nowhere = "unix:///nonexistent/docker.sock"
    said = program.run("--version", "--verbose", "--engine", "docker", DOCKER_HOST=nowhere).stdout
    assert f"No engine answers at {nowhere}" in said
    said = program.run("--version", "--verbose", DOCKER_HOST=nowhere).stdout
    assert "embedded" in said
    assert f"(no engine answers at {nowhere}" in said


def test_an_engine_that_is_not_known_is_said(program: Program) -> None:
    ended = program.run("--version", "--verbose", "--engine", "none")
    assert (ended.returncode, "auto, docker, embedded" in ended.stderr) == (2, True)


def test_a_wrong_log_level_is_an_error(program: Program) -> None:
    ended = program.run("explain", "push", "--repo", REPO, DOCKPASS_LOG_LEVEL="debgu")
    assert ended.returncode == 2
    assert "DOCKPASS_LOG_LEVEL is “debgu”" in ended.stderr
    assert "Did you mean debug?" in ended.stderr


def test_a_debug_log_has_a_line_for_each_request_and_no_secret(program: Program) -> None:
    with StartedSandbox(program, "--env-file", "job.env"):
        job = (program.work / "job.env").read_text()
        ended = program.run("probe", "push", "--env-file", "job.env", DOCKPASS_LOG_LEVEL="debug")
    assert ended.returncode == 0, ended.stderr
    log = (program.directory / "state" / "dockpass.log").read_text()
    assert " DEBUG dockpass.http GET " in log
    assert "/jwt/auth 200 " in log
    assert "/tags/list?n=1 200 " in log
    values = [line.partition("=")[2] for line in job.splitlines() if "TOKEN" in line or "PASSWORD" in line]
    assert len(values) >= 2
    assert not [value for value in values if value.strip("'") in log]
    assert "Authorization" not in log
