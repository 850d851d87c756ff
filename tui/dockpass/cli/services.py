"""What runs, probes and programs get of this process, put together once for the command line."""

from __future__ import annotations

from dockpass.cli.readonly import read_only_of
from dockpass.cli.world import World
from dockpass.registry.policy import Policy
from dockpass.runs.services import Services


def services_of(world: World, policy: Policy | None = None) -> Services:
    """Return the services of this process, with docker's engine.

    `policy` is what the person allows beyond the ordinary in speaking to registries.
    """
    return Services(
        world.environ,
        world.home,
        world.cwd,
        world.paths.state,
        world.redactor,
        policy=policy or Policy(),
        read_only=read_only_of(world),
    )
