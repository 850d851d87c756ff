"""What looks wrong about a value. A finding never changes a value: values are never trimmed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockpass.auth.ci import GITLAB
from dockpass.auth.facts import EnvFileRemark, Facts, Variable
from dockpass.findings import Finding, Severity
from dockpass.references.address import host_of_reference, host_of_registry, same_registry
from dockpass.secrets import Secret
from dockpass.unknown import Unknown
from dockpass.variables.catalogue import CATALOGUE
from dockpass.variables.config_findings import (
    AUTH_CONFIG,
    DIRECTORIES,
    find_in_auth_config,
    find_in_directories,
)
from dockpass.variables.envfile_findings import find_in_env_files
from dockpass.variables.here import Here
from dockpass.variables.token_findings import find_dead_token
from dockpass.variables.token_kind import RegistryUse, kind_of
from dockpass.variables.unread_findings import find_unread

__all__ = ["Finding", "Severity", "find_findings"]

_WEAK = 4
_PLACEHOLDER = re.compile(
    r"(\[masked\])+x*|\[(filtered|redacted|hidden)\]|redacted|[*\u2022\u25cf]{3,}|(\w{2,9}[-_])?x{4,}|<[^<>]*>|change[-_]?me|todo"
    r"|your[-_ ](\w+[-_ ])*(token|password|secret|key)([-_ ]here)?",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\$\w+|\$\{\w+(:?[-=?+][^{}]*)?\}|%\w+%|\$\([^()]*\)|\$\{\{[^{}]*\}\}")
_IN_ADDRESS = re.compile(r"\$\{?\w")
_ADDRESSES = frozenset({GITLAB.registry, GITLAB.image})
_UNSEEN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ud800-\udfff]"
)
_QUOTES = ("''", '""', "“”", "‘’")


def find_findings(facts: Facts, here: Here | None = None) -> tuple[Finding, ...]:
    """Look at the values of the variables and options that matter.

    Without `here` the facts alone are looked at: no clock, and nothing that lies at a path.
    """
    found: list[Finding] = []
    for entry in CATALOGUE:
        if entry.name in facts.variables and not entry.option:
            variable = facts.variables[entry.name]
            if isinstance(variable.value, Unknown):
                continue
            about = _about_value(entry.name, variable.value)
            found += [each for each in about if each.id not in _told_elsewhere(variable)]
    options = facts.options
    if options.registry_username:
        found += _about_value("--registry-username", options.registry_username)
    if options.registry_password:
        found += _about_value("--registry-password", options.registry_password)
    return (
        *found,
        *find_in_env_files(facts),
        *_about_registry(facts),
        *_about_login(facts),
        *(find_dead_token(facts, here) if here else ()),
        *find_unread(facts),
        *find_in_directories(facts, None if facts.elsewhere else here),
        *find_in_auth_config(facts),
    )


def _told_elsewhere(variable: Variable) -> frozenset[str]:
    """Return what is told with the line of a file, or by those who know the form of the value."""
    if variable.name == AUTH_CONFIG:
        return frozenset({"line-end", "blanks", "quoted", "unseen", "weak"})
    told = {"not-expanded"} if variable.name in DIRECTORIES else set()
    return frozenset(told | ({"quoted"} if EnvFileRemark.QUOTES in variable.source.remarks else set()))


def _about_value(name: str, value: str | Secret) -> Iterator[Finding]:
    raw = value.reveal() if isinstance(value, Secret) else value
    what_follows = _what_follows(name, value)
    if not raw:
        yield Finding(
            "empty", name, "is empty, which counts as not set", hint="Give it a value, or unset it."
        )
        return
    if raw.lstrip().startswith("{"):
        pass  # space around JSON, such as a key file of Google's, is none of it
    elif raw.endswith(("\n", "\r")):
        yield Finding(
            "line-end",
            name,
            f"ends with a line break, which is {what_follows}",
            hint="Store it without the line break: `echo` adds one, printf %s does not.",
        )
    elif raw != raw.strip():
        yield Finding(
            "blanks",
            name,
            f"begins or ends with a blank, which is {what_follows}",
            hint="Store it without the blank.",
        )
    bare = raw.strip()
    if len(bare) > 1 and bare[0] + bare[-1] in _QUOTES:
        yield Finding(
            "quoted",
            name,
            "is in quotes, which are part of the value",
            hint="Store it without the quotes.",
        )
    if found := _UNSEEN.search(raw.strip()):
        yield Finding("unseen", name, f"has an invisible character at position {found.start() + 1}")
    if _REFERENCE.fullmatch(raw) or (name in _ADDRESSES and _IN_ADDRESS.search(raw)):
        yield Finding(
            "not-expanded",
            name,
            "looks like an unexpanded variable reference",
            hint="Define that variable, or store the value itself.",
        )
    if isinstance(value, Secret):
        yield from _about_secret(name, raw)


def _what_follows(name: str, value: str | Secret) -> str:
    """Say what becomes of a blank around a value: only the registry's host is read without it."""
    if name == GITLAB.registry:
        return "left out here, but not by other programs"
    is_sent = isinstance(value, Secret) or name == "--registry-username"
    return "sent as part of it" if is_sent else "part of the value"


