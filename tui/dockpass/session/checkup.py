"""What the doctor looks at for the screen: this process, or the job that is looked at, under the edits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from dockpass.auth.command import Command
from dockpass.auth.facts import Facts
from dockpass.auth.whynot import applied
from dockpass.doctor.check import Patient
from dockpass.doctor.patients import of_files
from dockpass.doctor.visit import Visit, visit
from dockpass.probe.model import Probe
from dockpass.probe.plan import plan_access
from dockpass.session.assemble import Assembled
from dockpass.session.patient import patient_of
from dockpass.session.scenario_check import unknown_checks
from dockpass.session.session import Session
from dockpass.text import clean
from dockpass.variables.gitlab.tree import YamlError


def not_asked(facts: Facts) -> Probe | None:  # noqa: ARG001 - it answers as what was asked does
    """Return that the registry was not asked."""
    return None


def checkup(now: Session, answered: Callable[[Facts], Probe | None] = not_asked) -> Visit:
    """Run every check, as `dockpass doctor` does; `answered` is what the registry said of facts before.

    Asks git and reads files: it is done beside the screen, with what `Session.as_of_now` returns.
    """
    now.desk = now.open_desk()
    notes: list[str] = []
    patients = list(_patients(now, notes))
    first = next(at for at, each in enumerate(patients) if each.files is None)
    patients[first] = replace(patients[first], probe=answered(_to_ask(patients[first])))
    if now.scenario is not None:
        notes += unknown_checks(now.scenario.tried.opened.scenario)
    return visit(patients, now.muted, notes)


def _patients(now: Session, notes: list[str]) -> Iterator[Patient]:
    if now.scenario is not None and now.scenario.looking is None:
        yield Patient(facts=applied(now.found, tuple(now.edits)), notes=now.notes)
        return
    if not now.as_job:
        yield patient_of(Assembled(applied(now.found, tuple(now.edits)), now.notes))
    if now.desk.clone is None and not now.as_job:
        return
    looking = now.desk.looking if now.as_job else replace(now.desk.looking, job="", instance=0)
    try:
        seen = now.desk.seen(now.all_edits(), looking)
    except YamlError as error:
        where = f"{clean(str(error.place), 200)}: " if error.place.line else ""
        notes.append(f"the jobs of this clone were not checked: {where}{error.message}")
        if now.as_job:  # nothing is known of the job: what is here is looked at
            yield patient_of(Assembled(applied(now.found, tuple(now.edits)), now.notes))
        return
    if now.desk.clone is not None:
        yield of_files(seen.loaded, now.desk.clone)
    facts = now.facts_of_job(seen.view, now.edits)
    yield Patient(facts=facts, view=seen.view, loaded=seen.loaded)


def facts_to_ask(found: Visit) -> Facts:
    """Return the facts with which the registry is asked; the person who asks does so from this machine."""
    return _to_ask(next(each for each in found.patients if each.files is None))


def _to_ask(patient: Patient) -> Facts:
    return replace(patient.facts, elsewhere=False)


async def ask_registry(now: Session, facts: Facts) -> Probe | None:
    """Ask the registry what the login of a push may do, as `dockpass doctor --probe` does.

    A token goes to no foreign registry, and to no token server that was not agreed to. Raises `DockpassError`
    where there is nobody to ask.
    """
    plan = plan_access(Command.PUSH, facts)
    report = await now.probe(plan, facts, now.services, (plan.chosen,))
    return report.probes.get(plan.chosen)
