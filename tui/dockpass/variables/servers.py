"""Which host the CI server has, by the variables that it sets."""

from __future__ import annotations

from dockpass.auth.ci import GITLAB
from dockpass.auth.facts import Facts
from dockpass.references.address import host_name, host_of_registry


def servers_of(facts: Facts) -> frozenset[str]:
    """Return the host of the CI server; where its two variables differ, a name that no host has."""
    found = {host_name(host_of_registry(facts.text(name))) for name in GITLAB.servers if facts.is_set(name)}
    return frozenset({" or ".join(sorted(found))}) if found else frozenset()
