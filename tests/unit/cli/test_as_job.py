"""`explain`, `probe`, `config` and runs with the variables that a GitLab job would get."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dockpass.cli.job_facts import NO_JOB, JobGiven
from dockpass.cli.main import cli
from dockpass.errors import UsageError

YAML = """\
variables: {CI_REGISTRY: registry.example.com, CI_REGISTRY_IMAGE: registry.example.com/acme/shop}
publish: {environment: production, rules: [{if: $CI_COMMIT_TAG}], script: [env]}
"""
AUTH = '{"auths": {"registry.example.com": {"auth": "Ym90OkNhbmFyeTlTZWNyZXQ="}}}'
CANARY = "gldt-Canary-4f7Kq2wE"


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    subprocess.run(["git", "init", "-q", "-b", "feature/x"], cwd=tmp_path, check=True)
    (tmp_path / ".gitlab-ci.yml").write_text(YAML)
    (tmp_path / "settings.env").write_text("PLAIN=1\n")
    (tmp_path / "settings.json").write_text(
        json.dumps(
            [
                {"key": "WERF_IMAGES_CLEANUP_PASSWORD", "value": CANARY, "protected": True},
                {"key": "DOCKER_AUTH_CONFIG", "value": AUTH, "environment_scope": "production", "raw": True},
            ]
        )
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WERF_DOCKER_CONFIG", "/of/the/shell")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments], standalone_mode=False)


def explained(command: str, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("explain", command, "--json", *more).stdout)
    return found


JOB = ("--job", "publish", "--project-variables", "settings.json")


def test_the_decision_is_that_of_the_job_and_not_of_the_shell() -> None:
    assert explained("push", "--repo", "registry.example.com/a")["method"] == "external"
    assert explained("push", *JOB)["method"] == "autologin"
    assert explained("cleanup", *JOB, "--unprotected")["method"] == "autologin"
    assert explained("cleanup", *JOB, "--protected")["method"] == "cleanup-token"


def test_edits_stand_on_top_of_the_job(clone: Path) -> None:
    (clone / "more.env").write_text("WERF_IGNORE_CI_DOCKER_AUTOLOGIN=1\n")
    assert explained("push", *JOB, "--set", "WERF_DOCKER_CONFIG=/x")["method"] == "external"
    assert explained("push", *JOB, "--unset", "CI_REGISTRY")["method"] == "ambient"
    assert explained("push", *JOB, "--env-file", "more.env")["method"] == "ambient"


def test_it_is_told_whose_variables_they_are() -> None:
    found = explained("push", *JOB, "--ref", "main", "--unprotected")["findings"]
    told = next(each["message"] for each in found if each["id"] == "as-job")
    assert "the job publish on main, not protected" in told
    assert "not in that pipeline" in told
    tagged = explained("push", *JOB, "--ref", "refs/tags/v1")["findings"]
    assert "not in that pipeline" not in next(each["message"] for each in tagged if each["id"] == "as-job")


def test_what_every_job_gets_has_no_empty_name_or_stage() -> None:
    found = explained("push", "--ref", "main")["findings"]
    assert not [each for each in found if each["id"] == "empty"]


def test_config_reads_the_variable_that_the_job_would_get() -> None:
    ended = run("config", "registry.example.com", "--json", *JOB)
    assert "the job's variables with this machine's config files" in ended.stderr
    assert "machine's" not in run("config", "registry.example.com").stderr
    found = json.loads(ended.stdout)
    readings = {each["reader"]: each["verdict"] for each in found["registries"][0]["readings"]}
    assert readings["docker-cli"] == "login"
    elsewhere = run("config", "registry.example.com", "--json", *JOB, "--environment", "staging").stdout
    readings = {
        each["reader"]: each["verdict"] for each in json.loads(elsewhere)["registries"][0]["readings"]
    }
    assert readings["docker-cli"] == "anonymous"


@pytest.mark.parametrize(
    "command",
    [
        ("probe", "push"),
        ("push", "--repo", "registry.example.com/a"),
        ("pull",),
        ("cleanup", "--keep-last", "1"),
        ("deploy",),
    ],
)
def test_what_needs_a_value_that_is_not_known_says_so_before_anything_is_sent(
    command: tuple[str, ...],
) -> None:
    ended = CliRunner().invoke(cli, [*command, *JOB, "--unprotected"])
    said = f"{ended.output} {ended.exception}"
    assert "CI_JOB_TOKEN" in said
    assert "not known here" in said
    assert "Canary" not in said


def test_a_job_that_is_not_there_is_an_error() -> None:
    found = explained("push", "--job", "publsh")
    assert found["error"]["id"] == "no-such-job"
    assert "publish" in found["error"]["hint"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.json", '[{"key": "A", "value": "1"}]', "1"),
        ("a.env", "A=1\n", "1"),
        ("dump.txt", "export A='1'\n", "1"),
        ("v.yml", "variables:\n  A: '1'\n", "1"),
        (".gitlab-ci-local-variables.yml", "A: '1'\n", "1"),
    ],
)
def test_settings_are_read_in_any_format_with_their_line(
    clone: Path, name: str, text: str, expected: str
) -> None:
    (clone / name).write_text(text)
    found = json.loads(run("vars", "explain", "A", "--json", "--project-variables", name).stdout)
    assert found["value"] == expected
    assert found["source"]["file"] == name
    assert found["source"]["line"] >= 1


@pytest.mark.parametrize("text", ["{", "<html>", "[1]", "a b c\n"])
def test_settings_that_are_none_are_an_error(clone: Path, text: str) -> None:
    (clone / "bad.json").write_text(text)
    ended = run("vars", "show", "--project-variables", "bad.json")
    assert getattr(ended.exception, "id", "") == "variables-file-invalid"


def test_the_options_again() -> None:
    assert not NO_JOB.asked
    given = JobGiven(job="a", protected=False, merge_request=True, project_variables=("x", "y"))
    assert given.words() == (
        ("--job", "a"),
        ("--merge-request", True),
        ("--unprotected", True),
        ("--project-variables", "x"),
        ("--project-variables", "y"),
    )


NO_LOGIN = (*JOB, "--unset", "CI_REGISTRY")


def test_without_a_login_the_config_is_that_of_the_runner_and_not_of_this_machine() -> None:
    assert explained("push", *NO_LOGIN)["config_dir"] is None
    words = "docker's config of the job's runner or image (not known here)"
    for shown in (run("explain", "push", *NO_LOGIN).stdout, run("vars", "show", *NO_LOGIN).stdout):
        assert words in shown
        assert ".docker" not in shown


def test_a_directory_that_the_job_names_is_one_of_the_job() -> None:
    (Path.cwd() / "broken").mkdir()
    (Path.cwd() / "broken" / "config.json").write_text('{"auths": {"a": {"auth": "no base64!"}}}')
    given = (*NO_LOGIN, "--set", "DOCKER_CONFIG=broken")
    found = explained("push", *given)
    assert found["config_dir"] == "broken"
    assert [each for each in found["findings"] if "config.json" in each["about"]] == []
    assert "docker's own config in broken of the job" in run("explain", "push", *given).stdout
    missing = explained("push", *NO_LOGIN, "--set", "DOCKER_CONFIG=/of/the/job")["findings"]
    assert [each["id"] for each in missing if each["about"] == "DOCKER_CONFIG"] == []
    assert "runner or image" in run("explain", "push", *NO_LOGIN, "--set", "DOCKER_CONFIG=").stdout


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        (".a: {x: !reference [.b, x]}\n.b: {x: !reference [.a, x]}\n"
         "publish: {script: [a], variables: !reference [.a, x]}\n",
         '.gitlab-ci.yml:1: !reference [".b", "x"] is part of a circular chain'),
        ("variables: {A: $B, B: $A}\npublish: {script: [a]}\n",
         '.gitlab-ci.yml:1: circular variable reference detected: ["A", "B"]'),
        ("publish: {script: [a], extends: .nothing}\n",
         ".gitlab-ci.yml:1: publish: unknown keys in `extends` (.nothing)"),
        ("publish: [\n", ".gitlab-ci.yml:2: (.gitlab-ci.yml): did not find expected node content"),
    ],
)  # fmt: skip
def test_a_configuration_that_gitlab_refuses_is_an_error(clone: Path, yaml: str, message: str) -> None:
    (clone / ".gitlab-ci.yml").write_text(yaml)
    ended = run("explain", "push", "--json", "--job", "publish")
    assert ended.exit_code == 2
    told = json.loads(ended.stdout)["error"]
    assert told["id"] == "ci-file-invalid"
    assert told["message"].startswith(message)


@pytest.mark.parametrize("command", [("probe", "push"), ("config",), ("push",)])
def test_nothing_is_done_with_a_configuration_that_gitlab_refuses(
    clone: Path, command: tuple[str, ...]
) -> None:
    (clone / ".gitlab-ci.yml").write_text("publish: {script: [a], extends: .nothing}\n")
    ended = run(*command, "--job", "publish")
    assert isinstance(ended.exception, UsageError), ended.output
    assert ended.exception.id == "ci-file-invalid"


def test_a_pipeline_that_the_workflow_filters_out_is_told_and_no_error(clone: Path) -> None:
    (clone / ".gitlab-ci.yml").write_text(f"workflow: {{rules: [{{if: $NOT_SET}}]}}\n{YAML}")
    found = explained("push", *JOB)
    assert found["method"] == "autologin"
    assert any("Pipeline filtered out by workflow rules" in each["message"] for each in found["findings"])
