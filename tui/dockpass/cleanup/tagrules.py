"""Tags that a token itself excludes from deletion: patterns of the server (RE2), tried with care.

A pattern is the server's text. One that RE2 would not take, or that could keep Python's matcher busy for
long, is not tried but told; in doubt about how it is anchored, a tag that it finds anywhere is protected.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockpass.text import clean

if TYPE_CHECKING:
    from dockpass.registry.client import RegistryClient

LONGEST_PATTERN = 256
MOST_PATTERNS = 100
MOST_ENDLESS = 3
"""Repetitions that a pattern may have one after the other."""
SECONDS = 2.0
"""How long all tags together may be compared."""

_REPEATS = ("*", "+", "{")
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")
_OPENING = re.compile(r"\(\?(?:P<\w+>|[a-zA-Z-]*:)|\(\?[a-zA-Z-]+\)")
_NOT_RE2 = re.compile(r"\(\?(?!:|[a-zA-Z-]*\)|[a-zA-Z-]+:|P<)|\(\?P=|\\[1-9]")
_POSSESSIVE = re.compile(r"[*+?}]\+")


@dataclass(frozen=True, slots=True)
class TagRules:
    """The patterns that can be tried, and what is wrong with the others."""

    patterns: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    compiled: tuple[re.Pattern[str], ...] = field(default=(), repr=False, compare=False)

    def protecting(
        self, tags: Iterable[str], clock: Callable[[], float] = time.monotonic
    ) -> tuple[Mapping[str, str], bool]:
        """Return each protected tag with its pattern, and whether there was time for all of them."""
        until = clock() + SECONDS
        found: dict[str, str] = {}
        for tag in tags:
            for pattern in self.compiled:
                if clock() > until:
                    return found, False
                if pattern.search(tag):
                    found[tag] = pattern.pattern
                    break
        return found, True


def make_rules(patterns: Iterable[str]) -> TagRules:
    """Check and compile the patterns of a token."""
    usable: list[str] = []
    problems: list[str] = []
    compiled: list[re.Pattern[str]] = []
    for number, pattern in enumerate(patterns):
        why = "there are too many" if number >= MOST_PATTERNS else why_not(pattern)
        if why:
            problems.append(f"the registry's tag rule {clean(pattern, 80)} is not evaluated here: {why}")
            continue
        usable.append(pattern)
        compiled.append(re.compile(pattern, re.ASCII))
    return TagRules(tuple(usable), tuple(problems), tuple(compiled))


async def rules_of(client: RegistryClient, path: str) -> TagRules:
    """Return the rules that the token for a deletion carries; raises `DockpassError` if it is not given."""
    claims = await client.claims(path, "pull,delete")
    if claims is None:
        return TagRules()
    rules = make_rules(pattern for entry in claims.of(path) for pattern in entry.deny_delete)
    odd = tuple(f"the token is odd: {words}" for words in claims.odd if "pattern" in words)
    return TagRules(rules.patterns, (*rules.problems, *odd), rules.compiled)


def why_not(pattern: str) -> str:
    """Return why a pattern is not tried; the empty string for one that is."""
    if len(pattern) > LONGEST_PATTERN:
        return "it is too long"
    if _NOT_RE2.search(pattern) or _POSSESSIVE.search(_ATOM.sub("x", pattern)):
        return "it is not an RE2 pattern"
    try:
        re.compile(pattern, re.ASCII)
    except (re.error, ValueError, RecursionError, OverflowError) as error:
        return f"it is not a regular expression ({clean(str(error), 80)})"
    return "it would take too long" if is_costly(pattern) else ""


def is_costly(pattern: str) -> bool:
    """Tell whether matching could take very long: a repeated group that itself repeats or branches."""
    plain = _ATOM.sub("x", _OPENING.sub("(", pattern))
    branching = [False]
    endless = 0
    for position, letter in enumerate(plain):
        if letter == "(":
            branching.append(False)
        elif letter == ")" and len(branching) > 1:
            inner = branching.pop()
            if inner and plain[position + 1 : position + 2] in _REPEATS:
                return True
            branching[-1] = branching[-1] or inner
        elif letter in "|?*+{":
            endless += letter in _REPEATS
            branching[-1] = True
    return endless > MOST_ENDLESS
