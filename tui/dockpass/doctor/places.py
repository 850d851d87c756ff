"""Where a finding is: file and line, or the settings."""

from __future__ import annotations

import re

from dockpass.auth.facts import SourceKind
from dockpass.doctor.check import Patient
from dockpass.doctor.examine import Found
from dockpass.findings import Finding
from dockpass.variables.gitlab.model import NOWHERE, Definition, Place

_FILE_AND_LINE = re.compile(r"([^\s:@]+):(\d+)")


def places_of(found: Found) -> tuple[Place, ...]:
    """Return the known places of everything that is told as one finding, each once."""
    places = (place_of(each.patient, each.finding) for each in found.each)
    return tuple(dict.fromkeys(place for place in places if place.file))


def place_of(patient: Patient, finding: Finding) -> Place:
    """Return file and line of a finding, as far as they are known."""
    if told := _FILE_AND_LINE.fullmatch(finding.about):
        return Place(told[1], int(told[2]))
    if told_place := _in_ci_files(patient, finding.message):
        return told_place
    definition = _definition(patient, finding.about)
    if definition is not None and definition.place.line:
        return definition.place
    if patient.loaded is not None and (job := patient.loaded.config.job(finding.about)):
        return job.place
    variable = patient.facts.variables.get(finding.about)
    if variable is not None and variable.source.kind is SourceKind.ENV_FILE:
        file, _, line = variable.source.detail.rpartition(":")
        return Place(file, int(line)) if line.isdecimal() else NOWHERE
    return NOWHERE


def _in_ci_files(patient: Patient, message: str) -> Place | None:
    for file in patient.loaded.config.files if patient.loaded is not None else ():
        if told := re.search(rf"(?<!\S){re.escape(file)}:(\d+)", message):
            return Place(file, int(told[1]))
    return None


def _definition(patient: Patient, name: str) -> Definition | None:
    if patient.view is None:
        return None
    if found := patient.view.variables.get(name):
        return found.winner
    absent = patient.view.absent.get(name)
    return absent.losers[0].definition if absent and absent.losers else None
