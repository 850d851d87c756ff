"""The command `doctor`: its options, and what it hands on."""

from __future__ import annotations

from typing import Any

import click

from dockpass.cli.options import facts_options, from_option, given_of, job_options, repo_option
from dockpass.cli.world import this_process


@click.command()
@repo_option
@facts_options
@job_options
@click.option("--all-jobs", is_flag=True, help="Check every job of .gitlab-ci.yml.")
@from_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool, all_jobs: bool, **options: Any) -> None:
    """Check variables, CI files, docker's config and the build file for what breaks a login.

    Each finding says why it matters and how to fix it. Checks this machine and, in a clone, what every job
    gets; --job and --all-jobs check jobs. Sends nothing. Exit status 1 if an error is among the findings.
    """
    from dockpass.cli import doctor as work

    if all_jobs and options["job"] is not None:
        raise click.UsageError("--all-jobs cannot be used with --job.")
    if options["env_file"] and (all_jobs or options["job"] is not None):
        raise click.UsageError("--env-file cannot be used with --job or --all-jobs.")
    raise SystemExit(work.run_doctor(this_process(), given_of(options), all_jobs=all_jobs, as_json=as_json))
