"""What a function costs, counted: a test that measures time fails where the machine is busy."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Cost:
    """How many functions were called."""

    calls = 0


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
def bounded(calls: int, megabytes: int = 64) -> Iterator[None]:
    """Fail for what calls more functions or takes more memory."""
    tracemalloc.start()
    try:
        with counted() as cost:
            yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert cost.calls <= calls
    assert peak < megabytes << 20
