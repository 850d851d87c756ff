"""A child process that outlives dockpass by a moment, to remove a temporary config after SIGKILL.

It waits for the end of a pipe whose other end only dockpass holds. It ignores the signals that end
dockpass, knows no secret, and removes nothing but the very directory it was started for.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_SECONDS_TO_END = 5.0

# Runs with -I -S, without any of dockpass's modules, so that it starts fast and depends on nothing.
_SCRIPT = """
import os, shutil, signal, stat, sys
for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
path, device, inode = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.write(1, b"r")
os.close(1)
while True:
    try:
        if not os.read(0, 64):
            break
    except InterruptedError:
        pass
try:
    found = os.lstat(path)
except OSError:
    sys.exit(0)
same = (found.st_dev, found.st_ino) == (device, inode) and found.st_uid == os.getuid()
if same and stat.S_ISDIR(found.st_mode) and os.path.basename(path).startswith("dockpass-"):
    shutil.rmtree(path, ignore_errors=True)
"""


class Guardian:
    """Guards one directory from `start` to `release`."""

    def __init__(self, child: subprocess.Popen[bytes], pipe: int) -> None:
        self._child = child
        self._pipe = pipe

    @classmethod
    def start(cls, directory: Path) -> Guardian:
        """Start the guardian; returns once it ignores the signals it must outlive."""
        status = directory.lstat()
        reading, writing = os.pipe()
        try:
            child = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    "-c",
                    _SCRIPT,
                    str(directory),
                    str(status.st_dev),
                    str(status.st_ino),
                ],
                stdin=reading,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={},
                start_new_session=True,
            )
        except OSError:
            os.close(writing)
            raise
        finally:
            os.close(reading)
        assert child.stdout is not None  # noqa: S101 - it was asked for as a pipe
        child.stdout.read(1)
        child.stdout.close()
        return cls(child, writing)

    @property
    def pid(self) -> int:
        """The guardian's process id."""
        return self._child.pid

    def release(self) -> None:
        """Let the guardian look once more and end; no process is left behind."""
        if self._pipe < 0:
            return
        os.close(self._pipe)
        self._pipe = -1
        try:
            self._child.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
