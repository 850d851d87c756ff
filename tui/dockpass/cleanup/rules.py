"""The rules of a cleanup as a person writes them: `keep-last=10 older-than=30d keep=v.*`."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict

from dockpass.cleanup.options import CleanupOptions
from dockpass.errors import UsageError
from dockpass.text import clean

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_MOST_DIGITS = 9
_NAMES = ("keep-last", "older-than", "match", "keep")


LONGEST_SPAN = 100 * 366 * 86400.0
"""Seconds; older than that is nothing."""


def parse_span(text: str) -> float:
    """Return the seconds of `90m`, `12h`, `30d` or `2w`; raises `UsageError`."""
    found = _SPAN.fullmatch(text)
    seconds = float(found[1]) * _UNITS[found[2]] if found else LONGEST_SPAN
    if seconds >= LONGEST_SPAN:
        what = "is longer than a hundred years" if found else "is not a duration"
        raise UsageError(
            "span-invalid", f"{clean(text, 80)!r} {what}.", "Use for example 90m, 12h, 30d or 2w."
        )
    return seconds


def span_text(seconds: float) -> str:
    """Return a span as `parse_span` reads it, in the largest unit that divides it: `90m`, `30d`."""
    for unit in ("w", "d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    from decimal import Decimal  # only what no unit divides needs it

    return f"{Decimal(repr(seconds)).normalize():f}s"


def parse_rules(text: str) -> CleanupOptions:
    """Return the options of a line of rules; raises `UsageError` that names the word at fault."""
    found: dict[str, list[str]] = defaultdict(list)
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise _invalid(text, f": {error}", "Close the quotes.") from error
    for word in words:
        name, equals, value = word.partition("=")
        if name not in _NAMES or not equals or not value:
            hint = "The rules are keep-last=N, older-than=SPAN, match=REGEX and keep=REGEX."
            raise _invalid(word, " is not a rule", hint)
        found[name].append(value)
    return CleanupOptions(
        keep_last=_count(found["keep-last"][-1]) if found["keep-last"] else None,
        older_than=parse_span(found["older-than"][-1]) if found["older-than"] else None,
        match=found["match"][-1] if found["match"] else None,
        keep=tuple(found["keep"]),
    )


def check_patterns(options: CleanupOptions) -> None:
    """Raise `UsageError` for a pattern that is no regular expression."""
    for pattern in options.patterns:
        try:
            re.compile(pattern)
        except (re.error, ValueError, OverflowError, RecursionError) as error:
            why = f"{error.msg} at {error.pos}" if isinstance(error, re.error) else str(error)
            raise UsageError(
                "pattern-invalid",
                f"{clean(pattern, 300)} is not a regular expression: {why}.",
                "A dot is any character, and `.*` anything: for example `feature-.*`.",
            ) from error


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        raise _invalid(text, " is not a number of tags", "Write keep-last=10.")
    return int(text)


def _invalid(text: str, why: str, hint: str) -> UsageError:
    return UsageError("rules-invalid", f"{clean(text, 300)!r}{why}.", hint)
