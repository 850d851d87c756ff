"""What people come for, each as they would do it on the command line. The screen's own tests have its keys."""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jobclone import CANARY, make_clone
from jobclone import run_vars as run
from program import Program

YAML = """\
default: {image: alpine}
variables:
  GREETING: hello
  IMAGE: $CI_REGISTRY_IMAGE/app:$CI_COMMIT_REF_SLUG
.login:
  variables: {USER_NAME: bot}
publish:
  extends: .login
  environment: $STAGE
  variables: {GREETING: "$GREETING", CI_REGISTRY: registry.example.com, CI_REGISTRY_IMAGE: registry.example.com/acme/shop}
  script: [docker push]
cleanup:
  variables: {CI_REGISTRY: registry.example.com, CI_REGISTRY_IMAGE: registry.example.com/acme/shop}
  script: [dockpass cleanup]
"""
CLEANUP = "WERF_IMAGES_CLEANUP_PASSWORD"
SETTINGS: list[dict[str, Any]] = [
    {"key": CLEANUP, "value": CANARY, "protected": True, "masked": True},
    {"key": "PASS", "value": "any", "environment_scope": "*"},
    {"key": "PASS", "value": "pattern", "environment_scope": "prod*"},
    {"key": "PASS", "value": "exact", "environment_scope": "production"},
    {"key": "CUT_PASSWORD", "value": "pa$sword", "raw": False},
]
GIVEN = ("--project-variables", "settings.json")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_clone(tmp_path / "shop", YAML, settings=SETTINGS)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    yield made
    made.remove()


def shown(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("show", "--json", *GIVEN, *arguments).stdout)
    return found


def variables(*arguments: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in shown(*arguments)["variables"]}


def login_of(command: str, *arguments: str) -> dict[str, Any]:
    return next(each for each in shown(*arguments)["logins"] if each["command"] == command)


