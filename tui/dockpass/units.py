"""Sizes and spans of time in words, the same on the command line and the screen."""

from __future__ import annotations

from datetime import timedelta

from dockpass.text import plural

_PARTS = ((86400, "day", "days"), (3600, "h", "h"), (60, "min", "min"), (1, "s", "s"))


def size(count: float) -> str:
    """Return bytes in human words: `12.1 MB`."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def duration(count: float) -> str:
    """Return how many seconds something took: `84 ms`, `6.9 s`, `2 min 05 s`."""
    if count < 1:
        return f"{count * 1000:.0f} ms"
    if count < 60:
        return f"{count:.1f} s"
    return f"{int(count // 60)} min {int(count % 60):02d} s"


def exact_span(span: float | timedelta) -> str:
    """Return a span of time without rounding, but to a millisecond: `30 days`, `1 h 30 min`, `0 s`."""
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    milliseconds = round(seconds * 1000)
    words = []
    for length, one, many in _PARTS:
        count, milliseconds = divmod(milliseconds, length * 1000)
        if length == 1 and milliseconds:
            words.append(f"{count + milliseconds / 1000:g} s")
        elif count:
            words.append(f"{count:,} {one if count == 1 else many}")
    return " ".join(words) or "0 s"


def about(seconds: float) -> str:
    """Return a length of time as people say it: `15 minutes`, `3 hours`, `12 days`."""
    if seconds >= 400 * 86400:
        return "more than a year"
    for unit, name, least in ((86400, "days", 2), (3600, "hours", 2), (60, "minutes", 2)):
        if seconds >= least * unit:
            return f"{seconds / unit:.0f} {name}"
    whole = max(round(seconds), 0)
    return f"{whole} second{'' if whole == 1 else 's'}"


def age(span: timedelta) -> str:
    """Return how old something is, in whole units that have passed: `3 days`, `5 hours`, `12 minutes`."""
    seconds = max(span.total_seconds(), 0)
    if seconds >= 2 * 86400:
        return plural(int(seconds // 86400), "day")
    if seconds >= 2 * 3600:
        return plural(int(seconds // 3600), "hour")
    return plural(int(seconds // 60), "minute")
