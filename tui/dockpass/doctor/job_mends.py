"""What would mend a finding about a job's variables, as changes of the project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from dockpass.doctor.check import Fix, Patient
from dockpass.doctor.mends import together
from dockpass.findings import Finding
from dockpass.variables.bring import ways_to_bring
from dockpass.variables.changes import Change, ChangeKind, can_be_raw
from dockpass.variables.gitlab.expand import references
from dockpass.variables.gitlab.model import Definition, Level
from dockpass.variables.pipeline import Loaded

_MOST = 2
_WRITTEN = frozenset({Level.YAML, Level.INSTANCE, Level.GROUP, Level.PROJECT})
_SAME = ("level", "origin", "protected", "scope")


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
    loaded = _with_only(patient.loaded, patient.job, finding.about)
    for way in islice(ways_to_bring(loaded, patient.job, finding.about), _MOST):
        yield Fix(changes=way.changes)


def _with_only(loaded: Loaded, job: str, name: str) -> Loaded:
    """Return the project with one variable and those that it and the environment of the job refer to.

    A search resolves the job again and again, and in a large project the other variables take most of the
    time. What is found is tried with all of them before it is offered.
    """
    config, situation, own = loaded.config, loaded.situation, loaded.job(job)
    values: dict[str, list[str]] = {}
    for each in (*situation.definitions, *config.variables, *own.variables):
        if isinstance(each.value, str):
            values.setdefault(each.key, []).append(each.value)
    needed = {name}
    waiting = [name, *references(own.environment)]
    while waiting:
        needed.add(key := waiting.pop())
        named = {found for value in values.pop(key, ()) for found in references(value)}
        waiting += named - needed
    by_rules = (tree.get("variables") for tree in (*(config.workflow or ()), *(own.rules or ())))
    if any(needed & each.keys() for each in by_rules if isinstance(each, Mapping)):
        return loaded  # which rules hold is a matter of all variables

    def kept(definitions: Iterable[Definition]) -> tuple[Definition, ...]:
        return tuple(each for each in definitions if each.key in needed or each.level not in _WRITTEN)

    config = replace(config, variables=kept(config.variables))
    return replace(
        loaded, config=config, situation=replace(situation, definitions=kept(situation.definitions))
    )


def all_brought(patient: Patient, findings: Sequence[Finding]) -> Iterator[Fix]:
    """Yield changes that bring all missing variables: what brings one brings all that are defined like it."""
    like: dict[tuple[object, ...], list[str]] = {}
    for finding in findings:
        own = _definitions(patient, finding.about)
        kind = tuple(getattr(each, name) for each in own for name in _SAME)
        like.setdefault(kind, []).append(finding.about)
    columns = []
    for names in like.values():
        fixes = [
            tuple(_for_others(patient, fix, names))
            for fix in brought(patient, replace(findings[0], about=names[0]))
        ]
        columns.append(fixes)
    for row in zip(*columns, strict=False):
        yield together([fix for fixes in row for fix in fixes])


def _definitions(patient: Patient, name: str) -> tuple[Definition, ...]:
    absent = patient.view.absent.get(name) if patient.view else None
    return tuple(loser.definition for loser in absent.losers) if absent else ()


def _for_others(patient: Patient, fix: Fix, names: Sequence[str]) -> Iterator[Fix]:
    """Yield a fix of the first name for each: a change of one of its definitions is one of theirs."""
    first = _definitions(patient, names[0])
    for name in names:
        own = dict(zip(first, _definitions(patient, name), strict=True))
        yield Fix(changes=tuple(_of_another(change, own) for change in fix.changes))


def _of_another(change: Change, own: dict[Definition, Definition]) -> Change:
    definition = change.definition
    return (
        change if definition is None or definition not in own else replace(change, definition=own[definition])
    )
