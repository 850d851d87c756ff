"""Variables that people set for a registry, and that nothing here reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockpass.auth.ci import GITLAB
from dockpass.auth.facts import Facts
from dockpass.auth.rules import WERF_REPOSITORIES
from dockpass.findings import Finding, Severity
from dockpass.references.address import (
    host_of_registry,
    is_docker_hub,
    is_google,
    normalise_host,
    same_registry,
)
from dockpass.text import clean

USER, PASSWORD, TOKEN, REGISTRY = (
    GITLAB.registry_user,
    GITLAB.registry_password,
    GITLAB.token,
    GITLAB.registry,
)
_JOB_USER = GITLAB.user
_NEVER_GITLAB: tuple[tuple[str, str], ...] = (
    (r"(docker\.pkg\.)?ghcr\.io|docker\.pkg\.github\.com", "GitHub's registry"),
    (r"quay\.io", "Quay"),
    (r"\d+\.dkr[.-]ecr(-fips)?\.[\w.-]+|public\.ecr\.aws", "Amazon ECR"),
    (r"[\w-]+\.azurecr\.(io|cn|us)|mcr\.microsoft\.com", "Azure"),
    (r"registry\.digitalocean\.com", "DigitalOcean"),
    (r"(.+\.)?icr\.io", "IBM Cloud"),
    (r"[\w-]+\.ocir\.io", "Oracle Cloud"),
    (r"rg\.[\w-]+\.scw\.cloud", "Scaleway"),
    (r"cr\.yandex", "Yandex Cloud"),
    (r"[\w.-]+\.aliyuncs\.com", "Alibaba Cloud"),
    (r"[\w.-]+\.jfrog\.io", "JFrog"),
    (r"registry\.heroku\.com", "Heroku"),
    (r"nvcr\.io", "NVIDIA"),
)
_AS_OPTIONS = (
    'Pass them as options: --registry-username "${user}", and "${password}" to --registry-password-stdin.'
)
_NOT_READ: tuple[tuple[str, str], ...] = (
    ("WERF_USERNAME", "Give it as --registry-username."),
    ("WERF_PASSWORD", "Give it as --registry-password-stdin."),
    ("WERF_REPO_DOCKER_HUB_USERNAME", "Give it as --registry-username."),
    ("WERF_REPO_DOCKER_HUB_PASSWORD", "Give it as --registry-password-stdin."),
    ("WERF_REPO_DOCKER_HUB_TOKEN", "Give it as --registry-password-stdin, with the user name."),
    ("WERF_REPO_GITHUB_TOKEN", "Give it as --registry-password-stdin, with the user name."),
    ("WERF_REPO_HARBOR_USERNAME", "Give it as --registry-username."),
    ("WERF_REPO_HARBOR_PASSWORD", "Give it as --registry-password-stdin."),
    ("WERF_REPO_QUAY_TOKEN", "Give it as --registry-password-stdin, with the user name."),
    ("WERF_LOGIN_TO_REGISTRY", "WERF_IGNORE_CI_DOCKER_AUTOLOGIN switches the automatic login off."),
    ("WERF_USE_DOCKER_AUTH_CONFIG", "No run uses DOCKER_AUTH_CONFIG; write it to a config.json."),
    ("WERF_INSECURE_REGISTRY", "Name the registry with --insecure-registry HOST."),
    ("WERF_SKIP_TLS_VERIFY_REGISTRY", "Name the registry with --skip-tls-verify-registry HOST."),
    ("WERF_DRY_RUN", "Give --dry-run: without it, a cleanup deletes."),
    (
        "REGISTRY_AUTH_FILE",
        "Podman, buildah and skopeo read it; a run takes its logins from docker's config.",
    ),
)
UNREAD = (*WERF_REPOSITORIES, *(name for name, _ in _NOT_READ))
"""The names of all of them but GitLab's own."""


