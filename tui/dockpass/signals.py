"""The signals that ask a program to end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_signals(how: int) -> Iterator[None]:
    """Let them wait (`SIG_BLOCK`) or let them through (`SIG_UNBLOCK`), in this thread and those it starts.

    A signal that has waited comes inside the block that lets it through.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        signal.pthread_sigmask(how, ENDING_SIGNALS)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
