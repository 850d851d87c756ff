"""What the overview shows of the doctor: how many findings, and which commands they concern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockpass.auth.command import Command
from dockpass.auth.decision import Decision
from dockpass.doctor.concerning import concerned
from dockpass.doctor.visit import by_level
from dockpass.findings import Finding, Severity
from dockpass.session.checkup import checkup
from dockpass.session.session import Session


@dataclass(frozen=True, slots=True)
class Health:
    """`counts` has the words for each level, the worst first.

    `concerned` has the levels of the findings about each command's login, without what its decision warns of.
    `findings` are the findings themselves, the worst first.
    """

    counts: tuple[tuple[Severity, str], ...] = ()
    concerned: Mapping[Command, tuple[Severity, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def health(now: Session) -> Health:
    """Examine what `Session.as_of_now` returned; done beside the screen."""
    found = checkup(now).found
    levels: dict[Command, list[Severity]] = {}
    for each in found:
        for command in concerned(each):
            decided = each.patient.decisions[command]
            if not (isinstance(decided, Decision) and each.finding in decided.warnings):
                levels.setdefault(command, []).append(each.finding.severity)
    told = {command: tuple(each) for command, each in levels.items()}
    return Health(by_level(found), told, tuple(each.finding for each in found))
