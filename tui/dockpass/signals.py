"""The signals that ask a program to end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heeded_signals() -> tuple[signal.Signals, ...]:
    """Return those that end this program; one that was ignored when it started stays ignored.

    `nohup` ignores SIGHUP for the program that it starts, a shell SIGINT for what it puts in the background.
    """
    return tuple(number for number in ENDING_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN)


@contextmanager
def interrupts_raise() -> Iterator[None]:
    """Let SIGINT raise `KeyboardInterrupt` in the block, where it does not in the rest of the program."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


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
