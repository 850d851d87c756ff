"""Dates in headers, and clocks that are off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dockpass.units import about

MOST_SKEW = timedelta(seconds=60)
"""The leeway that Distribution allows a token (`registry/auth/token`): beyond it, tokens are refused."""


def date_in(header: str) -> datetime | None:
    """Return the moment that a header names, None if it names none. Never raises."""
    from email.utils import parsedate_to_datetime  # few answers have a date that matters

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
    return f"{about(abs(theirs - now).total_seconds())} {side}"


def skew_in_words(date: str, now: datetime) -> str:
    """Return the clause about a server's clock that is off; empty if it is not, or not known."""
    skew = skew_of(date, now)
    return f"its clock is {skew} this machine's" if skew else ""
