"""What looks wrong about a value. A finding never changes a value: values are never trimmed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockpass.auth.address import host_of_reference, host_of_registry, same_registry
from dockpass.auth.facts import Facts, Variable
from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.variables.catalogue import CATALOGUE

_WEAK = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """`name` is the variable, option or file that it is about; both texts are clean."""

    id: str
    name: str
    message: str


def find_findings(facts: Facts) -> tuple[Finding, ...]:
    """Look at the values of the variables that matter."""
    found: list[Finding] = []
    for entry in CATALOGUE:
        variable = facts.variables.get(entry.name)
        if variable is not None:
            found += _about_value(variable)
    return (*found, *_about_registry(facts), *_about_docker(facts))


def _about_value(variable: Variable) -> Iterator[Finding]:
    name, value = variable.name, variable.value
    raw = value.reveal() if isinstance(value, Secret) else value
    if not raw:
        yield Finding("empty", name, "is empty, which counts as not set")
        return
    if raw.endswith(("\n", "\r")):
        yield Finding("line-end", name, "ends with a line end, which is sent as a part of it")
    elif raw != raw.strip():
        yield Finding("blanks", name, "begins or ends with a blank, which is sent as a part of it")
    if len(raw) > 1 and raw[0] == raw[-1] and raw[0] in "\"'":
        yield Finding("quoted", name, "stands in quotes, which are a part of the value")
    if isinstance(value, Secret) and len(raw) < _WEAK:
        yield Finding("weak", name, "is too short for a secret, and cannot be masked everywhere")


def _about_registry(facts: Facts) -> Iterator[Finding]:
    registry, image = facts.text("CI_REGISTRY"), facts.text("CI_REGISTRY_IMAGE")
    if "://" in registry or "/" in registry.rstrip("/"):
        yield Finding(
            "registry-address", "CI_REGISTRY", "is an address; a host with an optional port is meant"
        )
    if registry and image and not same_registry(host_of_reference(image), host_of_registry(registry)):
        yield Finding(
            "image-elsewhere",
            "CI_REGISTRY_IMAGE",
            f"is not in CI_REGISTRY ({clean(registry)}); one of them was overwritten",
        )
    if facts.is_set("CI_JOB_TOKEN") and not registry:
        yield Finding("registry-off", "CI_REGISTRY", "is not set in a job: the registry is switched off")


def _about_docker(facts: Facts) -> Iterator[Finding]:
    for name in ("WERF_DOCKER_CONFIG", "DOCKER_CONFIG"):
        if facts.text(name).startswith("~"):
            yield Finding("tilde", name, "begins with ~, which docker does not expand")
    if facts.is_set("DOCKER_AUTH_CONFIG"):
        yield Finding(
            "auth-config",
            "DOCKER_AUTH_CONFIG",
            "would win over every login in docker 28.3 and later; it is left out of a run",
        )
