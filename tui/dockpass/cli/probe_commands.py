"""The command `probe`: its options, and what it hands on."""

from __future__ import annotations

from typing import Any

import click

from dockpass.auth.command import Command
from dockpass.cli.options import (
    build_of,
    build_options,
    facts_options,
    from_option,
    given_of,
    image_option,
    job_options,
    registry_options,
    repo_option,
)
from dockpass.cli.readonly import refuse_if_read_only
from dockpass.cli.world import this_process
from dockpass.readonly import Act


@click.command()
@click.argument("command", required=False, type=click.Choice([str(command) for command in Command]))
@repo_option
@facts_options
@job_options
@from_option
@build_options
@image_option
@click.option("--compare", is_flag=True, help="Try every available login and compare them.")
@click.option(
    "--push",
    "push",
    is_flag=True,
    help="Ask for push access even if the repository does not exist; GitLab then creates it.",
)
@click.option(
    "--accept-realm",
    is_flag=True,
    help="Accept a token server that differs from the one remembered, and remember it.",
)
@registry_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def probe(command: str | None, **options: Any) -> None:
    """Ask the registry what the login of COMMAND may do.

    COMMAND is push by default. Nothing is pulled, pushed or deleted. Every request is listed.
    """
    from dockpass.cli.allowing import policy_in
    from dockpass.cli.probe import run_probe

    world = this_process()
    if options["push"]:
        refuse_if_read_only(world, Act.CREATE)
    if options["accept_realm"]:
        refuse_if_read_only(world, Act.TRUST)
    status = run_probe(
        world,
        Command(command or Command.PUSH),
        given_of(options, asks=True),
        build_of(options, world.environ),
        policy=policy_in(world, options),
        compare=options["compare"],
        push=options["push"],
        foreign_allowed=options["allow_foreign_registry"],
        accept_realm=options["accept_realm"],
        as_json=options["as_json"],
    )
    raise SystemExit(status)
