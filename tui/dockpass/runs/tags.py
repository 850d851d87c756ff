"""Which tag a push, pull or deployment means where none is given."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from dockpass.auth.facts import Facts
from dockpass.git import ask_git

FALLBACK = "latest"
LONGEST = 128

_NOT_IN_A_TAG = re.compile(r"[^A-Za-z0-9_.-]+")


class DefaultTag(NamedTuple):
    """A valid tag, and where it comes from in words."""

    tag: str
    origin: str


def valid_tag(name: str) -> str:
    """Return `name` as a valid tag; the empty string where nothing of it is left.

    A tag holds letters, digits, `_`, `.` and `-`, begins with none of the last two, and has at most
    128 characters (the distribution specification's grammar).
    """
    return _NOT_IN_A_TAG.sub("-", name).lstrip(".-")[:LONGEST]


def default_tag(cwd: Path, facts: Facts, environ: Mapping[str, str]) -> DefaultTag:
    """Return the current git branch or tag as a valid tag, else `latest`.

    A CI job's checkout is detached, so the ref that the job names stands in for the branch.
    """
    candidates: tuple[tuple[str, Callable[[], str]], ...] = (
        ("the git branch", lambda: ask_git(cwd, environ, "symbolic-ref", "--short", "-q", "HEAD")),
        ("the git tag", lambda: ask_git(cwd, environ, "describe", "--tags", "--exact-match", "HEAD")),
        ("CI_COMMIT_REF_NAME", lambda: facts.text("CI_COMMIT_REF_NAME")),
    )
    for origin, read in candidates:
        if tag := valid_tag(read()):
            return DefaultTag(tag, origin)
    return DefaultTag(FALLBACK, "the default")
