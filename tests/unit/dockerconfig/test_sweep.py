"""The sweep removes what a killed dockpass left, and nothing else."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import needed
import pytest
from bounds import counted

from dockpass.dockerconfig.places import LOCK, Place
from dockpass.dockerconfig.sweep import GRACE_SECONDS, MOST, sweep
from dockpass.dockerconfig.temporary import TemporaryConfig

NAME = "dockpass-1-00000000000a"


def left_over(directory: Path, name: str = NAME, lock: bool = True) -> Path:
    path = directory / name
    path.mkdir()
    path.chmod(0o700)
    (path / "config.json").write_text("{}")
    if lock:
        (path / LOCK).write_text("")
    return path


def swept(directory: Path, later: float = 0) -> list[Path]:
    found = sweep({}, directories=[directory], now=lambda: time.time() + later)
    return [one.path for one in found]


def test_a_directory_whose_owner_is_gone_is_removed_and_told(tmp_path: Path) -> None:
    path = left_over(tmp_path)
    [one] = sweep({}, directories=[tmp_path, tmp_path])
    assert (one.path, one.because) == (path, "the process that made it has ended")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_whose_owner_lives_is_left_alone(tmp_path: Path) -> None:
    config = TemporaryConfig.create({}, environ={}, where=(Place(tmp_path, "the test"),))
    assert swept(tmp_path, later=10 * GRACE_SECONDS) == []
    assert config.config_file.is_file()
    config.remove()


def test_a_directory_that_is_being_created_gets_its_time(tmp_path: Path) -> None:
    path = left_over(tmp_path, lock=False)
    assert swept(tmp_path) == []
    assert swept(tmp_path, later=GRACE_SECONDS - 5) == []
    [one] = sweep({}, directories=[tmp_path], now=lambda: time.time() + GRACE_SECONDS + 1)
    assert (one.path, one.because) == (path, "it was never finished")


def test_a_lock_is_never_seen_free_while_a_config_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sweep in the worst moments: before and after each step by which the lock comes to be."""
    lock, rename = fcntl.flock, Path.rename

    def flock(handle: int, operation: int) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(fcntl, "flock", lock)
            assert swept(tmp_path) == []
        lock(handle, operation)

    def renamed(path: Path, target: Path) -> Path:
        assert swept(tmp_path) == []
        result = rename(path, target)
        assert swept(tmp_path, later=10 * GRACE_SECONDS) == []
        return result

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(Path, "rename", renamed)
    config = TemporaryConfig.create({}, environ={}, where=(Place(tmp_path, "the test"),))
    monkeypatch.undo()
    assert config.config_file.is_file()
    assert config.remove().gone


@pytest.mark.parametrize(
    "name",
    ["dockpass-notes", "dockpass-1-short", "dockpass-x-00000000000a", "dockpass-1-00000000000a.bak", "x"],
)
def test_another_name_is_left_alone_whatever_its_age(tmp_path: Path, name: str) -> None:
    path = left_over(tmp_path, name)
    left_over(tmp_path, f"{name}-", lock=False)
    assert swept(tmp_path, later=10 * GRACE_SECONDS) == []
    assert path.is_dir()


def test_another_mode_a_link_and_a_file_are_left_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    place = tmp_path / "place"
    place.mkdir()
    left_over(place, "dockpass-1-00000000000b").chmod(0o755)
    (place / "dockpass-1-00000000000c").symlink_to(left_over(outside))
    (place / "dockpass-1-00000000000d").write_text("")
    assert swept(place, later=10 * GRACE_SECONDS) == []
    assert len(list(place.iterdir())) == 3
    assert len(list(outside.iterdir())) == 1


def test_a_lock_that_is_a_link_or_a_pipe_is_not_ours(tmp_path: Path) -> None:
    linked = left_over(tmp_path, lock=False)
    (linked / LOCK).symlink_to(tmp_path / "elsewhere")
    assert swept(tmp_path, later=10 * GRACE_SECONDS) == []
    assert not (tmp_path / "elsewhere").exists()


def test_a_directory_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    needed.root("only root may give a directory away")
    os.chown(left_over(tmp_path), 12345, -1)
    assert swept(tmp_path, later=10 * GRACE_SECONDS) == []


def test_links_in_a_left_over_directory_are_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious").write_text("")
    (left_over(tmp_path) / "plugins").symlink_to(victim)
    assert len(swept(tmp_path)) == 1
    assert (victim / "precious").is_file()


def test_one_sweep_is_bounded_and_the_next_goes_on(tmp_path: Path) -> None:
    for number in range(MOST + 5):
        left_over(tmp_path, f"dockpass-1-{number:012x}")
    assert len(swept(tmp_path)) == MOST
    assert len(swept(tmp_path)) == 5


def test_a_place_that_is_missing_or_a_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert sweep({}, directories=[tmp_path / "none", tmp_path / "file", Path("\0")]) == ()


def test_the_places_are_those_of_the_environment_also_one_that_is_refused_today(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path = left_over(tmp_path)
    assert path in [one.path for one in sweep({"XDG_RUNTIME_DIR": str(tmp_path)})]


def test_it_costs_next_to_nothing_where_nothing_is_left(tmp_path: Path) -> None:
    with counted() as cost:
        sweep({}, directories=[tmp_path])
    assert cost.calls < 100
