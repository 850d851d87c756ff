"""Rules that keep Python's matcher busy for long, such as `match=(a+)+$`: found before they do harm."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache

from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.tagrules import is_costly
from dockpass.errors import UsageError
from dockpass.text import clean, plural

SECONDS = 0.5
"""Processor time in which a pattern has to be compared with all tags."""
MOST_SECONDS = 20.0
"""By the clock, on a machine that is busy with other things."""

_COMPARES = """
import json, re, signal, sys
pattern, tags, seconds = json.load(sys.stdin)
matches = re.compile(pattern).fullmatch
signal.setitimer(signal.ITIMER_PROF, seconds)
for tag in tags:
    matches(tag)
"""


def check_speed(options: CleanupOptions, tags: Sequence[str]) -> None:
    """Raise `UsageError` for a pattern that is not compared with these tags in time.

    Only one that may be slow is tried, in a process of its own, which ends by a signal: nothing else ends the
    matcher, and it lets no other thread go on.
    """
    for pattern in options.patterns:
        why = _why_not_quick(pattern, tuple(tags)) if is_costly(pattern) else ""
        if why:
            hint = "Repeat no group that repeats or branches inside: write `a+` for `(a+)+`."
            raise UsageError("pattern-slow", f"{clean(pattern, 300)} {why}.", hint)


@lru_cache(maxsize=8)
def _why_not_quick(pattern: str, tags: tuple[str, ...]) -> str:
    """Return why a pattern is not compared with tags in time; the empty string where it is."""
    given = json.dumps([pattern, tags, SECONDS]).encode()
    command = [sys.executable or "python3", "-I", "-S", "-c", _COMPARES]
    slow = f"takes too long to compare with {plural(len(tags), 'tag')}"
    try:
        ended = subprocess.run(
            command, input=given, capture_output=True, timeout=MOST_SECONDS, env={}, check=False
        )
    except subprocess.TimeoutExpired:
        return slow
    except OSError as error:
        return f"may take too long to compare, and it cannot be tried: {clean(str(error), 200)}"
    if ended.returncode == -signal.SIGPROF:
        return slow
    return "may take too long to compare, and trying it failed" if ended.returncode else ""
