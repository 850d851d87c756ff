"""The command `doctor`: its options, and what it hands on."""

from __future__ import annotations

from typing import Any

import click

from dockpass.cli.options import (
    facts_options,
    from_option,
    given_of,
    job_options,
    registry_options,
    repo_option,
)
from dockpass.cli.world import this_process

_FORMATS = ("as_json", "sarif", "code_quality")


@click.command()
@repo_option
@facts_options
@job_options
@click.option("--all-jobs", is_flag=True, help="Check every job of .gitlab-ci.yml.")
@from_option
@click.option("--probe", is_flag=True, help="Ask the registry too what the login of a push may do.")
@click.option(
    "--about",
    default="",
    metavar="NAME",
    help="Show only what is about this variable, job or file, each finding by itself; * stands for any text.",
)
@click.option(
    "--error", metavar="TEXT", help="Say which checks explain an error message; - reads it from stdin."
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note"]),
    default="error",
    help="End with exit status 1 from this level on; error by default.",
)
@registry_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--sarif", is_flag=True, help="Print a SARIF log.")
@click.option("--code-quality", is_flag=True, help="Print GitLab's code quality report.")
def doctor(**options: Any) -> None:
    """Check variables, configs and files for what breaks a login.

    Each finding says why it matters and how to fix it; each fix was tried. Checks this machine, docker's
    config and the build file, and in a clone the CI files and what every job gets; --job and --all-jobs check
    jobs. Sends nothing without --probe.
    """
    from dockpass.cli import doctor as work

    in_job = options["all_jobs"] or options["job"] is not None
    if options["all_jobs"] and options["job"] is not None:
        raise click.UsageError("--all-jobs cannot be used with --job.")
    if options["env_file"] and in_job:
        raise click.UsageError("--env-file cannot be used with --job or --all-jobs.")
    if options["probe"] and options["all_jobs"]:
        raise click.UsageError("--probe cannot be used with --all-jobs.")
    if sum(options[name] for name in _FORMATS) > 1:
        raise click.UsageError("Use one of --json, --sarif and --code-quality.")
    world = this_process()
    policy = None
    if options["probe"]:
        from dockpass.cli.allowing import policy_in  # only who asks a registry pays for it

        policy = policy_in(world, options)
    asked = work.Asked(
        all_jobs=options["all_jobs"],
        about=options["about"],
        error=options["error"],
        fail_on=options["fail_on"],
        form=next((name for name in _FORMATS if options[name]), "text"),
        policy=policy,
    )
    raise SystemExit(work.run_doctor(world, given_of(options, asks=options["probe"]), asked))
