"""The checks that the variables alone are enough for: the overview and `explain` show what they find."""

from __future__ import annotations

from collections.abc import Iterator

from dockpass.auth.facts import Facts
from dockpass.doctor import formats, idle, logins, registries, surroundings, tokens, values
from dockpass.doctor.check import Check, Need, Patient
from dockpass.doctor.examine import findings
from dockpass.findings import Finding
from dockpass.variables.here import Here

_APART = (logins.in_decisions, formats.in_notes)
"""What the decision and the readers of files tell is shown in places of its own."""

ON_VARIABLES: tuple[Check, ...] = tuple(
    check
    for family in (values, tokens, registries, logins, idle, surroundings, formats)
    for check in family.CHECKS
    if check.need is Need.VARIABLES and check.look not in _APART
)


def findings_of_variables(facts: Facts, here: Here) -> Iterator[Finding]:
    """Yield what looks wrong about variables and options on this machine."""
    return (finding for _, finding in findings(Patient(facts=facts, here=here), ON_VARIABLES))
