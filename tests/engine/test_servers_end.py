"""The real servers of the tests, with all that they started and mounted, end with the process of the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from servers import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]

SUPPORT = Path(__file__).parents[1] / "support"
HOLD = """
import sys, tempfile
tempfile.tempdir = {directory!r}
from servers import engine, registry
with registry("token"), engine():
    print("up", flush=True)
    sys.stdin.read()
"""


def command_lines() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def test_a_kill_leaves_no_engine_no_registry_no_mount_and_no_file(docker_host: str) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        child = subprocess.Popen(
            [sys.executable, "-c", HOLD.format(directory=directory)],
            env={**os.environ, "PYTHONPATH": str(SUPPORT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout
        assert child.stdout.readline() == "up\n"
        running = [line for line in command_lines() if directory in line]
        for name in ("docker-registry", "dockerd", "containerd"):
            assert any(Path(line.split()[0]).name == name for line in running), running
        child.send_signal(signal.SIGKILL)
        child.communicate()
        wait_until(
            lambda: not any(directory in line for line in command_lines()), 40, "the end of the servers"
        )
        assert directory not in Path("/proc/self/mounts").read_text()
        assert list(Path(directory).iterdir()) == []