def test_story_1_see_what_ci_would_see(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was sent")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    found = variables("--job", "publish", "--protected")
    assert found["IMAGE"]["value"] == "registry.example.com/acme/shop/app:feature-login"
    assert found["GREETING"]["value"] == "$GREETING", "within the YAML there is one of a name"
    assert found["GREETING"]["source"] == {"level": "yaml:job", "file": ".gitlab-ci.yml", "line": 10}
    assert found["USER_NAME"]["source"] == {"level": "yaml:job", "file": ".gitlab-ci.yml", "line": 6}
    assert found["PASS"]["source"]["file"] == "settings.json"
    for everything in ((), ("--all",), ("--json",)):
        assert CANARY not in run("show", "--job", "publish", "--protected", *GIVEN, *everything).output


def test_story_2_why_is_my_token_empty(clone: Path) -> None:
    away = run("explain", CLEANUP, "--job", "cleanup", "--unprotected", *GIVEN).output
    assert f"{CLEANUP} is absent: the job does not get it." in away
    assert "settings.json:1  PM  protected, and feature/login is not" in away
    for way in ("protect the branch feature/login", "take off the flag Protected in the project's settings"):
        assert way in away
    assert login_of("cleanup", "--job", "cleanup", "--unprotected")["method"] == "autologin"
    assert login_of("cleanup", "--job", "cleanup", "--protected")["method"] == "cleanup-token"


def test_story_3_which_environments_password_is_used(clone: Path) -> None:
    def password(environment: str) -> tuple[str, list[str]]:
        found = variables("--job", "publish", "--environment", environment)["PASS"]
        return found["scope"], [each["scope"] for each in found["overridden"]]

    assert password("production") == ("production", ["prod*", "*"])
    assert password("prod-eu") == ("prod*", ["*", "production"])
    assert password("staging") == ("*", ["prod*", "production"])
    assert password("") == ("*", ["prod*", "production"])
    more = [*SETTINGS, {"key": "PASS", "value": "other", "environment_scope": "*duction"}]
    (clone / "settings.json").write_text(json.dumps([each for each in more if each["value"] != "exact"]))
    told = run("lint", "--job", "publish", "--environment", "production", *GIVEN).output
    assert "PASS has two scopes that match equally well" in told


def test_story_4_my_password_is_cut(clone: Path) -> None:
    linted = run("lint", "--job", "publish", "--json", *GIVEN)
    found = {each["id"]: each for each in json.loads(linted.stdout)["findings"]}["cut-by-expansion"]
    assert (found["about"], found["severity"], linted.exit_code) == ("CUT_PASSWORD", "error", 1)
    assert "it has 8, and the job sees 2" in found["message"]
    explained = run("explain", "CUT_PASSWORD", "--job", "publish", *GIVEN).output
    for way in ("switch off “Expand variable reference”", "write $$ for each $"):
        assert way in explained
    (clone / "settings.json").write_text(json.dumps([{**each, "raw": True} for each in SETTINGS]))
    after = json.loads(run("lint", "--job", "publish", "--json", *GIVEN).stdout)["findings"]
    assert "cut-by-expansion" not in {each["id"] for each in after}


def test_story_5_compare_local_and_ci(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = [
        "\x1b[32;1m$ export\x1b[0;m",
        'export CI_REGISTRY="registry.example.com"',
        'export CI_REGISTRY_IMAGE="registry.example.com/acme/shop"',
        f'export {CLEANUP}="[MASKED]"',
        'export CI_JOB_TOKEN="[MASKED]"',
        *(f'export FILLER_{number}="{number}"' for number in range(200)),
    ]
    stamped = "".join(f"2026-01-01T00:00:00.000000Z 00O {line}\n" for line in log)
    (clone / "job.log").write_text(stamped)
    found = json.loads(run("diff", "job.log", "job:cleanup,protected", "--json", *GIVEN).stdout)
    assert found["left"] == "job.log (job-log)"
    differing = {each["name"]: each for each in found["differences"]}
    assert CLEANUP not in differing, "a masked value is unknown, and no difference"
    assert "FILLER_7" in differing
    text = run("diff", "job.log", "job:publish,unprotected", *GIVEN).output
    assert "changes a login" in text
    assert "\x1b" not in text


def test_story_6_what_if_i_set_a_cleanup_password(clone: Path) -> None:
    def files() -> dict[str, str]:
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in clone.rglob("*")
            if path.is_file() and ".git/" not in str(path)
        }

    before = files()
    given = ("--job", "cleanup", "--unprotected")
    assert login_of("cleanup", *given)["username"] == "gitlab-ci-token"
    edited = login_of("cleanup", *given, "--set", f"{CLEANUP}={CANARY}")
    assert (edited["method"], edited["username"]) == ("cleanup-token", "werf-cleanup")
    assert variables(*given, "--set", f"{CLEANUP}={CANARY}")[CLEANUP]["source"]["level"] == "what-if"
    assert CANARY not in run("show", *given, *GIVEN, "--set", f"{CLEANUP}={CANARY}").output
    assert files() == before


def test_story_7_run_it_safely(program: Program) -> None:
    program.home_config.parent.mkdir()
    program.home_config.write_text('{"auths": {"registry.example": {"auth": "bWU6b2xk"}}}')
    before = hashlib.sha256(program.home_config.read_bytes()).hexdigest()
    job = {
        "CI_REGISTRY": "registry.example",
        "CI_JOB_TOKEN": CANARY,
        "CI_REGISTRY_IMAGE": "registry.example/a/b",
    }
    program.environ |= {**job, "DOCKER_AUTH_CONFIG": '{"auths": {"registry.example": {"auth": "bWU6b2xk"}}}'}
    told = program.run("explain", "push", "--json")
    assert "auth-config-wins" in {each["id"] for each in json.loads(told.stdout)["findings"]}
    seen = 'echo "$DOCKER_CONFIG:$DOCKER_AUTH_CONFIG"; '
    ended = program.run("exec", "--", "sh", "-c", seen + "ps -o args= -p $PPID")
    directory, _, left = ended.stdout.splitlines()[0].partition(":")
    assert (left, Path(directory).exists()) == ("", False)
    assert CANARY not in ended.stdout + ended.stderr
    running = subprocess.Popen(
        program.command("exec", "-q", "--", "sh", "-c", seen + "exec sleep 60"),
        cwd=program.work,
        env=program.variables(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None
    directory = running.stdout.readline().partition(":")[0]
    assert Path(directory, "config.json").exists()
    running.send_signal(signal.SIGINT)  # as Ctrl-C does
    assert running.wait(20) == -signal.SIGINT
    running.stdout.close()
    assert not Path(directory).exists()
    assert hashlib.sha256(program.home_config.read_bytes()).hexdigest() == before


def test_story_8_save_and_share(clone: Path) -> None:
    given = ("--job", "publish", "--environment", "production", "--protected")
    ended = run("export", "--format", "gitlab-json", "--output", "shared.json", *given, *GIVEN)
    assert ended.exit_code == 0, ended.output
    assert CANARY not in (clone / "shared.json").read_text()
    again = {
        each["name"]: each["value"]
        for each in json.loads(run("show", "--json", "--project-variables", "shared.json", *given).stdout)[
            "variables"
        ]
    }
    first = {name: each["value"] for name, each in variables(*given).items() if not each["secret"]}
    assert first.keys() >= {"GREETING", "IMAGE", "USER_NAME"}
    assert {name: again[name] for name in first} == first
    assert again[CLEANUP] is None, "it is there, and its value is not"
    missing = run("show", "--project-variables", "nothing.json", *given)
    assert "nothing.json" in str(missing.exception)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (".gitlab-ci-local-variables.yml", "PLAIN: v\nKEY: {values: {'prod*': p, production: q}}\n",
         {"PLAIN": "v", "KEY": "q"}),
        (".gitlab-ci-local/variables.yml", "global: {PLAIN: v}\nproject: {x/y.git: {KEY: q}}\n",
         {"PLAIN": "v", "KEY": "q"}),
        (".secrets", "plain=v\nKEY='q'\n", {"PLAIN": "v"}),
        (".env", "PLAIN=v\nKEY=q\n", {"PLAIN": "v", "KEY": "q"}),
        ("glab.json", 'Exporting variables from the acme/shop project:\n[{"key": "PLAIN", "value": "v"}]',
         {"PLAIN": "v"}),
    ],
)  # fmt: skip
def test_story_9_use_what_i_already_have(clone: Path, name: str, text: str, expected: dict[str, str]) -> None:
    path = clone / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    given = ("--job", "publish", "--environment", "production", "--project-variables", name)
    found = {each["name"]: each for each in json.loads(run("show", "--json", *given).stdout)["variables"]}
    for key, value in expected.items():
        assert found[key]["value"] == value
        assert found[key]["source"]["file"] == path.name
        assert found[key]["source"]["line"] > 0


def test_story_10_check_before_pushing(clone: Path) -> None:
    parts = [f"part{number}.yml" for number in range(20)]
    for part in parts:
        (clone / part).write_text(f".{part[:-4]}: {{variables: {{A: a}}}}\n")
    include = "".join(f"  - {part}\n" for part in parts)
    (clone / ".gitlab-ci.yml").write_text(f"include:\n{include}{YAML}")
    script = """
import atexit, sys
from dockpass.__main__ import main
def tell():
    print(sorted(name for name in ("textual", "docker", "aiohttp") if name in sys.modules), file=sys.stderr)
atexit.register(tell)
main()
"""
    line = ("vars", "lint", "--json", "--unprotected", *GIVEN)
    ended = subprocess.run([sys.executable, "-c", script, *line], capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr.splitlines()[-1] == "[]"
    found = json.loads(ended.stdout)["findings"]
    assert {"absent-protected", "cut-by-expansion"} <= {each["id"] for each in found}
    assert CANARY not in ended.stdout
