"""What killed processes left is removed from every place, by every command; what lives or is not ours stays."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dockpass import keeping, turns
from dockpass.cli import screen
from dockpass.cli.main import cli
from dockpass.dockerconfig import places
from dockpass.engines.embedded.store import Store
from dockpass.keeping import keep, sweep_half_written
from dockpass.paths import paths
from dockpass.sandbox import leftovers as of_sandbox
from dockpass.session import leftovers
from dockpass.session.leftovers import PLACES, Here, Place, Removed, sweep_leftovers

LONG_AGO = time.time() - 3600
NOW = time.time()


def old(path: Path) -> Path:
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def a_file(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return old(path)


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """An environment whose every place is the test's own."""
    for name in ("home", "tmp", "shared", "run"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "shared").chmod(0o1777)
    monkeypatch.setattr(turns, "SHARED", (tmp_path / "shared",))
    return {
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        "DOCKPASS_STORE": str(tmp_path / "store"),
        "PATH": "/usr/bin:/bin",
    }


def here(environ: Mapping[str, str]) -> Here:
    where = paths(environ)
    return Here(environ, where, where.store, NOW)


def config_in(directory: Path) -> Path:
    path = directory / "dockpass-1-00000000000a"
    path.mkdir(mode=0o700)
    a_file(path / "config.json", "{}")
    a_file(path / places.LOCK, "")
    return old(path)


def sandbox_in(directory: Path) -> Path:
    path = directory / "dockpass-sandbox-abc"
    path.mkdir(mode=0o700)
    a_file(path / of_sandbox.LOCK, "")
    a_file(path / "blobs" / "x")
    return old(path)


def half_made_sandbox_in(directory: Path) -> Path:
    path = directory / "dockpass-sandbox-job-abc"
    path.mkdir(mode=0o700)
    return old(path)


def noted_file_in(state: Path, directory: Path) -> Path:
    path = a_file(directory / "job.env", "CI_JOB_TOKEN=x")
    with suppress(RuntimeError), of_sandbox.noted(state, path):
        note = next(state.glob(f"{of_sandbox.NOTE}*"))
        text = note.read_text()
        raise RuntimeError
    a_file(state / f"{of_sandbox.NOTE}0123456789abcdef", text)
    return path


def half_written_in(directory: Path, name: str = "realms.json") -> Path:
    return a_file(directory / f".{name}-abcd_123{keeping.SUFFIX}")


LEFT: Mapping[str, Callable[[Here, Path], Path]] = {
    "config in XDG_RUNTIME_DIR": lambda at, root: config_in(root / "run"),
    "config in TMPDIR": lambda at, root: config_in(root / "tmp"),
    "sandbox": lambda at, root: sandbox_in(root / "tmp"),
    "half-made sandbox": lambda at, root: half_made_sandbox_in(root / "tmp"),
    "file of a sandbox": lambda at, root: noted_file_in(at.paths.state, root / "home"),  # type: ignore[union-attr]
    "state": lambda at, root: half_written_in(at.paths.state),  # type: ignore[union-attr]
    "snapshot": lambda at, root: half_written_in(at.paths.state / "gitlab", "a.json"),  # type: ignore[union-attr]
    "settings": lambda at, root: half_written_in(at.paths.settings.parent, "config.toml"),  # type: ignore[union-attr]
    "note of a name": lambda at, root: half_written_in(root / "shared", "dockpass-name-0-a"),
    "turn": lambda at, root: a_file(root / "shared" / f"{turns.PREFIX}{'a' * 32}", ""),
    "turn that was never taken": lambda at, root: a_file(root / "shared" / f"{turns.PREFIX}abcd_123", ""),
    "blob": lambda at, root: a_file(root / "store" / "ingest" / "tmpabc"),
    "list of images": lambda at, root: a_file(root / "store" / ".index.json-abcd_123"),
}
"""One thing for each place in which something can lie."""


