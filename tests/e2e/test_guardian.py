"""A temporary config does not survive its owner, however and whenever the owner dies.

Each test starts real owners in a place of its own, stops them at a named moment of the config's life,
and ends them with a signal.
"""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from waiting import within

from dockpass.dockerconfig.places import Place
from dockpass.dockerconfig.sweep import sweep
from dockpass.dockerconfig.temporary import TemporaryConfig
from dockpass.processes import started

CANARY = "canary-secret-0123456789"
SECONDS = 30.0

# Creates a config and removes it. At the named moment, an audit event of Python just before a system
# call, it says where it stands and waits to be killed, or for the end of the tests.
_OWNER = """
import os, sys
from pathlib import Path
from dockpass.references.credential import Credential
from dockpass.dockerconfig.places import Place
from dockpass.dockerconfig.temporary import TemporaryConfig
from dockpass.secrets import Secret

place, event, part = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def wait(path=""):
    os.write(1, (str(path) + "\\n").encode())
    sys.stdin.read()
    os._exit(1)

def hook(name, arguments):
    if name == event and part in str(arguments[0]):
        wait()

secret = os.environ.pop("CANARY")
sys.addaudithook(hook)
entries = {"registry.example": Credential("me", Secret(secret))}
config = TemporaryConfig.create(entries, environ={}, where=(Place(place, "the test"),))
if event == "stand":
    wait(config.path)
if event == "ask":
    os.write(1, (str(config.path) + "\\n").encode())
    sys.stdin.readline()
print(config.remove().gone, flush=True)
"""

MOMENTS = {
    "before the guardian starts": ("subprocess.Popen", ""),
    "before the directory is made": ("os.mkdir", "dockpass-"),
    "before its mode is set": ("os.chmod", "dockpass-"),
    "before it is locked": ("open", ".lock-new"),
    "before the lock has its name": ("os.rename", ".lock-new"),
    "before the secret is written": ("open", "config.json"),
    "while it stands": ("stand", ""),
    "before the secret is removed": ("os.remove", "config.json"),
    "before the directory is removed": ("os.rmdir", "dockpass-"),
}
SIGNALS = [signal.SIGKILL, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGINT]
DEATHS = [
    (moment, number)
    for moment, (event, _) in MOMENTS.items()
    for number in SIGNALS
    if event != "subprocess.Popen" or number is signal.SIGKILL  # the others wait until it is started
]


