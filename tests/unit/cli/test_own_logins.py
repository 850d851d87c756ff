"""Logins that a job's script makes itself, and variables that nothing defines, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from jobclone import make_clone, run_vars

from dockpass.cli.main import cli

CANARY = "Canary4f7Kq2wE-hunter"
YAML = f"""\
variables: {{CI_REGISTRY: registry.example.com, CI_REGISTRY_IMAGE: registry.example.com/acme/shop}}
publish:
  image: docker:$TAG
  script:
    - echo "$PUSH_TOKEN" | docker login -u bot --password-stdin $CI_REGISTRY
    - docker push $CI_REGISTRY_IMAGE
careless:
  script: ["docker login -u bot -p {CANARY} registry.example.com", "echo {CANARY}"]
plain:
  script: [docker push $CI_REGISTRY_IMAGE]
"""
TOLD = (
    "This job logs in itself: `docker login` at .gitlab-ci.yml:5 (to $CI_REGISTRY as bot with $PUSH_TOKEN)."
)


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_clone(tmp_path / "shop", YAML)
    monkeypatch.chdir(root)
    return root


def explained(*arguments: str) -> str:
    return CliRunner().invoke(cli, ["explain", "push", *arguments], standalone_mode=False).output


def test_explain_says_once_that_the_job_logs_in_itself() -> None:
    assert explained("--job", "publish").count(TOLD) == 1
    found = json.loads(
        CliRunner()
        .invoke(cli, ["explain", "push", "--job", "publish", "--json"], standalone_mode=False)
        .stdout
    )["findings"]
    assert [each["severity"] for each in found if each["id"] == "own-login"] == ["note"]
    assert "logs in itself" not in explained("--job", "plain")
    assert "logs in itself" not in explained("--ref", "main")


def test_show_lists_the_login_and_what_nothing_defines() -> None:
    text = run_vars("show", "--job", "publish").stdout
    assert text.count(TOLD) == 1
    assert "used, defined nowhere that is loaded\n  PUSH_TOKEN  script .gitlab-ci.yml:5\n" in text
    assert "  TAG         image .gitlab-ci.yml:3\n" in text
    found = json.loads(run_vars("show", "--job", "publish", "--json").stdout)
    assert found["undefined"] == [
        {"name": "PUSH_TOKEN", "used_by": "script", "file": ".gitlab-ci.yml", "line": 5},
        {"name": "TAG", "used_by": "image", "file": ".gitlab-ci.yml", "line": 3},
    ]
    assert found["own_logins"] == [
        {
            "program": "docker login",
            "file": ".gitlab-ci.yml",
            "line": 5,
            "address": "$CI_REGISTRY",
            "username": "bot",
            "secret_from": ["PUSH_TOKEN"],
            "password_in_script": False,
        }
    ]


def test_explain_of_a_variable_tells_where_it_is_used_and_which_login_uses_it() -> None:
    text = run_vars("explain", "PUSH_TOKEN", "--job", "publish").stdout
    assert "is not defined in any source that is loaded.\n  used  script .gitlab-ci.yml:5\n" in text
    assert TOLD in run_vars("explain", "CI_REGISTRY", "--job", "publish").stdout
    assert TOLD not in run_vars("explain", "CI_REGISTRY_IMAGE", "--job", "publish").stdout
    found = json.loads(run_vars("explain", "PUSH_TOKEN", "--job", "publish", "--json").stdout)
    assert found["used"] == {"used_by": "script", "file": ".gitlab-ci.yml", "line": 5}


def test_a_variable_of_the_settings_is_defined(clone: Path) -> None:
    (clone / "settings.json").write_text(json.dumps([{"key": "PUSH_TOKEN", "value": "", "protected": True}]))
    text = run_vars(
        "show", "--job", "publish", "--unprotected", "--project-variables", "settings.json"
    ).stdout
    assert "PUSH_TOKEN  project settings.json:1: protected" in text
    assert "PUSH_TOKEN  script" not in text


@pytest.mark.parametrize("verb", [("show",), ("explain", "CI_REGISTRY"), ("lint",), ("show", "--json")])
def test_a_password_in_a_script_is_masked_everywhere(verb: tuple[str, ...]) -> None:
    assert CANARY not in run_vars(*verb, "--job", "careless").output
    assert CANARY not in explained("--job", "careless")
    assert CANARY not in explained("--job", "careless", "--set", f"X={CANARY}")
