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
    PASTED = "variables of a GitLab job"
    SHELL = "shell"


@dataclass(frozen=True, slots=True)
class Place:
    """`label` names the place. `protected` is None where it is not known.

    `remark` says what is odd about the place. Every text is clean.
    """

    kind: PlaceKind
    label: str
    project: str = ""
    job: str = ""
    ref: str = ""
    protected: bool | None = None
    remark: str = ""


_OTHER_CI = {
    "TF_BUILD": "Azure Pipelines",
    "BITBUCKET_BUILD_NUMBER": "Bitbucket Pipelines",
    "CIRCLECI": "CircleCI",
    "DRONE": "Drone",
    "BUILDKITE": "Buildkite",
    "TEAMCITY_VERSION": "TeamCity",
}
_FLAGS = {"true": True, "false": False}


def detect_place(facts: Facts, is_directory: Callable[[str], bool]) -> Place:
    """Return the place that the variables speak of; `is_directory` tells whether a path is one here."""
    if facts.text("GITLAB_CI") == "false" and facts.text("CI") == "true":
        return _gitlab(facts, PlaceKind.GITLAB_LOCAL, "the values are made by gitlab-ci-local")
    if facts.is_set("CI_JOB_ID"):
        return _gitlab_job(facts, is_directory)
    if facts.text("GITHUB_ACTIONS") == "true":
        return _github(facts)
    if facts.is_set("JENKINS_URL"):
        return _place(PlaceKind.JENKINS, facts, "JOB_NAME", "", "BRANCH_NAME", "")
    for name, label in _OTHER_CI.items():
        if facts.is_set(name):
            return Place(PlaceKind.OTHER_CI, label)
    if facts.text("CI") == "true":
        return Place(PlaceKind.OTHER_CI, str(PlaceKind.OTHER_CI))
    return Place(PlaceKind.SHELL, str(PlaceKind.SHELL))


def _gitlab_job(facts: Facts, is_directory: Callable[[str], bool]) -> Place:
    """Tell a job from a shell into which a job's variables were pasted: the runner's own are missing."""
    directory = facts.text("CI_PROJECT_DIR")
    here = facts.is_set("CI_BUILDS_DIR") and (not directory or is_directory(directory))
    if facts.text("GITLAB_CI") == "true" and here:
        return _gitlab(facts, PlaceKind.GITLAB)
    return _gitlab(facts, PlaceKind.PASTED, "this is not the job itself, and its token may have expired")


def _gitlab(facts: Facts, kind: PlaceKind, remark: str = "") -> Place:
    names = ("CI_PROJECT_PATH", "CI_JOB_NAME", "CI_COMMIT_REF_NAME", "CI_COMMIT_REF_PROTECTED")
    return _place(kind, facts, *names, remark)


def _github(facts: Facts) -> Place:
    kind = PlaceKind.ACT if facts.is_set("ACT") else PlaceKind.GITHUB
    names = ("GITHUB_REPOSITORY", "GITHUB_JOB", "GITHUB_REF_NAME", "GITHUB_REF_PROTECTED")
    return _place(kind, facts, *names)


def _place(
    kind: PlaceKind, facts: Facts, project: str, job: str, ref: str, protected: str, remark: str = ""
) -> Place:
    return Place(
        kind,
        str(kind),
        clean(facts.text(project), 200),
        clean(facts.text(job), 200),
        clean(facts.text(ref), 200),
        _FLAGS.get(facts.text(protected)),
        remark,
    )
