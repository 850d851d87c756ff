"""A builder's program as a child process: its output in pieces, and an end that leaves nothing running."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dockpass.builders.base import Guard, builder_failed
from dockpass.errors import Cancelled
from dockpass.processes import descendants, processes
from dockpass.system import reason
from dockpass.text import clean

SECONDS_TO_CANCEL = 5.0
"""How long a program has to end its build after a SIGINT, before its whole group is killed."""
_SECONDS_OF_SILENCE = 1.0
"""How long the output is read after the program has ended, for what a child of it still writes."""
_SECONDS_BETWEEN_LOOKS = 0.05
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program with its arguments and its whole environment. No secret is ever in `argv`."""

    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)
    cwd: Path
    stdout: bool = False
    """Whether its stdout is read too, in one stream with stderr; else it is thrown away."""


class Child:
    """Runs one program after the other; `cut`, from another thread, ends this one and every later one."""

    def __init__(self, guard: Guard | None = None) -> None:
        self._guard = guard
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._below: dict[int, int] = {}
        self.is_cut = False

    def run(self, command: Command, take: Callable[[bytes], None]) -> int:
        """Run to the end and return the exit status, negative for a signal; `take` gets the output.

        Raises `Cancelled` after a cut, and `DockpassError` for a program that cannot be started.
        """
        with self._lock:
            if self.is_cut:
                raise Cancelled
            process = self._process = _started(command)
        try:
            if self._guard is not None:
                self._guard(process.pid)
            _read(process, take)
            status = process.wait()
        finally:
            self._end_group(process)
            for stream in filter(None, (process.stdout, process.stderr)):
                stream.close()
        if self.is_cut:
            raise Cancelled
        return status

    def cut(self) -> None:
        """Interrupt the program as Ctrl-C does; what is left of its group after a while is killed."""
        with self._lock:
            self.is_cut = True
            process = self._process
        if process is None:
            return
        # What runs in a container is in no group of the program, but below it until it ends.
        known = processes()
        self._below = {pid: known[pid].started for pid in descendants(process.pid, known)}
        _signal_group(process.pid, signal.SIGINT)
        killer = threading.Timer(SECONDS_TO_CANCEL, self._kill, (process,))
        killer.daemon = True
        killer.start()

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            if self._process is process:
                _signal_group(process.pid, signal.SIGKILL)

    def _end_group(self, process: subprocess.Popen[bytes]) -> None:
        """Kill what is left of the group, in which nothing runs when all went well.

        After a cut, helpers in it get the time to stop what runs in containers.
        """
        if self.is_cut:
            _wait_for_group(process.pid)
        with self._lock:
            self._process = None
        _signal_group(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_CANCEL)
        known = processes() if self._below else {}
        for pid, started in self._below.items():
            if pid in known and known[pid].started == started:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)


def _started(command: Command) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if command.stdout else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if command.stdout else subprocess.PIPE,
            env=dict(command.environ),
            cwd=command.cwd,
            start_new_session=True,
        )
    except OSError as error:
        raise builder_failed(
            f"{clean(command.argv[0])} cannot be started: {reason(error)}.",
            "Check the installation, or choose another builder with --builder.",
        ) from error


def _read(process: subprocess.Popen[bytes], take: Callable[[bytes], None]) -> None:
    stream = process.stdout if process.stdout is not None else process.stderr
    if stream is None:
        return
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            ready = selector.select(_SECONDS_OF_SILENCE)
            if ready:
                if not (chunk := os.read(stream.fileno(), _CHUNK)):
                    return
                take(chunk)
            elif process.poll() is not None:
                return


def _wait_for_group(pid: int) -> None:
    """Wait until no process of a group is left, at most for as long as a cancel may take."""
    end = time.monotonic() + SECONDS_TO_CANCEL
    with suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < end:
            os.killpg(pid, 0)
            time.sleep(_SECONDS_BETWEEN_LOOKS)


def _signal_group(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
