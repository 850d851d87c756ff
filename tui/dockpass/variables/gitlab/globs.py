"""Globs of `rules:changes` and `rules:exists`: Ruby's `File.fnmatch?` with PATHNAME, DOTMATCH and EXTGLOB."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

MOST_ALTERNATIVES = 1000
MOST_STEPS = 10_000
LONGEST = 4096

_SPECIAL = re.compile(r"[*?\[{]")
_ENDING = re.compile(r"\*\*/\*\.[^/*?\[{]*")
_UP_TO_A_STAR = re.compile(r"[^/*\[\\]+(?=\*)")


@lru_cache(maxsize=1024)
def glob_pattern(glob: str) -> re.Pattern[str] | None:
    """Return the pattern that matches the same paths; None for a glob that is too large to be tried."""
    if len(glob) > LONGEST:
        return None
    alternatives = _alternatives(glob)
    if alternatives is None:
        return None
    return re.compile("|".join(f"(?:{_translated(each)})" for each in alternatives) or "(?!)", re.DOTALL)


def matches(glob: str, path: str) -> bool:
    """Tell whether a glob matches a whole path; one that is too large to be tried does not."""
    pattern = glob_pattern(glob)
    return pattern is not None and bool(pattern.fullmatch(path))


def comparisons(patterns: Sequence[str], files: Sequence[str]) -> int:
    """Return how many times GitLab compares a path with a pattern of `exists` before it says no.

    Plain paths and endings such as `**/*.py` are looked up and not counted; patterns without a folder are
    compared with what lies at the top.
    """
    top_only = all("/" not in each and "**" not in each for each in patterns)
    compared = [each for each in patterns if _SPECIAL.search(each) and not _ENDING.fullmatch(each)]
    return len(compared) * sum(not top_only or "/" not in each for each in files)


def _alternatives(glob: str) -> list[str] | None:
    """Write out `{a,b}`, also nested; None for too many. An open brace matches nothing, as in Ruby."""
    found: list[str] = []
    waiting = [glob]
    steps = 0
    while waiting:
        steps += 1
        if len(found) + len(waiting) > MOST_ALTERNATIVES or steps > MOST_STEPS:
            return None
        each = waiting.pop()
        choices = _choices(each)
        if choices is None:
            found.append(each)
        else:
            waiting += choices
    return found


_BRACE = re.compile(r"\\.|[{},]", re.DOTALL)


def _choices(glob: str) -> list[str] | None:
    """Write out the first `{a,b}` only; None where there is no brace, an empty list where it stays open."""
    depth = 0
    cuts: list[int] = []
    for found in _BRACE.finditer(glob):
        mark = found[0]
        depth += (mark == "{") - (mark == "}" and depth > 0)
        if (mark == "{" and depth == 1 and not cuts) or (mark == "," and depth == 1):
            cuts.append(found.start())
        if mark == "}" and depth == 0 and cuts:
            cuts.append(found.start())
            before, after = glob[: cuts[0]], glob[found.end() :]
            return [f"{before}{glob[left + 1 : right]}{after}" for left, right in pairwise(cuts)]
    return [] if cuts else None


def _translated(glob: str) -> str:
    pieces: list[str] = []
    position = 0
    while position < len(glob):
        letter = glob[position]
        at_start = position == 0 or glob[position - 1] == "/"
        if at_start and glob.startswith("**/", position):
            pieces.append("(?:[^/]+/)*")
            while glob.startswith("**/", position):
                position += 3
        elif letter == "*":
            # The shortest way to what follows is as good as any, so that none but the last is tried again.
            while glob.startswith("*", position):
                position += 1
            fixed = _UP_TO_A_STAR.match(glob, position)
            pieces.append(f"(?>[^/]*?{_translated(fixed[0])})" if fixed else "[^/]*")
            position = fixed.end() if fixed else position
        elif letter == "?":
            pieces.append("[^/]")
            position += 1
        elif letter == "[":
            piece, position = _bracket(glob, position + 1)
            pieces.append(piece)
        elif letter == "\\":
            pieces.append(re.escape(glob[position + 1 : position + 2]))
            position += 2
        else:
            pieces.append(re.escape(letter))
            position += 1
    return "".join(pieces)


_IN_BRACKET = re.compile(r"(?P<one>\\.|[^\]])(?:-(?P<last>\\.|[^\]]))?", re.DOTALL)


def _bracket(glob: str, position: int) -> tuple[str, int]:
    """Return the pattern of a set behind its `[`, and where it ends; an open one matches nothing.

    As in Ruby, the first `]` ends it, even an empty one; a range in the wrong order has its two ends only.
    """
    negated = glob.startswith(("!", "^"), position)
    position += negated
    members: list[str] = []
    while position < len(glob) and glob[position] != "]":
        found = _IN_BRACKET.match(glob, position)
        if found is None:
            break
        first, last = (each and each[-1] for each in found.group("one", "last"))
        if last is None:
            members.append(re.escape(first))
        else:
            members += [re.escape(first), re.escape(last)]
            members += [f"{re.escape(first)}-{re.escape(last)}"] if first < last else []
        position = found.end()
    if position >= len(glob) or glob[position] != "]":
        return "(?!)", len(glob)
    if not members:
        return ("[^/]" if negated else "(?!)"), position + 1
    return f"(?!/)[{'^' if negated else ''}{''.join(members)}]", position + 1
