"""What would mend a finding about a job's variables, as changes of the project."""

from __future__ import annotations

from collections.abc import Iterator

from dockpass.doctor.check import Fix, Patient
from dockpass.findings import Finding
from dockpass.variables.bring import what_would_bring
from dockpass.variables.changes import Change, ChangeKind, can_be_raw

_MOST = 2


def unexpanded(patient: Patient, finding: Finding) -> Iterator[Fix]:
    """Yield the variable without expansion, or with its $ doubled."""
    found = patient.view.variables.get(finding.about) if patient.view else None
    if found is None or not isinstance(found.winner.value, str):
        return
    kind = ChangeKind.RAW if can_be_raw(found.winner) else ChangeKind.ESCAPE
    yield Fix(changes=(Change(kind=kind, definition=found.winner),))


def brought(patient: Patient, finding: Finding) -> Iterator[Fix]:
    """Yield the smallest changes that bring a missing variable."""
    if patient.loaded is None or patient.view is None:
        return
    for way in what_would_bring(patient.loaded, patient.view.name, finding.about)[:_MOST]:
        yield Fix(changes=way.changes)
