"""`dockpass doctor` and `dockpass report`, as a person types them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fulldisk import full_after
from patients import patients

from dockpass.cli.main import cli
from dockpass.doctor.table import TABLE
from dockpass.doctor.visit import Visit
from dockpass.errors import UsageError

TOKEN = "glcbt-64_aaaaaaaaaaaaaaaaaaaa"
ENV = {
    "CI_REGISTRY": "registry.example.com",
    "CI_REGISTRY_IMAGE": "registry.example.com/web/backend",
    "CI_JOB_TOKEN": TOKEN,
    "GITLAB_CI": None,
}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory that is no clone, with a home of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKPASS_CONFIG", str(tmp_path / "settings.toml"))
    return tmp_path


def run(*words: str, text: str | None = None, **env: str | None) -> Result:
    return CliRunner().invoke(cli, words, input=text, env={**ENV, **env})


def test_nothing_is_found_in_a_healthy_environment(work: Path) -> None:
    ended = run("doctor")
    assert (ended.exit_code, ended.stdout.splitlines()[0][:17]) == (0, "Nothing found by ")


def test_each_finding_says_why_what_to_do_and_what_was_tried(work: Path) -> None:
    ended = run("doctor", CI_REGISTRY="https://registry.example.com")
    assert "▲ CI_REGISTRY has a scheme; it must be host[:port]" in ended.stdout
    assert "    tried  set CI_REGISTRY to registry.example.com: no login changes" in ended.stdout
    assert "DP-REG-001 (registry-address)" in ended.stdout


@pytest.mark.parametrize(("level", "status"), [("error", 0), ("warning", 1), ("note", 1)])
def test_the_exit_status_is_by_level(work: Path, level: str, status: int) -> None:
    assert run("doctor", "--fail-on", level, CI_JOB_TOKEN=f"{TOKEN} ").exit_code == status


def test_a_muted_finding_is_told_and_does_not_count(work: Path) -> None:
    (work / "settings.toml").write_text('[[muted]]\ncheck = "DP-SEC-001"\nbecause = "it is fine"\n')
    ended = run("doctor", "--fail-on", "note", CI_JOB_TOKEN=f"{TOKEN} ")
    assert ended.exit_code == 0
    assert "muted: CI_JOB_TOKEN begins or ends" in ended.stdout
    assert "it is fine" in ended.stdout


def test_an_error_message_is_explained_by_what_is_found_here(work: Path) -> None:
    message = "Error response from daemon: HTTP Basic: Access denied"
    ended = run("doctor", "--error", "-", text=message, CI_JOB_TOKEN=f"{TOKEN}\n")
    assert ended.stdout.startswith("▲ CI_JOB_TOKEN ends with a line break")
    assert "It can also mean:" in ended.stdout
    assert "It can mean:" in run("doctor", "--error", "no such host").stdout
    assert "No check knows" in run("doctor", "--error", "all is well").stdout
    assert isinstance(run("doctor", "--error", " ").exception, UsageError)


def test_the_formats_of_code_hosts(work: Path) -> None:
    given = {"CI_JOB_TOKEN": f"{TOKEN}\n"}
    log = json.loads(run("doctor", "--sarif", **given).stdout)
    result = log["runs"][0]["results"][0]
    assert (log["version"], result["ruleId"], result["level"]) == ("2.1.0", "DP-SEC-002", "warning")
    (entry,) = json.loads(run("doctor", "--code-quality", **given).stdout)
    assert entry.keys() == {"check_name", "description", "severity", "fingerprint", "location"}
    assert entry["location"] == {"path": ".gitlab-ci.yml", "lines": {"begin": 1}}
    found = json.loads(run("doctor", "--json", **given).stdout)
    assert [each["check"] for each in found["findings"]] == ["DP-SEC-002"]
    assert found["findings"][0]["tried"][0]["gone"] == ["line-end"]


@pytest.mark.parametrize(
    "words",
    [
        ("--job", "a", "--all-jobs"),
        ("--sarif", "--json"),
        ("--all-jobs", "--probe"),
        ("--job", "a", "--env-file", "x"),
    ],
)
def test_what_does_not_go_together(work: Path, words: tuple[str, ...]) -> None:
    assert run("doctor", *words).exit_code == 2


def test_a_report_has_names_and_lengths_and_no_value(work: Path) -> None:
    secret = "s3_cret*word-42"
    ended = run("report", CI_JOB_TOKEN=secret, DOCKER_CONFIG=secret)
    assert ended.exit_code == 0
    assert "| CI\\_JOB\\_TOKEN | environment |  | 15 |  |" in ended.stdout
    assert "autologin as gitlab-ci-token at registry.example.com" in ended.stdout
    for form in (secret, secret.replace("_", "\\_").replace("*", "\\*")):
        assert form not in ended.stdout
    assert str(work) not in ended.stdout
    assert "- 14 checks skipped: they need the registry." in ended.stdout
    body = ended.stdout.split("````json\n")[1].split("\n````")[0]
    assert json.loads(body)["logins"][1][:2] == [
        "push",
        "autologin as gitlab-ci-token at registry.example.com",
    ]


@pytest.mark.parametrize("name", ["ann", "john_doe", "jörg", "a[b]~c"])
def test_a_report_does_not_name_the_home_directory(work: Path, name: str) -> None:
    home = work / name
    home.mkdir()
    ended = run("report", HOME=str(home), CI_REGISTRY=None, CI_JOB_TOKEN=None)
    assert "docker's own config in ~/.docker" in ended.stdout
    body = ended.stdout.split("````json\n")[1].split("\n````")[0]
    assert "docker's own config in ~/.docker" in json.loads(body)["logins"][0][2]


def test_a_report_is_written_to_a_new_file_of_ones_own(work: Path) -> None:
    assert run("report", "--output", "report.md").exit_code == 0
    assert (work / "report.md").stat().st_mode & 0o777 == 0o600
    assert isinstance(run("report", "--output", "report.md").exception, UsageError)


@pytest.mark.parametrize(
    ("probe", "not_run"),
    [
        (
            {"reached": False, "findings": ["timeout"]},
            {"the registry's answer": 6},
        ),
        ({"login": "rejected", "actions": {"pull": "not-probed"}}, {"an accepted login": 5}),
        (
            {"login": "unknown", "actions": {"pull": "not-probed"}},
            {"an answer to the login": 1, "an accepted login": 5},
        ),
        ({"actions": {"pull": "granted"}}, {}),
    ],
    ids=["no answer", "login refused", "token server silent", "answered"],
)
def test_nothing_is_said_of_what_the_registry_did_not_tell(
    work: Path, probe: dict[str, object], not_run: dict[str, int]
) -> None:
    visit = Visit(patients=patients({"env": {}, "probe": probe}, work), found=())
    told = {str(need): count for need, count in visit.not_run.items()}
    assert {need: count for need, count in told.items() if "registry" in need or "login" in need} == not_run
    assert visit.clear == len(TABLE) - sum(told.values())


def test_a_report_that_cannot_be_written_whole_leaves_no_part_of_itself(work: Path) -> None:
    with full_after(100):
        ended = run("report", "--output", "report.md")
    assert isinstance(ended.exception, UsageError)
    assert ended.exception.id == "export-file"
    assert not (work / "report.md").exists()


@pytest.mark.parametrize("platform", ["github", "generic"])
@pytest.mark.parametrize("command", ["doctor", "report"])
def test_a_scenario_without_jobs_is_checked(work: Path, platform: str, command: str) -> None:
    (work / "here.toml").write_text(
        f'schema = 1\nplatform = "{platform}"\n[[variable]]\nkey = "CI_REGISTRY"\n'
        'value = "https://r.example.com"\n[[variable]]\nkey = "CI_JOB_TOKEN"\nsecret = { env = "NO_SUCH_SECRET" }\n'
    )
    ended = run(command, "--scenario", "here.toml")
    assert ended.exit_code == 0
    assert "has a scheme" in ended.stdout
    assert "registry.example.com" not in ended.stdout  # this process's variables do not count
    with pytest.raises(UsageError, match="platform is"):
        CliRunner().invoke(
            cli, ["doctor", "--all-jobs", "--scenario", "here.toml"], env=ENV,
            standalone_mode=False, catch_exceptions=False,
        )  # fmt: skip


def test_jobs_that_were_not_checked_are_counted(work: Path) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=work, check=True)
    (work / ".gitlab-ci.yml").write_text("one: {script: [make]}\ntwo: {script: [make]}\n")
    left = "2 jobs not checked: --all-jobs checks every job, --job NAME one."
    assert run("doctor").stdout.splitlines()[-1] == left
    for words in (["--all-jobs"], ["--job", "one"]):
        assert "not checked" not in run("doctor", *words).stdout


def test_a_known_value_is_not_told_as_unknown_where_only_the_protection_is(work: Path) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=work, check=True)
    (work / ".gitlab-ci.yml").write_text("one: {script: [make]}\n")
    stored = {"key": "TOKEN", "value": "s3cret-word-42", "protected": True, "environment_scope": "*"}
    (work / "project.json").write_text(json.dumps([stored, {**stored, "key": "OTHER", "protected": False}]))
    words = ("doctor", "--job", "one", "--project-variables", "project.json")
    told = run(*words).stdout
    assert "1 variable of the project's settings is protected, and whether the branch or tag is" in told
    assert "not known here (in one)" in told
    assert "Give --protected or --unprotected" in told
    assert "value of the project's settings" not in told
    assert "not known here" not in run(*words, "--protected").stdout
