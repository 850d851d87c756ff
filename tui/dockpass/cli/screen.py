"""Starts the screen, where there is a terminal for it: in this environment or in a sandbox."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from dockpass.auth.ci import GITLAB
from dockpass.cli.context import Given, assembled, engine_choice, typed_of
from dockpass.cli.job_facts import JobGiven, options_of
from dockpass.cli.output import no_terminal
from dockpass.cli.readonly import read_only_of
from dockpass.cli.world import World, this_process
from dockpass.engines.choice import EngineChoice, Engines, detect_chosen
from dockpass.errors import UsageError
from dockpass.paths import paths
from dockpass.runs.request import BuildOptions, Typed
from dockpass.signals import ending_signals, heeded_signals
from dockpass.text import clean

if TYPE_CHECKING:
    from dockpass.session.start import AskedJob
    from dockpass.variables.gitlab.model import Definition


def start_screen(
    engine: str | None = None,
    *,
    no_proxy: bool = False,
    froms: Sequence[str] = (),
    repo: str | None = None,
    **options: Any,
) -> int:
    """Run the terminal UI with the variables and options that are given; return the exit status."""
    gc.disable()  # what is made until the first frame stays; the screen enables it then
    job = JobGiven(**{each.name: options.pop(each.name) for each in fields(JobGiven) if each.name in options})
    given = Given(repo=repo, froms=froms, **options)
    reads_stdin = given.registry_password_stdin or "-" in given.env_file
    _require_terminal(but_stdin=reads_stdin)
    world = this_process()
    found = assembled(world, None, given, BuildOptions())
    asked = _asked_job(world, job) if job.asked else None
    if reads_stdin:
        _take_keys_from_terminal()
    from dockpass.session.start import Start
    from dockpass.ui.app import run_app

    start = Start(
        environ=world.environ,
        assembled=found,
        paths=world.paths,
        redactor=world.redactor,
        engine=engine_choice(world, engine),
        no_proxy=no_proxy,
        typed=typed_of(given, engine),
        asked=asked,
        read_only=read_only_of(world),
    )
    return run_app(start)


def _asked_job(world: World, given: JobGiven) -> AskedJob:
    """Return the job that the options name; raises `UsageError` where it cannot be resolved."""
    from dockpass.cli.scenario_given import open_given
    from dockpass.cli.usual import usual_version
    from dockpass.cli.variables import OPTIONS, look
    from dockpass.session.desk import Imported, Looking
    from dockpass.session.scenarios import try_scenario, without_jobs
    from dockpass.session.start import AskedJob
    from dockpass.variables.gitlab.versions import version_of
    from dockpass.variables.settingsfile import read_settings

    options = options_of(given)
    scenario = None
    if given.scenario is not None:
        opened = open_given(world, options)
        usual = usual_version(world)
        if without_jobs(opened):
            tried = try_scenario(opened, world, usual)
            return AskedJob(looking=Looking(), scenario=tried, name=given.scenario)
        opened = replace(opened, settings=_without_given(opened.settings, given))
        scenario = try_scenario(opened, world, usual)
        options["opened"] = opened
    looked = look(world, options)
    pipeline = looked.pipeline
    return AskedJob(
        looking=Looking(
            job=looked.view.name,
            ref=pipeline.ref,
            source=pipeline.source,
            environment=pipeline.environment,
        ),
        imported=tuple(
            Imported(
                label=clean(name, 200),
                definitions=tuple(read_settings(world.cwd / name, level)),
                path=world.cwd / name,
            )
            for option, level in OPTIONS
            for name in getattr(given, option)
        ),
        version=version_of(given.gitlab_version or ""),
        no_snapshot=given.no_snapshot,
        scenario=scenario,
        name=given.scenario or "",
    )


def _without_given(settings: Sequence[Definition], given: JobGiven) -> tuple[Definition, ...]:
    """Return a scenario's settings without the levels for which files are given."""
    from dockpass.cli.variables import OPTIONS

    replaced = {level for option, level in OPTIONS if getattr(given, option)}
    return tuple(each for each in settings if each.level not in replaced)


