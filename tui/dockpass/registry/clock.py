"""Whether a server's clock and this machine's differ so much that tokens fail because of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LARGEST = timedelta(minutes=2)
"""Registries take tokens that begin or end a minute off."""


def skew_in_words(date: str, now: datetime) -> str:
    """Say how far the clock of a `Date` header is off; empty where it is not, or not known."""
    try:
        theirs = parsedate_to_datetime(date)
        off = (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)) - now
    except (TypeError, ValueError, OverflowError, IndexError):
        return ""
    if abs(off) <= LARGEST:
        return ""
    direction = "ahead of" if off > timedelta() else "behind"
    return f"its clock is {int(abs(off).total_seconds()) // 60:,} minutes {direction} this machine's"
