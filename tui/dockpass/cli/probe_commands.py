"""The command `probe`: its options, and what it hands on."""

from __future__ import annotations

from typing import Any

import click

from dockpass.auth.command import Command
from dockpass.cli.context import Given
from dockpass.cli.options import (
    build_options,
    facts_options,
    policy_of,
    proxies_of_world,
    registry_options,
    repo_option,
)
from dockpass.cli.world import this_process
from dockpass.runs.request import BuildOptions

_GIVEN = (
    "registry_username",
    "registry_password",
    "registry_password_stdin",
    "env_file",
    "env_format",
    "sets",
    "unsets",
    "clean_env",
)


@click.command()
@click.argument("command", required=False, type=click.Choice([str(command) for command in Command]))
@repo_option
@facts_options
@click.option("--from", "froms", multiple=True, metavar="IMAGE", help="A base image of a build.")
@build_options
@click.option("--compare", is_flag=True, help="Ask with every login at hand, side by side.")
@click.option(
    "--push",
    "push",
    is_flag=True,
    help="Ask to push also where the repository is not there; GitLab then makes its record.",
)
@click.option(
    "--accept-realm",
    is_flag=True,
    help="Send the login to a token server other than the one remembered, and remember it.",
)
@registry_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def probe(command: str | None, **options: Any) -> None:
    """Ask the registry what the login of COMMAND may do there; push if no COMMAND is named.

    Nothing is pulled, pushed or deleted. Every request that was made is listed.
    """
    from dockpass.cli.probe import run_probe

    given = Given(repo=options["repo"], froms=options["froms"], **{name: options[name] for name in _GIVEN})
    build = BuildOptions(options["file"], options["config"], options["context"], target=options["target"])
    world = this_process()
    status = run_probe(
        world,
        Command(command or Command.PUSH),
        given,
        build,
        policy=policy_of(options, world.home, world.cwd, proxies_of_world(options, world)),
        compare=options["compare"],
        push=options["push"],
        foreign_allowed=options["allow_foreign_registry"],
        accept_realm=options["accept_realm"],
        as_json=options["as_json"],
    )
    raise SystemExit(status)
