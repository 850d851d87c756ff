"""`dockpass vars diff`, `lint` and `export`: what they say, how they end, and that no secret is shown."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from jobclone import CANARY, make_clone
from jobclone import run_vars as run

from dockpass.cli.main import cli
from dockpass.variables.formats.catalogue import read
from dockpass.variables.formats.writing import WRITERS

YAML = """\
variables: {GREETING: hello, CI_REGISTRY: registry.example.com, CI_REGISTRY_IMAGE: registry.example.com/acme/shop}
publish:
  environment: production
  rules: [{if: $CI_COMMIT_BRANCH}]
  script: [env]
test: {script: [env]}
"""
SETTINGS = [
    {"key": "WERF_IMAGES_CLEANUP_PASSWORD", "value": CANARY, "protected": True, "masked": True},
    {"key": "PASS", "value": "Canary$sword-9x", "masked": True, "environment_scope": "production"},
    {"key": "NOTES", "value": "two\nlines", "raw": True},
]
GIVEN = ("--project-variables", "settings.json")


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_clone(tmp_path / "shop", YAML, settings=SETTINGS)
    monkeypatch.chdir(root)
    return root


def test_two_refs_and_what_that_changes() -> None:
    result = run(
        "diff", "branch:main,protected", "feature/login", "--job", "publish", "--unprotected", *GIVEN
    )
    assert result.output.index("change a login") < result.output.index("CI_COMMIT_REF_NAME")
    assert "1 of which changes a login: cleanup." in result.output
    assert CANARY not in result.output


@pytest.mark.parametrize("left", ["main", "branch:main,protected"])
def test_a_login_may_change_where_it_is_not_known_which_branch_is_protected(left: str) -> None:
    result = run("diff", left, "feature/login", "--job", "publish", *GIVEN)
    assert "may change a login\n  WERF_IMAGES_CLEANUP_PASSWORD" in result.output
    assert (
        "Whether the login of cleanup changes is not known: it depends on WERF_IMAGES_CLEANUP_PASSWORD."
        in (result.output)
    )
    assert result.output.rstrip().endswith("branch:NAME,protected or branch:NAME,unprotected.")
    assert CANARY not in result.output


def test_nothing_is_open_where_the_protection_is_known() -> None:
    result = run("diff", "main", "feature/login", "--job", "publish", "--protected", *GIVEN)
    assert "not known" not in result.output
    assert "none of which changes a login." in result.output


def test_two_jobs_as_json() -> None:
    found = json.loads(run("diff", "job:publish", "job:test", "--protected", *GIVEN, "--json").stdout)
    names = {each["name"]: each for each in found["differences"]}
    assert names["PASS"]["state"] == "only-left"
    assert names["PASS"]["left"]["value"] == "••••"
    assert names["PASS"]["left"]["length"] == len("Canary-9x")
    assert "CI_JOB_NAME" in names


@pytest.mark.parametrize(
    ("left", "right", "status"),
    [
        ("A=1\nTOKEN=Canary-one-1\n", "A=1\nTOKEN=Canary-one-1\n", 0),
        ("A=1\n", "A=2\n", 1),
        ("TOKEN=Canary-one-1\n", "TOKEN=Canary-two-22\n", 1),
        ("CI_JOB_ID=1\n", "CI_JOB_ID=2\n", 0),
    ],
)
def test_two_files(clone: Path, left: str, right: str, status: int) -> None:
    (clone / "a.env").write_text(left)
    (clone / "b.env").write_text(right)
    result = CliRunner().invoke(cli, ["vars", "diff", "a.env", "b.env"])
    assert result.exit_code == status
    assert "Canary" not in result.output


def test_a_jobs_log_and_the_resolution(clone: Path) -> None:
    log = (
        'section_start:1560896352:step_script\r\x1b[0K\n$ export\ndeclare -x GREETING="hi"\n'
        'declare -x PASS="[MASKED]"\ndeclare -x CI_PROJECT_PATH="acme/shop"\n'
    )
    (clone / "build.log").write_text(log)
    found = json.loads(run("diff", "build.log", "job:publish,protected", *GIVEN, "--json").stdout)
    assert found["left"] == "build.log (job-log)"
    assert "GREETING" in {each["name"] for each in found["differences"]}
    assert "PASS" in {each["name"] for each in found["unknown"]}, "[MASKED] is not known, not different"


def test_this_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREETING", "from the shell")
    found = json.loads(run("diff", "here", "job:publish", "--json").stdout)
    greeting = next(each for each in found["differences"] if each["name"] == "GREETING")
    assert greeting["left"]["value"] == "from the shell"


@pytest.mark.parametrize("side", ["nothing.env", "job:nothing", "bad:word"])
def test_a_side_that_names_nothing(side: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("diff", side, "here").exit_code != 0


@pytest.mark.parametrize(
    "side", [".", "/dev/null", "./a.env", "../x", "job:", "tag:v1,nothing:x", "jop:publish"]
)
def test_a_path_that_is_no_file_is_no_branch(side: str) -> None:
    result = run("diff", side, "here")
    assert getattr(result.exception, "id", "") == "diff-side"


def test_lint_lists_errors_first_and_ends_with_1() -> None:
    result = CliRunner().invoke(cli, ["vars", "lint", "--unprotected", *GIVEN])
    lines = result.output.splitlines()
    assert lines[0].startswith("✗")
    assert any("WERF_IMAGES_CLEANUP_PASSWORD is missing" in line for line in lines)
    assert any(
        "PASS loses characters at a $: it has 15, and the job sees 9 (in publish)" in line for line in lines
    )
    assert result.exit_code == 1
    assert "Canary" not in result.output
    found = json.loads(run("lint", "--protected", *GIVEN, "--json").stdout)
    assert {"cut-by-expansion", "predefined-overridden"} <= {each["id"] for each in found["findings"]}


def test_lint_of_a_clean_project(clone: Path) -> None:
    (clone / ".gitlab-ci.yml").write_text("build: {script: [env]}\n")
    result = CliRunner().invoke(cli, ["vars", "lint"])
    assert result.exit_code == 0


@pytest.mark.parametrize("name", WRITERS)
def test_export_masks_secrets(name: str) -> None:
    result = run("export", "--format", name, "--job", "publish", "--protected", *GIVEN)
    assert "Canary" not in result.output
    assert "masked: PASS, WERF_IMAGES_CLEANUP_PASSWORD" in result.stderr
    assert read(name, result.stdout).values()["GREETING"] == "hello"


def test_export_with_secrets_writes_a_private_new_file(clone: Path) -> None:
    given = ("export", "--format", "shell", "--job", "publish", "--protected", *GIVEN, "--with-secrets")
    assert run(*given).exit_code != 0, "never to stdout"
    result = run(*given, "--output", "job.env")
    assert "Canary" not in result.output
    path = clone / "job.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    values = read("shell", path.read_text()).values()
    assert values["WERF_IMAGES_CLEANUP_PASSWORD"] == CANARY
    assert values["NOTES"] == "two\nlines"
    assert run(*given, "--output", "job.env").exit_code != 0, "what is there is never written over"
    (clone / "link").symlink_to(clone / "elsewhere")
    assert run(*given, "--output", "link").exit_code != 0
    assert not (clone / "elsewhere").exists()


def test_what_a_format_cannot_hold_is_named() -> None:
    result = run("export", "--format", "docker", "--job", "publish", "--protected", *GIVEN)
    assert "NOTES is left out: the format cannot hold its value" in result.stderr
    assert "NOTES" not in result.stdout


@pytest.mark.parametrize(
    "command",
    [
        ("show", "--job", "publish"),
        ("explain", "PASS", "--job", "publish"),
        ("explain", "WERF_IMAGES_CLEANUP_PASSWORD", "--job", "publish"),
        ("why", "publish"),
        ("diff", "job:publish", "job:test"),
        ("diff", "here", "job:publish"),
        ("diff", "settings.json", "job:publish"),
        ("lint",),
        ("export", "--format", "gitlab-json", "--job", "publish"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_no_canary_in_any_answer(
    command: tuple[str, ...], more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "Canary-of-the-shell")
    for protected in ("--protected", "--unprotected"):
        result = run(*command, *more, protected, *GIVEN)
        assert "Canary" not in result.output
        assert "Canary" not in result.stderr


PAGE = Path(__file__).parents[3] / "docs" / "variables.md"
COMMANDS = [
    line.strip()
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith(("    dockpass vars ", "    dockpass explain "))
    and not any(word in line for word in ("import gitlab", "--from-gitlab"))
]


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_of_the_guide_work(clone: Path, line: str) -> None:
    for name in ("vars.json", "project.json"):
        (clone / name).write_text(json.dumps(SETTINGS))
    result = CliRunner().invoke(cli, line.split()[1:])
    assert result.exit_code in {0, 1}, result.output
    assert "Error" not in result.output
    assert not isinstance(result.exception, Exception), result.exception
    assert "Canary" not in result.output


def test_the_guide_has_commands() -> None:
    assert len(COMMANDS) > 8


def test_a_dash_is_stdout_and_no_file(clone: Path) -> None:
    printed = run("export", "--job", "publish", "--format", "docker", "--output", "-").stdout
    assert printed == run("export", "--job", "publish", "--format", "docker").stdout
    assert "GREETING=hello" in printed
    assert not (clone / "-").exists()
    refused = run("export", "--job", "publish", "--format", "docker", "--with-secrets", "--output", "-")
    assert "--with-secrets can only be used with --output." in str(refused.exception) + refused.output
