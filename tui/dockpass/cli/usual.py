"""The version of GitLab that the person's settings give."""

from __future__ import annotations

from dockpass.cli.world import World
from dockpass.settings import load_settings
from dockpass.variables.gitlab.versions import Version, version_of


def usual_version(world: World) -> Version | None:
    """Return the version where nothing else says one; None for the current one."""
    return version_of(load_settings(world.paths.settings).settings.gitlab_version)
