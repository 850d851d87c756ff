"""`dockpass vars import gitlab`, and what `vars` makes of it: with the sandbox's GitLab."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from jobclone import make_clone
from jobclone import run_vars as run

from dockpass.cli import gitlab_import
from dockpass.sandbox.faults import Faults
from dockpass.sandbox.gitlab_world import RELEASES
from dockpass.sandbox.sample import PROJECT
from dockpass.sandbox.server import SandboxServer
from dockpass.sandbox.tokens import number_of

YAML = """\
include:
  - remote: https://example.com/shared.yml
publish:
  environment: production
  script: [dockpass push]
"""


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as made:
        yield made


@pytest.fixture
def sandbox(server: SandboxServer) -> SandboxServer:
    server.faults = Faults()
    return server


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer) -> Path:
    """A clone of the sandbox's project, on a feature branch."""
    origin = f"{sandbox.url}/{PROJECT}.git"
    root = make_clone(tmp_path / "shop", YAML, branch="feature/basket", origin=origin)
    monkeypatch.chdir(root)
    for name in ("CI_SERVER_URL", "CI_PROJECT_PATH", "CI_JOB_TOKEN", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DOCKPASS_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("GITLAB_TOKEN", sandbox.accounts.personal.secret.reveal())
    return root


def imported(*arguments: str) -> Result:
    found = run("import", "gitlab", "--yes", *arguments)
    assert found.exception is None or found.exit_code == 0, found.output
    return found


def shown(*arguments: str) -> tuple[dict[str, dict[str, object]], dict[str, object], str]:
    result = run("show", "--job", "publish", "--json", *arguments)
    found = json.loads(result.stdout)
    return {each["name"]: each for each in found["variables"]}, found, result.stderr


def asked(sandbox: SandboxServer) -> list[str]:
    return [each.path for each in sandbox.requests if each.path.startswith("/api/")]


def secrets_in(sandbox: SandboxServer, *texts: str) -> list[str]:
    """The users whose secret is in one of the texts."""
    return [each.username for each in sandbox.accounts if any(each.secret.reveal() in text for text in texts)]


def test_an_import_is_told_in_one_line_and_by_level(clone: Path) -> None:
    text = imported().stdout
    assert text.startswith(
        "9 of the project, 3 of the group workshop (values unknown), those of the instance not readable;"
        " feature/basket is not protected\n"
    )
    assert "project             9, 2 of them protected" in text
    assert "instance            not readable: 403 Forbidden" in text
    assert "protected branches  main, release/*" in text
    assert "valid on feature/basket, whose pipeline has: build, publish" in text


def test_the_snapshot_decides_what_the_branch_gets(clone: Path) -> None:
    before, whole, said = shown()
    assert (whole["settings"], "WERF_IMAGES_CLEANUP_PASSWORD" in before) == (None, False)
    assert "`dockpass vars import gitlab` reads them" in said
    imported()
    found, whole, said = shown()
    assert whole["ref"] == {"type": "branch", "name": "feature/basket", "protected": False}
    absent = {each["name"]: each["reason"] for each in whole["absent"]}  # type: ignore[attr-defined]
    assert absent["WERF_IMAGES_CLEANUP_PASSWORD"] == "project: protected, and feature/basket is not"
    assert absent["SHARED_DEPLOY_TOKEN"] == "group:workshop: protected, and feature/basket is not"
    assert found["SHOP_URL"]["scope"] == "production"
    assert found["SHOP_URL"]["value"] is None
    assert found["FEATURE_FLAGS"]["value"] == ""
    assert found["CI_REGISTRY_IMAGE"]["value"] == f"{whole['settings']['server'][7:]}/{PROJECT}"  # type: ignore[index]
    assert "read just now: names and flags, no values" in said
    assert "you may not read the variables of the instance (403 Forbidden)" in said


def test_a_protected_branch_gets_more(clone: Path) -> None:
    imported()
    found, whole, _ = shown("--ref", "main")
    assert whole["ref"]["protected"] is True  # type: ignore[index]
    assert found["WERF_IMAGES_CLEANUP_PASSWORD"]["value"] is None
    logins = {each["command"]: each for each in whole["logins"]}  # type: ignore[attr-defined]
    assert logins["cleanup"]["method"] == "cleanup-token"
    assert "WERF_IMAGES_CLEANUP_PASSWORD" in logins["cleanup"]["unknown"]
    assert shown("--tag", "v2")[1]["ref"]["protected"] is True  # type: ignore[index]
    assert shown("--tag", "x2")[1]["ref"]["protected"] is False  # type: ignore[index]
    assert shown("--ref", "main", "--unprotected")[1]["ref"]["protected"] is False  # type: ignore[index]


def test_what_would_bring_a_job_knows_which_branches_are_protected(clone: Path) -> None:
    text = YAML + "ship:\n  rules: [{if: $RELEASES_PASSWORD}]\n  script: [x]\n"
    (clone / ".gitlab-ci.yml").write_text(text)
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    for arguments in (
        ("add", "."),
        ("commit", "-q", "-m", "x"),
        ("branch", "release/1"),
        ("branch", "other"),
    ):
        subprocess.run(["git", *identity, *arguments], cwd=clone, check=True)
    imported()
    ways = json.loads(run("why", "ship", "--json").stdout)["bring"]
    words = [str(way) for way in ways]
    assert any("release/1" in each for each in words), words
    assert not any("other" in each for each in words), words


def test_the_logins_change_with_the_branch(clone: Path) -> None:
    imported()
    logins = {each["command"]: each["method"] for each in shown()[1]["logins"]}  # type: ignore[attr-defined]
    assert logins["cleanup"] == "autologin", "the cleanup token is protected, and the branch is not"


def test_values_are_fetched_when_asked_for_and_stay_in_memory(clone: Path, sandbox: SandboxServer) -> None:
    imported()
    result = run("show", "--ref", "main", "--environment", "production", "--from-gitlab", "--json")
    found = {each["name"]: each for each in json.loads(result.stdout)["variables"]}
    assert found["SHOP_URL"]["value"] == "https://shop.example.com"
    assert found["WERF_IMAGES_CLEANUP_PASSWORD"]["value"] == "••••"
    assert found["SIGNING_KEY"]["value"] is None
    assert found["RELEASES_IMAGE"]["value"] == f"{sandbox.host}/{RELEASES}"
    assert json.loads(result.stdout)["settings"]["values"] is True
    assert "just read" in result.stderr
    kept = "".join(path.read_text() for path in (clone.parent / "state").rglob("*") if path.is_file())
    assert "RELEASES_IMAGE" in kept
    assert "shop.example.com" not in kept
    assert secrets_in(sandbox, kept, result.output) == []


def test_a_scenario_names_variables_of_the_settings(clone: Path, sandbox: SandboxServer) -> None:
    imported()
    named = f'gitlab = "{PROJECT}", scope = "production"'
    (clone / "s.toml").write_text(
        'schema = 1\njob = "publish"\ncontext = { ref = "main", protected = true }\n'
        f'[[variable]]\nkey = "MINE"\nsecret = {{ {named}, key = "SHOP_URL" }}\n'
        f'[[variable]]\nkey = "NONE"\nsecret = {{ {named}, key = "NOPE" }}\n'
    )
    found, _, told = shown("--scenario", "s.toml")
    assert (found["MINE"]["value"], found["NONE"]["value"]) == (None, None)
    assert "RELEASES_IMAGE" not in found, "what was imported on this machine is left out"
    assert "MINE (s.toml:4) is set, but its value is not known here: it is read only where" in told
    found, _, told = shown("--scenario", "s.toml", "--from-gitlab")
    assert (found["MINE"]["value"], found["NONE"]["value"]) == ("••••", None)
    assert "GitLab has no such variable" in told
    assert secrets_in(sandbox, told, json.dumps(found)) == []


def test_the_configuration_is_gitlabs_where_includes_are_not_here(clone: Path) -> None:
    assert run("why", "build").exception is not None, "the clone's own file has no such job"
    result = run("why", "build", "--from-gitlab", "--yes", "--json")
    assert json.loads(result.stdout)["included"] is True
    assert "the configuration is GitLab's merged YAML; what is not pushed is not in it" in result.stderr


def test_without_a_snapshot_nothing_of_it_counts(clone: Path) -> None:
    imported()
    found, whole, _ = shown("--no-snapshot")
    assert whole["settings"] is None
    assert whole["ref"]["protected"] is None  # type: ignore[index]
    assert "RELEASES_IMAGE" not in found


def test_a_file_takes_the_place_of_its_level(clone: Path) -> None:
    imported()
    (clone / "p.json").write_text(json.dumps([{"key": "MINE", "value": "x"}]))
    found, _, _ = shown("--project-variables", "p.json")
    assert found["MINE"]["value"] == "x"
    assert "RELEASES_IMAGE" not in found
    assert found["REGISTRY_MIRROR"]["source"]["level"] == "group:workshop"  # type: ignore[index]


def test_the_variables_of_a_pipeline_count_for_its_ref(clone: Path) -> None:
    text = imported("--pipeline", "118").stdout
    assert text.startswith("1 of pipeline 118, 9 of the project")
    assert "RUN_SMOKE_TESTS" in shown("--ref", "main")[0]
    found, _, said = shown()
    assert "RUN_SMOKE_TESTS" not in found
    assert "variables of the pipeline on main are left out" in said


def test_a_snapshot_can_be_forgotten(clone: Path) -> None:
    imported()
    assert f"removed what was kept of {PROJECT}" in run("import", "gitlab", "--forget").stderr
    assert "nothing is kept of" in run("import", "gitlab", "--forget").stderr
    assert shown()[1]["settings"] is None


def test_a_project_asked_for_by_its_number_is_kept_by_its_path(clone: Path, sandbox: SandboxServer) -> None:
    number = str(number_of(PROJECT))
    imported("--project", number)
    assert shown()[1]["settings"] is not None
    _, whole, said = shown("--project", number)
    assert whole["settings"] is None
    assert "is kept by its path: give --project GROUP/PROJECT" in said
    forgotten = run("import", "gitlab", "--forget", "--project", number)
    assert getattr(forgotten.exception, "id", "") == "gitlab-project-number"


def test_a_damaged_snapshot_is_told_and_the_rest_works(clone: Path) -> None:
    imported()
    (path,) = (clone.parent / "state" / "gitlab").iterdir()
    path.write_text("{")
    _, whole, said = shown()
    assert whole["settings"] is None
    assert f"{path} is not used: it is not JSON as dockpass writes it" in said
    imported()
    assert shown()[1]["settings"] is not None


def test_where_nothing_can_be_kept_the_answer_is_there(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clone.parent / "file").write_text("")
    monkeypatch.setenv("DOCKPASS_STATE", str(clone.parent / "file"))
    result = run("import", "gitlab", "--yes")
    assert result.stdout.startswith("9 of the project")
    assert getattr(result.exception, "id", "") == "system"
    result = run("show", "--from-gitlab", "--yes")
    assert result.exit_code == 0
    assert "what GitLab said is not kept: The system refused" in result.stderr


# The person's word


def test_without_a_terminal_and_a_yes_nothing_is_sent(clone: Path, sandbox: SandboxServer) -> None:
    before = len(asked(sandbox))
    result = run("import", "gitlab")
    assert getattr(result.exception, "id", "") == "gitlab-not-confirmed"
    assert getattr(result.exception, "exit_code", 0) == 5
    assert "--yes" in getattr(result.exception, "hint", "")
    assert f"server   {sandbox.url}" in result.stderr
    assert len(asked(sandbox)) == before


@pytest.mark.parametrize(("answer", "goes"), [("y\n", True), ("yes\n", True), ("\n", False), ("n\n", False)])
def test_on_a_terminal_the_person_is_asked_first(
    clone: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, answer: str, goes: bool
) -> None:
    monkeypatch.setattr(gitlab_import, "is_terminal", lambda: True)
    before = len(asked(sandbox))
    result = run("import", "gitlab", answer=answer)
    assert f"Read the settings of this project from {sandbox.host} with this token? [y/N]" in result.stderr
    assert f"project  {PROJECT}: the git remote origin names it" in result.stderr
    assert "token    from GITLAB_TOKEN" in result.stderr
    assert (len(asked(sandbox)) > before) is goes
    assert (getattr(result.exception, "id", "") == "cancelled") is not goes


def test_who_agreed_once_is_not_asked_for_values_again(clone: Path, sandbox: SandboxServer) -> None:
    assert getattr(run("show", "--from-gitlab").exception, "id", "") == "gitlab-not-confirmed"
    imported()
    assert run("show", "--from-gitlab").exit_code == 0
    (path,) = (clone.parent / "state" / "gitlab").iterdir()
    path.chmod(0o666)
    assert getattr(run("show", "--from-gitlab").exception, "id", "") == "gitlab-not-confirmed"


def test_a_job_token_is_refused_before_anything_is_sent(
    clone: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(asked(sandbox))
    monkeypatch.setenv("GITLAB_TOKEN", sandbox.accounts.job.secret.reveal())
    result = run("import", "gitlab", "--yes")
    assert getattr(result.exception, "id", "") == "gitlab-job-token"
    assert len(asked(sandbox)) == before


def test_a_token_that_gitlab_refuses_leaves_the_old_snapshot(
    clone: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported()
    (path,) = (clone.parent / "state" / "gitlab").iterdir()
    before = path.read_bytes()
    monkeypatch.setenv("GITLAB_TOKEN", "glpat-expired")
    result = run("import", "gitlab", "--yes")
    assert getattr(result.exception, "id", "") == "gitlab-token-refused"
    assert getattr(result.exception, "exit_code", 0) == 3
    assert path.read_bytes() == before


def test_a_server_that_fails_halfway_leaves_the_old_snapshot(clone: Path, sandbox: SandboxServer) -> None:
    imported()
    (path,) = (clone.parent / "state" / "gitlab").iterdir()
    before = path.read_bytes()
    sandbox.faults = Faults(server_errors=1, path="protected_tags")
    assert getattr(run("import", "gitlab", "--yes").exception, "id", "") == "gitlab-failed"
    assert path.read_bytes() == before


def test_a_busy_server_is_waited_for(clone: Path, sandbox: SandboxServer) -> None:
    sandbox.faults = Faults(too_many=1, retry_after=1, path="protected_branches")
    assert "waiting 1 second" in imported().stderr


def test_no_secret_is_in_any_output(clone: Path, sandbox: SandboxServer) -> None:
    texts = [imported().output, imported("--json", "--pipeline", "118").output]
    for command in (
        ("show", "--all"),
        ("show", "--json"),
        ("explain", "RELEASES_PASSWORD"),
        ("why", "publish"),
    ):
        for more in ((), ("--from-gitlab", "--ref", "main")):
            texts.append(run(*command, *more).output)
    texts += [path.read_text() for path in clone.parent.rglob("*.json") if path.is_file()]
    texts += [log.read_text() for log in clone.parent.rglob("*.log")]
    assert secrets_in(sandbox, *texts) == []


def test_looking_at_a_snapshot_loads_no_network(clone: Path) -> None:
    imported()
    script = """
import sys
from dockpass.cli.main import cli
try:
    cli.main(["vars", "show", "--job", "publish"], standalone_mode=False)
except SystemExit:
    pass
print(sorted(name for name in ("textual", "docker", "aiohttp", "rich") if name in sys.modules))
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"
