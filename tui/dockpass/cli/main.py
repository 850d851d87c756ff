"""The `dockpass` command: which part of the program a command line needs, and no other."""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from dockpass.cli.facts_options import facts_options, from_option, job_options, repo_option
from dockpass.errors import DockpassError, ExitCode, UsageError
from dockpass.signals import interrupts_raise

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from dockpass.cli.world import World


class _Entry(NamedTuple):
    """The module below `dockpass.cli` that has a command, and what the list of commands says of it."""

    module: str
    words: str


def _short(name: str, room: int = 45) -> str:
    return click.Command(name, help=_COMMANDS[name].words).get_short_help_str(room)


_COMMANDS = {
    "explain": _Entry("commands", "Show which login COMMAND uses, why, and what would change it."),
    "probe": _Entry("probe_commands", "Ask the registry what the login of COMMAND may do."),
    "config": _Entry("inspect_commands", "Show which login each tool finds in docker's config."),
    "build": _Entry("commands", "Build an image from a Dockerfile or werf.yaml."),
    "push": _Entry("commands", "Push a local image to REPO."),
    "pull": _Entry("commands", "Pull an image from REPO."),
    "cleanup": _Entry("commands", "Delete tags in REPO by rules."),
    "deploy": _Entry("commands", "Look up the digest, platforms and labels of an image in REPO."),
    "exec": _Entry("exec", "Run PROGRAM with a login in a temporary docker config."),
    "shell": _Entry("exec", "Start your shell with a login in a temporary docker config."),
    "vars": _Entry(
        "vars_commands",
        "Show a job's variables as GitLab and its runner resolve them.",
    ),
    "doctor": _Entry("doctor_commands", "Check variables, configs and files for what breaks a login."),
    "scenario": _Entry("scenario_commands", "Keep a job and its pipeline as a file that tests the login."),
    "report": _Entry("report_commands", "Write a Markdown report for a ticket."),
    "images": _Entry("images", "List the embedded engine's images."),
    "sandbox": _Entry("sandbox", "Start a sandbox registry, and print a job's environment."),
    "try": _Entry("sandbox", "Start the screen in a sandbox."),
    "settings": _Entry("commands", "Show the settings in effect and where each one comes from."),
    "paths": _Entry("commands", "Show where dockpass keeps its files."),
    "completions": _Entry("commands", "Print a shell completion script."),
}
"""Each command with the module that has it."""


_TAKEN_NAMES = frozenset({"exec", "try", "vars"})
"""Commands whose names are Python's own; their functions have an underscore behind."""

_ASKS_HELP = "dockpass.asks_help"


