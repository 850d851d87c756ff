"""The answers of `dockpass vars lint` as lines and as one object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dockpass.cli.variables import Looked
from dockpass.doctor.examine import Found, examine
from dockpass.doctor.grouping import grouped, named
from dockpass.doctor.patients import of_project
from dockpass.doctor.table import TABLE
from dockpass.doctor.visit import counts, jobs_in_words
from dockpass.errors import ExitCode
from dockpass.findings import Severity, finding_json
from dockpass.marks import OF_SEVERITY
from dockpass.text import clean

_MOST_NAMED = 30


def lint_of(looked: Looked) -> tuple[Found, ...]:
    """Look at the job that was asked for, else at all of them."""
    patients = of_project(looked.loaded, looked.clone, looked.view, looked.home, looked.cwd)
    return grouped(examine(patients, TABLE))


def lint_lines(found: Sequence[Found]) -> Iterator[str]:
    """Yield each finding with what to do, errors first."""
    for each in found:
        finding = each.finding
        yield f"{OF_SEVERITY[finding.severity]} {finding.in_words}{jobs_in_words(each.jobs)}"
        if each.members:
            yield f"  {named(each, _MOST_NAMED)}"
        if hint := finding.hint or (each.check.fix if each.members else ""):
            yield f"  {hint}"
    if found:
        yield ""
    yield counts(found)


def lint_json(found: Sequence[Found]) -> dict[str, Any]:
    """Return the object of `vars lint --json`."""
    return {
        "findings": [
            finding_json(single.finding) | {"jobs": [clean(name, 255) for name in single.jobs]}
            for each in found
            for single in each.each
        ]
    }


def status(found: Sequence[Found]) -> int:
    """Return 1 where there is an error among the findings, else 0."""
    errors = any(each.finding.severity is Severity.ERROR for each in found)
    return ExitCode.FAILED if errors else ExitCode.DONE
