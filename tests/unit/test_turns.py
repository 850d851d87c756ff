"""One process at a time, of whichever user; a holder that is killed gives its turn up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import needed
import pytest

from dockpass import turns
from dockpass.turns import NoTurn, turn

HOLD = """
import hashlib, os, sys  # another user may not be able to read this Python any more
from pathlib import Path
from dockpass import turns
turns.SHARED = (Path(sys.argv[1]),)
if sys.argv[2]:
    os.setuid(int(sys.argv[2]))
os.umask(0o077)
def wait(path):
    raise SystemExit("taken")
with turns.turn("a", wait):
    print("held", flush=True)
    sys.stdin.read()
"""


class Taken(Exception):
    """Another has the turn."""


def give_up(_path: Path) -> None:
    raise Taken


@pytest.fixture(autouse=True)
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    place = Path(tempfile.mkdtemp())  # pytest's own directories are closed to other users
    place.chmod(0o1777)
    monkeypatch.setattr(turns, "SHARED", (place,))
    yield place
    shutil.rmtree(place)


def holder(shared: Path, user: str = "") -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(shared), user], stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n", child.communicate()
    return child


@pytest.fixture
def held(shared: Path) -> Iterator[subprocess.Popen[str]]:
    child = holder(shared)
    yield child
    child.kill()
    child.communicate()


def test_a_turn_is_one_process_at_a_time_and_leaves_nothing(shared: Path) -> None:
    with turn("a", give_up):
        with pytest.raises(Taken), turn("a", give_up):
            pass
        with turn("b", give_up):
            pass
        assert [path.stat().st_size for path in shared.iterdir()] == [0]
    with turn("a", give_up):
        pass
    assert list(shared.iterdir()) == []


def test_a_killed_holder_gives_its_turn_up(held: subprocess.Popen[str]) -> None:
    with pytest.raises(Taken), turn("a", give_up):
        pass
    held.kill()
    held.wait(10)
    with turn("a", give_up):
        pass


def test_users_wait_for_each_other(shared: Path) -> None:
    needed.root("only root can be another user")
    child = holder(shared, "65534")
    with pytest.raises(Taken), turn("a", give_up):
        pass
    child.kill()
    child.communicate()
    with turn("a", give_up):  # its file, which only root could remove
        pass
    mine = holder(shared)
    other = subprocess.run(
        [sys.executable, "-c", HOLD, str(shared), "65534"], input="", capture_output=True, text=True
    )
    assert "taken" in other.stderr
    mine.kill()
    mine.communicate()


@pytest.mark.parametrize("what", ["directory", "link", "fifo"])
def test_what_is_no_file_is_no_turn(shared: Path, what: str) -> None:
    with turn("a", give_up):
        [path] = shared.iterdir()
    if what == "directory":
        path.mkdir()
    elif what == "link":
        path.symlink_to(shared / "elsewhere")
    else:
        os.mkfifo(path)
    with pytest.raises(NoTurn), turn("a", give_up):
        pass
    assert path.name in {found.name for found in shared.iterdir()}


def test_without_a_place_that_all_may_write_there_is_no_turn(shared: Path) -> None:
    shared.chmod(0o700)
    with pytest.raises(NoTurn), turn("a", give_up):
        pass