def start_sandbox(engine: str | None = None) -> int:
    """Run the terminal UI in a sandbox, which ends with it; return the exit status."""
    if engine not in {None, "auto", "embedded"}:
        raise UsageError(
            "sandbox-engine",
            f"The sandbox does not use {clean(str(engine), 40)}: its images must not end up"
            " in another engine.",
            "Omit --engine: the sandbox uses the embedded engine.",
        )
    _require_terminal()
    from dockpass.sandbox.server import SandboxServer
    from dockpass.sandbox.workshop import Workshop
    from dockpass.session.session import Sandbox
    from dockpass.session.start import Start
    from dockpass.ui.app import run_app

    world = this_process()
    for number in heeded_signals():
        signal.signal(number, _end)
    # The exception of a signal between the making of a directory and the noting of its name would leave it.
    with (
        ending_signals(signal.SIG_BLOCK),
        Workshop(SandboxServer()) as workshop,
        ending_signals(signal.SIG_UNBLOCK),
    ):
        for secret in workshop.secrets:
            world.redactor.learn(secret)
        environ = workshop.environ(world.environ)
        places = paths(environ)
        choice = EngineChoice(Engines.EMBEDDED, "the sandbox asks for it", places.store)
        sandbox = Sandbox(
            workshop.server.host,
            workshop.repository,
            workshop.cleanup_token,
            str(workshop.external_config),
        )
        inside = World(environ, workshop.project, world.redactor)
        start = Start(
            environ=environ,
            assembled=assembled(inside, None, Given(), BuildOptions()),
            paths=places,
            redactor=world.redactor,
            engine=choice,
            sandbox=sandbox,
            typed=Typed(engine="embedded"),
            read_only=read_only_of(world),
        )
        with _working_in(workshop.project):
            return run_app(start)


@contextmanager
def _working_in(directory: Path) -> Iterator[None]:
    """Work in a directory, for what is started from the screen inherits it; go back afterwards."""
    before = os.open(".", getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC)
    try:
        os.chdir(directory)
        yield
    finally:
        os.fchdir(before)  # by its descriptor: its name may be gone meanwhile
        os.close(before)


def _end(number: int, _: object) -> NoReturn:
    """End in order where there is no screen, so that the sandbox's directories go."""
    raise SystemExit(128 + number)


def start_or_offer(engine: str | None = None, *, no_proxy: bool = False) -> int:
    """Start the sandbox; where a job's variables or an engine are found, ask which is meant."""
    _require_terminal()
    found = _what_is_here(this_process(), engine)
    if not found:
        return start_sandbox()
    from dockpass.ui.chooser import choose_place

    place = choose_place(found)
    if place is None:
        return 0
    return start_sandbox() if place == "sandbox" else start_screen(engine, no_proxy=no_proxy)


def _what_is_here(world: World, engine: str | None) -> list[str]:
    """Return what of a person's own there is to work with, in words."""
    found = []
    if world.environ.get(GITLAB.registry) or world.environ.get(GITLAB.token):
        found.append("the variables of a GitLab job")
    state = detect_chosen(engine_choice(world, engine), world.environ, world.home)
    if state.info is not None and state.info.name != "embedded":
        found.append(f"{state.info.name} {state.info.version}")
    return found


def _take_keys_from_terminal() -> None:
    """Read keys from the terminal, where stdin was the password."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        raise no_terminal(
            "Stdin is taken by the option, and there is no other terminal to read keys from.",
            "Give the values on the screen: press `e` on one.",
        ) from error
    os.dup2(terminal, sys.stdin.fileno())
    os.close(terminal)


def _require_terminal(*, but_stdin: bool = False) -> None:
    if not ((but_stdin or sys.stdin.isatty()) and sys.stdout.isatty()):
        raise no_terminal(
            "The screen needs a terminal, but stdin or stdout is not one.",
            "Use `dockpass explain push` without a terminal; `dockpass --help` lists all commands.",
        )
