"""The registries that a run asks, and for a build, what for and with which login. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockpass.references.address import host_of_reference, login_key
from dockpass.references.imagenames import normalised
from dockpass.runs.request import RunRequest
from dockpass.text import clean


def hosts_of_run(request: RunRequest) -> tuple[str, ...]:
    """Return the registry hosts that a run talks to."""
    if request.command.needs_repo:
        return (host_of_reference(request.decision.repo),)
    return tuple(sorted({asked.host for asked in asked_by_build(request)}))


@dataclass(frozen=True, slots=True)
class AskedRegistry:
    """A registry that a build asks, and for what: `base image`, `cache` or `push`."""

    host: str
    what: str
    reference: str


def asked_by_build(request: RunRequest) -> tuple[AskedRegistry, ...]:
    """Return what a build asks of which registry: base images, caches, and the names that it pushes."""
    from dockpass.builders.options import cache_references  # no other run has caches

    build = request.build
    named = [("base image", image.reference) for image in request.facts.base_images or ()]
    named += [("cache", each) for each in cache_references((*build.cache_from, *build.cache_to))]
    named += [("push", tag) for tag in request.tags] if build.push else []
    found = (AskedRegistry(_host_of(reference), what, reference) for what, reference in named)
    return tuple(dict.fromkeys(each for each in found if each.host))


def _host_of(reference: str) -> str:
    return host_of_reference(reference) if normalised(reference) else ""


def asked_in_words(request: RunRequest) -> Iterator[str]:
    """Yield a line for each registry: `registry.example: base image web/base:1; as gitlab-ci-token`."""
    hosts: dict[str, list[str]] = {}
    for asked in asked_by_build(request):
        hosts.setdefault(asked.host, []).append(f"{asked.what} {asked.reference}")
    for host, wanted in hosts.items():
        yield clean(f"{host}: {', '.join(wanted)}; {_login_at(host, request)}")


def _login_at(host: str, request: RunRequest) -> str:
    decision = request.decision
    if login_key(host) in decision.login:
        return f"as {decision.username}"
    if decision.login or decision.config_dir is None:
        return "without a login"
    return f"with the entry in {decision.config_dir}, if there is one"
