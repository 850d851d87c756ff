"""The table of checks, family by family."""

from __future__ import annotations

from dockpass.doctor import (
    access,
    buildchecks,
    cifiles,
    expansion,
    formats,
    idle,
    jobs,
    logins,
    registries,
    scripts,
    surroundings,
    tokens,
    values,
)
from dockpass.doctor.check import Check

TABLE: tuple[Check, ...] = (
    *values.CHECKS,
    *tokens.CHECKS,
    *registries.CHECKS,
    *logins.CHECKS,
    *idle.CHECKS,
    *surroundings.CHECKS,
    *jobs.CHECKS,
    *scripts.CHECKS,
    *expansion.CHECKS,
    *cifiles.CHECKS,
    *formats.CHECKS,
    *buildchecks.CHECKS,
    *access.CHECKS,
)


def check_of(word: str) -> Check | None:
    """Return the check with this id or name, in any case; None where there is none."""
    return next((each for each in TABLE if word.upper() == each.id or word in each.names), None)
