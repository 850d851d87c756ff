"""Where the image store is. Every start of the program loads this, and little else."""

from __future__ import annotations

from pathlib import Path

from dockpass.cli.world import World


def store_place(world: World) -> Path:
    """Return where the image store is: `DOCKPASS_STORE`, else the setting, else beside the other data."""
    from dockpass.settings import load_settings

    moved = "" if world.environ.get("DOCKPASS_STORE") else load_settings(world.paths.settings).settings.store
    return Path(moved) if moved else world.paths.store
