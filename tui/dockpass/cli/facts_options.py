"""The options that say where the facts come from. Every start of the program loads them, and little else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from dockpass.errors import UsageError

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def applied(options: list[Callable[[Decorated], Decorated]], function: Decorated) -> Decorated:
    """Return the function with every option, in their order."""
    for option in reversed(options):
        function = option(function)
    return function


def facts_options(function: Decorated) -> Decorated:
    """Options that say where the facts come from."""
    return applied(
        [
            click.option("--registry-username", metavar="USER", help="The user to log in as."),
            click.option(
                "--registry-password",
                metavar="PASSWORD",
                help="The password. The process list shows it: prefer --registry-password-stdin.",
            ),
            click.option("--registry-password-stdin", is_flag=True, help="Read the password from stdin."),
            variable_options,
        ],
        function,
    )


def variable_options(function: Decorated) -> Decorated:
    """Options that say which variables there are."""
    return applied(
        [
            click.option(
                "--env-file",
                multiple=True,
                metavar="FILE",
                help="Read variables from FILE, in any format; - is stdin. Later files win.",
            ),
            click.option(
                "--env-format", metavar="NAME", help="The format of the env files; detected by default."
            ),
            click.option(
                "--set",
                "sets",
                multiple=True,
                metavar="NAME[=VALUE]",
                help="Set a variable; without =VALUE, take it from the environment.",
            ),
            click.option("--unset", "unsets", multiple=True, metavar="NAME", help="Unset a variable."),
            click.option("--clean-env", is_flag=True, help="Ignore the process environment."),
        ],
        function,
    )


def settings_options(function: Decorated) -> Decorated:
    """Options that name files with the variables of GitLab's settings."""
    return applied(
        [
            click.option(
                f"--{level}-variables",
                multiple=True,
                metavar="FILE",
                help=f"{words}, in any format, including the API's JSON.",
            )
            for level, words in (
                ("project", "Project variables"),
                ("group", "Group variables, outermost group first"),
                ("instance", "Instance variables"),
            )
        ],
        function,
    )


def scenario_option(function: Decorated) -> Decorated:
    """A job with its pipeline and variables as a file; every command that takes a job takes it."""
    return click.option(
        "--scenario",
        metavar="FILE",
        help="Take job, pipeline and variables from a scenario; other options go on top.",
    )(function)


def job_options(function: Decorated) -> Decorated:
    """Options that name a job and its pipeline, whose variables take the place of the environment."""
    return applied(
        [
            scenario_option,
            click.option(
                "--job",
                metavar="JOB",
                help="Use the variables this job of .gitlab-ci.yml would get, not the environment's.",
            ),
            click.option(
                "--ref",
                metavar="REF",
                help="The job's branch, or refs/tags/TAG; the current checkout by default.",
            ),
            _pipeline_options,
        ],
        function,
    )


def pipeline_options(function: Decorated) -> Decorated:
    """Options that describe the pipeline of a ref, and the settings that its jobs get."""
    return scenario_option(_pipeline_options(function))


def _pipeline_options(function: Decorated) -> Decorated:
    return applied(
        [
            click.option(
                "--merge-request", is_flag=True, help="Assume a merge request pipeline for that branch."
            ),
            click.option(
                "--protected/--unprotected",
                default=None,
                help="Assume that the branch or tag is protected, or not.",
            ),
            click.option(
                "--environment",
                metavar="NAME",
                help="The job's environment; by default, the one in .gitlab-ci.yml.",
            ),
            click.option(
                "--pipeline-source", metavar="SOURCE", help="CI_PIPELINE_SOURCE: push, web, schedule, …"
            ),
            click.option(
                "--gitlab-version",
                metavar="VERSION",
                callback=_version,
                help="Assume this version of GitLab, such as 17.11; by default that of the import, else the"
                " current one.",
            ),
            settings_options,
            click.option("--no-snapshot", is_flag=True, help="Ignore what was imported from GitLab."),
        ],
        function,
    )


def _version(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    from dockpass.variables.gitlab.versions import version_of

    if version_of(value) is None:
        raise click.BadParameter("It must be a version of GitLab such as 17.11.", ctx, param)
    return value


def repo_option(function: Decorated) -> Decorated:
    """The repository."""
    return click.option("--repo", metavar="REPO", help="The repository; CI_REGISTRY_IMAGE by default.")(
        function
    )


def output_option(function: Decorated) -> Decorated:
    """Add `--output`, as `path`: None for stdout, which `-` names too."""
    return click.option(
        "--output",
        "path",
        metavar="FILE",
        callback=lambda _context, _option, value: None if value == "-" else value,
        help="Write a new file of mode 0600, not to stdout.",
    )(function)


def from_option(function: Decorated) -> Decorated:
    """The base images of a build."""
    return click.option("--from", "froms", multiple=True, metavar="IMAGE", help="A base image of the build.")(
        function
    )


def require_one_ref(given: Mapping[str, Any]) -> None:
    """Raise `UsageError` where a tag is given together with a branch or a merge request."""
    if given["tag"] and (given["ref"] or given.get("merge_request")):
        raise UsageError(
            "ref-twice", "--tag cannot be used with --ref or --merge-request.", "Use one of them."
        )
