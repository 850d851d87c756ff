"""Checks of addresses: the registry, the repository, and whether they belong together."""

from __future__ import annotations

from dockpass.doctor import sources
from dockpass.doctor.check import Check, Need
from dockpass.doctor.values import in_facts
from dockpass.findings import Severity

_NEEDS = frozenset({Need.VARIABLES})

CHECKS: tuple[Check, ...] = (
    Check(
        id="DP-REG-001",
        names=("registry-address",),
        level=Severity.WARNING,
        needs=_NEEDS,
        look=in_facts,
        title="CI_REGISTRY has a scheme or a path.",
        matters="Docker keeps a login under host[:port]; one stored under an address with a scheme or a path"
        " is not found again.",
        fix="Remove everything but host and port; a path belongs to CI_REGISTRY_IMAGE.",
        source=sources.DOCKER_LOGIN,
        symptoms=(r"no basic auth credentials", r"invalid reference format"),
    ),
    Check(
        id="DP-REG-005",
        names=("image-elsewhere",),
        level=Severity.WARNING,
        needs=_NEEDS,
        look=in_facts,
        title="CI_REGISTRY_IMAGE is not in CI_REGISTRY.",
        matters="A script that runs `docker login $CI_REGISTRY` logs in to one registry and pushes to"
        " another,"
        " where it is anonymous.",
        fix="Remove the variable that overrides one of them, or give it another name.",
        source="https://pmhahn.github.io/gitlab-105-beware-global-variables",
        symptoms=(
            r"access forbidden",
            r"no basic auth credentials",
            r"requested access to the resource is denied",
            r"failed to fetch anonymous token",
        ),
    ),
    Check(
        id="DP-REG-006",
        names=("registry-off",),
        level=Severity.WARNING,
        needs=_NEEDS,
        look=in_facts,
        title="A job has a token, but no CI_REGISTRY.",
        matters="GitLab sets CI_REGISTRY in every job if the instance has a container registry.",
        fix="Ask the administrator to enable the container registry, or give the registry as an option.",
        source=sources.PREDEFINED,
        symptoms=(r"invalid reference format", r"registry not enabled"),
    ),
    Check(
        id="DP-REG-015",
        names=("registry-overwritten",),
        level=Severity.ERROR,
        needs=_NEEDS,
        look=in_facts,
        title="CI_REGISTRY is the registry of another service.",
        matters="A job token is valid only at the registry of its own GitLab.",
        fix="Give the other registry's login as options, and leave CI_REGISTRY as GitLab sets it.",
        source=sources.LOGIN_RULES,
        symptoms=(
            r"incorrect username or password",
            r"unauthorized",
            r"requested access to the resource is denied",
        ),
    ),
)
