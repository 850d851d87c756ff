"""The `dockpass` command: which part of the program a command line needs, and no other."""

from __future__ import annotations

import importlib
import json
import logging
import os
import resource
import sys
from contextlib import suppress
from typing import Any

import click

from dockpass import __version__
from dockpass.cli.facts_options import facts_options, repo_option

_COMMANDS = {
    "explain": "commands",
    "probe": "probe_commands",
    "config": "inspect_commands",
    "build": "commands",
    "push": "commands",
    "pull": "commands",
    "cleanup": "commands",
    "deploy": "commands",
    "vars": "vars_commands",
    "images": "images",
    "sandbox": "sandbox",
    "try": "sandbox",
    "settings": "commands",
    "paths": "commands",
    "completions": "commands",
}
"""Each command with the module that has it."""


class _Lazy(click.Group):
    """Imports the commands when one of them is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"dockpass.cli.{_COMMANDS[cmd_name]}")
        found: click.Command = getattr(module, f"{cmd_name}_" if cmd_name in {"try", "vars"} else cmd_name)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], _COMMANDS, 1)
            meant = f" Did you mean {close[0]}?" if close else f" There are: {', '.join(_COMMANDS)}."
            raise click.UsageError(f"There is no command {args[0]!r}.{meant}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Lazy,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@repo_option
@facts_options
@click.option("--from", "froms", multiple=True, metavar="IMAGE", help="A base image of a build.")
@click.option("--version", is_flag=True, help="Print the version of dockpass and of what it stands on.")
@click.option("--verbose", is_flag=True, help="With --version: also the engine's.")
@click.option("--engine", metavar="NAME", help="Who builds, pulls and pushes: auto, docker or embedded.")
@click.option("--no-proxy", is_flag=True, help="The screen: use no proxy, whatever HTTPS_PROXY says.")
@click.option("--sandbox", is_flag=True, help="Start the screen in a sandbox, where nothing is yours.")
@click.pass_context
def cli(
    ctx: click.Context, /, version: bool, verbose: bool, engine: str | None, sandbox: bool, **options: Any
) -> None:
    """Which credentials does this registry command use, why, and what would change it?

    Without a command, the screen starts, with the variables and options that are given here.
    """
    if version:
        _print_version(engine, verbose=verbose)
        ctx.exit()
    if ctx.invoked_subcommand is not None:
        _refuse_options_before(ctx, ctx.invoked_subcommand)
        return
    from dockpass.cli.screen import start_sandbox, start_screen

    if sandbox:
        _refuse_options_with_sandbox(ctx)
        ctx.exit(start_sandbox(engine))
    ctx.exit(start_screen(engine, **options))


def _given_here(ctx: click.Context) -> list[str]:
    """Return the options of the program itself that were typed."""
    typed = click.core.ParameterSource.COMMANDLINE
    given = [
        each for each in ctx.command.params if each.name and ctx.get_parameter_source(each.name) is typed
    ]
    return [each.opts[0] for each in given]


def _refuse_options_before(ctx: click.Context, command: str) -> None:
    """Options of the screen say nothing to a command; dropping them without a word would mislead."""
    if given := _given_here(ctx):
        raise click.UsageError(
            f"{given[0]} stands before {command}. Write it after: dockpass {command} {given[0]} …",
            ctx,
        )


def _refuse_options_with_sandbox(ctx: click.Context) -> None:
    refused = [name for name in _given_here(ctx) if name not in {"--sandbox", "--engine"}]
    if refused:
        raise click.UsageError(
            f"The sandbox has variables of its own: {refused[0]} would not be used. Leave it out.",
            ctx,
        )


def run() -> None:
    """Run the command line; every failure ends in words and with its exit status."""
    from dockpass.cli.world import this_process
    from dockpass.errors import DockpassError, ExitCode
    from dockpass.logfile import start_log

    _leave_no_core()
    world = this_process()
    start_log(world.paths.log, world.redactor)
    try:
        status: Any = cli.main(prog_name="dockpass", standalone_mode=False)
    except click.exceptions.Exit as error:
        status = error.exit_code
    except click.ClickException as error:
        error.show()
        status = ExitCode.USAGE
    except DockpassError as error:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        status = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("cancelled", file=sys.stderr)
        status = ExitCode.CANCELLED
    except BrokenPipeError:
        # The reader went away; nothing can be said to it any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = ExitCode.FAILED
    except Exception as error:
        logging.getLogger("dockpass").exception("a fault of the command line")
        _tell_fault(error, str(world.paths.log))
        status = ExitCode.FAILED
    raise SystemExit(int(status or 0))


def _tell_fault(error: Exception, log: str) -> None:
    """Tell of a fault on stderr, and on stdout as JSON where that was asked for."""
    message, hint = f"a fault of dockpass itself ({type(error).__name__})", f"the details are in {log}"
    print(f"error: {message}\nhint: {hint}", file=sys.stderr)
    options = sys.argv[1 : sys.argv.index("--") if "--" in sys.argv else None]
    if "--json" in options:
        print(json.dumps({"error": {"id": "fault", "message": message, "hint": hint}}), flush=True)


def _leave_no_core() -> None:
    """A core dump would hold every secret; child processes leave none either."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _print_version(engine: str | None, *, verbose: bool) -> None:
    from importlib.metadata import version

    python = ".".join(str(part) for part in sys.version_info[:3])
    click.echo(f"dockpass {__version__}")
    click.echo(f"Python {python}, textual {version('textual')}, docker SDK {version('docker')}")
    if verbose:
        from dockpass.cli.context import engine_choice
        from dockpass.cli.world import this_process
        from dockpass.engines.choice import detect_chosen

        world = this_process()
        state = detect_chosen(engine_choice(world, engine), world.environ, world.home)
        if state.info is not None:
            click.echo(f"{state.info.name} {state.info.version} at {state.info.endpoint} ({state.info.how})")
        elif state.error is not None:
            click.echo(f"no engine: {state.error.message}")
