"""What a function costs, counted: a test that measures time fails where the machine is busy."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Cost:
    """How many functions were called, and how much memory was in use at once."""

    calls = 0
    megabytes = 0.0


@contextmanager
def counted() -> Iterator[Cost]:
    """Count the calls of functions in the block, Python's and C's.

    One call of C may still take long, as a regular expression that tries again and again does. Give it a text so long
    that it would not end before the test's own time limit.
    """
    cost, before = Cost(), sys.getprofile()

    def see(_frame: Any, event: str, _argument: Any) -> None:
        if event in {"call", "c_call"}:
            cost.calls += 1

    sys.setprofile(see)
    try:
        yield cost
    finally:
        sys.setprofile(before)


@contextmanager
def measured() -> Iterator[Cost]:
    """Count the calls as `counted` does, and the memory that the block takes."""
    tracemalloc.start()
    try:
        with counted() as cost:
            yield cost
        cost.megabytes = tracemalloc.get_traced_memory()[1] / (1 << 20)
    finally:
        tracemalloc.stop()
