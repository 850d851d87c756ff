"""Runs the checks over one patient or several, each finding once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from dockpass.doctor.check import Check, Look, Patient
from dockpass.findings import Finding, Severity

_MOST_KEPT = 4
ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found, in the first patient that has it, and in which jobs.

    `jobs` is empty where it is about no job, or about all of them. `members` are the findings that are told
    as this one; none where it stands for itself.
    """

    check: Check
    finding: Finding
    patient: Patient = field(repr=False)
    jobs: tuple[str, ...] = ()
    members: tuple[Found, ...] = ()

    @property
    def each(self) -> tuple[Found, ...]:
        """Every single finding of it."""
        return self.members or (self,)


@lru_cache(maxsize=_MOST_KEPT)
def findings(patient: Patient, checks: tuple[Check, ...]) -> tuple[tuple[Check, Finding], ...]:
    """Return what checks find, in the order in which each of their looks does.

    A look is run once for a patient, for it is asked again for each fix that is tried. What it finds belongs
    to the check that names it, and all of it to its only check.
    """
    return tuple(_findings(patient, checks))


def _findings(patient: Patient, checks: tuple[Check, ...]) -> Iterator[tuple[Check, Finding]]:
    sharing: dict[Look, list[Check]] = {}
    for check in checks:
        sharing.setdefault(check.look, []).append(check)
    for look, rows in sharing.items():
        if not any(check.need in patient.has for check in rows):
            continue
        named = {name: check for check in rows for name in check.names}
        for finding in look(patient):
            belongs = rows[0] if len(rows) == 1 else named.get(finding.id)
            if belongs is not None and belongs.need in patient.has:
                yield belongs, finding


def examine(patients: Iterable[Patient], checks: tuple[Check, ...]) -> tuple[Found, ...]:
    """Return what checks find in patients, the worst first."""
    found: dict[Finding, tuple[Check, Patient, list[str]]] = {}
    count = 0
    for patient in patients:
        name = patient.view.name if patient.view else ""
        count += patient.view is not None
        for check, finding in findings(patient, checks):
            found.setdefault(finding, (check, patient, []))[2].append(name)
    listed = [
        Found(check, finding, patient, _jobs(names, everywhere=count))
        for finding, (check, patient, names) in found.items()
    ]
    return tuple(sorted(listed, key=lambda each: (ORDER[each.finding.severity], each.finding.about)))


def _jobs(names: Sequence[str], *, everywhere: int) -> tuple[str, ...]:
    return () if len(names) == everywhere > 1 else tuple(filter(None, dict.fromkeys(names)))
