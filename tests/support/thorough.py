"""How much the tests try: a part of the examples and cases by default, all of them with DOCKPASS_THOROUGH=1."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("DOCKPASS_THOROUGH") == "1"


def examples(most: int) -> int:
    """Return how many examples or random cases a test tries, of the `most` that a thorough run tries."""
    return most if THOROUGH else min(most, max(10, most // 5))
