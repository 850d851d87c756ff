"""Dates in headers, and whether a server's clock differs so much that tokens fail because of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LARGEST = timedelta(minutes=2)
"""Registries take tokens that begin or end a minute off."""


def date_in(header: str) -> datetime | None:
    """Return the moment that a header names; None where it names none. Never raises."""
    try:
        found = parsedate_to_datetime(header)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError, IndexError, AttributeError):
        return None


def skew_in_words(date: str, now: datetime) -> str:
    """Say how far the clock of a `Date` header is off; empty where it is not, or not known."""
    theirs = date_in(date)
    if theirs is None:
        return ""
    off = theirs - now
    if abs(off) <= LARGEST:
        return ""
    direction = "ahead of" if off > timedelta() else "behind"
    return f"its clock is {int(abs(off).total_seconds()) // 60:,} minutes {direction} this machine's"


def span_in_words(seconds: float) -> str:
    """Return a length of time as people say it: `15 minutes`, `3 hours`, `12 days`."""
    if seconds >= 400 * 86400:
        return "more than a year"
    for unit, name, least in ((86400, "days", 2), (3600, "hours", 2), (60, "minutes", 2)):
        if seconds >= least * unit:
            return f"{seconds / unit:.0f} {name}"
    whole = max(round(seconds), 0)
    return f"{whole} second{'' if whole == 1 else 's'}"
