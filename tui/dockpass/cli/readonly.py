"""Read-only mode on the command line: each command that acts asks here first."""

from __future__ import annotations

from contextlib import suppress

from dockpass.cli.world import World, read_only_is_asked
from dockpass.errors import UsageError
from dockpass.readonly import Act, ReadOnly, find_read_only
from dockpass.settings import load_settings


def read_only_of(world: World) -> ReadOnly:
    """Return the mode that holds for this process: by the option, the variable or the settings."""
    set_in = ""
    with suppress(UsageError):  # without a home there are no settings
        loaded = load_settings(world.paths.settings)
        set_in = loaded.sources["read_only"] if loaded.settings.read_only else ""
    return find_read_only(world.environ, asked=read_only_is_asked(), set_in=set_in)


def refuse_if_read_only(world: World, act: Act) -> None:
    """Raise `NotAllowed` where an act may not be done."""
    read_only_of(world).refuse(act)
