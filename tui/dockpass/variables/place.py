"""Where dockpass runs: a label for people, which never decides anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from dockpass.auth.facts import Facts
from dockpass.text import clean


class PlaceKind(StrEnum):
    """The places that are told apart."""

    GITLAB = "GitLab job"
    GITLAB_LOCAL = "gitlab-ci-local"
    GITHUB = "GitHub Actions"
    ACT = "act"
    JENKINS = "Jenkins"
    OTHER_CI = "CI"
    SHELL = "shell"


@dataclass(frozen=True, slots=True)
class Place:
    """`protected` is None where it is not known. `remark` says what is odd about the place."""

    kind: PlaceKind
    project: str = ""
    job: str = ""
    ref: str = ""
    protected: bool | None = None
    remark: str = ""


_OTHER_CI = {
    "TF_BUILD": "Azure Pipelines",
    "BITBUCKET_BUILD_NUMBER": "Bitbucket",
    "CIRCLECI": "CircleCI",
    "DRONE": "Drone",
    "BUILDKITE": "Buildkite",
    "TEAMCITY_VERSION": "TeamCity",
}


def detect_place(facts: Facts, is_directory: Callable[[str], bool]) -> Place:
    """Return the place that the variables speak of."""
    if facts.text("CI_JOB_ID") and facts.text("GITLAB_CI") == "true":
        return _gitlab(facts, PlaceKind.GITLAB, _pasted(facts, is_directory))
    if facts.text("GITLAB_CI") == "false" and facts.text("CI") == "true":
        return _gitlab(facts, PlaceKind.GITLAB_LOCAL, "")
    if facts.text("GITHUB_ACTIONS") == "true":
        return _github(facts)
    if facts.is_set("JENKINS_URL"):
        return Place(PlaceKind.JENKINS, clean(facts.text("JOB_NAME")), "", clean(facts.text("BRANCH_NAME")))
    for name, label in _OTHER_CI.items():
        if facts.is_set(name):
            return Place(PlaceKind.OTHER_CI, label)
    if facts.text("CI") == "true":
        return Place(PlaceKind.OTHER_CI)
    if facts.is_set("CI_JOB_ID") or facts.is_set("CI_JOB_TOKEN"):
        return _gitlab(facts, PlaceKind.SHELL, "with variables of a GitLab job")
    return Place(PlaceKind.SHELL)


def _gitlab(facts: Facts, kind: PlaceKind, remark: str) -> Place:
    protected = {"true": True, "false": False}.get(facts.text("CI_COMMIT_REF_PROTECTED"))
    return Place(
        kind,
        clean(facts.text("CI_PROJECT_PATH")),
        clean(facts.text("CI_JOB_NAME")),
        clean(facts.text("CI_COMMIT_REF_NAME")),
        protected,
        remark,
    )


def _pasted(facts: Facts, is_directory: Callable[[str], bool]) -> str:
    project = facts.text("CI_PROJECT_DIR")
    if not facts.is_set("CI_BUILDS_DIR") or (project and not is_directory(project)):
        return "its variables, on another machine"
    return ""


def _github(facts: Facts) -> Place:
    kind = PlaceKind.ACT if facts.is_set("ACT") else PlaceKind.GITHUB
    protected = {"true": True, "false": False}.get(facts.text("GITHUB_REF_PROTECTED"))
    return Place(
        kind,
        clean(facts.text("GITHUB_REPOSITORY")),
        clean(facts.text("GITHUB_JOB")),
        clean(facts.text("GITHUB_REF_NAME")),
        protected,
    )
