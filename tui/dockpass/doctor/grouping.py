"""Findings that are alike, told as one: what holds for all of them, and each by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dockpass.doctor.examine import Found
from dockpass.findings import Finding
from dockpass.text import sentence

_NAMED = 2
"""How many are told by their names; more by their number."""
_IN_A_LINE = 10


def grouped(found: Iterable[Found]) -> tuple[Found, ...]:
    """Return findings with those that are alike as one, where the first of them was.

    Alike are findings of one id and weight whose check has words for several; see `Finding.alike`.
    """
    groups: dict[tuple[object, ...], list[Found]] = {}
    for number, each in enumerate(found):
        finding = each.finding
        alike = (finding.id, finding.severity, finding.alike) if each.check.many else (number,)
        groups.setdefault((each.check.id, *alike), []).append(each)
    return tuple(members[0] if len(members) == 1 else _as_one(members) for members in groups.values())


def _as_one(found: Sequence[Found]) -> Found:
    members = sorted(found, key=lambda each: _by_number(each.finding.about))
    first = members[0]
    names = list(dict.fromkeys(each.finding.about for each in members))
    by_name = all(names) and len(names) == len(members) <= _NAMED
    subject = " and ".join(names) if by_name else f"{len(members):,} {first.check.nouns}"
    hints = {each.finding.hint for each in members}
    finding = Finding(
        first.finding.id,
        "",
        f"{subject} {first.check.many}",
        hint=first.finding.hint if len(hints) == 1 else "",
        severity=first.finding.severity,
        alike=first.finding.alike,
    )
    return replace(first, finding=finding, jobs=_jobs(members), members=tuple(members))


def _by_number(name: str) -> list[tuple[int, str]]:
    """Return what sorts `A_2` before `A_10`."""
    return [(int(part) if part.isdecimal() else 0, part) for part in re.split(r"(\d{1,9})", name)]


def _jobs(members: Sequence[Found]) -> tuple[str, ...]:
    """Return every job that has one of them; none where one of them is about all jobs, or about none."""
    if not all(each.jobs for each in members):
        return ()
    return tuple(dict.fromkeys(name for each in members for name in each.jobs))


def same_words(found: Found) -> bool:
    """Tell whether all that is told as one says the same, each of something that has a name."""
    return len({each.finding.message for each in found.each}) == 1 and all(
        each.finding.about for each in found.each
    )


def named(found: Found, most: int) -> str:
    """Return everything that is told as one for the end of a text: the names, or a sentence of each."""
    shown = found.each[:most]
    rest = len(found.each) - len(shown)
    if same_words(found):
        names = ", ".join(each.finding.about for each in shown)
        return f"{names} and {rest:,} more" if rest else names
    told = [sentence(each.finding.in_words) for each in shown]
    return " ".join([*told, *([f"And {rest:,} more."] if rest else [])])


def told_of(found: Found) -> Finding:
    """Return a finding that names what is told as one, for one line."""
    if not found.members or found.finding.message.startswith(found.members[0].finding.about):
        return found.finding
    return replace(found.finding, message=f"{found.finding.message}: {named(found, _IN_A_LINE)}")
