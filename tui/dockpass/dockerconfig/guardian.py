"""A child process that outlives dockpass by a moment, to remove a temporary config after SIGKILL.

It waits for the end of a pipe whose other end only dockpass holds. The signals that end dockpass do
not reach it, it knows no secret, and it removes nothing but the very directory it was started for.

Two more things it can be told: which program runs with the config, which it then ends when dockpass was
killed; and which processes outlive it all, for as long as which it removes what they put under the name.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dockpass.processes import started

SECONDS_TO_START = 5.0
_SECONDS_TO_END = 5.0

_BLOCKED = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP})
_NEEDED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # some Pythons find their own library by it

# Imports nothing that is not in memory anyway when Python starts: that halves the time to start.
# The identity comes through the pipe. If dockpass dies before it is sent, the name with its random
# part, the owner and the mode have to do.
_SCRIPT = r"""
import os, stat, sys, time
path = sys.argv[1]
try:
    os.write(1, b"r")
    os.close(1)
except OSError:
    pass
told = b""
while True:
    part = os.read(0, 64)
    if not part:
        break
    told += part
lines = [line.split() for line in told.decode().split("\n") if line]
identity = [line[1:] for line in lines if line[0] == "directory"]
def is_mine():
    try:
        found = os.lstat(path)
    except OSError:
        return False
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    mine = mine and os.path.basename(path).startswith("dockpass-")
    if identity:
        return mine and identity[0] == [str(found.st_dev), str(found.st_ino)]
    return mine and not found.st_mode & 0o077
def fields_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None
def runs(pid, started):
    fields = fields_of(pid)
    return fields is not None and fields[0] != "Z" and fields[19] == started
def below(pid):
    known = {each: fields for each in os.listdir("/proc") if each.isdigit() and (fields := fields_of(each))}
    found = {pid}
    while more := {each for each in known if known[each][1] in found} - found:
        found |= more
    return [(each, known[each][19]) for each in found - {pid}]
def attempt(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except OSError:
        pass
def clear():
    for _, directories, files, folder in os.fwalk(path, topdown=False):
        for name in files + directories:
            attempt(os.unlink, name, dir_fd=folder)
            attempt(os.rmdir, name, dir_fd=folder)
def remove():
    for _ in range(3):
        if is_mine():
            attempt(os.chmod, path, 0o700)
            attempt(clear)
            attempt(os.rmdir, path)
remove()
for kind, pid, started in (line for line in lines if line[0] in ("program", "group", "tree")):
    send = os.kill if kind == "program" else os.killpg
    rest = below(pid) if kind == "tree" and runs(pid, started) else []
    for number, looks in ((15, 40), (9, 1)):
        if runs(pid, started):
            attempt(send, int(pid), number)
        while looks and runs(pid, started):
            looks -= 1
            time.sleep(0.05)
    for each in rest:
        if runs(*each):
            attempt(os.kill, int(each[0]), 9)
    identity = []  # what it puts under this name before it ends is another directory
watched = [(line[1], line[2]) for line in lines if line[0] == "watched"]
deadline = time.monotonic() + 60
while any(runs(*each) for each in watched) and time.monotonic() < deadline:
    identity = []
    remove()
    time.sleep(0.2)
remove()
"""


class Guardian:
    """Guards one directory from `start` to `disarm`."""

    def __init__(self, child: subprocess.Popen[bytes], pipe: int) -> None:
        self._child = child
        self._pipe = pipe

    @classmethod
    def start(cls, directory: Path) -> Guardian:
        """Start a guardian for a directory that may not exist yet, and return at once.

        Raises `OSError` where no process can be started.
        """
        reading, writing = os.pipe()
        # Blocked before it is born: there is no moment at which a signal could end it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)
        try:
            child = subprocess.Popen(
                [sys.executable or "python3", "-I", "-S", "-c", _SCRIPT, str(directory)],
                stdin=reading,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={name: os.environ[name] for name in _NEEDED if name in os.environ},
                start_new_session=True,
            )
        except OSError:
            os.close(writing)
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(reading)
        return cls(child, writing)

    @property
    def pid(self) -> int:
        """The guardian's process id."""
        return self._child.pid

    def await_ready(self, seconds: float = SECONDS_TO_START) -> bool:
        """Wait until it runs; False if it never will, or not in time."""
        assert self._child.stdout is not None  # noqa: S101 - it was asked for as a pipe
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.stdout, selectors.EVENT_READ)
            return bool(selector.select(seconds)) and self._child.stdout.read(1) == b"r"

    def tell(self, status: os.stat_result) -> None:
        """Say which directory it is, so that no other one is ever removed in its place."""
        self._say(f"directory {status.st_dev} {status.st_ino}")

    def tell_program(self, pid: int, *, leads_group: bool, with_children: bool = False) -> None:
        """Say which program to end if dockpass is killed: alone, or with the group that it leads.

        `with_children` ends the processes below it too, whatever their group: the commands of a build.
        """
        kind = "tree" if with_children else "group" if leads_group else "program"
        if when := started(pid):
            self._say(f"{kind} {pid} {when}")

    def _say(self, line: str) -> None:
        os.write(self._pipe, f"{line}\n".encode())

    def disarm(self, outliving: Sequence[int] = ()) -> None:
        """End it, once the directory is gone; otherwise it tries once more. No process is left behind.

        With processes that outlive it, it stays until they have ended, for a minute at most.
        """
        watched = [(pid, when) for pid in outliving if (when := started(pid))]
        if watched:
            with suppress(OSError):  # without it the next start's sweep has to do
                for pid, when in watched:
                    self._say(f"watched {pid} {when}")
            self._close()
            return
        self._close()
        try:
            self._child.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def abandon(self) -> None:
        """End it while the directory is still needed."""
        self._child.kill()
        self._child.wait()
        self._close()

    def _close(self) -> None:
        if self._child.stdout is not None:
            self._child.stdout.close()
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
