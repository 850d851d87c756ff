"""Processes that outlive a program: who they are, and the waiting for them or the ending of them."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from dockpass.processes import Process, descendants, name_of, processes, started, using

_SECONDS_TO_END = 2.0
_LOOK_EVERY = 0.2


def survivors(directory: Path, others: frozenset[int]) -> tuple[int, ...]:
    """Return the processes that the program left, and younger ones than dockpass that use its config.

    `others` are those that somebody else looks after, such as the guardian. What has ended is reaped.
    """
    reap_orphans(others)
    me, known = os.getpid(), processes()
    return _living(descendants(me, known), directory, known, others | {me})


def survivors_of_session(directory: Path, leader: int, others: frozenset[int]) -> tuple[int, ...]:
    """Return what is left in the session that `leader` began, and younger processes that use its config.

    For a dockpass that has other child processes too, and adopts none.
    """
    known = processes()
    own = {pid for pid, each in known.items() if each.session == leader and pid != leader}
    return _living(own, directory, known, others | {os.getpid()})


def _living(
    own: set[int], directory: Path, known: Mapping[int, Process], others: frozenset[int]
) -> tuple[int, ...]:
    """Return `own` and those younger than dockpass that use the config, without `others`."""
    me = os.getpid()
    young = {pid for pid, each in known.items() if me in known and each.started >= known[me].started}
    found = own | set(using(directory, young - own - others))
    return tuple(sorted(pid for pid in found - others if not known[pid].has_ended))


def reap_orphans(others: frozenset[int]) -> None:
    """Take note of the end of adopted processes; `others` are waited for by somebody else."""
    known = processes()
    me = os.getpid()
    reap(pid for pid, each in known.items() if each.parent == me and each.has_ended and pid not in others)


def reap(pids: Iterable[int]) -> None:
    """Take note of the end of child processes, so that none stays as a zombie."""
    for pid in pids:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def named(pids: Iterable[int]) -> tuple[tuple[int, str], ...]:
    """Return id and name of each."""
    return tuple((pid, name_of(pid)) for pid in pids)


def await_end(pids: Iterable[int], stop: Callable[[], bool], seconds: float | None = None) -> tuple[int, ...]:
    """Wait until all have ended, `stop` says so, or the time is over; return those that still run."""
    left = {pid: os.pidfd_open(pid) for pid in pids if started(pid)}
    deadline = None if seconds is None else time.monotonic() + seconds
    try:
        while left and not stop() and (deadline is None or time.monotonic() < deadline):
            ended = select.select(list(left.values()), [], [], _LOOK_EVERY)[0]
            for pid in [pid for pid, handle in left.items() if handle in ended]:
                os.close(left.pop(pid))
                reap([pid])
        return tuple(left)
    finally:
        for handle in left.values():
            os.close(handle)


def end(pids: Iterable[int]) -> tuple[int, ...]:
    """Ask them to end, and kill those that have not after two seconds; return those that cannot be killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        pids = await_end(pids, lambda: False, _SECONDS_TO_END)
    return tuple(pids)
