"""`dockpass scenario`: a setup as a file that is also a test."""

from __future__ import annotations

from typing import Any

import click

from dockpass.cli.facts_options import settings_options
from dockpass.cli.world import this_process


@click.group()
def scenario() -> None:
    """Keep a job and its pipeline as a file that tests the login.

    Sends nothing. Only show --read-secrets runs anything: the commands that secrets name.
    """


@scenario.command()
@click.option("--job", metavar="JOB", help="Only this job, whatever its script does.")
@click.option("--output", "directory", metavar="DIR", help="Where to write; scenarios/ by default.")
@settings_options
@click.option("--no-snapshot", is_flag=True, help="Ignore what was imported from GitLab.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def new(job: str | None, directory: str | None, as_json: bool, **given: Any) -> None:
    """Write scenarios of the jobs that log in or push.

    They expect what is found now. One for a protected branch or tag and one for an unprotected one. No
    file is overwritten.
    """
    from dockpass.cli.job_facts import JobGiven, options_of
    from dockpass.cli.scenario_new import write_new

    options = {**options_of(JobGiven(job=job)), **given}
    raise SystemExit(write_new(this_process(), options, directory, as_json=as_json))


@scenario.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--junit", metavar="PATH", help="Write the results as JUnit XML.")
@click.option("--code-quality", metavar="PATH", help="Write what differs as GitLab's code quality JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(files: tuple[str, ...], junit: str | None, code_quality: str | None, as_json: bool) -> None:
    """Compare each expectation of a scenario with what is found.

    Exit status 0 if everything is as expected, 1 if something differs, 2 if a file is no scenario.
    """
    from dockpass.cli.scenario import check_files

    raise SystemExit(check_files(this_process(), files, junit, code_quality, as_json=as_json))


@scenario.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--read-secrets", is_flag=True, help="Run the commands and ask the keyring that the secrets name."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(file: str, read_secrets: bool, as_json: bool) -> None:
    """Show what a scenario comes to.

    Shows its pipeline, sources, variables and logins, and no secret.
    """
    from dockpass.cli.scenario_show import show_file

    raise SystemExit(show_file(this_process(), file, asks=read_secrets, as_json=as_json))
