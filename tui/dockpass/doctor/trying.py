"""Tries each fix before it is offered: which logins become others, which findings go, and which come."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeAlias

from dockpass.auth.command import Command
from dockpass.auth.facts import Edit, EditKind, Facts
from dockpass.auth.rules import READ_BY_RULES
from dockpass.doctor.check import Check, Fix, Patient
from dockpass.doctor.examine import Found, findings
from dockpass.doctor.grouping import grouped, told_of
from dockpass.doctor.mends import shown, together
from dockpass.findings import Finding
from dockpass.text import clean, plural
from dockpass.unknown import Unknown
from dockpass.variables.changes import after
from dockpass.variables.logins import JobLogin, changed_logins, facts_of, logins_in
from dockpass.variables.pipeline import what_if

_MOST = 2
_Identity: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A fix that was tried: the logins it changes (before, after), and the findings that go and come.

    `others` is how many findings go beside the one it is for, and `told` what comes: those that the doctor
    tells as one are one.

    `edits` make the same of variables and options, on top of every level; they are empty where it comes to a
    value that a login reads and that is not known here.
    """

    fix: Fix
    others: int = 0
    logins: tuple[tuple[JobLogin, JobLogin], ...]
    gone: tuple[Finding, ...]
    new: tuple[Finding, ...]
    told: tuple[Finding, ...] = ()
    edits: tuple[Edit, ...] = field(default=(), repr=False)

    @property
    def in_words(self) -> str:
        """The fix as an instruction."""
        return shown(self.fix)

    @property
    def effects(self) -> str:
        """What it changes, in words."""
        return "; ".join(self.changes)

    @property
    def changes(self) -> tuple[str, ...]:
        """What it changes: each login before and after, and the findings that go and come."""
        told = [f"{one.command}: {_login(one)} → {_login(two)}" for one, two in self.logins]
        told = told or ["no login changes"]
        if self.others:
            goes = "goes" if self.others == 1 else "go"
            told.append(f"{plural(self.others, 'other finding')} {goes} too")
        told += [f"new: {finding.in_words}" for finding in self.told]
        return tuple(told)


def tried_fixes(found: Found, checks: tuple[Check, ...]) -> tuple[Tried, ...]:
    """Return the fixes of a finding that mend it; one that leaves it there is not offered.

    Of several that are told as one, a fix mends all that the first patient has.
    """
    if found.check.mend is None:
        return ()
    return tuple(islice(_trials(found, checks), _MOST))


def _trials(found: Found, checks: tuple[Check, ...]) -> Iterator[Tried]:
    patient = found.patient
    ours = [each.finding for each in found.each if each.patient is patient]
    wanted = {_identity(finding) for finding in ours}
    before = _by_identity(patient, checks)
    for fix in _fixes(found.check, patient, ours):
        changed = mended(patient, fix)
        now = _by_identity(changed, checks)
        if wanted & now.keys():
            continue
        new = [each for key, each in now.items() if key not in before]
        yield Tried(
            fix=fix,
            others=_others(before, now, wanted),
            logins=changed_logins(_logins(patient.facts), _logins(changed.facts)),
            gone=tuple(each.finding for key, each in before.items() if key not in now),
            new=tuple(each.finding for each in new),
            told=tuple(told_of(each) for each in grouped(new)),
            edits=_as_edits(patient.facts, changed.facts, fix),
        )


def _others(
    before: Mapping[_Identity, Found], now: Container[_Identity], wanted: Container[_Identity]
) -> int:
    """Count what goes beside what is wanted: what is told as one is one, if all of it goes."""
    count = 0
    for told in grouped(before.values()):
        keys = [_identity(each.finding) for each in told.each]
        gone = [key for key in keys if key not in now and key not in wanted]
        count += 1 if gone and len(gone) == len(keys) else len(gone)
    return count


def _fixes(check: Check, patient: Patient, findings: Sequence[Finding]) -> Iterable[Fix]:
    mend = check.mend
    if mend is None:
        return ()
    if len(findings) == 1:
        return mend(patient, findings[0])
    if check.mend_all is not None:
        return check.mend_all(patient, findings)
    return (together(row) for row in zip(*(mend(patient, finding) for finding in findings), strict=False))


def mended(patient: Patient, fix: Fix) -> Patient:
    """Return the patient after a fix. What a registry answered before says nothing about it."""
    if patient.loaded is None or patient.view is None:
        return replace(patient, facts=_edited(patient.facts, fix.edits), probe=None)
    name, facts = patient.job, patient.facts
    loaded = after(patient.loaded, name, fix.changes)
    definitions, unset = what_if(fix.edits)
    situation = loaded.situation
    loaded = loaded.within(
        replace(situation, definitions=(*situation.definitions, *definitions), unset=situation.unset | unset)
    )
    view = loaded.view(name)
    options = [each for each in fix.edits if each.kind in {EditKind.GIVE, EditKind.DROP}]
    variables = facts_of(view, facts.home, facts.cwd).variables
    seen = _edited(replace(facts, variables=variables), options)
    return replace(patient, facts=seen, view=view, loaded=loaded, probe=None)


def _as_edits(before: Facts, after_it: Facts, fix: Fix) -> tuple[Edit, ...]:
    if not fix.changes:
        return fix.edits
    was, now = before.variables, after_it.variables
    edits = list(fix.edits)
    for name in dict.fromkeys([*was, *now]):
        if name not in now:
            edits.append(Edit(EditKind.UNSET, name))
        elif name not in was or was[name].value != now[name].value:
            value = now[name].value
            if not isinstance(value, Unknown):
                edits.append(Edit(EditKind.SET, name, value))
            elif name in READ_BY_RULES:
                return ()
    return tuple(edits)


def _edited(facts: Facts, edits: Sequence[Edit]) -> Facts:
    for edit in edits:
        facts = facts.edited(edit)
    return facts


def _by_identity(patient: Patient, checks: tuple[Check, ...]) -> dict[_Identity, Found]:
    return {
        _identity(finding): Found(check, finding, patient) for check, finding in findings(patient, checks)
    }


def _identity(finding: Finding) -> _Identity:
    """Tell findings apart by id and what they are about; one that is about nothing by its sentence."""
    return finding.id, finding.about or finding.message


def _logins(facts: Facts) -> dict[Command, JobLogin]:
    return {login.command: login for login in logins_in(facts)}


def _login(login: JobLogin) -> str:
    if login.method is None:
        return "refused"
    user = f" as {clean(login.username, 80)}" if login.username else ""
    at = f" at {clean(login.address, 100)}" if login.address else ""
    return f"{login.method.label}{user}{at}"
