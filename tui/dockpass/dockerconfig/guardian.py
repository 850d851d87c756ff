"""A child process that outlives dockpass by a moment, to remove a temporary config after SIGKILL.

It waits for the end of a pipe whose other end only dockpass holds. The signals that end dockpass do
not reach it, it knows no secret, and it removes nothing but the very directory it was started for.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from pathlib import Path

SECONDS_TO_START = 5.0
_SECONDS_TO_END = 5.0

_BLOCKED = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP})
_NEEDED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # some Pythons find their own library by it

# Imports nothing that is not in memory anyway when Python starts: that halves the time to start.
# The identity comes through the pipe. If dockpass dies before it is sent, the name with its random
# part, the owner and the mode have to do.
_SCRIPT = r"""
import os, stat, sys
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
try:
    found = os.lstat(path)
except OSError:
    sys.exit()
mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
mine = mine and os.path.basename(path).startswith("dockpass-")
if told:
    mine = mine and told.decode() == f"{found.st_dev} {found.st_ino}\n"
else:
    mine = mine and not found.st_mode & 0o077
if not mine:
    sys.exit()
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
for _ in range(3):
    attempt(os.chmod, path, 0o700)
    attempt(clear)
    attempt(os.rmdir, path)
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
        os.write(self._pipe, f"{status.st_dev} {status.st_ino}\n".encode())

    def disarm(self) -> None:
        """End it, once the directory is gone; otherwise it tries once more. No process is left behind."""
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
