"""The commands: their options, and what they hand on."""

from __future__ import annotations

import json
from typing import Any

import click

from dockpass.auth.command import Command
from dockpass.cleanup.options import CleanupOptions
from dockpass.cli.context import assembled
from dockpass.cli.options import (
    Span,
    build_of,
    build_options,
    builder_options,
    engine_option,
    facts_options,
    from_option,
    given_of,
    image_option,
    job_options,
    repo_option,
    run_options,
)
from dockpass.cli.output import Output
from dockpass.cli.readonly import read_only_of
from dockpass.cli.store import store_place
from dockpass.cli.world import this_process
from dockpass.errors import DockpassError, UsageError
from dockpass.marks import GLYPH_LOOK
from dockpass.runs.request import BuildOptions


def _run(command: Command, options: dict[str, Any], **more: Any) -> None:
    from dockpass.cli.allowing import policy_in
    from dockpass.cli.runs import run_command

    more.setdefault("build", BuildOptions())
    more.setdefault("engine", options.get("engine"))
    world = this_process()
    status = run_command(
        world,
        command,
        given_of(options, asks=True),
        as_json=options["as_json"],
        foreign_allowed=options["allow_foreign_registry"],
        policy=policy_in(world, options),
        **more,
    )
    raise SystemExit(status)


@click.command()
@click.argument("command", type=click.Choice([str(command) for command in Command]))
@repo_option
@facts_options
@job_options
@from_option
@build_options
@image_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def explain(command: str, **options: Any) -> None:
    """Show which login COMMAND uses, why, and what would change it. Nothing is sent anywhere."""
    from dockpass.auth.decide import decide
    from dockpass.auth.decision import Refusal
    from dockpass.cli.explain import error_json, explain_json, explain_text
    from dockpass.session.used_config import find_in_used_config

    world = this_process()
    output = Output(world.redactor)
    as_json = options["as_json"]
    try:
        build = build_of(options, world.environ)
        found = assembled(world, Command(command), given_of(options), build)
        facts = found.facts
        decided = decide(Command(command), facts)
        if isinstance(decided, Refusal):
            raise UsageError(decided.id, decided.message, decided.hint)
    except DockpassError as error:
        if not as_json:
            raise
        output.json(error_json(error.id, error.message, error.hint))
        raise SystemExit(int(error.exit_code)) from None
    findings = (*found.findings, *find_in_used_config(decided))
    if as_json:
        output.json(explain_json(decided, facts, findings))
    else:
        output.words(explain_text(decided, facts, findings).splitlines())


@click.command()
@facts_options
@job_options
@from_option
@build_options
@image_option
@click.option(
    "--tag", "tags", multiple=True, metavar="NAME", help="A name for the image, with or without a tag."
)
@builder_options
@engine_option
@run_options
def build(**options: Any) -> None:
    """Build an image from a Dockerfile or werf.yaml."""
    build = build_of(options, this_process().environ)
    _run(Command.BUILD, options, build=build, tags=options["tags"], progress=options["progress"])


@click.command()
@repo_option
@facts_options
@job_options
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag; by default, the git branch or tag.")
@click.option("--image", metavar="LOCAL", help="The local image; by default, REPO:TAG or the last build.")
@engine_option
@run_options
def push(**options: Any) -> None:
    """Push a local image to REPO."""
    _run(Command.PUSH, options, tags=options["tags"], image=options["image"])


@click.command()
@repo_option
@facts_options
@job_options
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag; by default, the git branch or tag.")
@engine_option
@run_options
def pull(**options: Any) -> None:
    """Pull an image from REPO."""
    _run(Command.PULL, options, tags=options["tags"])


@click.command()
@repo_option
@facts_options
@job_options
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag; by default, the git branch or tag.")
@click.option("--values", is_flag=True, help="Print Helm values with the image's digest.")
@run_options
def deploy(**options: Any) -> None:
    """Look up the digest, platforms and labels of an image in REPO. Nothing is changed."""
    if options["values"] and options["as_json"]:
        raise UsageError("values-json", "--values and --json cannot be combined.", "Use one of them.")
    _run(Command.DEPLOY, options, tags=options["tags"], values=options["values"])


@click.command()
@repo_option
@facts_options
@job_options
@click.option(
    "--keep-last", type=click.IntRange(0), metavar="N", help="Keep the newest N images, with all their tags."
)
@click.option(
    "--older-than", type=Span(), metavar="SPAN", help="Delete only tags older than SPAN: 12h, 30d, 2w."
)
@click.option("--match", metavar="REGEX", help="Delete only tags that match REGEX entirely.")
@click.option("--keep", multiple=True, metavar="REGEX", help="Never delete tags that match REGEX entirely.")
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, and delete nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before deleting.")
@run_options
def cleanup(**options: Any) -> None:
    """Delete tags in REPO by rules. Without a rule, nothing is deleted."""
    rules = CleanupOptions(
        options["keep_last"], options["older_than"], options["match"], options["keep"], options["dry_run"]
    )
    _run(Command.CLEANUP, options, cleanup=rules, confirmed=options["yes"])


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def paths(as_json: bool) -> None:
    """Show where dockpass keeps its files."""
    world = this_process()
    found = world.paths
    listed = {name: str(getattr(found, name)) for name in ("settings", "log", "state")}
    listed["store"] = str(store_place(world))
    if as_json:
        click.echo(json.dumps(listed))
    else:
        for name, path in listed.items():
            click.echo(f"{name:<9} {path}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the settings file.")
def settings(as_json: bool, schema: bool) -> None:
    """Show the settings in effect and where each one comes from."""
    from dockpass.settings import Settings, load_settings

    if schema:
        from dockpass.settings_schema import schema_text

        click.echo(schema_text(), nl=False)
        return
    world = this_process()
    loaded = load_settings(world.paths.settings)
    read_only = read_only_of(world)
    rows = [
        (name, bool(read_only), read_only.because or source)
        if name == "read_only"
        else (name, getattr(loaded.settings, name), source)
        for name, source in loaded.sources.items()
    ]
    if as_json:
        found = {name: {"value": value, "from": source} for name, value, source in rows}
        click.echo(json.dumps({"settings": found, "problems": loaded.problems}, default=dict))
        return
    helps = {name: Settings.__dataclass_fields__[name].metadata["help"] for name, _, _ in rows}
    cells = [(name, json.dumps(value, default=dict), source) for name, value, source in rows]
    names, values = (max(len(row[column]) for row in cells) for column in (0, 1))
    for name, shown, source in cells:
        click.echo(f"{name:<{names}}  {shown:<{values}}  {source}\n{'':{names}}  {helps[name]}")
    for problem in loaded.problems:
        click.echo(f"{GLYPH_LOOK} {problem}", err=True)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completions(shell: str) -> None:
    """Print a shell completion script."""
    from click.shell_completion import get_completion_class

    from dockpass.cli.main import cli

    made = get_completion_class(shell)
    if made is not None:
        click.echo(made(cli, {}, "dockpass", "_DOCKPASS_COMPLETE").source())
