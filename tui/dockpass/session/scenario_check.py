"""A scenario's expectations beside what is found, as `dockpass scenario check` compares them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.facts import Facts
from dockpass.errors import DockpassError, UsageError
from dockpass.findings import Severity
from dockpass.scenario.checking import Found, Noted, compare
from dockpass.scenario.dockerauth import docker_note
from dockpass.scenario.model import Kind, Scenario
from dockpass.scenario.report import Report
from dockpass.session.desk import Seen
from dockpass.session.scenarios import Tried, open_file, try_scenario
from dockpass.text import clean, sentence
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.gitlab.versions import Version
from dockpass.variables.inwords import absent_in_words

if TYPE_CHECKING:
    from dockpass.doctor.examine import Found as Examined
    from dockpass.session.assemble import Process

_OF_THE_PROJECT = frozenset({"ci-file-invalid", "no-such-job"})
"""Errors that say something of the project and not of the scenario: what is tested has changed."""


def found_of(tried: Tried) -> Found:
    """Return everything that an expectation may be about."""
    facts, seen = tried.facts, tried.seen
    return Found(
        facts=facts,
        decided={command: decide(command, facts) for command in Command},
        absent={} if seen is None else {name: absent_in_words(e) for name, e in seen.view.absent.items()},
        jobs=() if seen is None else tuple(seen.loaded.config.jobs or ()),
        included=lambda name: None if seen is None else _view(seen, name).included,
        findings=lambda: tuple(_noted(tried)),
    )


def _view(seen: Seen, name: str) -> JobView:
    return seen.view if seen.view.name == name else seen.loaded.view(name)


def _noted(tried: Tried) -> Iterator[Noted]:
    # Only what expects something of the findings pays for the checks.
    from dockpass.doctor.examine import examine
    from dockpass.doctor.grouping import told_of
    from dockpass.doctor.patients import of_project
    from dockpass.doctor.table import TABLE
    from dockpass.doctor.visit import judged

    facts, seen = tried.facts, tried.seen
    if seen is None or tried.desk is None or tried.desk.clone is None:
        found = _of_variables(facts)
    else:
        found = examine(of_project(seen.loaded, tried.desk.clone, seen.view, facts.home, facts.cwd), TABLE)
    counting, muted = judged(found, tried.opened.scenario.muted)
    for each in counting:
        yield Noted(told_of(each), each.check.id)
    for each, mute in muted:
        yield Noted(told_of(each), each.check.id, clean(mute.because, 300))


def _of_variables(facts: Facts) -> tuple[Examined, ...]:
    """Return what the checks of variables find where there is no job."""
    from dockpass.doctor.check import Patient
    from dockpass.doctor.examine import examine
    from dockpass.doctor.overview import ON_VARIABLES
    from dockpass.variables.here import this_machine

    return examine([Patient(facts=facts, here=this_machine())], ON_VARIABLES)


def check_file(name: str, process: Process, usual: Version | None = None) -> Report:
    """Compare what a scenario expects with what is found; what cannot be looked at is its problem."""
    tried, report = try_file(name, process, usual)
    if tried is None or tried.opened.scenario.expected:
        return report
    return _problem_of(
        report.file,
        UsageError(
            "scenario-expects-nothing",
            f"{report.file} expects nothing, so there is nothing to check.",
            "`dockpass scenario new` writes what is found now; the keys of [expect] are in docs/scenarios.md"
            " of dockpass.",
        ),
    )


def try_file(name: str, process: Process, usual: Version | None = None) -> tuple[Tried | None, Report]:
    """Return a scenario that was tried, with its results; None and its problem where it cannot be."""
    shown = clean(name, 300)
    try:
        tried = try_scenario(open_file(name, process), process, usual)
    except DockpassError as error:
        return None, _problem_of(shown, error)
    return tried, report_of(tried, shown)


def _problem_of(shown: str, error: DockpassError) -> Report:
    problem = " ".join(sentence(each) for each in (error.message, error.hint) if each)
    return Report(file=shown, problem=problem, is_usage=error.id not in _OF_THE_PROJECT)


def report_of(tried: Tried, file: str) -> Report:
    """Return the results of a scenario that was tried."""
    scenario = tried.opened.scenario
    return Report(
        file=file,
        name=clean(scenario.name, 200),
        results=compare(scenario.expected, found_of(tried)),
        problem=refused(tried.seen.view if tried.seen else None),
        notes=(*_warnings(tried), *unknown_checks(scenario)),
    )


def refused(view: JobView | None) -> str:
    """Return why GitLab would make no pipeline at all; that its rules want none is no error."""
    problems = view.refusals if view else ()
    if not problems:
        return ""
    where = f"{problems[0].place}: " if problems[0].place.line else ""
    return sentence(f"GitLab would refuse the configuration: {where}{problems[0].message}")


def _warnings(tried: Tried) -> Iterator[str]:
    """Yield what makes the answer uncertain: what is not loaded, and secrets that are not known here."""
    for missing in tried.seen.loaded.config.not_loaded if tried.seen is not None else ():
        yield f"{missing.place}: include {missing.kind} {missing.text} is not loaded; values may differ"
    notes = [*tried.opened.notes]
    if note := docker_note(tried.opened.scenario.context.docker_cli, tried.facts):
        notes.append(note)
    yield from (each.in_words for each in notes if each.severity is Severity.WARNING)


def unknown_checks(scenario: Scenario) -> Iterator[str]:
    """Yield what is said of words that should name a check, and do not."""
    allowed = [
        word for each in scenario.expected if each.kind is Kind.FINDINGS for word in each.wanted.split()
    ]
    named = [("muted", each.check) for each in scenario.muted]
    named += [("expect.findings", word) for word in allowed]
    if not named:
        return
    from dockpass.doctor.table import TABLE, check_of

    known = [name for check in TABLE for name in (check.id, *check.names)]
    for key, word in named:
        if check_of(word) is None:
            yield f"{key}: there is no check {clean(word, 80)}{_meant(word, known)}"


def _meant(word: str, known: Sequence[str]) -> str:
    import difflib  # only who needs it pays for it

    close = difflib.get_close_matches(word.upper() if word.lower().startswith("dp-") else word, known, 1)
    return f"; did you mean {close[0]}?" if close else ""
