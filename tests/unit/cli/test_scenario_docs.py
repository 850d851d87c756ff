"""The scenarios of the documentation hold, and the lines for GitLab CI and the commit hook run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from docpages import ROOT
from gitlabcilocal import program as gitlab_ci_local

from dockpass.cli.main import cli

PAGE = (ROOT / "docs/scenarios.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "docs/scenarios").glob("*.toml"))


def blocks() -> list[Any]:
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


JOB = next(block["scenarios"] for block in blocks() if "scenarios" in block)
HOOK = next(block["repos"][0]["hooks"][0] for block in blocks() if "repos" in block)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_each_example_is_as_it_expects(path: Path) -> None:
    ended = CliRunner().invoke(cli, ["scenario", "check", str(path)], standalone_mode=False)
    assert ended.exit_code == 0, ended.stdout


def test_the_page_names_every_example() -> None:
    assert {f"scenarios/{path.name}" for path in EXAMPLES} == set(
        re.findall(r"\((scenarios/[\w-]+\.toml)\)", PAGE)
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone with a scenario that holds and one that does not, and dockpass on PATH."""
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=tmp_path, check=True)
    (tmp_path / ".gitlab-ci.yml").write_text(
        "publish: {script: [docker push x], rules: [{if: $CI_COMMIT_TAG}]}\n"
    )
    (tmp_path / "scenarios").mkdir()
    text = 'schema = 1\ncontext = {{ ref = "main" }}\n[expect]\n{} = ["publish"]\n'
    (tmp_path / "scenarios/good.toml").write_text(text.format("jobs_absent"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/dockpass").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dockpass "$@"\n')
    (tmp_path / "bin/dockpass").chmod(0o755)
    return tmp_path


def break_one(project: Path) -> None:
    text = (project / "scenarios/good.toml").read_text()
    (project / "scenarios/bad.toml").write_text(text.replace("jobs_absent", "jobs"))


def run(project: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    tui = str(ROOT / "tui")
    path = f"{project / 'bin'}:/usr/bin:/bin"
    environ = {
        "PATH": path,
        "HOME": str(project),
        "PYTHONPATH": tui,
        "DOCKPASS_STATE": str(project / "state"),
    }
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True)


def test_the_entry_of_the_commit_hook_passes_and_fails(project: Path) -> None:
    command = shlex.split(HOOK["entry"])
    assert run(project, command).returncode == 0
    break_one(project)
    ended = run(project, command)
    assert (ended.returncode, "job publish: expected in the pipeline" in ended.stdout) == (1, True), ended
    assert re.search(HOOK["files"], "scenarios/good.toml")
    assert re.search(HOOK["files"], ".gitlab-ci.yml")


def test_the_script_for_gitlab_ci_writes_its_reports(project: Path) -> None:
    break_one(project)
    assert run(project, ["sh", "-e", "-c", "\n".join(JOB["script"])]).returncode == 1
    reports = JOB["artifacts"]["reports"]
    assert "<failure" in (project / reports["junit"]).read_text()
    (issue,) = json.loads((project / reports["codequality"]).read_text())
    assert issue["location"] == {"path": "scenarios/bad.toml", "lines": {"begin": 4}}


def test_gitlab_ci_local_runs_the_job(project: Path) -> None:
    command = [*gitlab_ci_local(), "scenarios", "--quiet", "--home", str(project / "home")]
    text = (project / ".gitlab-ci.yml").read_text()
    job = {name: value for name, value in JOB.items() if name not in {"image", "before_script"}}
    (project / ".gitlab-ci.yml").write_text(text + yaml.safe_dump({"scenarios": job}))
    for words in (
        ["remote", "add", "origin", "git@gitlab.example.com:acme/shop.git"],
        ["add", "-A"],
        ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *words], cwd=project, check=True)
    ended = run(project, command)
    assert ended.returncode == 0, ended.stdout + ended.stderr
