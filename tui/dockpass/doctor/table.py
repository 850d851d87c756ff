"""The table of checks, family by family."""

from __future__ import annotations

from dockpass.doctor import buildchecks, cifiles, expansion, formats, jobs, logins, registries, tokens, values
from dockpass.doctor.check import Check

TABLE: tuple[Check, ...] = (
    *values.CHECKS,
    *tokens.CHECKS,
    *registries.CHECKS,
    *logins.CHECKS,
    *jobs.CHECKS,
    *expansion.CHECKS,
    *cifiles.CHECKS,
    *formats.CHECKS,
    *buildchecks.CHECKS,
)


def check_of(word: str) -> Check | None:
    """Return the check with this id or name, in any case; None where there is none."""
    return next((each for each in TABLE if word.upper() == each.id or word in each.names), None)