@pytest.mark.parametrize("what", LEFT)
def test_it_is_removed_and_told(environ: Mapping[str, str], tmp_path: Path, what: str) -> None:
    path = LEFT[what](here(environ), tmp_path)
    swept = sweep_leftovers(here(environ))
    assert [each.path for each in swept.removed] == [path]
    assert swept.problems == ()
    assert not os.path.lexists(path)


def test_a_note_goes_with_its_file(environ: Mapping[str, str], tmp_path: Path) -> None:
    state = paths(environ).state
    noted_file_in(state, tmp_path / "home")
    sweep_leftovers(here(environ))
    assert list(state.iterdir()) == []


WITHOUT_A_LOCK = {"half-made sandbox", "list of images", "blob"}


@pytest.mark.parametrize("what", sorted(LEFT.keys() - WITHOUT_A_LOCK))
def test_what_is_locked_stays(environ: Mapping[str, str], tmp_path: Path, what: str) -> None:
    path = LEFT[what](here(environ), tmp_path)
    locks = [path / places.LOCK, path / of_sandbox.LOCK, *paths(environ).state.glob(f"{of_sandbox.NOTE}*")]
    lock = next((each for each in locks if each.exists()), path)
    with lock.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert sweep_leftovers(here(environ)).removed == ()
    assert os.path.lexists(path)


def test_a_store_in_use_stays(environ: Mapping[str, str], tmp_path: Path) -> None:
    path = LEFT["blob"](here(environ), tmp_path)
    with Store(tmp_path / "store").in_use():
        assert sweep_leftovers(here(environ)) == leftovers.Swept((), ())
    assert path.exists()


@pytest.mark.parametrize("what", LEFT)
def test_what_was_made_a_moment_ago_and_has_no_owner_yet_stays(
    environ: Mapping[str, str], tmp_path: Path, what: str
) -> None:
    path = LEFT[what](here(environ), tmp_path)
    if what in {"blob", "list of images", "file of a sandbox"} or "config" in what:
        return  # a lock says whose they are from their first moment
    for each in (path, path / of_sandbox.LOCK):
        if each.exists():
            os.utime(each, (NOW, NOW))
    assert sweep_leftovers(here(environ)).removed == ()


@pytest.mark.parametrize(
    "name",
    [
        "home/.config/dockpass/.config.toml-original",
        "home/.config/dockpass/config.toml.dockpass-new",
        "home/.local/state/dockpass/realms.json",
        "tmp/dockpass-1-00000000000a",
        "tmp/dockpass-notes",
        "shared/dockpass-turn-mine",
        "store/index.json.damaged-abcd_123",
        "home/job.env",
    ],
)
def test_what_has_another_name_or_is_a_plain_file_stays(
    environ: Mapping[str, str], tmp_path: Path, name: str
) -> None:
    path = a_file(tmp_path / name)
    assert sweep_leftovers(here(environ)) == leftovers.Swept((), ())
    assert path.exists()


def test_a_link_is_not_followed(environ: Mapping[str, str], tmp_path: Path) -> None:
    target = a_file(tmp_path / "precious")
    state = paths(environ).state
    state.mkdir(parents=True)
    (state / f".x-abcd_123{keeping.SUFFIX}").symlink_to(target)
    (tmp_path / "tmp" / "dockpass-sandbox-x").symlink_to(tmp_path / "home")
    assert sweep_leftovers(here(environ)).removed == ()
    assert target.exists()


