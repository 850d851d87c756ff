"""The variables and options that matter for a login, grouped as they are listed, set or not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dockpass.auth.ci import GITLAB
from dockpass.auth.decision import RuleId
from dockpass.auth.facts import Facts
from dockpass.auth.warnings import FORMER_NAMES
from dockpass.secret_names import is_secret_name
from dockpass.variables.unread_findings import UNREAD


class Group(StrEnum):
    """The groups, in order."""

    GITLAB = "GitLab"
    OPTIONS = "Options"
    DOCKER = "Docker"
    JOB = "Job"
    OTHER_CI = "Other CI"


@dataclass(frozen=True, slots=True)
class Entry:
    """A variable, or an option where `option` is true; `means` says what it does when it is set.

    `rule` is the rule that reads it first; None where it decides nothing.
    """

    name: str
    group: Group
    rule: RuleId | None
    means: str
    option: bool = False

    @property
    def secret(self) -> bool:
        """Whether its value is never shown."""
        return self.name == "registry-password" or (not self.option and is_secret_name(self.name))


def _option(name: str, rule: RuleId | None, means: str) -> Entry:
    return Entry(name, Group.OPTIONS, rule, means, option=True)


CATALOGUE: tuple[Entry, ...] = (
    Entry(GITLAB.registry, Group.GITLAB, RuleId.AUTOLOGIN, "the job's registry; autologin needs it"),
    Entry(GITLAB.token, Group.GITLAB, RuleId.AUTOLOGIN, "the secret of autologin"),
    Entry(GITLAB.image, Group.GITLAB, RuleId.GOOGLE, "the repository where --repo is not given"),
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
    _option("repo", RuleId.GOOGLE, "the repository of push, pull, cleanup and deploy"),
    _option("registry-username", RuleId.OPTIONS, "with a password it beats autologin"),
    _option("registry-password", RuleId.OPTIONS, "with a user name it beats autologin"),
    _option("from", RuleId.AUTOLOGIN, "the base images of a build, in place of a file"),
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
"""Listed always."""

LISTED_WHEN_SET: tuple[Entry, ...] = (
    *(
        Entry(name, Group.GITLAB, None, f"not read any more; it is {today} today")
        for name, today in FORMER_NAMES.items()
    ),
    Entry(GITLAB.registry_user, Group.GITLAB, None, f"not read: autologin is always as {GITLAB.user}"),
    Entry(GITLAB.registry_password, Group.GITLAB, None, f"not read: autologin uses {GITLAB.token}"),
    *(Entry(name, Group.GITLAB, None, "not read here") for name in UNREAD),
    Entry("CI_DEPLOY_USER", Group.GITLAB, None, "not read: give it as --registry-username"),
    Entry("CI_DEPLOY_PASSWORD", Group.GITLAB, None, "not read: give it as --registry-password-stdin"),
    Entry("GITHUB_REPOSITORY", Group.OTHER_CI, None, "the workflow's repository"),
    Entry("GITHUB_REF_NAME", Group.OTHER_CI, None, "the branch or tag of the workflow"),
    Entry("GITHUB_ACTOR", Group.OTHER_CI, None, "not read: give it as --registry-username for ghcr.io"),
    Entry("GITHUB_TOKEN", Group.OTHER_CI, None, "not read: give it as --registry-password-stdin"),
    Entry("JENKINS_URL", Group.OTHER_CI, None, "the Jenkins that runs the job"),
    Entry("JOB_NAME", Group.OTHER_CI, None, "the job in Jenkins"),
    Entry("BRANCH_NAME", Group.OTHER_CI, None, "the branch in Jenkins"),
)
"""Listed only where they are there: most people have none of them."""


def entry(name: str) -> Entry | None:
    """Return the catalogue's entry of a variable or option."""
    return next((found for found in (*CATALOGUE, *LISTED_WHEN_SET) if found.name == name), None)


def entry_of(name: str) -> Entry:
    """Return the entry of a variable, also of one that is in no catalogue."""
    return entry(name) or Entry(name, Group.JOB, None, "a variable of the job")


def listed(facts: Facts) -> tuple[Entry, ...]:
    """Return the entries to list, group by group."""
    present = [found for found in LISTED_WHEN_SET if found.name in facts.variables]
    entries = (*CATALOGUE, *present)
    return tuple(found for group in Group for found in entries if found.group is group)
