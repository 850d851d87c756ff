"""Signals at each moment, statuses, and what outlives a program."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from waiting import within

from dockpass.dockerconfig.places import Place
from dockpass.dockerconfig.temporary import TemporaryConfig
from dockpass.errors import DockpassError, NotExecutable, NotFound
from dockpass.processes import descendants, name_of, processes, started, using
from dockpass.programs.process import Ending, Watch
from dockpass.programs.run import outcome_of
from dockpass.programs.survivors import end, survivors
from dockpass.programs.system import Reads

_STANDARD = (1 << 31) - 1
"""Signals 1 to 31: of the others, the C library ignores two of its own in every process that it spawns."""

FAILED = DockpassError("config-not-removed", "It is still there.")


@pytest.mark.parametrize(
    ("ending", "received", "failure", "status", "number"),
    [
        (Ending(0), 0, None, 0, 0),
        (Ending(7), 0, None, 7, 0),
        (Ending(0, signal.SIGKILL), 0, None, 137, 9),
        (Ending(0), 0, FAILED, 125, 0),
        (Ending(7), 0, FAILED, 7, 0),
        (None, signal.SIGTERM, None, 143, 15),
        (None, 0, FAILED, 125, 0),
        (None, 0, NotFound("program-not-found", "There is none."), 127, 0),
        (None, 0, NotExecutable("program-not-executable", "It is none."), 126, 0),
    ],
)
def test_the_status_is_the_programs_unless_it_succeeded_and_dockpass_did_not(
    ending: Ending | None, received: int, failure: DockpassError | None, status: int, number: int
) -> None:
    outcome = outcome_of(ending, received, failure)
    assert (outcome.exit_status, outcome.signal, outcome.failure) == (status, number, failure)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM])
def test_a_signal_before_the_program_starts_nothing(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Watch() as watch:
        os.kill(os.getpid(), number)
        assert watch.received == number
        assert watch.start("/bin/true", ["true"], {}) == 0
    assert signal.getsignal(number) is before


def test_what_the_system_cannot_start_is_126_and_a_script_without_a_first_line_is_one_of_sh(
    tmp_path: Path,
) -> None:
    for name, text in (("broken", "#!/no/such/interpreter\n"), ("plain", "exit $1\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    with Watch() as watch:
        with pytest.raises(NotExecutable, match="No such file"):
            watch.start(f"{tmp_path}/broken", ["broken"], {})
        with pytest.raises(NotExecutable, match="null byte"):
            watch.start("/bin/true", ["true"], {"NAME": "a\0b"})
        assert watch.start(f"{tmp_path}/plain", ["plain", "9"], {})
        assert watch.wait() == Ending(9)


def test_a_child_starts_with_the_signals_of_a_shell_also_where_a_thread_blocks_them() -> None:
    """Nothing that dockpass ignores or blocks for itself is ignored or blocked in the program."""
    with Watch() as watch:
        reading, writing = os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, writing, 1)]
        script = "grep -E 'Sig(Blk|Ign)' /proc/self/status"
        assert watch.start("/bin/sh", ["sh", "-c", script], {"PATH": os.environ["PATH"]}, actions)
        os.close(writing)
        assert watch.wait() == Ending(0)
        with os.fdopen(reading) as file:
            masks = [int(line.split()[1], 16) & _STANDARD for line in file]
    assert masks == [0, 0]


def test_what_comes_back_under_the_name_is_removed_for_as_long_as_somebody_can_bring_it_back(
    tmp_path: Path,
) -> None:
    config = TemporaryConfig.create({}, environ={}, where=(Place(tmp_path, "the test"),))
    [guardian] = config.guardians
    late = subprocess.Popen(["sleep", "30"], env={"DOCKER_CONFIG": str(config.path)})
    assert within(
        lambda: set(using(config.path, [late.pid]))
    )  # a program's environment comes a moment after it
    known = processes()
    assert set(using(config.path, known)) == {os.getpid(), late.pid}  # the lock is this process's
    assert late.pid in descendants(os.getpid(), known)
    assert late.pid in survivors(config.path, config.guardians)
    assert name_of(late.pid) == "sleep"
    assert config.remove([late.pid]).gone
    again = tmp_path / "again"
    again.mkdir(mode=0o700)
    (again / "config.json").write_text("{}")
    again.rename(config.path)  # whole at once: the guardian may take it at any time
    assert within(lambda: not config.path.exists())
    assert end([late.pid]) == ()
    assert within(lambda: not started(guardian))


def test_reads_of_the_config_are_counted(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "other").write_text("")
    reads = Reads(tmp_path, "config.json")
    for _ in range(3):
        (tmp_path / "config.json").read_text()
    (tmp_path / "other").read_text()
    assert reads.count() in {3, None}
    reads.close()
    assert reads.count() is None
