"""`dockpass scenario new`: a scenario for each job that logs in or pushes, which passes its own check."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dockpass.cli.main import cli

YAML = """\
default: {before_script: ['docker login -u "$CI_REGISTRY_USER" -p x $CI_REGISTRY']}
variables: {CI_REGISTRY: registry.example.com, CI_REGISTRY_IMAGE: registry.example.com/acme/shop}
publish app:
  rules: [{if: '$CI_COMMIT_BRANCH == "main"'}]
  script: [docker build -t x ., docker push x]
publish-app: {script: [docker buildx build --push .], rules: [{if: $CI_COMMIT_TAG}]}
reviews: {script: ['crane copy a b'], rules: [{if: $CI_PIPELINE_SOURCE == "merge_request_event"}]}
clean: {before_script: [], script: [werf cleanup --repo x], rules: [{if: $CI_PIPELINE_SOURCE == "schedule"}]}
test: {before_script: [], script: [make, docker pull x, docker build .]}
.hidden: {script: [docker push x]}
quiet: {inherit: {default: false}, script: [make]}
logged-in: {script: [make]}
"""
TOKEN = "gldt-Canary-4f7Kq2wE"
SETTINGS = [{"key": "WERF_IMAGES_CLEANUP_PASSWORD", "value": TOKEN, "protected": True, "masked": True}]


SMALL = """\
variables: {CI_REGISTRY: registry.example.com, CI_REGISTRY_IMAGE: registry.example.com/acme/shop}
publish: {script: [docker push x]}
"""


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    subprocess.run(["git", "init", "-q", "-b", "feature/x"], cwd=tmp_path, check=True)
    (tmp_path / ".gitlab-ci.yml").write_text(YAML)
    (tmp_path / "settings.json").write_text(json.dumps(SETTINGS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["scenario", *arguments], standalone_mode=False)


def written(name: str) -> dict[str, Any]:
    return tomllib.loads((Path("scenarios") / name).read_text())


def test_each_job_that_logs_in_or_pushes_has_its_two_scenarios() -> None:
    found = json.loads(run("new", "--json").stdout)["files"]
    assert [(each["file"], each["commands"], each["ref"]["type"], each["ref"]["name"]) for each in found] == [
        ("scenarios/publish-app-protected.toml", ["push", "build"], "branch", "main"),
        ("scenarios/publish-app-unprotected.toml", ["push", "build"], "branch", "feature/example"),
        ("scenarios/publish-app-2-protected.toml", ["push", "build"], "tag", "v1.0.0"),
        ("scenarios/publish-app-2-unprotected.toml", ["push", "build"], "tag", "v1.0.0"),
        ("scenarios/reviews-protected.toml", ["push"], "branch", "main"),
        ("scenarios/reviews-unprotected.toml", ["push"], "merge_request", "feature/example"),
        ("scenarios/clean-protected.toml", ["cleanup"], "branch", "main"),
        ("scenarios/clean-unprotected.toml", ["cleanup"], "branch", "feature/example"),
        ("scenarios/logged-in-protected.toml", ["push"], "branch", "main"),
        ("scenarios/logged-in-unprotected.toml", ["push"], "branch", "feature/example"),
    ]
    assert all(each["written"] for each in found)


def test_what_is_written_passes_its_own_check() -> None:
    assert run("new").exit_code == 0
    files = sorted(map(str, Path("scenarios").iterdir()))
    ended = run("check", *files)
    assert ended.exit_code == 0, ended.stdout


def test_it_has_what_is_found_now() -> None:
    run("new", "--project-variables", "settings.json")
    publish = written("publish-app-protected.toml")
    assert publish["context"] == {"ref": "main", "protected": True}
    assert publish["source"] == [
        {"kind": "gitlab-yaml", "path": "../.gitlab-ci.yml"},
        {"kind": "gitlab-api-json", "path": "../settings.json", "level": "project"},
    ]
    expected = publish["expect"]
    assert (expected["method"], expected["username"], expected["registry"]) == (
        *("autologin", "gitlab-ci-token", "registry.example.com"),
    )
    assert expected["jobs"] == ["publish app"]
    read = ["CI_JOB_TOKEN", "CI_REGISTRY", "CI_REGISTRY_IMAGE", "WERF_IMAGES_CLEANUP_PASSWORD"]
    assert expected["variables"] == read
    other = written("publish-app-unprotected.toml")["expect"]
    assert other == {"jobs_absent": ["publish app"]}
    assert written("logged-in-unprotected.toml")["expect"]["variables_absent"] == [
        "WERF_IMAGES_CLEANUP_PASSWORD"
    ]
    assert TOKEN not in "".join(each.read_text() for each in Path("scenarios").iterdir())


def test_nothing_is_overwritten(clone: Path) -> None:
    (clone / ".gitlab-ci.yml").write_text(SMALL)
    (clone / "scenarios").mkdir()
    (clone / "scenarios/publish-protected.toml").write_text("mine")
    (clone / "scenarios/publish-unprotected.toml").symlink_to(clone / "nowhere")
    ended = run("new")
    assert (clone / "scenarios/publish-protected.toml").read_text() == "mine"
    assert not (clone / "nowhere").exists()
    assert ended.stdout.count("already exists and was not changed") == 2
    assert json.loads(run("new", "--json").stdout)["files"][0]["written"] is False


def test_a_disk_that_is_full_leaves_no_half_of_a_scenario(clone: Path) -> None:
    limited = f"ulimit -f 0; exec {sys.executable} -m dockpass scenario new"
    ended = subprocess.run(["sh", "-c", limited], capture_output=True, text=True)
    assert ended.returncode == 2
    assert "The scenario cannot be written: File too large" in ended.stderr
    assert not list((clone / "scenarios").iterdir())


def test_a_check_tells_what_changes_later(clone: Path) -> None:
    (clone / ".gitlab-ci.yml").write_text(SMALL)
    run("new", "--project-variables", "settings.json")
    (clone / "settings.json").write_text(json.dumps([{**SETTINGS[0], "protected": False}]))
    ended = run("check", "scenarios/publish-unprotected.toml")
    assert ended.exit_code == 1
    assert "variable WERF_IMAGES_CLEANUP_PASSWORD: expected absent, found present" in ended.stdout


def test_a_directory_that_leads_out_of_the_repository_is_refused(clone: Path, tmp_path_factory: Any) -> None:
    (clone / ".gitlab-ci.yml").write_text(SMALL)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (clone / "scenarios").symlink_to(elsewhere)
    with pytest.raises(Exception, match="leads out of the repository"):
        CliRunner().invoke(cli, ["scenario", "new"], standalone_mode=False, catch_exceptions=False)
    assert list(elsewhere.iterdir()) == []
    assert run("new", "--output", str(elsewhere)).exit_code == 0
    assert run("check", *map(str, elsewhere.iterdir())).exit_code == 0


def test_a_project_without_such_a_job_is_told(clone: Path) -> None:
    (clone / ".gitlab-ci.yml").write_text("test: {script: [make]}\n")
    with pytest.raises(Exception, match="No job of this project logs in"):
        CliRunner().invoke(cli, ["scenario", "new"], standalone_mode=False, catch_exceptions=False)
    assert run("new", "--job", "test").exit_code == 0
    assert written("test-protected.toml")["job"] == "test"


@pytest.mark.parametrize("job", [f"push {TOKEN}", f"'{TOKEN}'", f"a {TOKEN.upper()} {TOKEN}"])
def test_a_job_whose_name_holds_a_secret_is_skipped_and_told(clone: Path, job: str) -> None:
    (clone / ".gitlab-ci.yml").write_text(SMALL + f'"{job}": {{script: [docker push x]}}\n')
    given = ("new", "--project-variables", "settings.json")
    ended = run(*given)
    assert ended.exit_code == 0
    assert ended.stdout.count("was skipped: name holds a secret") == 2
    assert "2 new scenarios; `dockpass scenario check scenarios/*.toml` tests them" in ended.stderr
    files = sorted(each.name for each in Path("scenarios").iterdir())
    assert files == ["publish-protected.toml", "publish-unprotected.toml"]
    again = json.loads(run(*given, "--json").stdout)["files"]
    assert [(each["file"] is None, each["secret_at"]) for each in again] == [
        *((False, None), (False, None)),
        *((True, "name"), (True, "name")),
    ]
    assert TOKEN.lower() not in (ended.output + json.dumps(again)).lower()


def test_a_job_that_is_named_and_whose_name_holds_a_secret_is_an_error(clone: Path) -> None:
    (clone / ".gitlab-ci.yml").write_text(f"push {TOKEN}: {{script: [docker push x]}}\n")
    ended = run("new", "--project-variables", "settings.json", "--job", f"push {TOKEN}")
    assert getattr(ended.exception, "id", "") == "scenario-secret"
    assert list(Path("scenarios").iterdir()) == []


def test_settings_that_were_imported_stay_as_references(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dockpass.variables.gitlab.model import Definition, Level, Ref
    from dockpass.variables.gitlabplace import GitlabPlace
    from dockpass.variables.snapshot import Extent, Reach, Snapshot
    from dockpass.variables.snapshotfile import keep_snapshot

    remote = ["git", "remote", "add", "origin", "git@gitlab.example.com:acme/shop.git"]
    subprocess.run(remote, cwd=clone, check=True)
    monkeypatch.setenv("DOCKPASS_STATE", str(clone / "state"))
    definitions = (
        Definition(
            key="CI_DEPLOY_PASSWORD", value=TOKEN, level=Level.GROUP, origin="acme", scope="production"
        ),
        Definition(key="CI_DEPLOY_PASSWORD", value=TOKEN, level=Level.PROJECT, protected=True),
        Definition(key="EMPTY", value="", level=Level.PROJECT),
    )
    snapshot = Snapshot(
        server="https://gitlab.example.com",
        project="acme/shop",
        taken=0.0,
        ref=Ref(name="main", protected=None),
        levels=(Reach(Level.PROJECT, "", Extent.WHOLE),),
        definitions=definitions,
        default_branch="trunk",
        registry="registry.example.com:5000",
    )
    keep_snapshot(clone / "state", GitlabPlace("https://gitlab.example.com", "acme/shop", ""), snapshot)
    (clone / ".gitlab-ci.yml").write_text("publish: {script: [docker push x]}\n")
    assert run("new").exit_code == 0
    found = written("publish-protected.toml")
    assert found["context"]["ref"] == "trunk"
    assert found["variable"] == [
        {"key": "CI_DEFAULT_BRANCH", "value": "trunk", "level": "predefined"},
        {"key": "CI_REGISTRY", "value": "registry.example.com:5000", "level": "predefined"},
        {"key": "CI_REGISTRY_IMAGE", "value": "registry.example.com:5000/acme/shop", "level": "predefined"},
        {
            "key": "CI_DEPLOY_PASSWORD",
            "secret": {"gitlab": "acme/shop", "key": "CI_DEPLOY_PASSWORD", "scope": "production"},
            "level": "group",
            "group": "acme",
            "scope": "production",
        },
        {
            "key": "CI_DEPLOY_PASSWORD",
            "secret": {"gitlab": "acme/shop", "key": "CI_DEPLOY_PASSWORD"},
            "level": "project",
            "flags": ["protected"],
        },
        {"key": "EMPTY", "value": "", "level": "project"},
    ]
    monkeypatch.setenv("DOCKPASS_STATE", str(clone / "nothing"))
    subprocess.run(["git", "remote", "remove", "origin"], cwd=clone, check=True)
    ended = run("check", "scenarios/publish-protected.toml", "scenarios/publish-unprotected.toml")
    assert ended.exit_code == 0, ended.stdout


def test_a_job_of_schedules_is_looked_at_in_a_schedule(clone: Path) -> None:
    (clone / ".gitlab-ci.yml").write_text(
        "nightly:\n  rules: [{if: '$CI_PIPELINE_SOURCE == \"schedule\"'}]\n  script: [docker push x]\n"
        "merged:\n  rules: [{if: '$CI_PIPELINE_SOURCE == \"merge_request_event\"'}]\n  script: [docker push x]\n"
        "always:\n  script: [docker push x]\n"
    )
    assert run("new").exit_code == 0
    for kind in ("protected", "unprotected"):
        nightly = Path(f"scenarios/nightly-{kind}.toml").read_text()
        assert 'pipeline_source = "schedule"' in nightly
        assert 'jobs = [\n    "nightly",\n]' in nightly
        assert "schedule" not in Path(f"scenarios/always-{kind}.toml").read_text()
    assert 'ref_type = "merge_request"' in Path("scenarios/merged-unprotected.toml").read_text()
    assert run("check", *map(str, sorted(Path("scenarios").iterdir()))).exit_code == 0
