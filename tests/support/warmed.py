"""A process that has loaded dockpass and forks for each call, so that a call costs no imports.

What it forks is the program as a process of its own: with its own environment, directory, streams and exit status.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any


class Warmed:
    """The process, as the tests see it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([sys.executable, __file__], stdin=pipe, stdout=pipe, env=environ)
        self._lock = threading.Lock()

    def run(
        self, arguments: tuple[str, ...], *, cwd: Path, environ: Mapping[str, str], stdin: str, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Call the program and wait for its end, as `subprocess.run` does."""
        with (
            self._lock,
            tempfile.TemporaryFile("w+") as given,
            tempfile.TemporaryFile("r") as out,
            tempfile.TemporaryFile("r") as err,
        ):
            given.write(stdin)
            given.flush()
            call = {"arguments": arguments, "cwd": str(cwd), "environ": dict(environ)}
            call["streams"] = [f"/proc/{os.getpid()}/fd/{file.fileno()}" for file in (given, out, err)]
            status = self._ask(call, timeout)
            return subprocess.CompletedProcess(arguments, status, out.read(), err.read())

    def _ask(self, call: dict[str, Any], timeout: float) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(call).encode() + b"\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        ready, _, _ = select.select([self._process.stdout], [], [], timeout)
        if not ready:
            os.kill(pid, signal.SIGKILL)
        status = int(self._process.stdout.readline())
        if not ready:
            raise subprocess.TimeoutExpired(call["arguments"], timeout)
        return status


@cache
def warmed() -> Warmed:
    """Return the one of this process; it ends when its stdin does."""
    return Warmed({"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})


def _serve() -> dict[str, Any] | None:
    """Fork for each call. Returns the call in a child, and None when there are no more."""
    while line := _line():
        call: dict[str, Any] = json.loads(line)
        pid = os.fork()
        if pid == 0:
            return call
        os.write(1, f"{pid}\n".encode())
        status = os.waitpid(pid, 0)[1]
        os.write(1, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    return None


def _line() -> bytes:
    """Read a line past `sys.stdin`, which is the child's to read from."""
    line = b""
    while not line.endswith(b"\n") and (more := os.read(0, 1 << 16)):
        line += more
    return line


def _become(call: dict[str, Any]) -> None:
    """Be what was called."""
    for number, path in enumerate(call["streams"]):
        opened = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(call["environ"])
    time.tzset()
    os.chdir(call["cwd"])
    sys.argv[1:] = call["arguments"]


if __name__ == "__main__":
    import dockpass
    from dockpass.__main__ import main

    for module in walk_packages(dockpass.__path__, "dockpass."):
        if not module.name.startswith("dockpass.ui"):
            import_module(module.name)
    gc.freeze()  # what is loaded need not be looked through in each child
    if (called := _serve()) is not None:
        _become(called)
        main()