class _Lazy(click.Group):
    """Imports a command when it is asked for, and none to list them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = args[: args.index("--")] if "--" in args else args  # the rest is a program's
        ctx.meta[_ASKS_HELP] = any(name in own for name in ctx.help_option_names)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"dockpass.cli.{_COMMANDS[cmd_name].module}")
        found: click.Command = getattr(module, f"{cmd_name}_" if cmd_name in _TAKEN_NAMES else cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        room = formatter.width - 6 - max(map(len, _COMMANDS))
        with formatter.section("Commands"):
            formatter.write_dl([(name, _short(name, room)) for name in _COMMANDS])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=_short(name)) for name in _COMMANDS if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], _COMMANDS, 1)
            meant = f" Did you mean {close[0]}?" if close else f" Commands: {', '.join(_COMMANDS)}."
            raise click.UsageError(f"No such command {args[0]!r}.{meant}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Lazy,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@repo_option
@facts_options
@job_options
@from_option
@click.option("--version", is_flag=True, help="Print the versions of dockpass and its main dependencies.")
@click.option("--verbose", is_flag=True, help="With --version, show the engine too.")
@click.option("--engine", metavar="NAME", help="The engine: auto, docker or embedded.")
@click.option("--no-proxy", is_flag=True, help="Ignore HTTP_PROXY and HTTPS_PROXY on the screen.")
@click.option(
    "--read-only",
    is_flag=True,
    help="Push, delete, run, write and reveal nothing, on the screen or with a command after it.",
)
@click.option(
    "--sandbox",
    is_flag=True,
    help="Start the screen in a sandbox, apart from your own images and registries.",
)
@click.pass_context
def cli(
    ctx: click.Context,
    /,
    version: bool,
    verbose: bool,
    engine: str | None,
    read_only: bool,
    sandbox: bool,
    **options: Any,
) -> None:
    """Which credentials does this registry command use, why, and what would change it?

    Without a command, start the screen with these variables and options; with --job, as that job; with
    --scenario, in that scenario.
    """
    if version:
        from dockpass.cli.version import print_version

        print_version(engine, verbose=verbose)
        ctx.exit()
    from dockpass.cli.world import ask_read_only, this_process
    from dockpass.logfile import log_level, start_log

    ask_read_only(read_only)
    world = this_process()
    level = log_level(world.environ)
    with suppress(UsageError):  # without a home there is no log; who needs one says so
        start_log(world.paths.log, world.redactor, level)
    if ctx.invoked_subcommand is not None:
        _refuse_options_before(ctx, ctx.invoked_subcommand)
    if ctx.invoked_subcommand not in _LIGHT and not ctx.meta[_ASKS_HELP]:
        _sweep(world)
    if ctx.invoked_subcommand is not None:
        return
    from dockpass.cli.screen import start_sandbox, start_screen

    if sandbox:
        _refuse_options_with_sandbox(ctx)
        ctx.exit(start_sandbox(engine))
    ctx.exit(start_screen(engine, **options))


_LIGHT = frozenset({"completions"})
"""Commands that only print what they know, and are asked for at the start of a shell."""


def _sweep(world: World) -> None:
    """Remove what killed processes left behind, and say so; it never ends a command."""
    import time

    from dockpass.cli.output import Output
    from dockpass.cli.store import store_place
    from dockpass.session.leftovers import Here, sweep_leftovers

    try:
        here = Here(world.environ, world.paths, store_place(world), time.time())
    except UsageError:
        here = Here(world.environ, None, None, time.time())  # no home; who needs one says so
    swept = sweep_leftovers(here)
    output = Output(world.redactor)
    output.say(
        f"removed a {left.what} left behind by a killed dockpass: {left.path}" for left in swept.removed
    )
    output.warn(f"warning: cannot remove {problem}" for problem in swept.problems)


def _given_here(ctx: click.Context) -> list[str]:
    """Return the options of the program itself that were typed."""
    typed = click.core.ParameterSource.COMMANDLINE
    given = [
        each for each in ctx.command.params if each.name and ctx.get_parameter_source(each.name) is typed
    ]
    return [each.opts[0] for each in given]


def _refuse_options_before(ctx: click.Context, command: str) -> None:
    """Options of the screen say nothing to a command; dropping them without a word would mislead."""
    if given := [name for name in _given_here(ctx) if name != "--read-only"]:
        raise click.UsageError(
            f"{given[0]} comes before {command}. Put it after: dockpass {command} {given[0]} …",
            ctx,
        )


def _refuse_options_with_sandbox(ctx: click.Context) -> None:
    refused = [name for name in _given_here(ctx) if name not in {"--sandbox", "--engine", "--read-only"}]
    if refused:
        raise click.UsageError(
            f"The sandbox has its own variables and does not use {refused[0]}. Omit it.",
            ctx,
        )


def run() -> None:
    """Run the command line; every failure ends in words and with its exit status."""
    _leave_no_core()
    _open_what_is_closed()
    sys.unraisablehook = _unraisable
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # they are for who writes dockpass, and print a line of its source
    try:
        with interrupts_raise():
            status = _status()
    except KeyboardInterrupt:
        print("cancelled", file=sys.stderr)
        status = ExitCode.CANCELLED
    raise SystemExit(status)


def _status() -> int:
    try:
        status: Any = cli.main(prog_name="dockpass", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        _tell_usage(error)
        return _usage_status(error)
    except DockpassError as error:
        return _failed(error)
    except BrokenPipeError:
        _give_up_stdout()  # the reader went away; nothing can be said to it any more
        return ExitCode.FAILED
    except OSError as error:
        from dockpass.system import refused_by_system

        _log_fault(error)
        refused = refused_by_system(error)
        _tell_fault(refused.id, refused.message, refused.hint)
        try:
            sys.stdout.flush()
        except OSError:
            _give_up_stdout()
        return refused.exit_code
    except Exception as error:  # noqa: BLE001 - a fault ends in words too
        _tell_fault("fault", f"Internal error in dockpass ({type(error).__name__}).", _log_fault(error))
        return ExitCode.FAILED
    return int(status or 0)


def _tell_usage(error: click.ClickException) -> None:
    """Say what is wrong with a command line, without what was typed as a value: it may be a secret."""
    from dockpass.cli.usage import usage_words

    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        print(error.format_message(), file=sys.stderr)  # the help of a group of commands
        return
    if context is not None:
        print(f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n", file=sys.stderr)
    _tell(f"Error: {usage_words(error, sys.argv[1:])}")


def _usage_status(error: click.ClickException) -> int:
    """Return the status of a wrong command line; commands that end with a program's status have their own."""
    context = getattr(error, "ctx", None)
    return int(getattr(context and context.command, "usage_status", ExitCode.USAGE))


def _failed(error: DockpassError) -> int:
    _tell(f"error: {error.message}")
    if error.hint:
        _tell(f"hint: {error.hint}")
    return error.exit_code


def _tell(line: str) -> None:
    from dockpass.cli.output import fitted

    for part in fitted(_redacted(line), sys.stderr):
        print(part, file=sys.stderr)


def _redacted(text: str) -> str:
    from dockpass.cli.world import redacted

    return redacted(text)


def _log_fault(error: Exception) -> str:
    from dockpass.logfile import log_fault

    return log_fault("the command line", error)


def _unraisable(hook: Any) -> None:
    """End at once on a Ctrl-C that came where no exception can leave, as in a destructor."""
    if isinstance(hook.exc_value, KeyboardInterrupt):
        os._exit(128 + signal.SIGINT)
    sys.__unraisablehook__(hook)


def _tell_fault(id: str, message: str, hint: str) -> None:  # noqa: A002 - as in `DockpassError`
    """Tell of a fault on stderr, and on stdout as JSON where that was asked for."""
    message, hint = _redacted(message), _redacted(hint)
    _tell(f"error: {message}")
    _tell(f"hint: {hint}")
    options = sys.argv[1 : sys.argv.index("--") if "--" in sys.argv else None]
    if "--json" in options:
        try:
            print(json.dumps({"error": {"id": id, "message": message, "hint": hint}}), flush=True)
        except OSError:
            _give_up_stdout()  # that it cannot be written may be the very fault


def _give_up_stdout() -> None:
    """Let what still waits to be written go nowhere, so that the interpreter's own flush cannot fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_what_is_closed() -> None:
    """Put /dev/null where stdin, stdout or stderr is closed: the next file opened would take its place."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _leave_no_core() -> None:
    """A core dump would hold every secret; child processes leave none either."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
