"""`dockpass vars`: what a job sees, why, and that no secret is shown."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from jobclone import CANARY, make_clone
from jobclone import run_vars as run

YAML = """\
variables:
  IMAGE: $CI_REGISTRY_IMAGE/app
  GREETING: hello
publish:
  extends: .login
  environment: production
  variables: {GREETING: hi}
  rules:
    - if: $CI_COMMIT_TAG
    - if: $PUSH_TOKEN && $CI_COMMIT_BRANCH =~ /^feature/
      when: manual
  script: [docker push $IMAGE]
.login:
  variables: {USER_NAME: bot}
"""
SETTINGS = [
    {"key": "PUSH_TOKEN", "value": CANARY, "protected": True, "masked": True},
    {"key": "PASS", "value": "Canary$sword-9x", "masked": True, "environment_scope": "production"},
    {"key": "ELSEWHERE", "value": "1", "environment_scope": "staging"},
    {"key": "HIDDEN", "value": None, "hidden": True, "masked": True},
    {"key": "GREETING", "value": "from the project"},
]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of acme/shop on the branch feature/login."""
    origin = "git@gitlab.example.com:acme/Shop.git"
    root = make_clone(tmp_path / "shop", YAML, origin=origin, settings=SETTINGS)
    monkeypatch.chdir(root)
    return root


def shown(*arguments: str) -> dict[str, dict[str, object]]:
    found = json.loads(run("show", "--job", "publish", "--json", *arguments).stdout)
    return {each["name"]: each for each in found["variables"]} | {"": found}


def test_each_variable_has_its_value_source_and_what_it_overrides(clone: Path) -> None:
    found = shown("--project-variables", "settings.json", "--unprotected")
    assert found["GREETING"]["value"] == "from the project"
    assert found["GREETING"]["source"] == {"level": "project", "file": "settings.json", "line": 1}
    assert [(each["level"], each["line"]) for each in found["GREETING"]["overridden"]] == [  # type: ignore[union-attr]
        ("yaml:job", 7),
        ("yaml:default", 3),
    ]
    assert found["CI_PROJECT_PATH"]["value"] == "acme/Shop"
    assert found["CI_COMMIT_REF_SLUG"]["value"] == "feature-login"
    assert found["IMAGE"]["value"] is None, "computed from a registry that is not known here"
    assert found["HIDDEN"]["value"] is None
    absent = {each["name"]: each["reason"] for each in found[""]["absent"]}  # type: ignore[attr-defined]
    assert absent == {
        "PUSH_TOKEN": "project settings.json:1: protected, and feature/login is not",
        "ELSEWHERE": "project settings.json:1: its scope staging does not match environment production",
    }
    assert found[""]["included"] is False


def test_a_protected_ref_brings_the_token_and_the_job(clone: Path) -> None:
    found = shown("--project-variables", "settings.json", "--protected")
    assert found["PUSH_TOKEN"]["value"] == "••••"
    assert found[""]["included"] is True


def test_a_protection_that_is_not_known_leaves_both_open(clone: Path) -> None:
    found = shown("--project-variables", "settings.json")
    assert found["PUSH_TOKEN"]["value"] is None
    assert found[""]["included"] is None


def test_an_edit_wins_over_everything(clone: Path) -> None:
    found = shown("--project-variables", "settings.json", "--set", "GREETING=me", "--unset", "USER_NAME")
    assert found["GREETING"]["value"] == "me"
    assert "USER_NAME" not in found


def test_the_logins_follow_from_the_variables(clone: Path) -> None:
    given = (
        "--set",
        "CI_REGISTRY=registry.example.com",
        "--set",
        "CI_REGISTRY_IMAGE=registry.example.com/a/b",
    )
    logins = {each["command"]: each for each in shown(*given)[""]["logins"]}  # type: ignore[attr-defined]
    assert (logins["push"]["method"], logins["push"]["address"]) == ("autologin", "registry.example.com")
    assert logins["push"]["unknown"] == ["CI_JOB_TOKEN"]
    without = {each["command"]: each for each in shown(*given, "--unset", "CI_JOB_TOKEN")[""]["logins"]}  # type: ignore[attr-defined]
    assert without["push"]["method"] == "ambient"


def test_a_secret_that_expansion_cuts_is_told_by_lengths(clone: Path) -> None:
    text = run("explain", "PASS", "--job", "publish", "--project-variables", "settings.json").stdout
    assert "15 characters" in text
    assert "after the runner  9 characters" in text
    assert "$sword by runner, from nothing: not defined" in text


def test_why_tells_each_rule(clone: Path) -> None:
    found = json.loads(
        run("why", "publish", "--protected", "--project-variables", "settings.json", "--json").stdout
    )
    assert [(rule["line"], rule["outcome"]) for rule in found["rules"]] == [(9, False), (10, True)]
    assert found["when"] == "manual"
    text = run("why", "publish", "--unprotected", "--project-variables", "settings.json").stdout
    assert "$PUSH_TOKEN is false" in text
    assert "publish is not in the pipeline." in text


