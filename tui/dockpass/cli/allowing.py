"""What the options of a command allow in speaking to registries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dockpass.cli.world import World
from dockpass.references.address import host_name
from dockpass.registry.policy import Policy, RealmRule, certificate_directories, checked_host
from dockpass.registry.proxies import NONE, Proxies, proxies_for


def policy_in(world: World, options: dict[str, Any]) -> Policy:
    """Return what the options allow, with this process's proxies; the redactor learns their passwords."""
    proxies = proxies_for(world.environ, world.redactor, unused=options["no_proxy"])
    return policy_of(options, world.home, world.cwd, proxies)


def policy_of(options: dict[str, Any], home: Path, cwd: Path, proxies: Proxies = NONE) -> Policy:
    """Return what the options allow; raises `UsageError` for one that names no host."""
    ca_file = options["ca_file"]
    realms = frozenset(host_name(checked_host("--allow-realm", host)) for host in options["realms"])
    return Policy(
        proxies=proxies,
        ca_file=cwd / ca_file if ca_file else None,
        insecure_registries=_hosts("--insecure-registry", options["insecure"]),
        skip_tls_verify=_hosts("--skip-tls-verify-registry", options["unverified"]),
        certificate_directories=certificate_directories(home),
        realm_rule=RealmRule(agreed=realms),
    )


def _hosts(option: str, given: tuple[str, ...]) -> frozenset[str]:
    return frozenset(checked_host(option, host) for host in given)