class Owners:
    """Starts owners in one place and ends what is left of them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.started: list[subprocess.Popen[str]] = []

    def start(self, event: str, part: str = "", **options: object) -> subprocess.Popen[str]:
        owner = subprocess.Popen(
            [sys.executable, "-c", _OWNER, str(self.place), event, part],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "CANARY": CANARY},
            **options,  # type: ignore[call-overload]
        )
        self.started.append(owner)
        return owner

    def said(self, owner: subprocess.Popen[str]) -> str:
        assert owner.stdout is not None
        return owner.stdout.readline().strip()

    @property
    def left(self) -> list[str]:
        return sorted(path.name for path in self.place.iterdir())

    @property
    def guardians(self) -> list[int]:
        return [pid for pid, line in command_lines() if str(self.place) in line and _OWNER not in line]

    def all_gone(self) -> bool:
        return not self.left and not self.guardians

    def end(self) -> None:
        for owner in self.started:
            if owner.poll() is None:
                owner.kill()
            owner.communicate()


def command_lines() -> Iterator[tuple[int, str]]:
    """Yield every process with its command line."""
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            yield int(path.name), (path / "cmdline").read_text(errors="replace")


@pytest.fixture
def owners(tmp_path: Path) -> Iterator[Owners]:
    place = tmp_path / "place"
    place.mkdir(mode=0o700)
    found = Owners(place)
    yield found
    found.end()


@pytest.mark.parametrize(
    ("moment", "number"), DEATHS, ids=[f"{moment}-{number.name}" for moment, number in DEATHS]
)
def test_nothing_is_left_whenever_and_however_the_owner_dies(
    owners: Owners, moment: str, number: signal.Signals
) -> None:
    owner = owners.start(*MOMENTS[moment])
    owners.said(owner)
    assert len(owners.left) == (
        0 if moment.startswith(("before the guardian", "before the directory is made")) else 1
    )
    wanted = 0 if moment.startswith("before the guardian") else 1
    assert within(lambda: len(owners.guardians) == wanted, SECONDS), owners.guardians
    owner.send_signal(number)
    owner.wait(SECONDS)
    assert within(owners.all_gone, SECONDS), (owners.left, owners.guardians)


def test_a_closed_terminal_leaves_nothing(owners: Owners) -> None:
    control, terminal = pty.openpty()
    take_terminal = [sys.executable, "-c", "import fcntl, os, sys, termios;"
                     "fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[2:])"]  # fmt: skip
    owner = subprocess.Popen(
        [*take_terminal, str(terminal), sys.executable, "-c", _OWNER, str(owners.place), "stand", ""],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
        pass_fds=[terminal],
        start_new_session=True,
        env={**os.environ, "CANARY": CANARY},
    )
    owners.started.append(owner)
    os.close(terminal)
    assert owners.said(owner).startswith(str(owners.place))
    [guardian] = owners.guardians
    os.close(control)
    owner.wait(SECONDS)
    assert owner.returncode == -signal.SIGHUP
    assert within(owners.all_gone, SECONDS), (owners.left, guardian)


def test_a_kill_of_the_whole_group_leaves_nothing(owners: Owners) -> None:
    owner = owners.start("stand", start_new_session=True)
    owners.said(owner)
    os.killpg(owner.pid, signal.SIGKILL)
    assert within(owners.all_gone, SECONDS)


@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP],
    ids=lambda n: n.name,
)
def test_a_guardian_outlives_the_signals_that_end_its_owner(owners: Owners, number: signal.Signals) -> None:
    owner = owners.start("stand")
    owners.said(owner)
    [guardian] = owners.guardians
    os.kill(guardian, number)
    assert len(owners.left) == 1
    owner.kill()
    owner.wait(SECONDS)
    assert within(owners.all_gone, SECONDS)


def test_a_guardian_that_has_only_just_been_born_outlives_signals_too(owners: Owners) -> None:
    """The signals are blocked before it runs its first instruction, so there is no moment in between."""
    owner = owners.start("os.mkdir", "dockpass-")
    owners.said(owner)
    # It is told of as soon as it is asked for, before /proc shows it.
    assert within(lambda: owners.guardians, SECONDS)
    [guardian] = owners.guardians
    status = Path(f"/proc/{guardian}/status").read_text()
    blocked = int(status.partition("SigBlk:")[2].split()[0], 16)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        assert blocked >> (number - 1) & 1


def test_the_owners_own_signals_are_as_they_were(tmp_path: Path) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    config = TemporaryConfig.create({}, environ={}, where=(Place(tmp_path, "the test"),))
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
    config.remove()


def test_a_guardian_knows_no_secret_and_holds_no_terminal(owners: Owners) -> None:
    owner = owners.start("stand")
    path = Path(owners.said(owner))
    assert CANARY not in (path / "config.json").read_text()  # as base64 it is
    [guardian] = owners.guardians
    process = Path(f"/proc/{guardian}")
    assert CANARY not in (process / "cmdline").read_text() + (process / "environ").read_text()
    names = {line.partition("=")[0] for line in (process / "environ").read_text().split("\0")}
    assert names <= {"", "LD_LIBRARY_PATH", "LC_CTYPE"}
    held = {str(handle.readlink()).partition(":")[0] for handle in (process / "fd").iterdir()}
    assert held <= {"pipe", "/dev/null"}
    assert (process / "cwd").readlink() == Path("/")
    assert os.getsid(guardian) == guardian


def test_a_normal_removal_leaves_no_process_and_no_zombie(owners: Owners) -> None:
    owner = owners.start("ask")
    owners.said(owner)
    [guardian] = owners.guardians
    owner.stdin.write("\n")  # type: ignore[union-attr]
    owner.stdin.flush()  # type: ignore[union-attr]
    assert owners.said(owner) == "True"
    assert owners.left == []
    assert not Path(f"/proc/{guardian}").exists()


def test_a_guardian_removes_nothing_that_took_the_directorys_place(owners: Owners) -> None:
    owner = owners.start("stand")
    path = Path(owners.said(owner))
    path.rename(owners.place / "moved")
    path.mkdir(mode=0o700)
    (path / "precious").write_text("")
    owner.kill()
    owner.wait(SECONDS)
    assert within(lambda: not owners.guardians, SECONDS)
    assert (path / "precious").is_file()


def test_a_guardian_follows_no_link_and_removes_what_lies_deeper(owners: Owners, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious").write_text("")
    owner = owners.start("stand")
    path = Path(owners.said(owner))
    (path / "plugins").symlink_to(victim)
    (path / "dangling").symlink_to("nowhere")
    (path / "buildx" / "deep").mkdir(parents=True)
    (path / "buildx" / "deep" / "state").write_text("")
    path.chmod(0o500)  # whatever was done to it meanwhile
    owner.kill()
    owner.wait(SECONDS)
    assert within(owners.all_gone, SECONDS), owners.left
    assert (victim / "precious").is_file()


def test_where_the_guardian_is_killed_too_the_next_start_sweeps(owners: Owners) -> None:
    owner = owners.start("stand")
    path = Path(owners.said(owner))
    [guardian] = owners.guardians
    os.kill(guardian, signal.SIGKILL)
    assert sweep({}, directories=[owners.place]) == ()
    owner.kill()
    owner.wait(SECONDS)
    assert [swept.path for swept in sweep({}, directories=[owners.place])] == [path]
    assert owners.left == []


def test_twenty_at_once_never_touch_each_others(owners: Owners) -> None:
    twenty = [owners.start("ask") for _ in range(20)]
    paths = [Path(owners.said(owner)) for owner in twenty]
    assert len(set(paths)) == 20
    assert sweep({}, directories=[owners.place]) == ()
    for owner in twenty[::2]:
        owner.kill()
        owner.wait(SECONDS)
    survivors = sorted(path.name for path in paths[1::2])
    assert within(lambda: owners.left == survivors, SECONDS), owners.left
    assert sweep({}, directories=[owners.place]) == ()
    for owner, path in zip(twenty[1::2], paths[1::2], strict=True):
        assert (path / "config.json").is_file()
        owner.stdin.write("\n")  # type: ignore[union-attr]
        owner.stdin.flush()  # type: ignore[union-attr]
        assert owners.said(owner) == "True"
        owner.wait(SECONDS)
    assert within(owners.all_gone, SECONDS)


def test_a_guardian_does_not_delay_a_run_noticeably(tmp_path: Path) -> None:
    def once() -> float:
        started = time.perf_counter()
        config = TemporaryConfig.create({}, environ={}, where=(Place(tmp_path, "the test"),))
        took = time.perf_counter() - started
        config.remove()
        return took

    assert min(once() for _ in range(5)) < 0.1


def test_after_a_kill_what_a_build_runs_in_groups_of_its_own_ends_too(tmp_path: Path) -> None:
    """The commands of a step are below the builder, though not in its group."""
    script = "setsid sh -c 'echo $$; exec sleep 60' & wait"
    program = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    assert program.stdout is not None
    command = int(program.stdout.readline())
    config = TemporaryConfig.create({}, environ={}, where=(Place(tmp_path, "the test"),))
    config.guard_program(program.pid, leads_group=True, with_children=True)
    guardian = config._guardian
    assert guardian is not None
    guardian._close()  # as a kill does
    program.wait(SECONDS)
    assert within(lambda: not started(command))
    guardian._child.wait(SECONDS)
    assert list(tmp_path.iterdir()) == []