@pytest.mark.parametrize("command", [("show", "--all"), ("explain", "PUSH_TOKEN"), ("explain", "PASS")])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_secret_is_in_any_output(clone: Path, command: tuple[str, ...], form: tuple[str, ...]) -> None:
    arguments = ("--job", "publish", "--project-variables", "settings.json", "--protected")
    if form and command[1:] == ("--all",):
        command = command[:1]
    ended = run(*command, *arguments, *form)
    assert ended.exit_code == 0, ended.output
    assert "Canary" not in ended.output


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        ("a: [1\nb: 2\n", ".gitlab-ci.yml:2:"),
        ("- a\n", ".gitlab-ci.yml:1: Invalid configuration format"),
        ("a: &a\n  b: *a\n", ".gitlab-ci.yml:1: The parsed YAML is too big"),
        (
            "include: {local: missing.yml}\nbuild: {script: [a]}\n",
            ":1: Local file `missing.yml` does not exist!",
        ),
        ("include: [{local: [a.yml]}]\nbuild: {script: [a]}\n", ":1: Included file `a list` needs to be a"),
        ("include: [{local: 2026-01-01}]\nbuild: {script: [a]}\n", "file `2026-01-01` needs to be a string"),
        ("include: [{local: .gitlab-ci.yml}]\nbuild: {script: [a]}\n", ":1: Maximum of 150 nested includes"),
        ("include: [{local: ../out.yml}]\nbuild: {script: [a]}\n", "leads out of the repository"),
        ("\nvariables: {A: $B, B: $A}\nbuild: {script: [a]}\n", ":2: circular variable reference detected"),
        ("\nvariables: {A: $B, B: $A}\nx: {script: [a]}\n", ":2: circular variable reference detected"),
        ("build: {extends: build, script: [a]}\n", ":1: build: circular dependency detected in `extends`"),
        ("build: {extends: {a: b}, script: [a]}\n", ":1: build: unknown keys in `extends` (a mapping)"),
        (
            "build: {script: !reference [nowhere, script]}\n",
            ':1: !reference ["nowhere", "script"] could not be',
        ),
        ("build: {script: [a], rules: 5}\n", ":1: jobs:build:rules config should be an array of hashes"),
        (
            "build: {script: [a]}\nx: {script: [a], rules: [{if: $A =}]}\n",
            ":2: jobs:x:rules:rule if invalid expression syntax",
        ),
        (
            "build: {script: [a], parallel: {matrix: [5]}}\n",
            ":1: jobs:build:parallel:matrix config should be",
        ),
        ("workflow:\n  rules: [{if: $NO}]\nbuild: {script: [a]}\n", ":2: Pipeline filtered out by workflow"),
        ("\x00", ".gitlab-ci.yml"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(clone: Path, yaml: str, words: str) -> None:
    (clone / ".gitlab-ci.yml").write_text(yaml)
    ended = run("show", "--job", "build") if "build" in yaml else run("show")
    said = ended.output + (str(ended.exception) if ended.exception else "")
    assert words in said, said
    assert ended.exit_code != 0


def test_why_says_that_no_job_is_in_a_refused_pipeline(clone: Path) -> None:
    (clone / ".gitlab-ci.yml").write_text("build: {script: [a]}\nx: {script: [a], rules: [{if: $A =}]}\n")
    said = run("why", "build").output
    assert "build is not in the pipeline: GitLab refuses the configuration, and creates none." in said
    assert "strings are quoted, and patterns go between slashes." in said


def test_a_job_that_there_is_not_is_told_with_the_nearest(clone: Path) -> None:
    ended = run("show", "--job", "publsh")
    assert "no job 'publsh'" in str(ended.exception)
    assert getattr(ended.exception, "hint", "") == "Did you mean publish?"


def test_without_a_ci_file_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ".gitlab-ci.yml not found" in str(run("show").exception)


AUTH = '{"auths": {"registry.local": {"auth": "Ym90OkNhbmFyeTlTZWNyZXQ="}}}'


@pytest.mark.parametrize(
    ("image", "runner", "script"),
    [
        ("registry.local/ns/app:1", "bot", "bot"),
        ("REGISTRY.local/ns/app", "bot", None),
        ("nginx", None, None),
        ("registry.example.com/acme/shop:1", "gitlab-ci-token", None),
    ],
)
def test_who_logs_in_for_an_image_with_docker_auth_config(
    clone: Path, image: str, runner: str | None, script: str | None
) -> None:
    found = run(
        *("explain", "DOCKER_AUTH_CONFIG", "--image", image, "--json"),
        *("--set", f"DOCKER_AUTH_CONFIG={AUTH}", "--set", "CI_REGISTRY=registry.example.com"),
    )
    answer = json.loads(found.stdout)["for_image"]
    users = {each["reader"]: (each["winner"] or {}).get("user") for each in answer["readings"]}
    assert users == {"gitlab-runner": runner, "docker-cli": script, "docker-cli-before-28.3": None}
    assert answer["docker_says"] == ["DOCKER_AUTH_CONFIG is set and takes precedence."]
    assert "Canary" not in found.output
    assert "no-file" not in found.output, "files of the runner's machine were not looked at"


def test_a_docker_auth_config_that_is_not_known_is_told(clone: Path) -> None:
    (clone / "hidden.json").write_text('[{"key": "DOCKER_AUTH_CONFIG", "value": null, "hidden": true}]')
    found = run(
        "explain", "DOCKER_AUTH_CONFIG", "--image", "nginx", "--project-variables", "hidden.json"
    ).output
    assert "its value is not known here" in found
    assert run("explain", "OTHER", "--image", "nginx").exit_code != 0


def test_explain_says_what_would_bring_a_variable_and_what_that_does_to_the_logins(clone: Path) -> None:
    (clone / "cleanup.json").write_text(
        json.dumps(
            [
                {"key": "WERF_IMAGES_CLEANUP_PASSWORD", "value": CANARY, "protected": True},
                {"key": "CI_REGISTRY_IMAGE", "value": "registry.example.com/acme/shop"},
            ]
        )
    )
    given = ("WERF_IMAGES_CLEANUP_PASSWORD", "--unprotected", "--project-variables", "cleanup.json")
    text = run("explain", *given).output
    assert "• protect the branch feature/login" in text
    assert "cleanup: cleanup token as werf-cleanup, now autologin as gitlab-ci-token" in text
    ways = json.loads(run("explain", *given, "--json").stdout)["bring"]
    assert [way["changes"][0]["kind"] for way in ways] == ["protect-ref", "unprotect"]
    assert ways[0]["logins"][0]["command"] == "cleanup"
    assert CANARY not in text


def test_why_says_what_would_bring_a_job(clone: Path) -> None:
    given = ("why", "publish", "--unprotected", "--project-variables", "settings.json")
    assert "• protect the branch feature/login" in run(*given).output
    ways = json.loads(run(*given, "--json").stdout)["bring"]
    assert ["ref"] in [[change["kind"] for change in way["changes"]] for way in ways]
    assert json.loads(run(*given, "--tag", "v1", "--json").stdout)["bring"] == []


def test_why_tries_the_refs_of_the_clone(clone: Path) -> None:
    (clone / ".gitlab-ci.yml").write_text(
        "release: {script: x, rules: [{if: '$CI_COMMIT_BRANCH =~ $WHICH'}], variables: {X: y}}\n"
        "variables: {WHICH: '/^rel-[0-9]+$/'}\n"
    )
    assert "rel-7" not in run("why", "release").output
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], cwd=clone, check=True)
    subprocess.run([*git, "branch", "rel-7"], cwd=clone, check=True)
    assert "run it for the branch rel-7" in run("why", "release").output


