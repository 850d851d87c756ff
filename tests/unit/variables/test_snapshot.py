"""What stays of an import: names and flags in one private file, and what is odd about it is told."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Definition, Level, Ref, RefType
from dockpass.variables.gitlab.predefined import Project
from dockpass.variables.gitlabplace import GitlabPlace
from dockpass.variables.snapshot import (
    NOT_KEPT,
    Extent,
    Reach,
    Snapshot,
    age_in_words,
    gaps,
    matches_ref,
    summary,
)
from dockpass.variables.snapshotfile import forget_snapshot, keep_snapshot, read_snapshot, snapshot_path

PLACE = GitlabPlace("https://gitlab.example.com", "Acme/Shop", "")
SNAPSHOT = Snapshot(
    server=PLACE.url,
    project="acme/shop",
    taken=1_790_000_000.0,
    ref=Ref(name="feature/x", protected=None),
    levels=(
        Reach(Level.INSTANCE, "", Extent.NOTHING, "403 Forbidden"),
        Reach(Level.GROUP, "acme", Extent.NAMES, "403 Forbidden"),
        Reach(Level.PROJECT, "", Extent.WHOLE),
    ),
    definitions=(
        Definition(key="G", value=Unknown("x"), level=Level.GROUP, origin="acme", protected=True),
        Definition(key="TOKEN", value="CANARY", level=Level.PROJECT, masked=True, scope="prod/*", raw=True),
        Definition(key="EMPTY", value="", level=Level.PROJECT, file=True),
    ),
    protected_branches=("main", "release/*", "*-stable"),
    protected_tags=(),
    environments=("production",),
    registry="registry.example.com",
    registry_enabled=True,
)


def test_what_is_kept_comes_back_without_values(tmp_path: Path) -> None:
    path = keep_snapshot(tmp_path, PLACE, SNAPSHOT)
    assert path == snapshot_path(tmp_path, PLACE)
    assert "CANARY" not in path.read_text()
    assert "acme" not in path.name
    again, problem = read_snapshot(tmp_path, GitlabPlace(PLACE.url, "acme/shop", "another word"))
    assert (again, problem) == (SNAPSHOT.without_values(), "")
    assert [each.value for each in again.definitions] == [NOT_KEPT, NOT_KEPT, ""]  # type: ignore[union-attr]
    assert [each.name for each in tmp_path.rglob("*")] == ["gitlab", path.name]
    forget_snapshot(tmp_path, PLACE)
    forget_snapshot(tmp_path, PLACE)
    assert read_snapshot(tmp_path, PLACE) == (None, "")


def test_another_project_or_server_has_another_file(tmp_path: Path) -> None:
    keep_snapshot(tmp_path, PLACE, SNAPSHOT)
    for place in (
        GitlabPlace(PLACE.url, "acme/other", ""),
        GitlabPlace("https://gitlab.example.com:8443", PLACE.project, ""),
        GitlabPlace("https://evil.example", PLACE.project, ""),
    ):
        assert read_snapshot(tmp_path, place) == (None, "")


def changed(tmp_path: Path, **more: Any) -> str:
    path = keep_snapshot(tmp_path, PLACE, SNAPSHOT)
    path.write_text(json.dumps({**json.loads(path.read_text()), **more}))
    snapshot, problem = read_snapshot(tmp_path, PLACE)
    assert snapshot is None
    assert "CANARY" not in problem
    return problem


@pytest.mark.parametrize(
    "more",
    [
        {"version": 2},
        {"version": None},
        {"server": "https://evil.example"},
        {"project": "acme/other"},
        {"project": 4},
        {"taken": "yesterday"},
        {"taken": True},
        {"taken": float("nan")},
        {"taken": 1e300},
        {"taken": 10**400},
        {"ref": None},
        {"ref": {"type": "CANARY", "name": "x"}},
        {"ref": {"type": ["branch"], "name": "x"}},
        {"levels": None},
        {"levels": [None]},
        {"levels": [{"level": "project", "origin": "", "extent": "CANARY", "why": ""}]},
        {"levels": [{"level": "project", "origin": "", "extent": {}, "why": ""}]},
        {"levels": [{"level": "what_if", "origin": "", "extent": "whole", "why": ""}]},
        {"variables": {}},
        {"variables": [["A"]]},
        {"variables": [{"key": "A", "level": "yaml"}]},
        {"variables": [{"key": 1, "level": "project"}]},
        {"variables": [{"key": "A", "level": "project", "protected": "CANARY"}]},
        {"variables": [{"key": "A", "level": "project", "scope": None}]},
        {"protected_branches": "main"},
        {"protected_branches": [1]},
        {"jobs": {}},
        {"registry_enabled": "yes"},
    ],
)
def test_a_file_that_is_not_as_it_was_written_is_told(tmp_path: Path, more: dict[str, Any]) -> None:
    assert " is not used: it" in changed(tmp_path, **more)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, "\x00", '{"version": 1}', "\ud800"])
def test_a_file_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    path = keep_snapshot(tmp_path, PLACE, SNAPSHOT)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    snapshot, problem = read_snapshot(tmp_path, PLACE)
    assert snapshot is None
    assert problem.startswith(str(path))


def test_a_file_that_others_may_change_is_not_used(tmp_path: Path) -> None:
    path = keep_snapshot(tmp_path, PLACE, SNAPSHOT)
    for mode in (0o666, 0o620, 0o602):
        path.chmod(mode)
        assert "somebody else may have changed it" in read_snapshot(tmp_path, PLACE)[1]
    path.unlink()
    (tmp_path / "elsewhere").write_text("{}")
    path.symlink_to(tmp_path / "elsewhere")
    assert read_snapshot(tmp_path, PLACE)[0] is None
    path.unlink()
    os.mkfifo(path)
    assert "not a regular file" in read_snapshot(tmp_path, PLACE)[1]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = keep_snapshot(tmp_path, PLACE, SNAPSHOT)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        keep_snapshot(tmp_path, PLACE, replace(SNAPSHOT, project="ACME/shop"))
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("name", "protected"),
    [
        ("main", True),
        ("Main", False),
        ("main2", False),
        ("release/1.0", True),
        ("release/a/b", True),
        ("release", False),
        ("x-release/1", False),
        ("9-stable", True),
        ("9-stable-x", False),
        ("feature/x", False),
    ],
)
def test_a_branch_is_protected_by_name_or_by_a_star(name: str, protected: bool) -> None:
    assert SNAPSHOT.protection_of(Ref(name=name)) is protected


def test_tags_have_rules_of_their_own_and_merge_requests_none() -> None:
    assert SNAPSHOT.protection_of(Ref(type=RefType.TAG, name="main")) is False
    assert SNAPSHOT.protection_of(Ref(type=RefType.MERGE_REQUEST, name="main")) is None
    unknown = replace(SNAPSHOT, protected_branches=None)
    assert unknown.protection_of(Ref(name="main")) is None


@given(
    st.text(st.sampled_from("ab/.*"), min_size=1, max_size=6), st.text(st.sampled_from("ab/."), max_size=6)
)
def test_only_the_star_is_special_in_a_protected_ref(pattern: str, name: str) -> None:
    import re

    expected = "*" in pattern and re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL)
    if name or pattern.strip("*"):
        assert matches_ref(pattern, name) is bool(expected)


def test_the_summary_says_what_is_unknown() -> None:
    assert summary(SNAPSHOT) == (
        "2 of the project, 1 of the group acme (values unknown), those of the instance not readable;"
        " feature/x is not protected"
    )
    assert gaps(SNAPSHOT.levels) == (
        "you may not read the variables of the instance (403 Forbidden); the job may get more than these",
    )


def test_what_gitlab_says_of_the_project_is_used() -> None:
    found = SNAPSHOT.known_of(Project(path="acme/shop", host="gitlab.example.com", default_branch="x"))
    assert (found.registry, found.registry_enabled, found.default_branch) == (
        "registry.example.com",
        True,
        "x",
    )
    local = replace(SNAPSHOT, server="http://127.0.0.1:4000").known_of(Project())
    assert (local.host, local.port, local.protocol, local.path) == ("127.0.0.1", "4000", "http", "acme/shop")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7199, "1 hour ago"),
        (3 * 86400, "3 days ago"),
        (-3600, "in the future, by this machine's clock"),
    ],
)
def test_the_age_is_said(seconds: float, words: str) -> None:
    assert age_in_words(seconds) == words
