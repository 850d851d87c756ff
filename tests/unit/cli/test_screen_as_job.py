"""The bare command with `--job`: the screen begins with the logins of that job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from jobclone import CANARY, make_clone
from program import Program
from terminal import Terminal

from dockpass.cli.main import cli
from dockpass.errors import UsageError

YAML = """\
variables: {CI_REGISTRY: registry.example.com, CI_REGISTRY_IMAGE: registry.example.com/acme/shop}
publish:
  environment: production
  script: ['echo "$PUSH_TOKEN" | docker login -u bot --password-stdin $CI_REGISTRY']
"""
SETTINGS = [
    {"key": "WERF_DOCKER_CONFIG", "value": "/of/the/job", "protected": True},
    {"key": "T", "value": CANARY},
]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path, {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    yield made
    made.remove()


def test_the_screen_begins_as_the_job_with_its_pipeline_and_settings(program: Program) -> None:
    make_clone(program.work, YAML, settings=SETTINGS)
    options = ("--job", "publish", "--ref", "main", "--protected", "--project-variables", "settings.json")
    terminal = Terminal(program, *options, columns=150, rows=50)
    for words in ("as publish on main", "/of/the/job", "This job logs in itself"):
        assert terminal.shows(words), terminal.text
    terminal.answers("v", "environment production")
    assert CANARY.encode() not in terminal.raw
    terminal.press("q")
    assert terminal.ends() == 0


SCENARIO = """\
schema = 1
job = "publish"
context = { ref = "main", protected = true }
[[source]]
kind = "gitlab-api-json"
path = "../settings.json"
"""


def test_the_screen_begins_in_a_scenario_with_the_options_on_top(program: Program) -> None:
    clone = make_clone(program.work, YAML, settings=SETTINGS)
    (clone / "scenarios").mkdir()
    (clone / "scenarios/main.toml").write_text(SCENARIO)
    terminal = Terminal(program, "--scenario", "scenarios/main.toml", columns=150, rows=50)
    for words in ("as publish on main", "scenarios/main.toml", "/of/the/job"):
        assert terminal.shows(words), terminal.text
    terminal.answers("S", "is open")
    assert CANARY.encode() not in terminal.raw
    terminal.press("q")
    assert terminal.ends() == 0
    options = ("--scenario", "scenarios/main.toml", "--unprotected", "--set", "CI_REGISTRY=other.example.com")
    terminal = Terminal(program, *options, columns=150, rows=50)
    for words in ("as publish on main", "scenarios/main.toml, changed", "other.example.com"):
        assert terminal.shows(words), terminal.text
    terminal.press("q")
    assert terminal.ends() == 0


@pytest.mark.parametrize(
    ("arguments", "id_"),
    [
        (("--job", "publihs"), "no-such-job"),
        (("--job", "publish", "--project-variables", "none.json"), ""),
        (("--scenario", "none.toml"), "scenario-missing"),
    ],
)
def test_what_cannot_be_resolved_is_said_before_the_screen(
    arguments: tuple[str, ...], id_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make_clone(tmp_path / "shop", YAML))
    monkeypatch.setattr("dockpass.cli.screen._require_terminal", lambda **_: None)
    result = CliRunner().invoke(cli, [*arguments], standalone_mode=False)
    assert isinstance(result.exception, UsageError)
    assert not id_ or result.exception.id == id_


def test_options_of_a_job_before_a_command_are_refused() -> None:
    result = CliRunner().invoke(cli, ["--job", "publish", "explain", "push"], standalone_mode=False)
    assert "Put it after: dockpass explain --job" in str(result.exception)
