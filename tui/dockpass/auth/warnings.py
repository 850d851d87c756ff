"""What a person should know about a decision."""

from __future__ import annotations

from collections.abc import Iterator

from dockpass.auth.command import Command, Method
from dockpass.auth.decision import Outcome, RuleId, Step, WarningId
from dockpass.auth.facts import SourceKind
from dockpass.auth.login import TokenLogin
from dockpass.auth.rules import (
    CLEANUP_PASSWORD,
    EXTERNAL_CONFIG,
    IGNORE_AUTOLOGIN,
    REGISTRY,
    REGISTRY_IMAGE,
    Case,
    host_of_image,
    login_of,
)
from dockpass.errors import NotAllowed
from dockpass.findings import Finding
from dockpass.references.address import login_key, same_registry
from dockpass.text import clean

_LOOKS_FALSE = frozenset({"0", "false", "no", "off"})

_FORMER_CLEANUP_NAMES = (
    "WERF_CLEANUP_REGISTRY_PASSWORD",
    "WERF_CLEANUP_IMAGES_PASSWORD",
    "DAPP_CLEANUP_REGISTRY_PASSWORD",
    "DAPP_SYNC_REGISTRY_PASSWORD",
    "DAPP_DIMG_CLEANUP_REGISTRY_PASSWORD",
)

FORMER_NAMES = {
    **dict.fromkeys(_FORMER_CLEANUP_NAMES, CLEANUP_PASSWORD),
    "DAPP_DOCKER_CONFIG": EXTERNAL_CONFIG,
    "DAPP_IGNORE_CI_DOCKER_AUTOLOGIN": IGNORE_AUTOLOGIN,
}
"""Former names of variables, which nothing reads any more, and the names of today."""


def warnings(
    case: Case, method: Method, login: tuple[str, ...], trace: tuple[Step, ...]
) -> tuple[Finding, ...]:
    """Return the warnings of a decision, the most dangerous first."""
    return (
        *_about_tokens(case, method),
        *_about_options(case, method),
        *_about_build(case, method, login),
        *_about_variables(case, trace),
    )


def _about_tokens(case: Case, method: Method) -> Iterator[Finding]:
    login = login_of(method)
    if isinstance(login, TokenLogin) and (why := why_foreign(case, login)):
        target = clean(case.host or case.registry_host)
        yield Finding(
            WarningId.FOREIGN_REGISTRY,
            "",
            f"{login.what[:1].upper()}{login.what[1:]} would go to {target}, {why}",
        )
    if case.command is Command.CLEANUP and method is Method.AUTOLOGIN:
        yield Finding(
            WarningId.MAY_NOT_DELETE,
            "",
            "Many GitLab instances do not let the job token delete;"
            f" set {CLEANUP_PASSWORD} to use that token instead",
        )


def why_foreign(case: Case, login: TokenLogin) -> str:
    """Return why a token's registry is not plainly the one that it was made for; empty where it is."""
    facts, target = case.facts, case.host or case.registry_host
    if not target:
        return ""  # the repository is not known here, and nothing goes anywhere before it is
    if facts.unknown(REGISTRY):
        return f"and the value of {REGISTRY} is not known here"
    # A value that names no host at all is foreign too: nothing says that the token is for the repo's host.
    if facts.is_set(REGISTRY) and not same_registry(target, case.registry_host):
        return f"which is not {REGISTRY} ({case.registry_shown})"
    if facts.is_known(REGISTRY_IMAGE):
        image = host_of_image(facts.text(REGISTRY_IMAGE))
        if not same_registry(target, image):
            return f"which is not the host of {REGISTRY_IMAGE} ({clean(image) or 'no host'})"
    if facts.variables[login.variable].source.kind is SourceKind.PROCESS:
        # Whoever can change a file of the project must not choose where a secret of the environment goes.
        for name in (REGISTRY, REGISTRY_IMAGE):
            if facts.is_set(name) and facts.variables[name].source.kind is SourceKind.ENV_FILE:
                return f"because {name} in {clean(facts.variables[name].source.detail)} says so"
    return ""


def _about_options(case: Case, method: Method) -> Iterator[Finding]:
    options = case.facts.options
    given = (bool(options.registry_username), bool(options.registry_password))
    if any(given) and not all(given):
        has, lacks = ("user name", "password") if given[0] else ("password", "user name")
        yield Finding(
            WarningId.HALF_CREDENTIALS, "", f"A {has} is given without a {lacks}, so it is not used"
        )
    if all(given) and method is Method.EXTERNAL:
        yield Finding(
            WarningId.OPTIONS_IGNORED,
            "",
            f"User name and password are given, but {EXTERNAL_CONFIG} wins",
        )
    unused = case.command is Command.BUILD and not case.base_hosts and method is not Method.EXTERNAL
    if all(given) and unused:
        yield Finding(
            WarningId.OPTIONS_UNUSED,
            "",
            "User name and password are given, but no base image is known to be pulled with them",
        )


def _about_build(case: Case, method: Method, login: tuple[str, ...]) -> Iterator[Finding]:
    if case.command is not Command.BUILD:
        return
    if case.facts.base_images is None:
        yield Finding(
            WarningId.NO_BUILD_FILE,
            "",
            "Cannot tell which base images the build pulls: no Dockerfile, werf.yaml or --from found",
        )
    elif case.facts.unknown_images and not case.base_hosts:
        reasons = "; ".join(f"{image.text}: {image.because}" for image in case.facts.unknown_images)
        yield Finding(
            WarningId.NO_BUILD_FILE, "", f"Cannot tell which base images the build pulls: {reasons}"
        )
    if len(login) > 1:
        yield Finding(
            WarningId.SENT_TO_MANY,
            "",
            f"The same user name and password go to {', '.join(map(clean, login))}",
        )
    others = [clean(host) for host in case.base_hosts if login_key(host) not in login]
    if method.logs_in and case.base_in_registry and others:
        also = " (and perhaps those not known)" if case.facts.unknown_images else ""
        yield Finding(
            WarningId.OTHERS_ANONYMOUS,
            "",
            f"Base images in {', '.join(others)}{also} are pulled without a login",
        )


def _about_variables(case: Case, trace: tuple[Step, ...]) -> Iterator[Finding]:
    held = any(step.rule is RuleId.IGNORE and step.outcome is Outcome.HOLDS for step in trace)
    value = case.facts.text(IGNORE_AUTOLOGIN)
    if held and value.lower() in _LOOKS_FALSE and case.facts.is_known(IGNORE_AUTOLOGIN):
        yield Finding(
            WarningId.IGNORE_LOOKS_FALSE,
            "",
            f"{IGNORE_AUTOLOGIN} is “{value}”, but any value turns autologin off; unset it instead",
        )
    for name, today in FORMER_NAMES.items():
        concerns = today != CLEANUP_PASSWORD or case.command is Command.CLEANUP
        if concerns and case.facts.is_set(name):
            yield Finding(WarningId.OLD_VARIABLE, "", f"{name} is no longer read; use {today}")


def foreign_refused(question: str) -> NotAllowed:
    """Return the error for a token that may not go to another registry unless a person says so."""
    return NotAllowed(
        "foreign-registry",
        f"{question} Nothing was sent.",
        "If that is intended, add --allow-foreign-registry.",
    )
