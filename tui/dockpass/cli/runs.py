"""Runs without a screen: a decision, the person's word where it is needed, then the run's events."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

from dockpass.auth.command import Command
from dockpass.auth.decide import decide_to_run
from dockpass.auth.decision import Refusal
from dockpass.builders.names import BuilderName
from dockpass.cleanup.options import CleanupOptions
from dockpass.cli.consent import with_the_persons_word
from dockpass.cli.context import Given, assembled, engine_choice, typed_of
from dockpass.cli.explain import finding_lines
from dockpass.cli.narrate import data_lines, event_json, is_start, narrate, plan_table
from dockpass.cli.output import Output, is_terminal
from dockpass.cli.readonly import refuse_if_read_only
from dockpass.cli.services import services_of
from dockpass.cli.world import World
from dockpass.dockerconfig.sweep import sweep
from dockpass.engines.base import EMBEDDED
from dockpass.engines.choice import opener
from dockpass.errors import UsageError
from dockpass.marks import GLYPH_LOOK
from dockpass.readonly import Act
from dockpass.registry.policy import Policy
from dockpass.runs.events import (
    Asked,
    Count,
    Ended,
    Event,
    ImageDescribed,
    Layer,
    Log,
    LogKind,
    Skipped,
    Step,
    TagPlanned,
)
from dockpass.runs.helm import values_yaml
from dockpass.runs.request import BuildOptions, RunRequest, acts
from dockpass.runs.run import Run
from dockpass.signals import heeded_signals
from dockpass.units import size


def run_command(
    world: World,
    command: Command,
    given: Given,
    *,
    build: BuildOptions,
    cleanup: CleanupOptions | None = None,
    tags: tuple[str, ...] = (),
    image: str | None = None,
    as_json: bool = False,
    values: bool = False,
    confirmed: bool = False,
    foreign_allowed: bool = False,
    engine: str | None = None,
    policy: Policy | None = None,
    progress: str = "auto",
) -> int:
    """Run a command and return its exit status; raises `DockpassError` before anything is created.

    `progress` says what is shown of the engine's work: bars too (`auto`), none (`plain`), nothing (`quiet`).
    """
    output = Output(world.redactor)
    cleanup = cleanup or CleanupOptions()
    if acts(command, cleanup):
        refuse_if_read_only(world, Act.RUN)
    choice = engine_choice(world, engine or _engine_for(build.builder))
    services = replace(services_of(world, policy), open_engine=opener(choice, policy))
    classic = False
    if command is Command.BUILD:
        from dockpass.builders.survey import remembered  # other commands need no builders
        from dockpass.cli.classic import is_classic

        services = replace(services, find_builders=remembered())
        classic = is_classic(choice, world, build, services.find_builders)
    found = assembled(world, command, given, build, classic=classic)
    facts = found.facts
    decided = decide_to_run(command, facts)
    if isinstance(decided, Refusal):
        raise UsageError(decided.id, decided.message, decided.hint)
    request = RunRequest(
        command,
        facts,
        decided,
        tags,
        image,
        build,
        cleanup,
        confirmed,
        foreign_allowed,
        is_terminal(),
        typed_of(given, engine),
        values,
    )
    if not as_json:
        output.say(line for finding in found.findings for line in finding_lines(finding))
        output.say([decided.sentence, *(f"{GLYPH_LOOK} {notice.message}" for notice in decided.warnings)])
    request = with_the_persons_word(request, output)
    for left in sweep(services.run_environ(facts)):
        output.say([f"removed a temporary config left behind by a killed dockpass: {left.path}"])
    return _carry_out(Run(request, services), output, as_json=as_json, values=values, progress=progress)


def _engine_for(builder: str) -> str | None:
    """Return the engine that a builder builds for, where it builds for no other."""
    return EMBEDDED if builder == BuilderName.EMBEDDED else None


def _is_shown(event: Event, progress: str) -> bool:
    """Tell whether an event is told to a person, by `--progress`."""
    if isinstance(event, Count | Layer):
        return progress == "auto"
    is_work = isinstance(event, Step) or (isinstance(event, Log) and event.kind is LogKind.ENGINE)
    return not is_start(event) and not (is_work and progress == "quiet")


def _carry_out(run: Run, output: Output, *, as_json: bool, values: bool, progress: str) -> int:
    found: list[Event] = []
    with _cancelling(run) as received:
        run.start()
        for event in run.feed.follow():
            if as_json:
                output.json(event_json(event))
            elif isinstance(event, Skipped) or (isinstance(event, Log) and event.kind is LogKind.WARNING):
                output.warn(narrate(event))
            elif not _is_shown(event, progress):
                continue
            elif isinstance(event, Count | Layer):
                output.progress(_progress(event))
            elif isinstance(event, Log) and event.colours:
                output.say_output("  ", event.text, event.colours)
            else:
                output.say(narrate(event))
            if isinstance(event, Asked):
                _answer(run, event, found, output, as_json=as_json)
            if not isinstance(event, Count | Layer | Log | Step):
                found.append(event)
    run.wait()
    ended = next(event for event in reversed(found) if isinstance(event, Ended))
    if not as_json:
        _print_data(run.request, found, output, values=values)
    caught = received()
    if caught is not None and caught != signal.SIGINT:
        return 128 + caught
    return int(ended.exit_code)


def _answer(run: Run, asked: Asked, found: list[Event], output: Output, *, as_json: bool) -> None:
    if not is_terminal():
        run.answer(False)
        return
    if not as_json:
        rows = plan_table([event for event in found if isinstance(event, TagPlanned)])
        output.say(rows or [asked.detail])
    run.answer(output.ask(asked.question))


def _print_data(request: RunRequest, found: list[Event], output: Output, *, values: bool) -> None:
    if values:
        images = [event for event in found if isinstance(event, ImageDescribed)]
        if images:
            output.data(values_yaml(images).splitlines())
        return
    output.data(data_lines(request.command, found))


def _progress(event: Count | Layer) -> str:
    if isinstance(event, Count):
        return f"{event.done:,} of {event.total:,} {event.what}"
    of = f" {size(event.current)} of {size(event.total)}" if event.total else ""
    return f"{event.id}: {event.state}{of}"


@contextmanager
def _cancelling(run: Run) -> Iterator[Callable[[], int | None]]:
    """Cancel the run on a signal; a second one stops it at once. Yields what was received."""
    received: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if len(received) == 1:
            run.cancel()
        elif len(received) == 2:  # a third one would wait for what it interrupts
            run.stop(0)

    before = {number: signal.signal(number, handle) for number in heeded_signals()}
    try:
        yield lambda: received[0] if received else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
