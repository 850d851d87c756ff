"""What the doctor looks at: this machine, one job or all of them, and the registry if it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from dockpass.auth.command import Command
from dockpass.auth.facts import Options
from dockpass.cli import variables as work
from dockpass.cli.context import Given, assembled, options_of
from dockpass.cli.job_facts import NOT_OFFERED
from dockpass.cli.job_facts import options_of as job_options_of
from dockpass.cli.world import World
from dockpass.doctor.check import Patient
from dockpass.doctor.patients import of_files, of_jobs
from dockpass.doctor.visit import Visit, visit
from dockpass.errors import UsageError
from dockpass.marks import GLYPH_LOOK
from dockpass.registry.policy import Policy
from dockpass.runs.request import BuildOptions
from dockpass.session.patient import patient_of
from dockpass.settings import load_settings
from dockpass.variables.clone import find_clone

if TYPE_CHECKING:
    from dockpass.scenario.model import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """Who is looked at, what there is to say of it, and the scenario that names them."""

    patients: tuple[Patient, ...]
    notes: tuple[str, ...] = ()
    scenario: Scenario | None = None


def visited(world: World, given: Given, *, all_jobs: bool, policy: Policy | None, about: str = "") -> Visit:
    """Look at the jobs that were asked for, else at this machine and at what every job gets.

    `about` is a pattern of what findings are about; empty for all of them.
    """
    room = _room(world, given, all_jobs=all_jobs)
    patients = room.patients if policy is None else tuple(_probed(world, room.patients, policy))
    loaded = load_settings(world.paths.settings)
    told = [*loaded.problems]
    muted = loaded.settings.muted
    if room.scenario is not None:
        from dockpass.session.scenario_check import unknown_checks

        told += unknown_checks(room.scenario)
        muted = (*muted, *room.scenario.muted)
    notes = (*room.notes, *(f"{GLYPH_LOOK} {words}" for words in told))
    return visit(patients, muted, notes, about=about)


def _room(world: World, given: Given, *, all_jobs: bool) -> _Room:
    if not all_jobs and (plain := _without_jobs(world, given)) is not None:
        return plain
    if given.job.asked or all_jobs:
        looked = _looked(world, given)
        names = tuple(looked.loaded.config.jobs or ()) if all_jobs else (looked.view.name,)
        return _Room(
            patients=_of_jobs(looked, names, options_of(given)),
            notes=tuple(work.note_lines(looked)),
            scenario=looked.opened.scenario if looked.opened is not None else None,
        )
    machine = patient_of(assembled(world, None, given, BuildOptions()))
    if find_clone(world.cwd, world.environ) is None:
        return _Room(patients=(machine,))
    try:
        looked = _looked(world, given)
    except UsageError as error:
        note = f"{GLYPH_LOOK} the jobs of this clone were not checked: {error.message}"
        return _Room(patients=(machine,), notes=(note,))
    patients = (machine, *_of_jobs(looked, ("",), machine.facts.options))
    return _Room(patients=patients, notes=tuple(work.note_lines(looked)))


def _without_jobs(world: World, given: Given) -> _Room | None:
    """Return the variables of a scenario of another platform, which has no jobs; None for all else."""
    if given.job.scenario is None:
        return None
    from dockpass.cli.scenario_given import open_given
    from dockpass.session.scenarios import without_jobs

    opened = open_given(world, job_options_of(given.job))
    if not without_jobs(opened):
        return None
    found = assembled(world, None, given, BuildOptions())
    return _Room(patients=(Patient(facts=found.facts, notes=found.notes),), scenario=opened.scenario)


def _looked(world: World, given: Given) -> work.Looked:
    asked = {each.name: getattr(given.job, each.name) for each in fields(given.job)}
    sets = [_with_value(text, world) for text in given.sets]
    return work.look(world, {**asked, **NOT_OFFERED, "sets": sets, "unsets": given.unsets})


def _with_value(text: str, world: World) -> str:
    """Return NAME=VALUE for NAME, with the value that the environment has."""
    return f"{text}={world.environ[text]}" if "=" not in text and text in world.environ else text


def _of_jobs(looked: work.Looked, names: Sequence[str], options: Options) -> tuple[Patient, ...]:
    jobs = of_jobs(looked.loaded, names, looked.home, looked.cwd, options, looked.view)
    return of_files(looked.loaded, looked.clone), *jobs


def _probed(world: World, patients: Iterable[Patient], policy: Policy) -> Iterable[Patient]:
    """Yield the patients, the first with variables after the registry was asked about its push."""
    import asyncio

    from dockpass.cli.services import services_of
    from dockpass.probe.plan import plan_access, probe_access

    asked = False
    for patient in patients:
        if asked or patient.files is not None:
            yield patient
            continue
        asked = True
        services = services_of(world, policy)
        facts = replace(patient.facts, elsewhere=False)
        plan = plan_access(Command.PUSH, facts)
        report = asyncio.run(
            probe_access(
                plan, facts, services, (plan.chosen,), push=False, foreign_allowed=False,
                agreed=frozenset(), allow=lambda *_: False,
            )
        )  # fmt: skip
        yield replace(patient, probe=report.probes.get(plan.chosen))
