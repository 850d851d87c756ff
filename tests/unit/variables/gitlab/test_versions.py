"""What older versions of GitLab do differently, each on both sides of its version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jobclone import CANARY, make_clone, run_vars

from dockpass.secrets import Redactor
from dockpass.session.desk import Desk, Looking
from dockpass.settings import load_settings
from dockpass.variables.clone import find_clone
from dockpass.variables.gitlab.model import Ref, RefType
from dockpass.variables.gitlab.versions import NEWEST, SWITCHES, Version, is_older, ref_in, version_of

YAML = """\
variables: {TYPED: true}
publish:
  variables: {NUMBER: 2.5, WHOLE: 7, TEXT: "true"}
  script: ["echo $CI_COMMIT_REF_PROTECTED"]
"""
SETTINGS = [{"key": "PUSH_TOKEN", "value": CANARY, "protected": True, "masked": True}]


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_clone(tmp_path / "shop", YAML, settings=SETTINGS)
    monkeypatch.chdir(root)
    monkeypatch.setenv("DOCKPASS_CONFIG", str(tmp_path / "settings.toml"))
    return root


def shown(*arguments: str) -> dict[str, object]:
    given = ("--job", "publish", "--project-variables", "settings.json", "--json")
    found: dict[str, object] = json.loads(run_vars("show", *given, *arguments).stdout)
    return found


def names(found: dict[str, object]) -> set[str]:
    return {each["name"] for each in found["variables"]}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("17.11", Version(17, 11)),
        ("18.1.0-ee", Version(18, 1)),
        ("v16.8.3", Version(16, 8)),
        ("17.0.0-pre", Version(17, 0)),
        (" 18.10.1\n", Version(18, 10)),
        ("18", None),
        ("latest", None),
        ("", None),
        ("18.1.0; rm", None),
        ("99999.1", None),
    ],
)
def test_a_version_is_read(text: str, version: Version | None) -> None:
    assert version_of(text) == version


def test_versions_are_compared_as_numbers() -> None:
    assert Version(18, 10) > Version(18, 9) > Version(9, 5)
    assert not is_older(None)
    assert not is_older(NEWEST)
    assert is_older(Version(NEWEST.major, NEWEST.minor - 1))
    for each in SWITCHES:
        assert each.holds(each.since)
        assert each.holds(None)
        assert not each.holds(Version(each.since.major - 1, 99))
        assert each.source.startswith("https://")


@pytest.mark.parametrize(
    ("version", "gets"), [("17.11", False), ("18.0.5", False), ("18.1", True), ("18.10", True), (None, True)]
)
def test_a_merge_request_gets_protected_variables_since_18_1(version: str | None, gets: bool) -> None:
    given = ("--gitlab-version", version) if version else ()
    found = shown("--merge-request", "--protected", *given)
    assert ("PUSH_TOKEN" in names(found)) is gets
    told = {each["name"]: each["value"] for each in found["variables"]}["CI_COMMIT_REF_PROTECTED"]  # type: ignore[attr-defined]
    assert told == ("true" if gets else "false")
    assert found["ref"] == {"type": "merge_request", "name": "feature/login", "protected": gets}
    absent = {each["name"]: each["reason"] for each in found["absent"]}  # type: ignore[attr-defined]
    if not gets:
        short = version_of(version or "")
        assert absent["PUSH_TOKEN"] == (
            f"project settings.json:1: protected, and a merge request pipeline of GitLab {short} (before 18.1) is not"
        )


def test_a_branch_gets_them_in_every_version() -> None:
    assert "PUSH_TOKEN" in names(shown("--protected", "--gitlab-version", "12.0"))
    found = shown("--unprotected", "--gitlab-version", "12.0")
    assert "feature/login is not" in found["absent"][0]["reason"]  # type: ignore[index]


def test_what_would_bring_it_follows_the_version() -> None:
    given = ("--job", "publish", "--project-variables", "settings.json", "--merge-request")
    old = run_vars("explain", "PUSH_TOKEN", *given, "--gitlab-version", "17.11").stdout
    assert "allow merge request pipelines" not in old
    assert "· GitLab 17.11" in old
    new = run_vars("explain", "PUSH_TOKEN", *given).stdout
    assert "allow merge request pipelines" in new
    assert "GitLab 17" not in new


@pytest.mark.parametrize(("version", "lines"), [("16.8.9", [1, 3]), ("16.9", []), (None, [])])
def test_booleans_and_floats_are_refused_before_16_9(version: str | None, lines: list[int]) -> None:
    found = shown(*(("--gitlab-version", version) if version else ()))
    errors = found["errors"]
    assert [each["line"] for each in errors] == lines  # type: ignore[attr-defined]
    message = "variable definition must be either a string or a hash"
    assert all(message in each["message"] for each in errors)  # type: ignore[attr-defined]


def test_the_settings_give_a_version_and_the_option_beats_it(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('gitlab_version = "17.11"\n')
    given = ("--merge-request", "--protected")
    assert shown(*given)["gitlab_version"] == "17.11"
    assert "PUSH_TOKEN" not in names(shown(*given))
    assert "PUSH_TOKEN" in names(shown(*given, "--gitlab-version", "18.1"))


@pytest.mark.parametrize("value", ['"old"', "17.11", "[]", "true"])
def test_a_setting_that_is_no_version_is_told(tmp_path: Path, value: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f"gitlab_version = {value}\n")
    loaded = load_settings(path)
    assert loaded.settings.gitlab_version == ""
    assert "is a version such as 17.11, in quotes" in loaded.problems[0]


def test_an_option_that_is_no_version_is_refused_and_not_repeated() -> None:
    result = run_vars("show", "--gitlab-version", CANARY)
    assert result.exception is not None
    assert "such as 17.11" in str(result.exception)
    assert CANARY not in str(result.exception)


def test_a_scenario_gives_a_version(clone: Path) -> None:
    (clone / "old.toml").write_text(
        "schema = 1\njob = \"publish\"\n[context]\nref_type = 'merge_request'\nref = 'feature/login'\n"
        "protected = true\ngitlab_version = '17.11.4'\n"
        "[[source]]\nkind = 'gitlab-api-json'\npath = 'settings.json'\nlevel = 'project'\n"
        "[[variable]]\nkey = 'A'\nvalue = '1'\n"
    )
    found = json.loads(run_vars("show", "--scenario", "old.toml", "--json").stdout)
    assert found["gitlab_version"] == "17.11"
    newer = json.loads(
        run_vars("show", "--scenario", "old.toml", "--gitlab-version", "18.2", "--json").stdout
    )
    assert newer["gitlab_version"] == "18.2"


def test_the_screen_looks_at_a_merge_request_as_the_version_does(clone: Path) -> None:
    ref = Ref(type=RefType.MERGE_REQUEST, name="feature/login", protected=True)
    desk = Desk(find_clone(clone, {}), Looking(job="publish", ref=ref), redactor=Redactor())
    assert desk.seen().loaded.situation.ref.protected is True
    desk.given_version = Version(17, 11)
    desk.forget()
    assert desk.seen().loaded.situation.ref.protected is False
    assert ("--gitlab-version", "17.11") in list(desk.options())
    assert ref_in(ref, Version(18, 1)) is ref
