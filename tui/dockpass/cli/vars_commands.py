"""`dockpass vars`: the variables of a GitLab job as the job would see them, and why."""

from __future__ import annotations

from typing import Any

import click

from dockpass.cli.facts_options import Decorated, applied, output_option, pipeline_options
from dockpass.cli.gitlab_options import gitlab_options
from dockpass.cli.output import Output
from dockpass.cli.world import this_process


def job_option(function: Decorated) -> Decorated:
    """The job."""
    return click.option("--job", metavar="JOB", help="The job; without it, what every job gets.")(function)


def view_options(function: Decorated) -> Decorated:
    """Options that say which pipeline is looked at, with which settings and edits, and how it is told."""
    return applied(
        [
            click.option("--ref", metavar="BRANCH", help="The branch; the current one by default."),
            click.option("--tag", metavar="TAG", help="Assume a pipeline for this tag."),
            pipeline_options,
            click.option(
                "--from-gitlab", is_flag=True, help="Read the settings, with their values, from GitLab now."
            ),
            gitlab_options,
            click.option(
                "--set",
                "sets",
                multiple=True,
                metavar="NAME[=VALUE]",
                help="What if NAME were VALUE? Without =VALUE, take it from the environment.",
            ),
            click.option(
                "--unset", "unsets", multiple=True, metavar="NAME", help="What if NAME were missing?"
            ),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        ],
        function,
    )


@click.group(name="vars")
def vars_() -> None:
    """Show a job's variables as GitLab and its runner resolve them.

    Reads the clone and the files that you name, and runs nothing from the project. Only `import gitlab` and
    --from-gitlab send anything, to the project's own server, after your yes.
    """


@vars_.command()
@job_option
@view_options
@click.option("--all", "everything", is_flag=True, help="List predefined variables too.")
def show(as_json: bool, everything: bool, **given: Any) -> None:
    """List the variables of a job, and those that are missing.

    Shows the value and source of each, and what it overrides.
    """
    from dockpass.cli import variables as work
    from dockpass.cli import variables_json, variables_text

    world = this_process()
    looked = work.look(world, given)
    output = Output(world.redactor)
    if as_json:
        output.json(variables_json.show_json(looked))
    else:
        output.words(variables_text.show_lines(looked, everything=everything))
    output.say(work.note_lines(looked))
    raise SystemExit(work.status(looked))


@vars_.command()
@click.argument("name", metavar="NAME")
@job_option
@click.option("--image", metavar="IMAGE", help="With DOCKER_AUTH_CONFIG: who logs in as whom for this image.")
@view_options
def explain(name: str, image: str | None, as_json: bool, **given: Any) -> None:
    """Say where a value comes from, or why it is missing.

    Shows what it overrides, and what would bring a variable that is missing.
    """
    from dockpass.cli import variables as work
    from dockpass.cli import variables_bring, variables_json, variables_text

    if image is not None and name != "DOCKER_AUTH_CONFIG":
        raise click.UsageError("--image can only be used with DOCKER_AUTH_CONFIG.")
    world = this_process()
    looked = work.look(world, given)
    output = Output(world.redactor)
    ways = variables_bring.ways_of(looked, name)
    if as_json:
        found = variables_json.explain_json(looked, name)
        found["bring"] = variables_bring.ways_json(looked, ways)
        if image is not None:
            from dockpass.cli.variables_image import image_json

            found["for_image"] = image_json(looked.view, image, world.home)
        output.json(found)
    else:
        output.words(variables_text.explain_lines(looked, name))
        output.words(variables_bring.way_lines(looked, ways))
        if image is not None:
            from dockpass.cli.variables_image import image_lines

            output.words(image_lines(looked.view, image, world.home))
    output.say(work.note_lines(looked))
    raise SystemExit(work.status(looked))


@vars_.command()
@click.argument("job", metavar="JOB")
@view_options
def why(job: str, as_json: bool, **given: Any) -> None:
    """Say why a job is in the pipeline or not.

    Shows each rule with what it compares, and what would bring the job in.
    """
    from dockpass.cli import variables as work
    from dockpass.cli import variables_bring, variables_json, variables_text

    world = this_process()
    looked = work.look(world, {**given, "job": job})
    output = Output(world.redactor)
    ways = variables_bring.job_ways_of(looked)
    if as_json:
        output.json(variables_json.why_json(looked) | {"bring": variables_bring.job_ways_json(looked, ways)})
    else:
        output.words(variables_text.why_lines(looked))
        output.words(variables_bring.job_way_lines(looked, ways))
    output.say(work.note_lines(looked))
    raise SystemExit(work.status(looked))


