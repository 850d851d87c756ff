"""`dockpass exec` and `dockpass shell`: any program with a login in a temporary docker config."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from typing import Any

import click

from dockpass.auth.command import Command
from dockpass.auth.decide import decide, decide_to_run
from dockpass.auth.decision import Refusal
from dockpass.auth.facts import Facts
from dockpass.cli.consent import with_the_persons_word
from dockpass.cli.context import assembled
from dockpass.cli.facts_options import (
    Decorated,
    applied,
    facts_options,
    from_option,
    job_options,
    repo_option,
)
from dockpass.cli.options import foreign_option, given_of
from dockpass.cli.output import Output, is_terminal, no_terminal
from dockpass.cli.program_report import opened_report
from dockpass.cli.program_words import Narrator
from dockpass.cli.readonly import refuse_if_read_only
from dockpass.cli.services import services_of
from dockpass.cli.world import World, this_process
from dockpass.errors import DockpassError, ExitCode, UsageError
from dockpass.programs.also import also_hosts
from dockpass.programs.find import find
from dockpass.programs.outputs import Mask
from dockpass.programs.process import die_of
from dockpass.programs.run import ProgramRun
from dockpass.programs.task import Outliving, Task, check_hosts, unknown_values, with_job
from dockpass.readonly import Act
from dockpass.runs.request import BuildOptions, RunRequest


class OfProgram(click.Command):
    """A command that ends with a program's status, so that its own failures need one apart."""

    usage_status = ExitCode.NOT_CARRIED_OUT


def exec_options(function: Decorated) -> Decorated:
    """Options of `exec` and `shell`."""
    return applied(
        [
            click.option(
                "--for",
                "command",
                type=click.Choice([str(command) for command in Command]),
                default=str(Command.PUSH),
                show_default=True,
                help="The command whose login the program gets.",
            ),
            repo_option,
            click.option(
                "--also",
                multiple=True,
                metavar="HOST[:PORT]",
                help="Also add your own login for HOST from docker's config.",
            ),
            facts_options,
            job_options,
            from_option,
            foreign_option,
            click.option(
                "--keep-env",
                multiple=True,
                metavar="NAME",
                help="Keep a variable that a program may prefer to the config.",
            ),
            click.option(
                "--allow-unknown",
                is_flag=True,
                help="With --job: run without the variables whose values are not known here.",
            ),
            click.option(
                "--mask/--no-mask",
                default=None,
                help="Mask the login in stdout too, or nowhere; by default, in stderr and in logs.",
            ),
            click.option(
                "--wait", "outliving", flag_value="wait", help="Wait for processes that outlive the program."
            ),
            click.option("--kill", "outliving", flag_value="kill", help="End them."),
            click.option(
                "--report", metavar="FILE|fd:N", help="Write what happens as JSON, one event a line."
            ),
            click.option("--print-env", is_flag=True, help="Print what would be set and unset; run nothing."),
            click.option("--json", "as_json", is_flag=True, hidden=True),
            click.option("--dry-run", is_flag=True, help="Show the plan, and run nothing."),
            click.option("-v", "--verbose", is_flag=True, help="Show the plan first."),
            click.option("-q", "--quiet", is_flag=True, help="Say nothing unless the config is not removed."),
        ],
        function,
    )


