"""Dates in headers, clocks that are off, and spans of time in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MOST_SKEW = timedelta(seconds=60)
"""The leeway that Distribution allows a token (`registry/auth/token`): beyond it, tokens are refused."""


def date_in(header: str) -> datetime | None:
    """Return the moment that a header names, None if it names none. Never raises."""
    try:
        date = parsedate_to_datetime(header)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError, IndexError, AttributeError):
        return None


def skew_of(date: str, now: datetime) -> str:
    """Return how far the clock of a `Date` header is off: `5 minutes ahead of`, `3 days behind`.

    Empty within `MOST_SKEW`, and if the header holds no date.
    """
    theirs = date_in(date)
    if theirs is None or abs(theirs - now) <= MOST_SKEW:
        return ""
    side = "ahead of" if theirs > now else "behind"
    return f"{span_in_words(abs(theirs - now).total_seconds())} {side}"


def skew_in_words(date: str, now: datetime) -> str:
    """Return the clause about a server's clock that is off; empty if it is not, or not known."""
    skew = skew_of(date, now)
    return f"its clock is {skew} this machine's" if skew else ""


def span_in_words(seconds: float) -> str:
    """Return a length of time as people say it: `15 minutes`, `3 hours`, `12 days`."""
    if seconds >= 400 * 86400:
        return "more than a year"
    for unit, name, least in ((86400, "days", 2), (3600, "hours", 2), (60, "minutes", 2)):
        if seconds >= least * unit:
            return f"{seconds / unit:.0f} {name}"
    whole = max(round(seconds), 0)
    return f"{whole} second{'' if whole == 1 else 's'}"
