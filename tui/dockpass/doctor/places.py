"""Where a finding is: file and line, or the settings."""

from __future__ import annotations

import re

from dockpass.doctor.check import Patient
from dockpass.findings import Finding
from dockpass.variables.gitlab.model import NOWHERE, Definition, Place

_FILE_AND_LINE = re.compile(r"(?P<file>[^\s:]+(?:\.\w+|file)):(?P<line>\d+)")


def place_of(patient: Patient, finding: Finding) -> Place:
    """Return file and line of a finding, as far as they are known."""
    told = _FILE_AND_LINE.search(f"{finding.about} {finding.message}")
    if told:
        return Place(told["file"], int(told["line"]))
    definition = _definition(patient, finding.about)
    if definition is not None and definition.place.line:
        return definition.place
    if patient.loaded is not None and (job := patient.loaded.config.job(finding.about)):
        return job.place
    variable = patient.facts.variables.get(finding.about)
    source = _FILE_AND_LINE.search(variable.source.detail) if variable is not None else None
    return Place(source["file"], int(source["line"])) if source else NOWHERE


def _definition(patient: Patient, name: str) -> Definition | None:
    if patient.view is None:
        return None
    if found := patient.view.variables.get(name):
        return found.winner
    absent = patient.view.absent.get(name)
    return absent.losers[0].definition if absent and absent.losers else None
