"""`dockpass doctor`: what is wrong, why it matters and how to fix it, as text and as one JSON object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from dockpass.cli import variables as work
from dockpass.cli.context import Given, assembled
from dockpass.cli.explain import error_json, finding_json
from dockpass.cli.job_facts import NOT_OFFERED
from dockpass.cli.output import Output
from dockpass.cli.table import columns
from dockpass.cli.variables_lint import counts, jobs_in_words, status
from dockpass.cli.world import World
from dockpass.doctor.check import Need, Patient
from dockpass.doctor.examine import Found, examine
from dockpass.doctor.patients import of_files, of_jobs
from dockpass.doctor.table import TABLE
from dockpass.errors import DockpassError, UsageError
from dockpass.marks import OF_SEVERITY
from dockpass.runs.request import BuildOptions
from dockpass.session.patient import patient_of
from dockpass.text import clean, plural
from dockpass.variables.clone import find_clone


@dataclass(frozen=True, slots=True)
class Visit:
    """Who was looked at, what was found, and which checks had nothing to look at."""

    patients: tuple[Patient, ...]
    found: tuple[Found, ...]
    notes: tuple[str, ...] = ()

    @property
    def not_run(self) -> dict[Need, int]:
        """How many checks lacked what; each is counted for the first that it lacks."""
        has = [patient.has for patient in self.patients]
        lacking = Counter[Need]()
        for check in TABLE:
            if not any(check.needs <= there for there in has):
                lacking[min(check.needs - frozenset().union(*has) or check.needs)] += 1
        return dict(lacking)

    @property
    def clear(self) -> int:
        """How many checks were run and found nothing."""
        return len(TABLE) - sum(self.not_run.values()) - len({each.check.id for each in self.found})


def run_doctor(world: World, given: Given, *, all_jobs: bool, as_json: bool) -> int:
    """Examine and print; return the exit status."""
    output = Output(world.redactor)
    try:
        visit = visited(world, given, all_jobs=all_jobs)
    except DockpassError as error:
        if not as_json:
            raise
        output.json(error_json(error.id, error.message, error.hint))
        return int(error.exit_code)
    if as_json:
        output.json(visit_json(visit))
    else:
        output.say(visit.notes)
        output.data(visit_lines(visit))
    return status(visit.found)


def visited(world: World, given: Given, *, all_jobs: bool) -> Visit:
    """Look at the jobs that were asked for, else at this machine and at what every job gets."""
    if given.job.asked or all_jobs:
        looked = _looked(world, given)
        named = looked.view.name
        names = tuple(looked.loaded.config.jobs or ()) if all_jobs else (named,)
        return _of_jobs(looked, names, ())
    machine = patient_of(assembled(world, None, given, BuildOptions()))
    if find_clone(world.cwd, world.environ) is None:
        return Visit((machine,), examine((machine,), TABLE))
    try:
        return _of_jobs(_looked(world, given), ("",), (machine,))
    except UsageError as error:
        return Visit(
            (machine,), examine((machine,), TABLE), (f"▲ the jobs were not checked: {error.message}",)
        )


def _looked(world: World, given: Given) -> work.Looked:
    asked = {each.name: getattr(given.job, each.name) for each in fields(given.job)}
    return work.look(world, {**asked, **NOT_OFFERED, "sets": given.sets, "unsets": given.unsets})


def _of_jobs(looked: work.Looked, names: Sequence[str], others: Sequence[Patient]) -> Visit:
    jobs = of_jobs(looked.loaded, names, looked.home, looked.cwd)
    patients = (*others, of_files(looked.loaded, looked.clone), *jobs)
    return Visit(patients, examine(patients, TABLE), tuple(work.note_lines(looked)))


def visit_lines(visit: Visit) -> Iterator[str]:
    """Yield each finding with why it matters and what to do, errors first; then what was not checked."""
    for each in visit.found:
        yield f"{OF_SEVERITY[each.finding.severity]} {each.finding.in_words}{jobs_in_words(each.jobs)}"
        yield from columns(list(_rows(each)), indent="    ")
        yield ""
    yield f"{counts(visit.found)} {plural(visit.clear, 'check')} found nothing."
    for need, count in visit.not_run.items():
        yield f"{plural(count, 'check')} not run, for want of {need}."


def _rows(each: Found) -> Iterator[tuple[str, str]]:
    yield "why", each.check.matters
    yield "fix", each.finding.hint or each.check.fix
    yield "check", f"{each.check.id} ({each.finding.id})"


def visit_json(visit: Visit) -> dict[str, Any]:
    """Return the object of `--json`."""
    return {
        "findings": [_found_json(each) for each in visit.found],
        "clear": visit.clear,
        "not_run": {str(need): count for need, count in visit.not_run.items()},
    }


def _found_json(each: Found) -> dict[str, Any]:
    return {
        "check": each.check.id,
        **finding_json(each.finding),
        "matters": each.check.matters,
        "jobs": [clean(name, 255) for name in each.jobs],
    }