def test_a_file_that_was_replaced_since_it_was_noted_stays(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    path = noted_file_in(paths(environ).state, tmp_path / "home")
    other = a_file(tmp_path / "home" / "new", "mine")
    other.replace(path)
    assert sweep_leftovers(here(environ)).removed == ()
    assert path.read_text() == "mine"


def test_another_users_file_stays(
    environ: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [
        make(here(environ), tmp_path) for what, make in LEFT.items() if what not in {"blob", "list of images"}
    ]
    monkeypatch.setattr(os, "getuid", lambda: 4242)
    sweep_leftovers(here(environ))
    assert all(os.path.lexists(path) for path in left if "sandbox-job" not in path.name), left


def test_a_place_that_fails_is_a_warning_and_the_others_are_swept(
    environ: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Here) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied", "/somewhere")

    path = config_in(tmp_path / "tmp")
    monkeypatch.setattr(leftovers, "PLACES", (Place("lock", broken), *PLACES))
    swept = sweep_leftovers(here(environ))
    assert swept.removed == (Removed("config", path),)
    [problem] = swept.problems
    assert "/somewhere" in problem


def test_without_a_home_the_places_outside_of_it_are_swept(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    path = config_in(tmp_path / "tmp")
    assert [each.path for each in sweep_leftovers(Here(environ, None, None, NOW)).removed] == [path]


def test_a_file_that_is_being_written_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []

    def swept_meanwhile(handle: int) -> None:
        seen.extend(sweep_half_written(tmp_path, NOW + 10**6))

    monkeypatch.setattr(keeping.os, "fsync", swept_meanwhile)
    keep(tmp_path / "a.json", b"{}")
    assert seen == []
    assert (tmp_path / "a.json").read_bytes() == b"{}"


# -- every command


WORDS: Mapping[str, list[str]] = {
    "explain": ["push", "--repo=registry.invalid/a"],
    "probe": ["push"],
    "config": [],
    "build": [],
    "push": [],
    "pull": [],
    "cleanup": [],
    "deploy": [],
    "images": [],
    "sandbox": ["--env-file=job.env"],
    "try": [],
    "settings": [],
    "paths": [],
}
"""Enough to get a command going; most are refused then, for no repository is known."""

GROUPS = {"vars": ["show"]}


@pytest.fixture
def program(
    environ: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., object]:
    monkeypatch.chdir(tmp_path / "home")
    for name in os.environ:
        monkeypatch.delenv(name)
    a_file(tmp_path / "home" / "job.env")  # is there already, so no sandbox starts
    monkeypatch.setattr(screen, "start_or_offer", lambda *_, **__: 0)
    monkeypatch.setattr(screen, "start_screen", lambda *_, **__: 0)

    def run(*words: str) -> str:
        result = CliRunner().invoke(cli, list(words), env=dict(environ), prog_name="dockpass")
        return result.output

    return run


@pytest.mark.parametrize("command", ["", *cli.list_commands(click.Context(cli))])
def test_every_command_sweeps(program: Callable[..., object], tmp_path: Path, command: str) -> None:
    path = config_in(tmp_path / "tmp")
    words = [command, *WORDS.get(command, GROUPS.get(command, []))] if command else []
    shown = program(*words)
    swept = command not in {"completions"}
    assert os.path.lexists(path) != swept, shown
    assert (str(path) in str(shown)) == swept


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["push", "--help"], ["images", "rm", "-h"], ["completions", "bash"]]
)
def test_help_and_the_like_touch_nothing(
    program: Callable[..., object], tmp_path: Path, words: list[str]
) -> None:
    path = config_in(tmp_path / "tmp")
    program(*words)
    assert path.exists()


# -- a real kill


@pytest.mark.parametrize("moment", ["started", "ready"])
def test_a_killed_sandbox_leaves_nothing_after_the_next_command(
    environ: Mapping[str, str], tmp_path: Path, moment: str
) -> None:
    file = tmp_path / "home" / "sandbox.env"
    child = subprocess.Popen(
        [sys.executable, "-m", "dockpass", "sandbox", f"--env-file={file}"],
        env={**environ, "PYTHONPATH": ":".join(sys.path)},
        cwd=tmp_path / "home",
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stderr is not None
        if moment == "ready":
            assert any("Ctrl-C stops it" in line for line in child.stderr)
            assert file.exists()
        else:
            await_any(
                tmp_path / "tmp", "dockpass-*"
            )  # Python tries the directory with a file of its own before
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    later = Here(environ, paths(environ), paths(environ).store, time.time() + 1000)
    sweep_leftovers(later)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not file.exists()
    assert not list(paths(environ).state.glob(f"*{of_sandbox.NOTE}*"))


def await_any(directory: Path, names: str) -> None:
    until = time.monotonic() + 30
    while not any(directory.glob(names)):
        assert time.monotonic() < until
