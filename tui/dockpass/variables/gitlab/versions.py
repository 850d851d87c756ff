"""What GitLab does differently since a version, as far as it bears on variables.

One table; without a version everything is as in the current one. `known` says which names a version has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from dockpass.variables.gitlab.model import Ref, RefType

VERSION_PATTERN = r"v?([0-9]{1,4})\.([0-9]{1,4})(?:[.-][0-9A-Za-z.+-]{0,60})?"
_VERSION = re.compile(VERSION_PATTERN)


class Version(NamedTuple):
    """A version of GitLab; its patch level changes nothing here."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


def version_of(text: str) -> Version | None:
    """Return the version of a text such as `17.11`, `17.11.3-ee` or `v18.1.0`; None where it is none."""
    found = _VERSION.fullmatch(text.strip())
    return Version(int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Something that holds since a version: `before` and `now` in words, and its source."""

    id: str
    since: Version
    before: str
    now: str
    source: str

    def holds(self, version: Version | None) -> bool:
        """Tell whether it holds in a version; None is the current one."""
        return version is None or version >= self.since


PROTECTED_IN_MERGE_REQUESTS = Switch(
    id="protected-in-merge-requests",
    since=Version(18, 1),
    before="Merge request pipelines get no protected variables.",
    now="Merge request pipelines get protected variables if the project's settings allow it and both branches"
    " are protected.",
    source="https://docs.gitlab.com/ci/pipelines/merge_request_pipelines/",
)
BOOLEANS_AND_FLOATS = Switch(
    id="booleans-and-floats",
    since=Version(16, 9),
    before="A boolean or a float without quotes in `variables` is an error.",
    now="A boolean or a float in `variables` becomes a text.",
    source="https://gitlab.com/gitlab-org/gitlab/-/merge_requests/142733",
)
SWITCHES = (PROTECTED_IN_MERGE_REQUESTS, BOOLEANS_AND_FLOATS)


NEWEST = Version(19, 3)
"""The newest version whose predefined variables are known here."""


def is_older(version: Version | None) -> bool:
    """Tell whether a version may do anything here differently than the current one."""
    return version is not None and version < NEWEST


def ref_in(ref: Ref, version: Version | None) -> Ref:
    """Return a ref as a version sees it: before 18.1 a merge request is never protected."""
    if ref.type is RefType.MERGE_REQUEST and not PROTECTED_IN_MERGE_REQUESTS.holds(version):
        return replace(ref, protected=False)
    return ref


def unprotected_words(ref: Ref, version: Version | None) -> str:
    """Return what is not protected, for the sentence that a variable is and this is not."""
    if ref.type is RefType.MERGE_REQUEST and not PROTECTED_IN_MERGE_REQUESTS.holds(version):
        return f"a merge request pipeline of GitLab {version} (before {PROTECTED_IN_MERGE_REQUESTS.since})"
    return ref.name
