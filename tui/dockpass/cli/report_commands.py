"""The command `report`: its options, and what it hands on."""

from __future__ import annotations

from typing import Any

import click

from dockpass.cli.facts_options import output_option
from dockpass.cli.options import (
    facts_options,
    from_option,
    given_of,
    job_options,
    registry_options,
    repo_option,
)
from dockpass.cli.world import this_process


@click.command()
@repo_option
@facts_options
@job_options
@from_option
@click.option("--probe", is_flag=True, help="Ask the registry too what the login of a push may do.")
@output_option
@registry_options
def report(probe: bool, path: str | None, **options: Any) -> None:
    """Write a Markdown report for a ticket.

    It has the place, the logins with their reasons, the variables and the findings. Of a variable it holds
    name, source, flags and length, and never a value. Sends nothing without --probe.
    """
    from dockpass.cli.report import run_report

    if options["env_file"] and options["job"] is not None:
        raise click.UsageError("--env-file cannot be used with --job.")
    world = this_process()
    policy = None
    if probe:
        from dockpass.cli.allowing import policy_in  # only who asks a registry pays for it

        policy = policy_in(world, options)
    raise SystemExit(run_report(world, given_of(options, asks=probe), policy, path))