@vars_.group(name="import")
def import_() -> None:
    """Read the settings of this clone's project from its server."""


@import_.command()
@gitlab_options
@click.option("--ref", metavar="BRANCH", help="The branch to look at; the current one by default.")
@click.option("--tag", metavar="TAG", help="A tag to look at.")
@click.option(
    "--pipeline", type=click.IntRange(1), metavar="ID", help="Read the variables of this pipeline too."
)
@click.option("--forget", is_flag=True, help="Remove what is kept of this project; ask nobody.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def gitlab(**given: Any) -> None:
    """Read the settings of a GitLab project.

    Reads its variables, protected refs, environments and configuration, and changes nothing. Keeps names,
    flags and scopes, and never a value.
    """
    from dockpass.cli.gitlab_import import import_gitlab

    raise SystemExit(import_gitlab(this_process(), given))


@vars_.command()
@click.argument("left", metavar="LEFT")
@click.argument("right", metavar="RIGHT")
@job_option
@click.option("--env-format", metavar="NAME", help="The format of the env files; detected by default.")
@click.option("--all", "everything", is_flag=True, help="List what differs in every run too.")
@view_options
def diff(
    left: str, right: str, env_format: str | None, as_json: bool, everything: bool, **given: Any
) -> None:
    """Compare two sets of variables; what changes a login comes first.

    A side is a branch, branch:NAME, tag:NAME, mr:BRANCH, job:NAME, environment:NAME or protected (several
    with commas), a file of any format such as a job's log, - for stdin, or here for this shell.
    """
    from dockpass.cli import variables_diff as work
    from dockpass.variables.compare import compare

    world = this_process()
    output = Output(world.redactor)
    found = compare(*(work.side_of(world, side, given, env_format) for side in (left, right)))
    if as_json:
        output.json(work.diff_json(found))
    else:
        output.words(work.diff_lines(found, everything=everything))
    raise SystemExit(work.status(found))


@vars_.command()
@job_option
@view_options
def lint(as_json: bool, **given: Any) -> None:
    """List what looks wrong about the variables.

    They may be missing, cut at a $, never used, in clear, and more. Looks at every job where none is
    named. Exit status 1 if an error is among the findings.
    """
    from dockpass.cli import variables as work
    from dockpass.cli import variables_lint

    world = this_process()
    looked = work.look(world, given)
    output = Output(world.redactor)
    found = variables_lint.lint_of(looked)
    if as_json:
        output.json(variables_lint.lint_json(found))
    else:
        output.words(variables_lint.lint_lines(found))
    raise SystemExit(variables_lint.status(found))


@vars_.command()
@click.option("--format", "format_", metavar="NAME", required=True, help="docker, shell, gitlab-ci-local, …")
@output_option
@click.option("--with-secrets", is_flag=True, help="Write secrets in clear; needs --output.")
@click.option("--all", "everything", is_flag=True, help="Write predefined variables too.")
@job_option
@view_options
def export(
    format_: str, path: str | None, with_secrets: bool, everything: bool, as_json: bool, **given: Any
) -> None:
    """Write the variables of a job for another program.

    Secrets are masked. What the format cannot hold is left out and named. Every program's own reader
    gives the same values back.
    """
    from dockpass.cli import variables as work
    from dockpass.cli import variables_export
    from dockpass.cli.readonly import refuse_if_read_only
    from dockpass.newfile import save_new
    from dockpass.readonly import Act

    if with_secrets and path is None:
        raise click.UsageError("--with-secrets can only be used with --output.")
    world = this_process()
    if path is not None:
        refuse_if_read_only(world, Act.WRITE)
    looked = work.look(world, given)
    output = Output(world.redactor)
    found = variables_export.export(looked, format_, everything=everything, with_secrets=with_secrets)
    place = None if path is None else world.cwd / path
    if place is not None:
        save_new(place, found.text)
    if as_json:
        output.json(
            {
                "format": format_,
                "file": path,
                "count": found.count,
                "masked": list(found.masked),
                "left_out": [{"name": each.name, "why": each.why} for each in found.left_out],
                "text": found.text if place is None else None,
            }
        )
    elif place is None:
        output.text(found.text)
    output.say(variables_export.notes(found, place))
    raise SystemExit(work.status(looked))
