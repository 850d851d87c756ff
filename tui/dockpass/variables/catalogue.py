"""The variables and options that matter for a login, grouped as they are listed, set or not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dockpass.auth.decision import RuleId


class Group(StrEnum):
    """The groups, in order."""

    GITLAB = "GitLab"
    OPTIONS = "Options"
    DOCKER = "Docker"
    JOB = "Job"


@dataclass(frozen=True, slots=True)
class Entry:
    """A variable, or an option where `option` is true; `means` says what it does when it is set."""

    name: str
    group: Group
    rule: RuleId | None
    means: str
    option: bool = False


CATALOGUE: tuple[Entry, ...] = (
    Entry("CI_REGISTRY", Group.GITLAB, RuleId.AUTOLOGIN, "the job's registry; autologin needs it"),
    Entry("CI_JOB_TOKEN", Group.GITLAB, RuleId.AUTOLOGIN, "the secret of autologin"),
    Entry("CI_REGISTRY_IMAGE", Group.GITLAB, None, "the repository where --repo is not given"),
    Entry(
        "WERF_IMAGES_CLEANUP_PASSWORD",
        Group.GITLAB,
        RuleId.CLEANUP_TOKEN,
        "cleanup logs in with it as werf-cleanup",
    ),
    Entry(
        "WERF_IGNORE_CI_DOCKER_AUTOLOGIN",
        Group.GITLAB,
        RuleId.IGNORE,
        "switches autologin and the cleanup token off, whatever its value",
    ),
    Entry("repo", Group.OPTIONS, None, "the repository of push, pull, cleanup and deploy", option=True),
    Entry(
        "registry-username",
        Group.OPTIONS,
        RuleId.OPTIONS,
        "with a password it beats autologin",
        option=True,
    ),
    Entry(
        "registry-password",
        Group.OPTIONS,
        RuleId.OPTIONS,
        "with a user name it beats autologin",
        option=True,
    ),
    Entry(
        "from",
        Group.OPTIONS,
        RuleId.AUTOLOGIN,
        "the base images of a build, in place of a file",
        option=True,
    ),
    Entry(
        "WERF_DOCKER_CONFIG",
        Group.DOCKER,
        RuleId.EXTERNAL_CONFIG,
        "that docker config is used as it is, and beats everything else",
    ),
    Entry("DOCKER_CONFIG", Group.DOCKER, RuleId.AMBIENT, "docker's own config in place of ~/.docker"),
    Entry(
        "DOCKER_AUTH_CONFIG",
        Group.DOCKER,
        None,
        "docker 28.3 and later lets it win over every login; it is left out of a run",
    ),
    Entry("DOCKER_HOST", Group.DOCKER, None, "the engine's address"),
    Entry("DOCKER_CONTEXT", Group.DOCKER, None, "the docker context that names the engine"),
    Entry("CI_PROJECT_PATH", Group.JOB, None, "the job's project"),
    Entry("CI_JOB_NAME", Group.JOB, None, "the job"),
    Entry("CI_COMMIT_REF_NAME", Group.JOB, None, "the branch or tag of the job"),
    Entry("CI_COMMIT_REF_PROTECTED", Group.JOB, None, "protected variables are there only if it is true"),
    Entry("CI_SERVER_HOST", Group.JOB, None, "the GitLab that runs the job"),
)


def entry(name: str) -> Entry | None:
    """Return the catalogue's entry of a variable or option."""
    return next((found for found in CATALOGUE if found.name == name), None)
