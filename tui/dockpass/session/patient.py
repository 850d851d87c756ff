"""This machine as the doctor looks at it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dockpass.auth.command import Method
from dockpass.dockerconfig.configfile import read_config
from dockpass.doctor.check import Patient
from dockpass.session.assemble import Assembled
from dockpass.variables.here import Lies, this_machine
from dockpass.variables.place import Place, detect_place


def patient_of(found: Assembled) -> Patient:
    """Return the facts of this machine, with the docker config that a command without a login uses."""
    here = this_machine()
    patient = Patient(facts=found.facts, here=here, notes=found.notes)
    used = {Method.EXTERNAL, Method.AMBIENT}
    directory = next((each.config_dir for each in patient.decided if each.method in used), None)
    config = read_config(Path(directory)) if directory is not None else None
    return replace(patient, config=config)


def surroundings_of(patient: Patient) -> Place:
    """Return the place that the variables of this machine speak of."""
    here = patient.here or this_machine()
    return detect_place(patient.facts, lambda path: here.look(path) is Lies.DIRECTORY)
