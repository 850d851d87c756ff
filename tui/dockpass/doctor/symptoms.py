"""Which checks explain an error message: those that fire here first."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockpass.doctor.check import Check
from dockpass.doctor.examine import Found

LARGEST = 64 << 10
"""How much of a pasted text is looked at, in characters."""


def explaining(text: str, checks: Sequence[Check]) -> tuple[Check, ...]:
    """Return the checks with a symptom in a text: those with the longest match first."""
    looked_at = text[:LARGEST]
    scored = [(longest, check) for check in checks if (longest := _longest(looked_at, check))]
    return tuple(check for _, check in sorted(scored, key=lambda each: -each[0]))


def _longest(text: str, check: Check) -> int:
    found = (re.search(symptom, text, re.IGNORECASE) for symptom in check.symptoms)
    return max((len(match[0]) for match in found if match), default=0)


def firing_first(
    checks: Sequence[Check], found: Sequence[Found]
) -> tuple[tuple[Found, ...], tuple[Check, ...]]:
    """Return what these checks found, and those of them that found nothing."""
    fired = tuple(each for check in checks for each in found if each.check is check)
    ids = {each.check.id for each in fired}
    return fired, tuple(check for check in checks if check.id not in ids)
