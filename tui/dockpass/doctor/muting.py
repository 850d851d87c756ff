"""Findings that a person has muted: they are shown as muted, with the reason, and count for nothing."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from glob import escape

from dockpass.doctor.examine import Found
from dockpass.settings import Mute


def muting(found: Found, mutes: Iterable[Mute]) -> Mute | None:
    """Return what mutes a finding; None where nothing does."""
    names = {found.check.id, found.finding.id}
    about = found.finding.about
    return next(
        (
            each
            for each in mutes
            if names & {each.check, each.check.upper()}
            and any(fnmatchcase(about, pattern) for pattern in each.patterns)
        ),
        None,
    )


def mute_of(found: Found, because: str) -> Mute:
    """Return what mutes a finding and no other: what it is about stands for itself, not for a pattern."""
    patterns = tuple(dict.fromkeys(escape(each.finding.about) or "*" for each in found.each))
    return Mute(found.finding.id, because, patterns[0] if len(patterns) == 1 else patterns)
