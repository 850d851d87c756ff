"""Which host the CI server has, by the variables that it sets."""

from __future__ import annotations

from dockpass.auth.ci import GITLAB
from dockpass.auth.facts import Facts
from dockpass.references.address import host_name, host_of_registry


def servers_of(facts: Facts) -> frozenset[str]:
    """Return the hosts that its variables name: none if not set, several if they contradict each other."""
    return frozenset(
        host_name(host_of_registry(facts.text(name))) for name in GITLAB.servers if facts.is_set(name)
    )
