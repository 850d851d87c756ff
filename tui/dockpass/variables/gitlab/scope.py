"""Environment scopes: which match an environment, and which of two matches more exactly.

The rule is that of GitLab's `has_environment_scope.rb`: only `*` is special, case counts, and an equal
scope beats a pattern, which beats `*`. Without an environment only `*` matches.
"""

from __future__ import annotations

EVERYWHERE = "*"


def matches(scope: str, environment: str) -> bool:
    """Tell whether a variable with this scope reaches a job of that environment (empty for none)."""
    if scope == EVERYWHERE:
        return True
    return bool(environment) and matches_text(scope, environment)


def rank(scope: str, environment: str) -> int:
    """Return 0 for `*`, 1 for another pattern, 2 for the environment's own name: the highest wins."""
    if scope == environment:
        return 2
    return 0 if scope == EVERYWHERE else 1


def matches_text(pattern: str, text: str) -> bool:
    """Tell whether a text is that of a pattern, in which `*` stands for any text.

    Each part is looked for behind the one before, which is as good as trying all places.
    """
    first, *parts = pattern.split("*")
    if not parts:
        return text == pattern
    last = parts.pop()
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in parts:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
