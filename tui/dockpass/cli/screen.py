"""Starts the screen, where there is a terminal for it."""

from __future__ import annotations

import sys

from dockpass.errors import UsageError


def start_screen(engine: str | None = None) -> int:
    """Run the terminal UI; return the exit status."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "no-terminal",
            "The screen needs a terminal, and stdin or stdout is none.",
            "`dockpass explain push` says the same without one; `dockpass --help` lists all commands.",
        )
    from dockpass.cli.context import engine_choice, this_process
    from dockpass.ui.app import run_app

    world = this_process()
    return run_app(
        world.environ, world.home, world.cwd, world.paths, world.redactor, engine_choice(world, engine)
    )
