"""Checks of logins: which one a command uses, and what lies idle beside it."""

from __future__ import annotations

from collections.abc import Iterator

from dockpass.auth.decision import WarningId
from dockpass.configtext import Shape
from dockpass.doctor import mends, sources
from dockpass.doctor.check import Check, Patient
from dockpass.doctor.values import in_facts
from dockpass.findings import Finding, Severity

_OF_A_RUN = frozenset({WarningId.NO_BUILD_FILE, WarningId.MAY_NOT_DELETE})
"""Warnings that say nothing about the variables."""


def in_decisions(patient: Patient) -> Iterator[Finding]:
    """Yield what the decisions warn of, each once."""
    seen = set()
    for decided in patient.decided:
        for notice in decided.warnings:
            if notice.id not in _OF_A_RUN and notice not in seen:
                seen.add(notice)
                yield notice


CHECKS: tuple[Check, ...] = (
    Check(
        id="DP-LOG-004",
        names=(
            "not-there",
            "names-a-file",
            "holds-a-config",
            "tilde",
            "unreadable",
            "no-config-json",
            "relative-path",
        ),
        level=Severity.ERROR,
        look=in_facts,
        mend=mends.its_directory,
        title="DOCKER_CONFIG or WERF_DOCKER_CONFIG does not name a directory with a config.json.",
        matters="Docker takes a missing config for an empty one and says nothing: every command is"
        " anonymous.",
        fix="Name the directory that holds config.json, by its full path.",
        source=sources.DOCKER_CONFIG,
        symptoms=(
            r"no basic auth credentials",
            r"access forbidden",
            r"failed to fetch anonymous token",
            r"requested access to the resource is denied",
        ),
    ),
    Check(
        id="DP-LOG-006",
        names=tuple(f"auth-config-{shape}" for shape in Shape if shape not in {Shape.CONFIG, Shape.PATH}),
        level=Severity.ERROR,
        look=in_facts,
        title="DOCKER_AUTH_CONFIG is not a docker config.",
        matters="Docker and GitLab Runner ignore the whole variable, and pull anonymously.",
        fix='Write {"auths": {"HOST": {"auth": "…"}}}, where … is the Base64 of user:password.',
        source=sources.PRIVATE_IMAGES,
        symptoms=(
            r"Failed to create credential store from DOCKER_AUTH_CONFIG",
            r"DOCKER_AUTH_CONFIG.{0,80}invalid character",
            r"access forbidden",
            r"failed to fetch anonymous token",
        ),
    ),
    Check(
        id="DP-LOG-009",
        names=(f"auth-config-{Shape.PATH}",),
        level=Severity.ERROR,
        look=in_facts,
        title="DOCKER_AUTH_CONFIG is a path, not a config.",
        matters="GitLab Runner reads the file of a variable of type File; docker's command line does not.",
        fix="Change its type to Variable.",
        source=sources.PRIVATE_IMAGES,
        symptoms=(r"Failed to create credential store from DOCKER_AUTH_CONFIG", r"invalid character '/'"),
    ),
    Check(
        id="DP-LOG-010",
        names=("auth-value",),
        level=Severity.ERROR,
        look=in_facts,
        title="An `auth` is not the Base64 of user:password.",
        matters="Nothing can be read from the entry, so its registry is used anonymously, or with a wrong"
        " password.",
        fix="Encode it again: printf %s 'user:password' | base64 -w0",
        many="are not the Base64 of user:password",
        nouns="values of `auth`",
        source=sources.DOCKER_CONFIG,
        symptoms=(
            r"illegal base64 data at input byte",
            r"illegal base64",
            r"invalid auth configuration file",
            r"no basic auth credentials",
            r"HTTP Basic: Access denied",
        ),
    ),
    Check(
        id="DP-LOG-024",
        names=("auth-config",),
        level=Severity.NOTE,
        look=in_facts,
        title="DOCKER_AUTH_CONFIG is set.",
        matters="Docker 28.3 and later prefer it to every login made with `docker login`.",
        fix="Unset it for the step if another login should be used. A run leaves it out.",
        source=sources.AUTH_CONFIG,
        symptoms=(
            r"DOCKER_AUTH_CONFIG is set and takes precedence",
            r"requested access to the resource is denied",
        ),
    ),
    Check(
        id="DP-LOG-001",
        names=(WarningId.HALF_CREDENTIALS,),
        level=Severity.WARNING,
        look=in_decisions,
        title="Only one of user name and password is given.",
        matters="The one that is given is not used, and the next rule decides.",
        fix="Give both --registry-username and --registry-password-stdin.",
        source=sources.LOGIN_RULES,
        symptoms=(
            r"--password-stdin option requires --username",
            r"Must provide --username with --password-stdin",
            r"Username and password required",
        ),
    ),
    Check(
        id="DP-LOG-002",
        names=(WarningId.IGNORE_LOOKS_FALSE,),
        level=Severity.WARNING,
        look=in_decisions,
        mend=mends.without_ignoring,
        title="WERF_IGNORE_CI_DOCKER_AUTOLOGIN is set to a value such as 0 or false.",
        matters="Any value turns the automatic login off, even these.",
        fix="Unset it.",
        source=sources.LOGIN_RULES,
        symptoms=(r"no basic auth credentials", r"requested access to the resource is denied"),
    ),
    Check(
        id="DP-LOG-003",
        names=(WarningId.OPTIONS_IGNORED,),
        level=Severity.WARNING,
        look=in_decisions,
        mend=mends.without_external,
        title="User name and password are given, but WERF_DOCKER_CONFIG wins.",
        matters="No login is made: the entries of that config are used as they are.",
        fix="Unset WERF_DOCKER_CONFIG, or leave out the options.",
        source=sources.LOGIN_RULES,
    ),
    Check(
        id="DP-LOG-017",
        names=("user-colon",),
        level=Severity.WARNING,
        look=in_facts,
        title="The user name contains a colon.",
        matters="User name and password are sent as user:password, so everything after the first colon counts"
        " as the password.",
        fix="Give the user name alone.",
        source="https://www.rfc-editor.org/rfc/rfc7617#section-2",
        symptoms=(r"HTTP Basic: Access denied",),
    ),
    Check(
        id="DP-LOG-018",
        names=("not-read",),
        level=Severity.WARNING,
        look=in_facts,
        mend=mends.as_repository,
        title="A variable is set that other tools read, but dockpass does not.",
        matters="A login or a repository that is only in this variable is not used.",
        fix="Give its value as an option.",
        many="are not read here",
        source=sources.LOGIN_RULES,
    ),
    Check(
        id="DP-LOG-019",
        names=("login-overwritten",),
        level=Severity.WARNING,
        look=in_facts,
        title="CI_REGISTRY_USER or CI_REGISTRY_PASSWORD is not the job's own.",
        matters="The automatic login uses gitlab-ci-token and CI_JOB_TOKEN, whatever these two say.",
        fix="Give that login as options.",
        source=sources.LOGIN_RULES,
        symptoms=(r"HTTP Basic: Access denied", r"requested access to the resource is denied"),
    ),
    Check(
        id="DP-LOG-020",
        names=(WarningId.OLD_VARIABLE,),
        level=Severity.WARNING,
        look=in_decisions,
        title="A variable has an old name that is no longer read.",
        matters="It has no effect.",
        fix="Use the current name.",
        many="have old names that are no longer read",
        source=sources.LOGIN_RULES,
    ),
    Check(
        id="DP-LOG-021",
        names=(WarningId.OPTIONS_UNUSED,),
        level=Severity.WARNING,
        look=in_decisions,
        title="User name and password are given, but no base image is known to need them.",
        matters="A build logs in only to the registries of its base images.",
        fix="Name the base images with --from, or check the build file.",
        source=sources.LOGIN_RULES,
    ),
    Check(
        id="DP-LOG-022",
        names=(WarningId.SENT_TO_MANY,),
        level=Severity.WARNING,
        look=in_decisions,
        title="One user name and password go to several registries.",
        matters="Every registry in the list sees the password.",
        fix="Use a docker config with an entry for each registry, and name it in WERF_DOCKER_CONFIG.",
        source=sources.LOGIN_RULES,
    ),
    Check(
        id="DP-REG-014",
        names=(WarningId.OTHERS_ANONYMOUS,),
        level=Severity.WARNING,
        look=in_decisions,
        title="A base image is in another registry than the one the build logs in to.",
        matters="It is pulled anonymously, which fails if it is private.",
        fix="Use a docker config with an entry for each registry, and name it in WERF_DOCKER_CONFIG.",
        source=sources.LOGIN_RULES,
        symptoms=(
            r"access forbidden",
            r"failed to fetch anonymous token",
            r"pull access denied",
            r"no basic auth credentials",
        ),
    ),
    Check(
        id="DP-REG-017",
        names=(WarningId.FOREIGN_REGISTRY,),
        level=Severity.WARNING,
        look=in_decisions,
        title="A CI token would be sent to a registry that is not the CI's own.",
        matters="That registry would see the token, and would not accept it.",
        fix="Correct CI_REGISTRY, CI_REGISTRY_IMAGE or --repo, or give that registry's own login.",
        source=sources.LOGIN_RULES,
        symptoms=(r"HTTP Basic: Access denied", r"incorrect username or password"),
    ),
)