def test_why_tells_only_and_except(clone: Path) -> None:
    (clone / ".gitlab-ci.yml").write_text(
        "release:\n  script: x\n  only: {refs: [tags], variables: [$GO]}\n  except: [feature/login]\n"
        "plain:\n  script: x\n"
    )
    said = run("why", "release").stdout.splitlines()
    assert "  ✗ .gitlab-ci.yml:3  refs: tags" in said
    assert "      the pipeline is for the branch feature/login, started by push" in said
    assert "      $GO is false" in said
    assert "  ✓ .gitlab-ci.yml:4  refs: feature/login" in said
    assert "release is not in the pipeline." in said
    found = json.loads(run("why", "release", "--json").stdout)
    assert [(each["kind"], each["outcome"], each["line"]) for each in found["policies"]] == [
        ("only", False, 3),
        ("except", True, 4),
    ]
    assert "only" not in run("why", "plain").stdout
    said = run("why", "plain", "--merge-request").stdout.splitlines()
    assert "only, by default" in said
    assert "      the pipeline is for a merge request" in said
    assert "  • run it for the branch feature/login" in said


def test_why_of_an_open_job_says_what_settles_it(clone: Path) -> None:
    (clone / ".gitlab-ci.yml").write_text(
        "publish:\n  rules:\n    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n  script: [x]\n"
    )
    text = run("why", "publish").output
    assert "CI_DEFAULT_BRANCH is not known here" in text
    assert "depends on what is not known here" in text
    assert "No change" not in text
    assert (
        "publish is not in the pipeline." in run("why", "publish", "--set", "CI_DEFAULT_BRANCH=trunk").output
    )


@pytest.mark.parametrize("command", [("show",), ("lint",), ("explain", "V11")])
def test_variables_that_multiply_and_huge_numbers_end_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    tower = [f'V{level}: "{f"$V{level - 1}" * 10}"' for level in range(1, 12)]
    lines = ["variables:", '  V0: "0123456789"', *(f"  {line}" for line in tower), f"  A: {'9' * 6000}"]
    (tmp_path / ".gitlab-ci.yml").write_text("\n".join([*lines, "build: {script: [env]}", ""]))
    monkeypatch.chdir(tmp_path)
    found = run(*command, "--job", "build", "--ref", "main")
    assert found.exception is None
    assert (
        "V11" if command == ("show",) else "the job's variables expand to more than 2 MiB"
    ) in found.output
    assert len(found.output) < 20_000