def _about_secret(name: str, raw: str) -> Iterator[Finding]:
    if _PLACEHOLDER.fullmatch(raw):
        yield Finding(
            "placeholder",
            name,
            "is a placeholder from a log or a document, not the secret",
            hint="Give the secret itself.",
        )
    if len(raw) < _WEAK:
        yield Finding("weak", name, "is too short for a secret, and cannot be masked everywhere")
    if re.match(r"(authorization:\s*)?(basic|bearer|token) ", raw, re.IGNORECASE):
        yield Finding(
            "encoded",
            name,
            "is a whole header; only the secret itself is expected",
            hint="Leave out the word before the secret.",
        )


def _about_registry(facts: Facts) -> Iterator[Finding]:
    registry, image = facts.text(GITLAB.registry), facts.text(GITLAB.image)
    if "/" in registry:
        at_end = "ends with a slash" if "/" not in registry.rstrip("/") else "has a path"
        what = "has a scheme" if "://" in registry else at_end
        yield Finding(
            "registry-address",
            GITLAB.registry,
            f"{what}; it must be host[:port]",
            hint="Remove everything but host and port.",
        )
    if registry and image and not same_registry(host_of_reference(image), host_of_registry(registry)):
        yield Finding(
            "image-elsewhere",
            GITLAB.image,
            f"is not in {GITLAB.registry}; one of them was overwritten",
            hint=f"Find the variable that overrides it: dockpass vars explain {GITLAB.image}.",
        )
    if facts.is_set(GITLAB.token) and not registry and not facts.unknown(GITLAB.registry):
        yield Finding(
            "registry-off",
            GITLAB.registry,
            "is not set in a job: the registry is switched off",
            hint="Switch the container registry on in the project's settings.",
        )


def _about_login(facts: Facts) -> Iterator[Finding]:
    token = facts.text(GITLAB.token)
    kind = kind_of(Secret(token))
    if kind.registry_login not in {RegistryUse.JOB, RegistryUse.UNCLEAR}:
        yield Finding(
            "not-a-job-token",
            GITLAB.token,
            f"is a {kind.name}: another level overwrote it",
            hint=f"Call that variable another name: the job sets {GITLAB.token} itself.",
        )
    if token and token == facts.text("WERF_IMAGES_CLEANUP_PASSWORD"):
        yield Finding(
            "same-token",
            "WERF_IMAGES_CLEANUP_PASSWORD",
            "is the job token, so it allows nothing more",
            hint="Give it the token of a user who may delete.",
        )
    if ":" in (facts.options.registry_username or ""):
        yield Finding(
            "user-colon",
            "--registry-username",
            "contains a colon, where a registry takes the password to begin",
            hint="Give the user name alone.",
        )
