"""The servers of tests end with the tests, whatever ends those."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import guard
import pytest
from guard import guarded
from servers import wait_until
from waiting import is_running

TESTS_OWN = Path(__file__).parents[1]
SERVER = """
import os, signal, socket, subprocess, sys
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
below = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
listening = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1] + ".new", "w") as file:
    file.write(f"{os.getppid()} {os.getpid()} {below.pid}")
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True:
    signal.pause()
"""
TESTS = """
import os, signal, sys
from pathlib import Path
from servers import running

def test_with_a_server():
    here = Path({here!r})
    with running([sys.executable, "-c", {server!r}, str(here / "pids")], here / "log", remove=here / "data"):
        (here / "worker").write_text(str(os.getpid()))
        while True:
            signal.pause()
"""


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that are killed after the test, if it left them."""
    children: list[subprocess.Popen[bytes]] = []
    yield children
    for child in children:
        child.kill()
        child.communicate()


def pids_in(path: Path) -> list[int]:
    wait_until(path.exists, 60, str(path))
    return [int(word) for word in path.read_text().split()]


@pytest.mark.parametrize("killed", ["pytest", "worker", "controller"])
def test_a_kill_of_the_tests_ends_their_servers(
    tmp_path: Path, started: list[subprocess.Popen[bytes]], killed: str
) -> None:
    data = tmp_path / "data"
    (data / "images").mkdir(parents=True)
    file = tmp_path / "test_server.py"
    file.write_text(TESTS.format(here=str(tmp_path), server=SERVER))
    options = [
        "-p",
        "conftest",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
        "--timeout=90",
    ]
    options += [] if killed == "pytest" else ["-n", "1", "--max-worker-restart=0"]
    pytest_run = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, str(file)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [TESTS_OWN, TESTS_OWN / "support"]))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    started.append(pytest_run)
    pids = pids_in(tmp_path / "pids")
    [worker] = pids_in(tmp_path / "worker")
    assert all(is_running(pid) for pid in pids)
    os.kill(worker if killed == "worker" else pytest_run.pid, signal.SIGKILL)
    wait_until(lambda: not any(is_running(pid) for pid in [*pids, worker]), 30, "the end of the server")
    assert not data.exists()


def guard_of(tmp_path: Path, *words: str, **options: float) -> tuple[subprocess.Popen[bytes], list[int]]:
    command = [sys.executable, "-c", SERVER, str(tmp_path / "pids"), *words]
    child = subprocess.Popen(guarded(command, **options), stdin=subprocess.PIPE)  # type: ignore[arg-type]
    return child, pids_in(tmp_path / "pids")


def test_a_server_that_ignores_the_signal_is_killed(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    child, pids = guard_of(tmp_path, "stubborn", patience=0.1)
    started.append(child)
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert not any(is_running(pid) for pid in pids)


def test_what_a_command_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    ended = guard.run(["sh", "-c", "sleep 600 >&- 2>&- & echo $!"])
    assert ended.returncode == 0
    assert not is_running(int(ended.stdout))


def test_a_command_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(subprocess.TimeoutExpired):
        guard.run(["sh", "-c", f"sleep 600 & echo $! > {pid}; wait"], timeout=0.5)
    wait_until(lambda: not any(map(is_running, pids_in(pid))), 30, "the end of what it started")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_guard_hands_signals_on_and_ends_as_the_server_does(
    tmp_path: Path, started: list[subprocess.Popen[bytes]], number: signal.Signals
) -> None:
    child, pids = guard_of(tmp_path)
    started.append(child)
    child.send_signal(number)
    child.wait(20)
    assert child.returncode in {-number, 1}  # an interrupted Python exits with 1
    assert not any(is_running(pid) for pid in pids)


@pytest.mark.parametrize("status", [0, 7])
def test_a_guard_passes_the_exit_status_on(status: int) -> None:
    command = guarded([sys.executable, "-c", f"raise SystemExit({status})"])
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        assert child.wait(20) == status


def test_a_servers_output_ends_before_the_server_does() -> None:
    closing = "import os; print('up', flush=True); os.close(1); import signal; signal.pause()"
    command = guarded([sys.executable, "-c", closing])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.read() == b"up\n"
        assert child.poll() is None
        child.terminate()
