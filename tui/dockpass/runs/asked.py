"""The registries that a build asks, each with the login that it would get. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dockpass.references.address import login_key
from dockpass.runs.request import RunRequest, asked_by_build
from dockpass.text import clean


def asked_in_words(request: RunRequest) -> Iterator[str]:
    """Yield a line for each registry: `registry.example for base image web/base:1 with gitlab-ci-token`."""
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
