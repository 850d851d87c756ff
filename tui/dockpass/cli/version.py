"""What `dockpass --version` says."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click

from dockpass import __version__


def _installed(distribution: str) -> str:
    """Return the version of an installed distribution.

    The name of its directory says it; importlib.metadata is asked only where it does not, for loading that
    takes as long as the interpreter itself.
    """
    for place in sys.path:
        with suppress(OSError), os.scandir(place or ".") as entries:
            for entry in entries:
                name, _, version = entry.name.removesuffix(".dist-info").partition("-")
                if name == distribution and entry.name.endswith(".dist-info"):
                    return version
    from importlib.metadata import version as ask

    return ask(distribution)


def print_version(engine: str | None, *, verbose: bool) -> None:
    """Print the versions; with `verbose` also the engine that answers."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    click.echo(f"dockpass {__version__}")
    click.echo(f"Python {python}, textual {_installed('textual')}, docker SDK {_installed('docker')}")
    if verbose:
        from dockpass.cli.context import engine_choice
        from dockpass.cli.world import this_process
        from dockpass.engines.choice import detect_chosen

        world = this_process()
        state = detect_chosen(engine_choice(world, engine), world.environ, world.home)
        if state.info is not None:
            engine_words = f"{state.info.name} {state.info.version} at {state.info.endpoint}"
            click.echo(world.redactor(f"{engine_words} ({state.info.how})"))
        elif state.error is not None:
            click.echo(world.redactor(f"{state.error.message}\n  {state.error.hint}"))
