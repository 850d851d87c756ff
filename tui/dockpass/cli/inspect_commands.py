"""Commands that look and change nothing."""

from __future__ import annotations

from typing import Any

import click

from dockpass.cli.facts_options import job_options, variable_options
from dockpass.cli.output import Output
from dockpass.cli.world import this_process
from dockpass.dockerconfig.readers.model import Reader
from dockpass.dockerconfig.readers.words import OF_A_JOB
from dockpass.errors import DockpassError


@click.command()
@click.argument("registry", required=False, metavar="[HOST|REPO]")
@click.option(
    "--reader", type=click.Choice([str(reader) for reader in Reader]), help="Show only this reader."
)
@click.option("--ask-helpers", is_flag=True, help="Run credential helpers as the readers would.")
@variable_options
@job_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def config(
    registry: str | None, reader: str | None, ask_helpers: bool, as_json: bool, **variables: Any
) -> None:
    """Show which login each tool finds in docker's config.

    Shows where they disagree, too. Without a registry, show every registry that the environment and the
    configs name. Nothing is sent.
    """
    from dockpass.cli import readers as work
    from dockpass.cli.explain import error_json
    from dockpass.cli.options import given_of

    world = this_process()
    output = Output(world.redactor)
    given = given_of(variables)
    try:
        situation = work.situation_of(work.with_variables(world, given), ask=ask_helpers)
        found = work.read_registries(situation, registry, Reader(reader) if reader else None)
        problems = work.problems_of(situation, registry)
    except DockpassError as error:
        if not as_json:
            raise
        output.json(error_json(error.id, error.message, error.hint))
        raise SystemExit(int(error.exit_code)) from None
    if given.job.asked:
        output.say([f"note: {OF_A_JOB}"])
    if as_json:
        output.json(work.registries_json(found, problems))
        return
    output.words(work.detail_lines(found[0]) if registry else work.overview_lines(found))
    output.words(work.problem_lines(problems))
    note = work.asked_note(found) if found else work.NOTHING_KNOWN
    if note:
        output.say([note])
