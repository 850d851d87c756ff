"""Globs of `rules:changes` and `rules:exists`: Ruby's `File.fnmatch?` with PATHNAME, DOTMATCH and EXTGLOB."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, pairwise

MOST_ALTERNATIVES = 1000
LONGEST = 4096

_UP_TO_A_STAR = re.compile(r"[^/*\[\\]+(?=\*)")


@lru_cache(maxsize=1024)
def glob_pattern(glob: str) -> re.Pattern[str] | None:
    """Return the pattern that matches the same paths; None for a glob that is too large to be tried."""
    if len(glob) > LONGEST:
        return None
    alternatives = list(islice(_alternatives(glob), MOST_ALTERNATIVES + 1))
    if len(alternatives) > MOST_ALTERNATIVES:
        return None
    return re.compile("|".join(f"(?:{_translated(each)})" for each in alternatives), re.DOTALL)


def matches(glob: str, path: str) -> bool:
    """Tell whether a glob matches a whole path; one that is too large to be tried does not."""
    pattern = glob_pattern(glob)
    return pattern is not None and bool(pattern.fullmatch(path))


def _alternatives(glob: str) -> Iterator[str]:
    """Write out `{a,b}`, also nested; an open brace is a plain character."""
    waiting = [glob]
    while waiting:
        each = waiting.pop()
        choices = _choices(each)
        if choices is None:
            yield each
        else:
            waiting += reversed(choices)


def _choices(glob: str) -> list[str] | None:
    """Write out the first `{a,b}` only; None where there is none."""
    start = glob.find("{")
    while start > 0 and glob[start - 1] == "\\":
        start = glob.find("{", start + 1)
    if start == -1:
        return None
    depth = 0
    cuts = [start]
    for position in range(start, len(glob)):
        letter = glob[position]
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 1:
            cuts.append(position)
        if depth == 0:
            cuts.append(position)
            before, after = glob[:start], glob[position + 1 :]
            return [f"{before}{glob[left + 1 : right]}{after}" for left, right in pairwise(cuts)]
    return None


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
        elif letter == "[" and "]" in glob[position + 2 :]:
            end = glob.index("]", position + 2)
            body = glob[position + 1 : end].replace("\\", "\\\\")
            negated = body[:1] in {"!", "^"}
            pieces.append(f"(?!/)[{'^' if negated else ''}{body[1:] if negated else body}]")
            position = end + 1
        elif letter == "\\" and position + 1 < len(glob):
            pieces.append(re.escape(glob[position + 1]))
            position += 2
        else:
            pieces.append(re.escape(letter))
            position += 1
    return "".join(pieces)
