"""`dockpass doctor`: what is wrong, why it matters and how to fix it, as text and in four other formats."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dockpass import __version__
from dockpass.cli.context import Given
from dockpass.cli.doctor_visit import visited
from dockpass.cli.explain import error_json
from dockpass.cli.output import Output
from dockpass.cli.table import columns
from dockpass.cli.world import World
from dockpass.doctor.examine import ORDER, Found
from dockpass.doctor.grouping import named, same_words
from dockpass.doctor.symptoms import LARGEST, explaining, firing_first
from dockpass.doctor.table import TABLE
from dockpass.doctor.trying import tried_fixes
from dockpass.doctor.visit import Visit, counts, jobs_in_words, skipped_lines
from dockpass.errors import DockpassError, ExitCode, UsageError
from dockpass.findings import Severity
from dockpass.marks import GLYPH_NOT_REACHED, OF_SEVERITY
from dockpass.registry.policy import Policy
from dockpass.text import clean, plural

_MOST_EXPLAINING = 12
_MOST_READ = 64 << 20
"""How many bytes of a log are read; what failed is at its end."""
_MOST_NAMED = 30
_MOST_LINES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for. `form` is text, as_json, sarif or code_quality; `policy` is None to ask nobody."""

    all_jobs: bool = False
    about: str = ""
    error: str | None = None
    fail_on: str = "error"
    form: str = "text"
    policy: Policy | None = None


def run_doctor(world: World, given: Given, asked: Asked) -> int:
    """Examine and print; return the exit status."""
    output = Output(world.redactor)
    try:
        symptom = None if asked.error is None else _symptom(asked.error)
        visit = visited(world, given, all_jobs=asked.all_jobs, policy=asked.policy, about=asked.about)
    except DockpassError as error:
        if asked.form == "text":
            raise
        output.json(error_json(error.id, error.message, error.hint))
        return int(error.exit_code)
    if asked.form == "text":
        output.say(visit.notes)
        output.words(visit_lines(visit, asked.about) if symptom is None else symptom_lines(visit, symptom))
        if symptom is None and not (asked.all_jobs or asked.about or given.job.asked):
            output.words(unchecked_lines(visit))
    else:
        output.json(_for_programs(visit, symptom, asked.form))
    worst = min((ORDER[each.finding.severity] for each in visit.found), default=len(ORDER))
    return ExitCode.FAILED if worst <= ORDER[Severity(asked.fail_on)] else ExitCode.DONE


def _for_programs(visit: Visit, symptom: str | None, form: str) -> Any:
    from dockpass.doctor.ci_formats import code_quality, sarif  # only a program pays for them
    from dockpass.doctor.objects import visit_json

    match form:
        case "sarif":
            return sarif(visit.found, __version__)
        case "code_quality":
            return code_quality(visit.found)
    return visit_json(visit, symptom)


def _symptom(text: str) -> str:
    """Return the error message; raises `UsageError` where it should come from a terminal, or is empty."""
    if text == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(
                "error-terminal",
                "--error - reads from stdin, which is a terminal.",
                "Pipe the error message in, or give it as an argument.",
            )
        text = sys.stdin.buffer.read(_MOST_READ)[-LARGEST:].decode("utf-8", "replace")
    if not text.strip():
        raise UsageError("error-empty", "The error message is empty.", "Give the lines that failed.")
    return text


def visit_lines(visit: Visit, about: str = "") -> Iterator[str]:
    """Yield each finding with why it matters, what to do and what that changes, errors first.

    Where only those `about` something were asked for, nothing is said of the checks.
    """
    for each in visit.found:
        yield from _found_lines(each)
    for each, mute in visit.muted:
        yield f"{GLYPH_NOT_REACHED} muted: {each.finding.in_words}"
        rows = [*_single_rows(each), ("because", clean(mute.because, 300)), _check_row(each)]
        yield from columns(rows, indent="    ")
        yield ""
    if about:
        yield counts(visit.found)
        return
    clear = plural(visit.clear, "check")
    yield f"{counts(visit.found)} {clear} found nothing." if visit.found else f"Nothing found by {clear}."
    yield from skipped_lines(visit)


def unchecked_lines(visit: Visit) -> Iterator[str]:
    """Yield how many jobs were not checked one by one; nothing where there are none."""
    for patient in visit.patients:
        if patient.files is not None and patient.loaded is not None and patient.loaded.config.jobs:
            jobs = plural(len(patient.loaded.config.jobs), "job")
            yield f"{jobs} not checked: --all-jobs checks every job, --job NAME one."


def symptom_lines(visit: Visit, symptom: str) -> Iterator[str]:
    """Yield the checks that explain an error message, those that found something first."""
    checks = explaining(symptom, TABLE)
    if not checks:
        yield "No check knows this error message. Without --error, dockpass doctor shows everything it found."
        return
    fired, others = firing_first(checks, visit.found)
    for each in fired:
        yield from _found_lines(each)
    if not fired:
        yield "Nothing that was found here explains it."
        yield ""
    if others:
        yield "It can also mean:" if fired else "It can mean:"
        yield from columns([(f"{check.title}", check.id) for check in others[:_MOST_EXPLAINING]])


def _found_lines(each: Found) -> Iterator[str]:
    words = each.finding.in_words.removesuffix(".") if each.jobs else each.finding.in_words
    yield f"{OF_SEVERITY[each.finding.severity]} {words}{jobs_in_words(each.jobs)}"
    yield from columns(list(_rows(each)), indent="    ")
    yield ""


def _rows(each: Found) -> Iterator[tuple[str, str]]:
    yield from _single_rows(each)
    yield "why", each.check.matters
    yield "fix", each.finding.hint or each.check.fix
    for tried in tried_fixes(each, TABLE):
        yield "tried", f"{tried.in_words}: {tried.effects}"
    yield _check_row(each)


def _single_rows(each: Found) -> Iterator[tuple[str, str]]:
    """Yield what is told as one: the names and what is said of the first, or a line for each."""
    if not each.members:
        return
    if same_words(each):
        yield "which", named(each, _MOST_NAMED)
        yield "seen", each.members[0].finding.in_words
        return
    for number, single in enumerate(each.members[:_MOST_LINES]):
        yield "" if number else "which", single.finding.in_words
    if (rest := len(each.members) - _MOST_LINES) > 0:
        yield "", f"and {rest:,} more"


def _check_row(each: Found) -> tuple[str, str]:
    return "check", f"{each.check.id} ({each.finding.id})"
