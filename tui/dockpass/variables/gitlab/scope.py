"""Environment scopes: which match an environment, and which of two matches more exactly.

The rule is that of GitLab's `has_environment_scope.rb`: only `*` is special, case counts, and an equal
scope beats a pattern, which beats `*`. Without an environment only `*` matches.
"""

from __future__ import annotations

import re
from functools import lru_cache

EVERYWHERE = "*"


def matches(scope: str, environment: str) -> bool:
    """Tell whether a variable with this scope reaches a job of that environment (empty for none)."""
    if scope == EVERYWHERE:
        return True
    return bool(environment) and bool(_pattern(scope).fullmatch(environment))


def rank(scope: str, environment: str) -> int:
    """Return 0 for `*`, 1 for another pattern, 2 for the environment's own name: the highest wins."""
    if scope == environment:
        return 2
    return 0 if scope == EVERYWHERE else 1


@lru_cache(maxsize=1024)
def _pattern(scope: str) -> re.Pattern[str]:
    return re.compile(".*?".join(re.escape(part) for part in re.split(r"\*+", scope)), re.DOTALL)
