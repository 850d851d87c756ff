"""The first and the last moments of the program: what it loads, and what a signal does to it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import click
import pytest
from program import Program

from dockpass.cli.main import _COMMANDS, cli

COMMANDS = list(cli.list_commands(click.Context(cli)))
HEAVY = {"aiohttp", "asyncio", "cryptography", "textual", "docker", "requests", "yaml"}

LOADED = """
import atexit, sys
atexit.register(lambda: print("LOADED", *sys.modules, file=sys.stderr))
"""

# Sends itself a signal at the import number COUNT after the command line's own module began to load.
AT_IMPORT = """
import os, sys
seen = []
def hook(event, arguments):
    if event == "import" and (seen or arguments[0] == "dockpass.cli.main"):
        seen.append(arguments[0])
        if len(seen) == {count}:
            os.kill(os.getpid(), {number})
sys.addaudithook(hook)
"""

AT_EXIT = "import atexit, os; atexit.register(lambda: os.kill(os.getpid(), {number}))"
IN_DESTRUCTOR = """
import os, signal, weakref
class Fragile: pass
import dockpass.cli.explain as explain
def text(*_):
    fragile = Fragile()
    weakref.finalize(fragile, os.kill, os.getpid(), signal.SIGINT)
    return ""
explain.explain_text = text
"""
EXPLAIN = ("explain", "push", "--repo", "registry.example/a/b")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        *([name, "--help"] for name in COMMANDS),
        ["completions", "bash"],
        ["images", "rm", "--help"],
    ],
    ids=" ".join,
)
def test_help_loads_what_it_shows_and_no_more(program: Program, arguments: list[str]) -> None:
    program.meddling = LOADED
    ended = program.run(*arguments)
    assert ended.returncode == 0, ended.stderr
    assert not HEAVY & set(ended.stderr.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("typed", ["", "p", "explain"])
def test_completion_of_commands_loads_none_of_them(program: Program, typed: str) -> None:
    program.meddling = LOADED
    ended = program.run(_DOCKPASS_COMPLETE="bash_complete", COMP_WORDS=f"dockpass {typed}", COMP_CWORD="1")
    offered = {line.rpartition(",")[2] for line in ended.stdout.splitlines()}
    assert offered == {name for name in COMMANDS if name.startswith(typed)}
    loaded = ended.stderr.rpartition("LOADED")[2].split()
    assert not {f"dockpass.cli.{entry.module}" for entry in _COMMANDS.values()} & set(loaded)


def test_the_list_of_commands_says_what_each_command_says_of_itself() -> None:
    context = click.Context(cli)
    formatter = click.HelpFormatter(width=400)
    cli.format_commands(context, formatter)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(400) in formatter.getvalue()


@pytest.mark.parametrize(
    "group", [(), ("vars",), ("vars", "import"), ("scenario",), ("images",)], ids=" ".join
)
def test_no_list_of_commands_is_cut_on_a_terminal_of_80_columns(group: tuple[str, ...]) -> None:
    context, found = click.Context(cli), cli
    for name in group:
        listed = found.get_command(context, name)
        assert isinstance(listed, click.Group)
        context, found = click.Context(listed, parent=context), listed
    formatter = click.HelpFormatter(width=78)
    found.format_commands(context, formatter)
    assert "..." not in formatter.getvalue()


@pytest.mark.parametrize("count", [*range(1, 20, 3), *range(20, 140, 12)])
def test_an_interrupt_at_any_import_is_no_traceback(program: Program, count: int) -> None:
    program.meddling = AT_IMPORT.format(count=count, number=int(signal.SIGINT))
    ended = program.run(*EXPLAIN)
    assert ended.returncode in {0, 4, 130}, ended.stderr
    assert ended.stderr.strip() in {"", "cancelled"}


@pytest.mark.parametrize("meddling", [AT_EXIT.format(number=int(signal.SIGINT)), IN_DESTRUCTOR])
def test_nor_is_one_at_the_end_or_where_nothing_can_be_raised(program: Program, meddling: str) -> None:
    program.meddling = meddling
    ended = program.run(*EXPLAIN)
    assert (ended.returncode, ended.stderr.strip()) in {(130, ""), (4, "cancelled")}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
@pytest.mark.parametrize("count", [1, 30, 90])
def test_a_signal_that_was_ignored_at_the_start_stays_ignored(
    program: Program, number: signal.Signals, count: int
) -> None:
    ignored = f"import signal; signal.signal({int(number)}, signal.SIG_IGN)\n"
    program.meddling = ignored + AT_IMPORT.format(count=count, number=int(number))
    ended = program.run("explain", "push", "--repo", "registry.example/a", "--json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["command"] == "push"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
@pytest.mark.parametrize("ignored", [True, False])
def test_a_run_and_the_sandbox_heed_what_was_not_ignored(
    program: Program, number: signal.Signals, ignored: bool
) -> None:
    start = "import signal; signal.signal({0}, signal.SIG_IGN if {1} else signal.SIG_DFL)\n"
    program.meddling = (
        start.format(int(number), ignored)
        + "import dockpass.signals, os, threading\n"
        + "ask = dockpass.signals.heeded_signals\n"
        + f"print({int(number)} in ask())\nraise SystemExit"
    )
    assert program.run().stdout.strip() == str(not ignored)


def test_what_a_command_learned_is_masked_in_the_log_too(program: Program) -> None:
    program.meddling = (
        "import dockpass.cli.explain as explain\n"
        "def fail(*_): raise RuntimeError('with canary-secret-4711')\n"
        "explain.explain_text = fail"
    )
    ended = program.run(*EXPLAIN, CI_JOB_TOKEN="canary-secret-4711")
    assert ended.returncode == 1
    assert "canary" not in ended.stderr + program.written()
    assert "RuntimeError" in program.written()


def test_the_interpreter_that_runs_this_is_the_one_of_the_tests(program: Program) -> None:
    shown = subprocess.run([sys.executable, "-V"], capture_output=True, text=True).stdout.split()[1]
    assert f"Python {shown}" in program.run("--version").stdout
