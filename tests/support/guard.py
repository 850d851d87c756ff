"""Ends a server with the tests that started it, also where those are killed.

A guard is this file as a program of its own between the tests and the server. It waits at a pipe that the tests hold
open: the kernel closes it when their process ends, whatever ended it.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

PATIENCE = 15.0
"""Seconds that a server has to end after a SIGTERM."""

_HANDED_ON = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM)
_SIGNAL_AT_PARENTS_DEATH, _BECOME_SUBREAPER = (
    1,
    36,
)  # PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER of linux/prctl.h


def guarded(command: list[str], *, remove: Path | None = None, patience: float = PATIENCE) -> list[str]:
    """Return the command of a guard that runs a server; start it with a pipe as stdin.

    The guard hands signals on to the server, and has its exit status. Whatever descends from the server ends with it.
    When the pipe closes, the server gets a SIGTERM and after `patience` seconds a SIGKILL, and `remove` is removed.
    """
    return [sys.executable, "-I", "-S", __file__, str(patience), str(remove or ""), *command]


def start(
    command: list[str],
    log: IO[bytes],
    *,
    environ: Mapping[str, str] | None = None,
    remove: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server that writes to `log`; return its guard."""
    return subprocess.Popen(
        guarded(command, remove=remove),
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        env=environ,
        start_new_session=True,
    )


def stop(guard: subprocess.Popen[bytes]) -> None:
    """Stop a server that `start` started, and return when it has ended."""
    guard.terminate()
    with suppress(subprocess.TimeoutExpired):
        guard.wait(PATIENCE)
    if guard.stdin:
        guard.stdin.close()
    guard.wait(2 * PATIENCE)


def run(command: list[str], *, timeout: float = 90, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command without input to its end; whatever it left behind ends with it, also where it takes too long."""
    reading, writing = os.pipe()
    with os.fdopen(reading), os.fdopen(writing) as held:
        pipe = subprocess.PIPE
        child = subprocess.Popen(
            guarded(command, patience=1), stdin=reading, stdout=pipe, stderr=pipe, text=True, **options
        )
        try:
            out, err = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            held.close()
            child.communicate()
            raise
    return subprocess.CompletedProcess(command, child.returncode, out, err)


def end_with_parent() -> None:
    """Have this process killed when its parent ends, from now on."""
    _prctl(_SIGNAL_AT_PARENTS_DEATH, signal.SIGKILL)


def unmount_below(directory: Path) -> None:
    """Unmount what a container engine left mounted in its directory."""
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    for path in sorted((line.split()[1] for line in mounts), reverse=True):
        if path.startswith(f"{directory}/"):
            subprocess.run(["umount", "-l", path], check=False)


def _guard(patience: float, directory: str, command: list[str]) -> int:
    """Run the server; return its status as `subprocess` tells it."""
    _prctl(_BECOME_SUBREAPER, 1)
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANDED_ON)
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_with_usual_signals)
    for number in _HANDED_ON:
        signal.signal(number, lambda number, _: server.send_signal(number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDED_ON)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the server's output ends when the server closes it

    alone = False
    while not alone and server.poll() is None:
        ready = select.select([0, woken], [], [])[0]
        if woken in ready:
            os.read(woken, 64)
            _reap_others(server.pid)
        alone = 0 in ready and not os.read(0, 64)
    if alone:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(patience)
        server.kill()
    server.wait()
    _kill_descendants()
    if alone and directory:
        unmount_below(Path(directory))
        shutil.rmtree(directory, ignore_errors=True)
    return int(server.returncode)


def _reap_others(server: int) -> None:
    """Reap what lost its parent below the server: who waits for its end would wait for ever."""
    with suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid == server:
                break
            os.waitpid(ended.si_pid, 0)


def _prctl(option: int, argument: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, argument, 0, 0, 0)


def _with_usual_signals() -> None:
    for number in _HANDED_ON:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDED_ON)


def _kill_descendants() -> None:
    """Kill what the server left behind, which became this process's own children when it ended."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    while listed.exists() and (children := listed.read_text().split()):
        for child in map(int, children):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(child, 0)


if __name__ == "__main__":
    status = _guard(float(sys.argv[1]), sys.argv[2], sys.argv[3:])
    if status < 0:  # the server was ended by a signal, and so is its guard
        with suppress(OSError):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)
