"""The work of `dockpass scenario check` and `show`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.decision import Refusal
from dockpass.auth.facts import Facts
from dockpass.cli.job_facts import JobGiven, options_of
from dockpass.cli.output import Output
from dockpass.cli.scenario_given import open_given, without_jobs
from dockpass.cli.table import columns
from dockpass.cli.variables import Looked, look, notes
from dockpass.cli.variables_json import show_json
from dockpass.cli.variables_text import absent_in_words, heading
from dockpass.cli.world import World
from dockpass.errors import DockpassError, ExitCode, UsageError
from dockpass.findings import Finding, Severity, finding_json
from dockpass.marks import OF_ANSWER, OF_SEVERITY
from dockpass.scenario.checking import Found, Result, compare
from dockpass.scenario.dockerauth import docker_note
from dockpass.scenario.model import FLAGS, LEVEL_WORDS, Given, Reference
from dockpass.scenario.opening import Opened
from dockpass.scenario.references import origin_of
from dockpass.scenario.report import Report, code_quality, in_words, junit
from dockpass.secrets import MASK, Secret
from dockpass.session.assemble import findings_of
from dockpass.system import reason
from dockpass.text import clean, cut, plural, sentence
from dockpass.unknown import Unknown
from dockpass.variables.clone import Clone
from dockpass.variables.gitlab.model import Definition
from dockpass.variables.gitlab.resolve import FILTERED
from dockpass.variables.logins import facts_of

_OF_THE_PROJECT = frozenset({"ci-file-invalid", "no-such-job"})
"""Errors that say something of the project and not of the scenario: what is tested has changed."""


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
    return resolved_of(world, open_given(world, options_of(JobGiven(scenario=file, asks=asks))))


def resolved_of(world: World, opened: Opened, clone: Clone | None = None) -> Resolved:
    """Resolve a scenario that was opened, in its project where that is at hand; raises `UsageError`."""
    home, cwd = str(world.home), str(world.cwd)
    if without_jobs(opened):
        variables = opened.plain_variables()
        for each in variables.values():
            if isinstance(each.value, Secret):
                world.redactor.learn(each.value)
        return Resolved(opened, Facts(variables, home=home, cwd=cwd, elsewhere=True))
    looked = look(world, {**options_of(JobGiven()), "opened": opened, "clone": clone})
    return Resolved(opened, facts_of(looked.view, home, cwd), looked)


def found_of(resolved: Resolved) -> Found:
    """Return everything that an expectation may be about."""
    looked, facts = resolved.looked, resolved.facts
    decided = {command: decide(command, facts) for command in Command}
    if looked is None:
        return Found(
            facts=facts,
            decided=decided,
            absent={},
            jobs=(),
            included=lambda _: None,
            findings=lambda: findings_of(facts, ()),
        )
    loaded = looked.loaded
    return Found(
        facts=facts,
        decided=decided,
        absent={name: absent_in_words(each) for name, each in looked.view.absent.items()},
        jobs=tuple(loaded.config.jobs or ()),
        included=lambda name: loaded.view(name).included,
        findings=lambda: _findings(looked),
    )


def _findings(looked: Looked) -> tuple[Finding, ...]:
    from dockpass.cli.variables_lint import lint_of  # every check of variables

    return tuple(each.finding for each in lint_of(looked))


def check_files(
    world: World, files: Sequence[str], junit_to: str | None, quality_to: str | None, *, as_json: bool
) -> int:
    """Check each file, print and write what was found; return the exit status."""
    output = Output(world.redactor)
    reports = []
    for file in dict.fromkeys(files):
        report = _report(world, file)
        reports.append(report)
        if not as_json:
            output.data(_report_lines(report))
    if as_json:
        output.json(_reports_json(reports))
    else:
        output.data(["", _summary(reports)])
    for path, written in ((junit_to, junit), (quality_to, code_quality)):
        if path is not None:
            _write(world.cwd / path, world.redactor(written(reports)))
    if any(each.is_usage for each in reports):
        return ExitCode.USAGE
    return ExitCode.DONE if all(each.passed for each in reports) else ExitCode.FAILED


def _report(world: World, file: str) -> Report:
    shown = clean(file, 300)
    try:
        resolved = resolve(world, file)
        scenario = resolved.opened.scenario
        if not scenario.expected:
            raise UsageError(
                "scenario-expects-nothing",
                f"{shown} expects nothing, so there is nothing to check.",
                "docs/scenarios.md has the keys of [expect]; dockpass scenario new writes what is found now.",
            )
    except DockpassError as error:
        problem = " ".join(sentence(each) for each in (error.message, error.hint) if each)
        return Report(file=shown, problem=problem, is_usage=error.id not in _OF_THE_PROJECT)
    return Report(
        file=shown,
        name=clean(scenario.name, 200),
        results=compare(scenario.expected, found_of(resolved)),
        problem=_refused(resolved.looked),
        notes=tuple(words for severity, words in resolved.notes() if severity is Severity.WARNING),
    )


def _refused(looked: Looked | None) -> str:
    """Return why GitLab would make no pipeline at all; that its rules want none is no error."""
    problems = [each for each in looked.view.problems if each.message != FILTERED] if looked else []
    if not problems:
        return ""
    where = f"{problems[0].place}: " if problems[0].place.line else ""
    return sentence(f"GitLab would refuse the configuration: {where}{problems[0].message}")


def _report_lines(report: Report) -> Iterator[str]:
    yield f"{report.file}  {report.name}".rstrip()
    if report.problem:
        yield f"  {OF_ANSWER[False]} {report.problem}"
    for each in report.results:
        about = f"{clean(each.expectation.about, 300)}: {each.found}"
        yield f"  {OF_ANSWER[each.passed]} {about if each.passed else in_words(each)}"
        if each.why and not each.passed:
            yield f"      {each.why}"
    yield from (f"  {OF_SEVERITY[Severity.WARNING]} {words}" for words in report.notes)


def _summary(reports: Sequence[Report]) -> str:
    count = sum(len(each.results) for each in reports)
    differing = sum(len(each.differing) for each in reports)
    files = plural(len(reports), "scenario")
    broken = sum(bool(each.problem) for each in reports)
    told = f"{differing} of {plural(count, 'expectation')} in {files} not met" if differing else ""
    problems = f"{plural(broken, 'scenario')} could not be checked" if broken else ""
    if told or problems:
        return f"{'; '.join(filter(None, (told, problems)))}."
    return f"{plural(count, 'expectation')} in {files} met."


def _reports_json(reports: Sequence[Report]) -> dict[str, Any]:
    return {
        "passed": all(each.passed for each in reports),
        "scenarios": [
            {
                "file": report.file,
                "name": report.name or None,
                "passed": report.passed,
                "problem": report.problem or None,
                "notes": list(report.notes),
                "expectations": [_result_json(each) for each in report.results],
            }
            for report in reports
        ],
    }


def _result_json(result: Result) -> dict[str, Any]:
    what = result.expectation
    return {
        "about": clean(what.about, 300),
        "kind": what.kind,
        "command": what.command,
        "line": what.line or None,
        "expected": clean(what.wanted, 300),
        "found": result.found,
        "passed": result.passed,
        "why": result.why or None,
    }


def show_file(world: World, file: str, *, asks: bool, as_json: bool) -> int:
    """Print what a scenario comes to; return 1 where GitLab would refuse the configuration, else 0."""
    resolved = resolve(world, file, asks=asks)
    output = Output(world.redactor)
    if as_json:
        output.json(_show_json(resolved))
    else:
        output.data(_show_lines(resolved))
    looked = resolved.looked
    output.say(f"{OF_SEVERITY[severity]} {words}" for severity, words in resolved.notes())
    return ExitCode.FAILED if _refused(looked) else ExitCode.DONE


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
        yield from columns([_given_row(given, found) for given, found in own])
    yield ""
    yield "logins"
    yield from columns([(str(command), _decided(resolved, command)) for command in Command])
    yield ""
    yield f"{plural(len(scenario.expected), 'expectation')}"


def _given_row(given: Given, found: Definition) -> tuple[str, ...]:
    flags = " ".join(flag for flag in FLAGS if flag in given.flags)
    if isinstance(given.value, Reference):
        unknown = isinstance(found.value, Unknown)
        shown = f"from {origin_of(given.value)}{', not known here' if unknown else ''}"
    else:
        shown = MASK if isinstance(given.value, Secret) else cut(clean(given.value), 60) or "empty"
    return given.key, shown, LEVEL_WORDS[given.level], flags


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
        "notes": [finding_json(each) for each in opened.notes],
    }


def _write(path: Path, text: str) -> None:
    """Write a report in place, over the last one: it may be a device, and others may read it."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        if path.is_file():  # what was written of it is no report
            with suppress(OSError):
                path.unlink()
        raise UsageError(
            "scenario-report",
            f"The report cannot be written: {reason(error)}.",
            "Give another place.",
        ) from error
