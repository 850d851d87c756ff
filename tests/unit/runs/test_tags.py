"""The tag that is meant where none is given."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.runs.lastbuild import last_build, remember_build
from dockpass.runs.tags import default_tag, valid_tag

from .conftest import make_facts

ENVIRON = {"PATH": os.environ["PATH"]}
GRAMMAR = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("main", "main"),
        ("v1.2.0", "v1.2.0"),
        ("feature/login", "feature-login"),
        ("feature//ü#login", "feature-login"),
        ("-.hidden", "hidden"),
        ("/", ""),
        ("x" * 200, "x" * 128),
    ],
)
def test_a_ref_name_becomes_a_valid_tag(name: str, tag: str) -> None:
    assert valid_tag(name) == tag


@given(st.text(max_size=300))
def test_every_name_becomes_a_valid_tag_or_nothing(name: str) -> None:
    tag = valid_tag(name)
    assert tag == "" or GRAMMAR.fullmatch(tag)


def git(directory: Path, *arguments: str) -> None:
    identity = {"GIT_AUTHOR_NAME": "n", "GIT_AUTHOR_EMAIL": "e@example", "HOME": str(directory)}
    identity |= {"GIT_COMMITTER_NAME": "n", "GIT_COMMITTER_EMAIL": "e@example"}
    subprocess.run(
        ["git", *arguments], cwd=directory, env=ENVIRON | identity, check=True, capture_output=True
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "feature/login")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    return tmp_path


def test_the_branch_is_taken(checkout: Path) -> None:
    assert default_tag(checkout, make_facts(checkout), ENVIRON) == ("feature-login", "the git branch")


def test_a_detached_checkout_has_its_tag(checkout: Path) -> None:
    git(checkout, "tag", "v1.2.0")
    git(checkout, "checkout", "-q", "--detach")
    assert default_tag(checkout, make_facts(checkout), ENVIRON) == ("v1.2.0", "the git tag")


def test_a_detached_checkout_of_a_job_has_the_ref_of_the_job(checkout: Path) -> None:
    git(checkout, "checkout", "-q", "--detach")
    facts = make_facts(checkout, CI_COMMIT_REF_NAME="release/2")
    assert default_tag(checkout, facts, ENVIRON) == ("release-2", "CI_COMMIT_REF_NAME")


def test_without_git_it_is_latest(tmp_path: Path) -> None:
    assert default_tag(tmp_path, make_facts(tmp_path), {"PATH": "/nowhere"}).tag == "latest"


def test_the_last_build_of_a_directory_is_remembered(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert last_build(state, tmp_path) is None
    remember_build(state, tmp_path, "sha256:1")
    remember_build(state, tmp_path / "other", "sha256:2")
    remember_build(state, tmp_path, "sha256:3")
    assert last_build(state, tmp_path) == "sha256:3"
    assert last_build(state, tmp_path / "other") == "sha256:2"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"/a": 1}'])
def test_a_damaged_record_of_builds_is_no_build(tmp_path: Path, text: str) -> None:
    (tmp_path / "last-builds.json").write_text(text)
    assert last_build(tmp_path, Path("/a")) is None
    remember_build(tmp_path, Path("/a"), "sha256:1")
    assert last_build(tmp_path, Path("/a")) == "sha256:1"
