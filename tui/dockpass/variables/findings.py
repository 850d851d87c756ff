"""What looks wrong about a value. A finding never changes a value: values are never trimmed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockpass.auth.address import host_of_reference, host_of_registry, same_registry
from dockpass.auth.facts import EnvFileRemark, Facts
from dockpass.secrets import Secret
from dockpass.variables.catalogue import CATALOGUE
from dockpass.variables.envfile_findings import find_in_env_files
from dockpass.variables.finding import Finding, Severity

__all__ = ["Finding", "Severity", "find_findings"]

_WEAK = 4
_PLACEHOLDER = re.compile(r"\[masked\]|\*{3,}|x{4,}|<[^<>]*>|change_?me", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\w+|\$\{\w+\}|%\w+%")
_UNSEEN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ud800-\udfff]"
)
_QUOTES = ("''", '""', "“”", "‘’")


def find_findings(facts: Facts) -> tuple[Finding, ...]:
    """Look at the values of the variables and options that matter."""
    found: list[Finding] = []
    for entry in CATALOGUE:
        if entry.name in facts.variables and not entry.option:
            variable = facts.variables[entry.name]
            told = EnvFileRemark.QUOTES in variable.source.remarks  # with its line
            about = _about_value(entry.name, variable.value)
            found += [each for each in about if not (told and each.id == "quoted")]
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
        *_about_docker(facts),
    )


def _about_value(name: str, value: str | Secret) -> Iterator[Finding]:
    raw = value.reveal() if isinstance(value, Secret) else value
    if not raw:
        yield Finding("empty", name, "is empty, which counts as not set")
        return
    if raw.endswith(("\n", "\r")):
        yield Finding("line-end", name, "ends with a line end, which is sent as a part of it")
    elif raw != raw.strip():
        yield Finding("blanks", name, "begins or ends with a blank, which is sent as a part of it")
    if len(raw) > 1 and raw[0] + raw[-1] in _QUOTES:
        yield Finding("quoted", name, "stands in quotes, which are a part of the value")
    if found := _UNSEEN.search(raw.strip()):
        yield Finding("unseen", name, f"has a character that is not seen, at place {found.start() + 1}")
    if _REFERENCE.fullmatch(raw):
        yield Finding(
            "not-expanded", name, "looks like a reference to another variable, which nothing expanded"
        )
    if isinstance(value, Secret):
        yield from _about_secret(name, raw)


def _about_secret(name: str, raw: str) -> Iterator[Finding]:
    if _PLACEHOLDER.fullmatch(raw):
        yield Finding("placeholder", name, "is a placeholder from a log or a document, not the secret")
    if len(raw) < _WEAK:
        yield Finding("weak", name, "is too short for a secret, and cannot be masked everywhere")
    if re.match(r"(basic|bearer) ", raw, re.IGNORECASE):
        yield Finding("encoded", name, "is a whole header; the bare secret is meant")


def _about_registry(facts: Facts) -> Iterator[Finding]:
    registry, image = facts.text("CI_REGISTRY"), facts.text("CI_REGISTRY_IMAGE")
    if "/" in registry:
        what = "has a scheme" if "://" in registry else "has a path"
        yield Finding("registry-address", "CI_REGISTRY", f"{what}; a host with an optional port is meant")
    if registry and image and not same_registry(host_of_reference(image), host_of_registry(registry)):
        yield Finding(
            "image-elsewhere", "CI_REGISTRY_IMAGE", "is not in CI_REGISTRY; one of them was overwritten"
        )
    if facts.is_set("CI_JOB_TOKEN") and not registry:
        yield Finding("registry-off", "CI_REGISTRY", "is not set in a job: the registry is switched off")


def _about_login(facts: Facts) -> Iterator[Finding]:
    token = facts.text("CI_JOB_TOKEN")
    if token.startswith("glpat-"):
        yield Finding("not-a-job-token", "CI_JOB_TOKEN", "is a personal token: another level overwrote it")
    if token and token == facts.text("WERF_IMAGES_CLEANUP_PASSWORD"):
        yield Finding(
            "same-token", "WERF_IMAGES_CLEANUP_PASSWORD", "is the job token, so it allows nothing more"
        )
    if ":" in (facts.options.registry_username or ""):
        yield Finding("user-colon", "--registry-username", "has a colon, which no registry can tell apart")


def _about_docker(facts: Facts) -> Iterator[Finding]:
    for name in ("WERF_DOCKER_CONFIG", "DOCKER_CONFIG"):
        if facts.text(name).startswith("~"):
            yield Finding("tilde", name, "begins with ~, which only a shell expands; write $HOME")
    if facts.is_set("DOCKER_AUTH_CONFIG"):
        yield Finding(
            "auth-config",
            "DOCKER_AUTH_CONFIG",
            "would win over every login in docker 28.3 and later; it is left out of a run",
        )
