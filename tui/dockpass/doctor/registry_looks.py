"""Looks for addresses that are probably not the ones that were meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockpass.auth.ci import GITLAB
from dockpass.auth.command import Command, Method
from dockpass.auth.decision import Decision
from dockpass.auth.facts import Facts
from dockpass.doctor.check import Patient
from dockpass.doctor.mends import split_tag
from dockpass.errors import UsageError
from dockpass.findings import Finding, Severity
from dockpass.references.address import (
    DOCKER_HUB_HOST,
    host_name,
    host_of_reference,
    host_of_registry,
    is_docker_hub,
    is_google,
    login_key,
    same_registry,
)
from dockpass.references.reference import is_host, parse_reference
from dockpass.text import clean

_NOT_THE_KEY = frozenset({"hub.docker.com", "registry-1.docker.io", "registry.hub.docker.com"})
_HOST_IN = re.compile(r"(?:\w+:)?(?://)?([^/]*)(?:/.*)?", re.DOTALL)
_SIMULATED = ("local-registry.", "registry.gcl.local")
_PROXY = "CI_DEPENDENCY_PROXY_SERVER"


def in_addresses(patient: Patient) -> Iterator[Finding]:
    """Yield what is wrong with the registry and the repository, each by itself and together."""
    facts = patient.facts
    yield from _about_registry(facts)
    yield from _about_repository(facts)
    yield from _about_both(patient)
    yield from _about_base_images(patient)


def _about_registry(facts: Facts) -> Iterator[Finding]:
    registry = facts.text(GITLAB.registry)
    bare = host_of_registry(registry)
    if registry and "/" not in registry and not is_host(registry.strip()) and "$" not in registry:
        yield Finding(
            "address-invalid",
            GITLAB.registry,
            f"is {clean(registry, 100)}, which is not host[:port]",
            hint="Use the name and, if it is not 443, the port of the registry.",
            severity=Severity.ERROR,
        )
    if _HOST_IN.sub(r"\1", registry.strip().lower()) in _NOT_THE_KEY:
        yield _hub_address(GITLAB.registry, registry)
    if registry.startswith(_SIMULATED):
        yield Finding(
            "simulated-registry",
            GITLAB.registry,
            f"is {clean(bare, 100)}, a name that gitlab-ci-local makes up",
            hint=f"Set {GITLAB.registry} to the real registry.",
        )
    has_image = facts.is_set(GITLAB.image) or facts.unknown(GITLAB.image)
    if registry and not has_image and facts.text("GITLAB_CI") == "true" and not facts.elsewhere:
        yield Finding(
            "image-off",
            GITLAB.image,
            f"is not set, although {GITLAB.registry} is: the container registry is disabled for this project",
            hint="Enable it in the project's settings, under Visibility, project features, permissions.",
        )


def _hub_address(name: str, written: str) -> Finding:
    return Finding(
        "hub-address",
        name,
        f"names {clean(written, 100)}; Docker keeps the login of Docker Hub under {DOCKER_HUB_HOST}",
        hint=f"Use {DOCKER_HUB_HOST}, or leave the host out.",
    )


def _about_repository(facts: Facts) -> Iterator[Finding]:
    repo, name = facts.repo, "--repo" if facts.options.repo else GITLAB.image
    if not repo or "$" in repo:
        return
    first, slash, rest = repo.partition("/")
    if first.lower() in _NOT_THE_KEY:
        yield _hub_address(name, first)
    has_host = host_of_reference(repo) != DOCKER_HUB_HOST or is_docker_hub(first)
    path = rest if has_host and slash else repo
    path, _ = split_tag(path)
    if path != path.lower():
        yield Finding(
            "repository-case",
            name,
            f"has capital letters in {clean(path, 200)}; a repository has lower-case letters only",
            hint=f"Use {clean(path.lower(), 200)}.",
            severity=Severity.ERROR,
        )
        return
    try:
        reference = parse_reference(repo)
    except UsageError as error:
        yield Finding("repository-invalid", name, f"is not a valid repository: {error.message}",
                      hint=error.hint, severity=Severity.ERROR)  # fmt: skip
        return
    if reference.tag or reference.digest:
        what = f"the tag {reference.tag}" if reference.tag else "a digest"
        yield Finding(
            "tag-in-repository",
            name,
            f"has {what}; a repository without one is expected",
            hint=f"Use {clean(reference.repository.familiar, 200)}.",
        )
    if not has_host and facts.is_known(GITLAB.registry) and not is_docker_hub(facts.text(GITLAB.registry)):
        yield Finding(
            "hub-name",
            name,
            f"is {clean(repo, 200)}, which has no host: it is a repository on Docker Hub",
            hint=f"Put the host in front: {clean(facts.text(GITLAB.registry), 100)}/{clean(repo, 200)}.",
        )


def _about_both(patient: Patient) -> Iterator[Finding]:
    facts = patient.facts
    registry, repo = facts.text(GITLAB.registry), facts.repo
    if not registry or not repo or "$" in registry + repo:
        return
    login, target = host_of_registry(registry), host_of_reference(repo)
    name = "--repo" if facts.options.repo else GITLAB.image
    if not same_registry(login, target) and host_name(login) and host_name(login) == host_name(target):
        yield Finding(
            "port-differs",
            name,
            f"names {clean(target, 100)}, and {GITLAB.registry} is {clean(login, 100)}: for docker these are"
            " two registries, even if the port is 443",
            hint="Write both the same way.",
        )
    if is_google(target) and facts.is_set(GITLAB.token) and not is_google(login):
        yield Finding(
            "google-registry",
            name,
            f"is at {clean(target, 100)}, where no automatic login is made",
            hint="Give the login as options, or use a docker config with a credential helper.",
            severity=Severity.NOTE,
        )
    push, image = patient.decisions[Command.PUSH], facts.text(GITLAB.image)
    by_token = isinstance(push, Decision) and push.method is Method.AUTOLOGIN
    outside = bool(image) and repo != image and not repo.startswith(f"{image.rstrip('/')}/")
    if by_token and facts.options.repo and outside and same_registry(login, target):
        yield Finding(
            "outside-project",
            name,
            f"is {clean(repo, 200)}, which is not below {GITLAB.image} ({clean(image, 200)}): a job token"
            " can push to its own project only",
            hint=f"Use {clean(image, 200)}/NAME, or give the login of a deploy token.",
        )


def _about_base_images(patient: Patient) -> Iterator[Finding]:
    facts = patient.facts
    build = patient.decisions[Command.BUILD]
    if not isinstance(build, Decision):
        return
    registry, project = host_of_registry(facts.text(GITLAB.registry)), facts.text("CI_PROJECT_PATH").lower()
    proxy = facts.text(_PROXY)
    for image in facts.base_images or ():
        host = host_of_reference(image.reference)
        if proxy and host_name(host) == host_name(proxy) and login_key(host) not in build.login:
            yield Finding(
                "dependency-proxy",
                clean(image.origin, 100),
                f"pulls {clean(image.reference, 200)} through the dependency proxy, for which no login is"
                " made",
                hint="Log in to exactly that host, with CI_DEPENDENCY_PROXY_USER and"
                " CI_DEPENDENCY_PROXY_PASSWORD.",
            )
        elif build.method is Method.AUTOLOGIN and project and same_registry(host, registry):
            path = image.reference.partition("/")[2].lower()
            if path != project and not path.startswith((f"{project}/", f"{project}:", f"{project}@")):
                yield Finding(
                    "other-project",
                    clean(image.origin, 100),
                    f"pulls {clean(image.reference, 200)}, an image of another project",
                    hint="That project's job token allowlist must include this one, and the user who runs"
                    " the pipeline must be a member there.",
                    severity=Severity.NOTE,
                )
