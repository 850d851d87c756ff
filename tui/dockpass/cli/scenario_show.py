"""The work of `dockpass scenario show`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.decision import Refusal
from dockpass.auth.facts import Facts
from dockpass.cli.job_facts import JobGiven, options_of
from dockpass.cli.output import Output
from dockpass.cli.scenario_given import open_given
from dockpass.cli.table import columns
from dockpass.cli.variables import Looked, look, notes
from dockpass.cli.variables_json import show_json
from dockpass.cli.variables_text import heading
from dockpass.cli.world import World
from dockpass.errors import ExitCode
from dockpass.findings import Severity, finding_json
from dockpass.marks import OF_SEVERITY
from dockpass.scenario.dockerauth import docker_note
from dockpass.scenario.inwords import flags_in_words, mute_json, value_in_words
from dockpass.scenario.model import LEVEL_WORDS
from dockpass.scenario.opening import Opened
from dockpass.session.scenario_check import refused
from dockpass.session.scenarios import try_scenario, without_jobs
from dockpass.text import clean, plural
from dockpass.variables.logins import facts_of


@dataclass(frozen=True, slots=True)
class Resolved:
    """A scenario that was opened, and its job where it has one."""

    opened: Opened
    facts: Facts
    looked: Looked | None = None

    def notes(self) -> Iterator[tuple[Severity, str]]:
        """Yield what a person should know: of the project and its settings, then of the scenario."""
        yield from notes(self.looked) if self.looked else ()
        if self.looked is None:
            yield from ((each.severity, each.in_words) for each in self.opened.notes)
        note = docker_note(self.opened.scenario.context.docker_cli, self.facts)
        if note is not None:
            yield note.severity, note.in_words


def resolve(world: World, file: str, *, asks: bool = False) -> Resolved:
    """Resolve a scenario as `--scenario` does; raises `UsageError`."""
    opened = open_given(world, options_of(JobGiven(scenario=file, asks=asks)))
    if without_jobs(opened):
        return Resolved(opened, try_scenario(opened, world).facts)
    looked = look(world, {**options_of(JobGiven()), "opened": opened})
    return Resolved(opened, facts_of(looked.view, str(world.home), str(world.cwd)), looked)


def show_file(world: World, file: str, *, asks: bool, as_json: bool) -> int:
    """Print what a scenario comes to; return 1 where GitLab would refuse the configuration, else 0."""
    resolved = resolve(world, file, asks=asks)
    output = Output(world.redactor)
    if as_json:
        output.json(_show_json(resolved))
    else:
        output.words(_show_lines(resolved))
    looked = resolved.looked
    output.say(f"{OF_SEVERITY[severity]} {words}" for severity, words in resolved.notes())
    return ExitCode.FAILED if looked and refused(looked.view) else ExitCode.DONE


def _show_lines(resolved: Resolved) -> Iterator[str]:
    scenario = resolved.opened.scenario
    yield clean(scenario.name, 200) or resolved.opened.file
    yield heading(resolved.looked) if resolved.looked else f"variables of {scenario.platform}"
    if scenario.sources:
        yield ""
        yield "sources"
        yield from columns([(each.kind, clean(each.path, 200)) for each in scenario.sources])
    if scenario.variables:
        yield ""
        yield "variables"
        own = zip(scenario.variables, resolved.opened.own, strict=True)
        yield from columns(
            [
                (given.key, value_in_words(given, found), LEVEL_WORDS[given.level], flags_in_words(given))
                for given, found in own
            ]
        )
    if scenario.muted:
        yield ""
        yield "muted"
        yield from columns([tuple(mute_json(each).values()) for each in scenario.muted])
    yield ""
    yield "logins"
    yield from columns([(str(command), _decided(resolved, command)) for command in Command])
    yield ""
    yield f"{plural(len(scenario.expected), 'expectation')}"


def _decided(resolved: Resolved, command: Command) -> str:
    decided = decide(command, resolved.facts)
    return decided.message if isinstance(decided, Refusal) else decided.sentence


def _show_json(resolved: Resolved) -> dict[str, Any]:
    opened = resolved.opened
    scenario = opened.scenario
    return {
        "file": opened.file,
        "name": clean(scenario.name, 200) or None,
        "platform": scenario.platform,
        "command": scenario.command,
        "job": show_json(resolved.looked) if resolved.looked else None,
        "logins": [{"command": command, "text": _decided(resolved, command)} for command in Command],
        "expectations": len(scenario.expected),
        "muted": [mute_json(each) for each in scenario.muted],
        "notes": [finding_json(each) for each in opened.notes],
    }