@click.command("exec", cls=OfProgram, context_settings={"allow_interspersed_args": False})
@exec_options
@click.argument("program", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(program: tuple[str, ...], **options: Any) -> None:
    """Run PROGRAM with a login in a temporary docker config.

    The config is removed when the program ends. Put -- before PROGRAM. Its output and its exit status are its
    own; 125 means that dockpass failed.
    """
    _run(program, options)


@click.command(cls=OfProgram)
@exec_options
def shell(**options: Any) -> None:
    """Start your shell with a login in a temporary docker config.

    The shell is the one that SHELL names. The config is removed when it ends.
    """
    _run((os.environ.get("SHELL") or "sh",), options, is_shell=True)


def _run(program: tuple[str, ...], options: dict[str, Any], *, is_shell: bool = False) -> None:
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # there is nothing to clean up yet
    try:
        status, number = _ended(this_process(), program, options, is_shell=is_shell)
    except DockpassError as error:
        error.exit_code = max(error.exit_code, ExitCode.NOT_CARRIED_OUT)
        raise
    if number:
        die_of(number)
    raise SystemExit(status)


def _ended(
    world: World, program: tuple[str, ...], options: dict[str, Any], *, is_shell: bool
) -> tuple[int, int]:
    """Carry it out; return the exit status, and the signal to die of."""
    if is_shell and not is_terminal():
        raise no_terminal(
            "A shell needs a terminal, and stdin or stderr is not one.",
            "In scripts, use dockpass exec -- sh -c 'COMMAND'.",
        )
    runs = not (options["print_env"] or options["dry_run"])
    if runs:
        refuse_if_read_only(world, Act.PROGRAM)
    elif options["report"]:
        refuse_if_read_only(world, Act.WRITE)
    task = replace(task_of(world, program, options, runs=runs), is_shell=is_shell)
    services = services_of(world)
    with opened_report(options["report"], world) as report:
        narrator = Narrator(task, services, quiet=options["quiet"], verbose=options["verbose"], report=report)
        if options["print_env"]:
            narrator.environment()
            return ExitCode.DONE, 0
        if options["dry_run"]:
            narrator.plan(without_unknown=options["allow_unknown"])
            return ExitCode.DONE, 0
        return _carried_out(ProgramRun(task, services, narrator.told, narrator.filled), narrator)


def _carried_out(run: ProgramRun, narrator: Narrator) -> tuple[int, int]:
    outcome = run.carry_out()
    if outcome.failure is not None:
        narrator.failed(outcome.failure)
    return outcome.exit_status, outcome.signal


def task_of(world: World, program: tuple[str, ...], options: dict[str, Any], *, runs: bool) -> Task:
    """Return what is to be run; raises `DockpassError` before anything is created.

    Where it is only to be shown, values that are not known and a foreign registry are no reason to refuse.
    """
    if options["as_json"]:
        raise UsageError(
            "json-on-stdout",
            "stdout belongs to the program, so --json cannot be written there.",
            "Use --report FILE, or --report fd:3 with 3> FILE.",
        )
    path = find(program[0], world.environ)
    also = also_hosts(options["also"])
    given = given_of(options, asks=True)
    found = assembled(world, Command(options["command"]), given, BuildOptions())
    facts, mask = found.facts, {None: Mask.AUTO, True: Mask.ALL, False: Mask.NONE}[options["mask"]]
    task = Task(
        request=_request(facts, options, Output(world.redactor), has_also=bool(also), runs=runs),
        argv=program,
        path=path,
        also=also,
        keep=frozenset(options["keep_env"]),
        mask=mask,
        outliving=Outliving(options["outliving"] or Outliving.LEAVE),
    )
    check_hosts(task)
    if not given.job.asked:
        return task
    task = with_job(task, facts)
    if runs and not options["allow_unknown"] and (refusal := unknown_values(task)):
        raise refusal
    return task


def _request(
    facts: Facts, options: dict[str, Any], output: Output, *, has_also: bool, runs: bool
) -> RunRequest | None:
    """Return the request whose login it is; None where no repository is known and none is needed."""
    command = Command(options["command"])
    decided = decide_to_run(command, facts) if runs else decide(command, replace(facts, elsewhere=False))
    if isinstance(decided, Refusal):
        if decided.id == "repo-required" and has_also and facts.options.registry_username is None:
            return None
        raise UsageError(decided.id, decided.message, decided.hint)
    allowed = options["allow_foreign_registry"]
    request = RunRequest(decided.command, facts, decided, foreign_allowed=allowed, can_ask=is_terminal())
    return with_the_persons_word(request, output) if runs else request