def find_unread(facts: Facts) -> Iterator[Finding]:
    """Yield what is set and not read, where somebody could believe that it is."""
    yield from _repositories(facts)
    for name, hint in _NOT_READ:
        if facts.is_set(name):
            yield Finding("not-read", name, "is not read here", hint=hint)
    options = facts.options
    if not (options.registry_username and options.registry_password) and not facts.is_set(
        "WERF_DOCKER_CONFIG"
    ):
        yield from _overwritten(facts)


def _repositories(facts: Facts) -> Iterator[Finding]:
    for name in WERF_REPOSITORIES:
        value = facts.text(name)
        if value and value.rstrip("/") != facts.repo.rstrip("/"):
            used = f"; the repository is {clean(facts.repo, 200)}" if facts.repo else ""
            yield Finding("not-read", name, f"is not read here{used}", hint=f'Give it as --repo "${name}".')


def _overwritten(facts: Facts) -> Iterator[Finding]:
    """Yield that `CI_REGISTRY` or its login is another service's, or that its login lies idle."""
    registry, token = facts.text(REGISTRY), facts.is_set(TOKEN)
    host = host_of_registry(registry) if registry else ""
    both = facts.is_set(USER) and facts.is_set(PASSWORD)
    unread = f"; {USER} and {PASSWORD} are set but not read" if both else ""
    hint = _AS_OPTIONS.replace("{user}", USER).replace("{password}", PASSWORD)
    ignored = facts.is_set("WERF_IGNORE_CI_DOCKER_AUTOLOGIN")
    if host and token and not ignored and (what := _other_service(host, facts)):
        why = (
            "where no automatic login is made"
            if is_google(host)
            else "and a job token is only valid at GitLab"
        )
        if both or not is_google(host):
            yield Finding(
                "registry-overwritten",
                REGISTRY,
                f"is {clean(host, 100)}, {what}, {why}{unread}",
                hint=hint if both else "Give the registry's own login as options, or remove the variable.",
                severity=Severity.ERROR,
            )
    elif token and not ignored and facts.is_set(PASSWORD) and _of_another(facts):
        yield Finding(
            "login-overwritten",
            USER if facts.text(USER) not in {"", _JOB_USER} else PASSWORD,
            f"is not the job's own and is not read: the automatic login is {_JOB_USER} with {TOKEN}",
            hint=hint,
        )
    elif facts.is_set(PASSWORD) and not token and not facts.unknown(TOKEN) and not ignored:
        yield Finding(
            "not-read",
            PASSWORD,
            f"is not read here, and {TOKEN}, which the automatic login needs, is not set",
            hint=f"In a job, both are the same token: set {TOKEN} to it."
            if facts.text(USER) in {"", _JOB_USER}
            else hint,
        )


def service_of(host: str) -> str:
    """Say whose registry a host is, where it is no GitLab's by its name; empty for any other."""
    if is_docker_hub(host) or normalise_host(host) in {"registry.hub.docker.com", "index.docker.com"}:
        return "Docker Hub"
    if is_google(host):
        return "Google's registry"
    bare = normalise_host(host).partition(":")[0]
    for pattern, what in _NEVER_GITLAB:
        if re.fullmatch(pattern, bare):
            return what
    return ""


def _other_service(host: str, facts: Facts) -> str:
    """Say whose registry a host is, where it cannot be GitLab's; empty where it can."""
    if what := service_of(host):
        return what
    if facts.text("CI_SERVER_HOST") == "gitlab.com" and not same_registry(host, "registry.gitlab.com"):
        return "not the registry of gitlab.com, which runs the job"
    return ""


def _of_another(facts: Facts) -> bool:
    user = facts.text(USER)
    if facts.unknown(USER) or (user in {"", _JOB_USER} and not _both_known(facts)):
        return False
    return user not in {"", _JOB_USER} or facts.text(PASSWORD) != facts.text(TOKEN)


def _both_known(facts: Facts) -> bool:
    return facts.is_known(PASSWORD) and facts.is_known(TOKEN)
