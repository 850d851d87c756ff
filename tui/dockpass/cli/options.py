"""Options that several commands share, and values that need more than a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import click

from dockpass.auth.ci import GITLAB
from dockpass.builders.names import AUTO, BuilderName
from dockpass.cli.context import Given
from dockpass.cli.facts_options import (
    Decorated,
    applied,
    facts_options,
    from_option,
    job_options,
    repo_option,
)
from dockpass.cli.job_facts import JobGiven
from dockpass.errors import UsageError
from dockpass.runs.options import build_arguments
from dockpass.runs.request import BuildOptions
from dockpass.settings import ENGINES

PROGRESS = ("auto", "plain", "quiet")
_OF_BUILDERS = ("builder", "secrets", "ssh", "cache_from", "cache_to", "push", "pull", "network")

__all__ = [
    "Span",
    "build_arguments",
    "build_of",
    "build_options",
    "builder_options",
    "engine_option",
    "facts_options",
    "foreign_option",
    "from_option",
    "given_of",
    "image_option",
    "job_options",
    "registry_options",
    "repo_option",
    "run_options",
]


class Span(click.ParamType[float]):
    """A span of time such as `30d`, in seconds."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds; fails with the forms that are known."""
        from dockpass.cleanup.rules import parse_span  # every command has options, and few have a span

        if isinstance(value, float):
            return value
        try:
            return parse_span(str(value))
        except UsageError as error:
            self.fail(f"{error.message} {error.hint}", param, ctx)


def build_options(function: Decorated) -> Decorated:
    """Options that say what is built."""
    return applied(
        [
            click.option("--file", "file", metavar="DOCKERFILE", help="The Dockerfile."),
            click.option("--config", metavar="WERF_YAML", help="The werf.yaml."),
            click.option("--context", metavar="DIR", help="The build context; this directory by default."),
            click.option("--target", metavar="STAGE", help="The stage to build."),
            click.option(
                "--build-arg", "build_args", multiple=True, metavar="NAME=VALUE", help="A build argument."
            ),
            click.option(
                "--platform",
                metavar="OS/ARCH",
                help="The platform to build for, or several: A,B. This machine's by default.",
            ),
            click.option(
                "--build-context",
                "build_contexts",
                multiple=True,
                metavar="NAME=VALUE",
                help="Replace a stage or image with a directory or docker-image://IMAGE.",
            ),
        ],
        function,
    )


def builder_options(function: Decorated) -> Decorated:
    """Who builds, and what only some builders take."""
    return applied(
        [
            click.option(
                "--builder",
                type=click.Choice((AUTO, *map(str, BuilderName))),
                default=AUTO,
                help="The builder; auto picks the first one here that can build the file.",
            ),
            click.option(
                "--secret",
                "secrets",
                multiple=True,
                metavar="id=NAME[,env=VAR|,src=FILE]",
                help="A secret for RUN --mount=type=secret.",
            ),
            click.option(
                "--ssh",
                multiple=True,
                metavar="default|ID=PATH",
                help="An SSH agent or key for RUN --mount=type=ssh.",
            ),
            click.option("--cache-from", multiple=True, metavar="REF", help="Reuse the cache in REF."),
            click.option("--cache-to", multiple=True, metavar="SPEC", help="Store the cache in SPEC."),
            click.option(
                "--network", metavar="MODE", default="", help="The network of RUN: default, host, none."
            ),
            click.option(
                "--progress",
                type=click.Choice(PROGRESS),
                default=PROGRESS[0],
                help="What to show of the build: auto with bars, plain without, quiet only its end.",
            ),
            click.option("--push", is_flag=True, help="Push the image under its tags."),
            click.option(
                "--pull", is_flag=True, help="Ask registries also for base images in the local store."
            ),
        ],
        function,
    )


def image_option(function: Decorated) -> Decorated:
    """Which image of several is built."""
    return click.option("--image", metavar="NAME", help="The image of the werf.yaml.")(function)


def given_of(options: Mapping[str, Any], *, asks: bool = False) -> Given:
    """Return what the options say about the facts; a command without one of them leaves it at its default.

    `asks` tells that the command needs the values of secrets, and not only to know that they are set.
    """
    names = (field.name for field in fields(Given) if field.name != "job")
    job = JobGiven(**{f.name: options[f.name] for f in fields(JobGiven) if f.name in options}, asks=asks)
    return Given(**{name: options[name] for name in names if name in options}, job=job)


def build_of(options: Mapping[str, Any], environ: Mapping[str, str]) -> BuildOptions:
    """Return what the options say about the build."""
    return BuildOptions(
        file=options["file"],
        config=options["config"],
        context=options["context"],
        image=options["image"],
        target=options["target"],
        args=build_arguments(options["build_args"], environ),
        platform=options["platform"],
        contexts=options["build_contexts"],
        **{name: options[name] for name in _OF_BUILDERS if name in options},
    )


def engine_option(function: Decorated) -> Decorated:
    """Who does the work."""
    return click.option(
        "--engine",
        type=click.Choice(ENGINES),
        help="The engine; auto picks Docker or Podman if one answers, else embedded.",
    )(function)


def run_options(function: Decorated) -> Decorated:
    """Options of every run."""
    events = click.option("--json", "as_json", is_flag=True, help="Print one JSON event per line.")
    return events(registry_options(function))


def foreign_option(function: Decorated) -> Decorated:
    """What the person allows for a token of a CI."""
    return click.option(
        "--allow-foreign-registry",
        is_flag=True,
        help=f"Allow a CI token to be sent to a registry other than {GITLAB.registry}.",
    )(function)


def registry_options(function: Decorated) -> Decorated:
    """Options of whatever speaks to registries: what the person allows."""
    return applied(
        [
            foreign_option,
            click.option(
                "--allow-realm",
                "realms",
                multiple=True,
                metavar="HOST",
                help="Accept HOST as the registry's token server.",
            ),
            click.option(
                "--insecure-registry",
                "insecure",
                multiple=True,
                metavar="HOST[:PORT]",
                help="Use plain HTTP with this registry if it has no TLS.",
            ),
            click.option(
                "--skip-tls-verify-registry",
                "unverified",
                multiple=True,
                metavar="HOST[:PORT]",
                help="Accept any certificate from this registry.",
            ),
            click.option("--ca-file", metavar="FILE", help="Also trust the CAs in this PEM file."),
            click.option("--no-proxy", is_flag=True, help="Ignore HTTP_PROXY and HTTPS_PROXY."),
        ],
        function,
    )
