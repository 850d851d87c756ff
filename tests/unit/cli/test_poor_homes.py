"""Homes that are missing, are no directory, or cannot be written: the work is done, or the place is named."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from needed import missing
from program import Program

from dockpass.errors import UsageError
from dockpass.keeping import keep
from dockpass.paths import home_directory, paths

STRANGER = 4_200_000_011
"""A user id without an account."""

UNKNOWN = f"import os; os.getuid = lambda: {STRANGER}"
NO_FAULT = ("fault of dockpass", "Traceback", "KeyError")


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path, {"DOCKPASS_STORE": str(tmp_path / "images"), "DOCKPASS_STATE": ""})
    (made.work / "Dockerfile").write_text('FROM scratch\nCOPY Dockerfile /\nCMD ["/x"]\n')
    yield made
    made.remove()


def read_only(path: Path) -> str:
    """Return shell words that make `path` a read-only file system for what is started; skips where that is denied."""
    probe = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "-o", "ro", "t", str(path)], capture_output=True
    )
    if probe.returncode:
        missing("no mounts can be made here")
    return f"mount -t tmpfs -o ro,size=64k t {path}"


def full(path: Path) -> str:
    """The same with one on which nothing has room any more."""
    read_only(path)
    return f"mount -t tmpfs -o size=4k t {path} && head -c 4096 /dev/zero > {path}/fill"


def run_there(
    program: Program, prepare: str, *arguments: str, **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{prepare} && exec "$@"', "sh", *program.command(*arguments)],
        cwd=program.work,
        env=program.variables(**more),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def build(program: Program) -> tuple[str, ...]:
    return ("build", "--engine", "embedded", "--tag", "registry.example/a:1")


@pytest.mark.parametrize("surroundings", [read_only, full])
def test_a_build_in_a_home_that_takes_nothing_is_done_with_one_warning(
    program: Program, surroundings
) -> None:
    home = program.directory / "home"
    ended = run_there(program, surroundings(home), *build(program))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("sha256:")
    warnings = [line for line in ended.stderr.splitlines() if "▲" in line]
    assert len(warnings) == 1
    assert str(home) in warnings[0]


@pytest.mark.parametrize("surroundings", [read_only, full])
def test_a_store_that_takes_nothing_is_named(program: Program, surroundings) -> None:
    store = program.directory / "images"
    store.mkdir()
    ended = run_there(program, surroundings(store), *build(program))
    assert ended.returncode == 1, ended.stderr
    assert str(store) in ended.stderr
    assert not any(words in ended.stderr for words in NO_FAULT)


@pytest.mark.parametrize("home", ["a file", "below a file", "missing", "relative"])
def test_a_home_that_is_none_does_not_stop_a_build(program: Program, home: str) -> None:
    (program.directory / "file").write_text("")
    where = {
        "a file": str(program.directory / "file"),
        "below a file": str(program.directory / "file" / "home"),
        "missing": str(program.directory / "none" / "home"),
        "relative": "some/where",
    }[home]
    ended = program.run(*build(program), HOME=where)
    assert ended.returncode == 0, ended.stderr
    assert ("▲ this could not be saved for the next run" in ended.stderr) == home.endswith("a file")
    for arguments in (
        ["explain", "push", "--repo", "a.example/b"],
        ["settings"],
        ["paths"],
        ["config"],
        ["images"],
    ):
        assert program.run(*arguments, HOME=where).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain", "push", "--repo", "a.example/b"],
        ["build", "--engine", "embedded"],
        ["images"],
        ["paths"],
        ["settings"],
        ["config"],
        ["probe", "push", "--repo", "127.0.0.1:1/a"],
        ["push", "--repo", "127.0.0.1:1/a"],
        ["cleanup", "--repo", "127.0.0.1:1/a", "--dry-run"],
        ["--version", "--verbose"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_user_without_account_and_home_is_told_to_set_it(program: Program, arguments: list[str]) -> None:
    program.meddling = UNKNOWN
    ended = program.run(*arguments, HOME="")
    assert ended.returncode == 2, ended.stderr
    assert "Set HOME" in ended.stderr
    assert not any(words in ended.stderr for words in NO_FAULT)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["push", "--help"]])
def test_what_needs_no_home_works_without_one(program: Program, arguments: list[str]) -> None:
    program.meddling = UNKNOWN
    assert program.run(*arguments, HOME="").returncode == 0


def test_nor_does_anything_whose_places_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: STRANGER)
    moved = {f"XDG_{kind}_HOME": f"/x/{kind}" for kind in ("CONFIG", "STATE", "DATA")}
    assert paths(moved).state == Path("/x/STATE/dockpass")
    with pytest.raises(UsageError) as caught:
        paths({**moved, "XDG_DATA_HOME": "relative"})
    assert caught.value.id == "no-home"


def test_a_home_that_is_empty_is_that_of_the_account() -> None:
    assert home_directory({"HOME": ""}) == home_directory({}) == Path(pwd.getpwuid(os.getuid()).pw_dir)


def test_a_directory_that_is_gone_is_said(program: Program) -> None:
    program.meddling = "import os; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')"
    ended = program.run("explain", "push", "--repo", "a.example/b")
    assert ended.returncode == 2
    assert "current directory" in ended.stderr


def test_no_place_for_temporary_files_is_named(program: Program) -> None:
    program.meddling = (
        "import tempfile\n"
        "def none(*_): raise FileNotFoundError(2, \"No usable temporary directory found in ['/nowhere']\")\n"
        "tempfile.gettempdir = none"
    )
    ended = program.run("sandbox")
    assert ended.returncode == 1
    assert "/nowhere" in ended.stderr
    assert not any(words in ended.stderr for words in NO_FAULT)


def test_a_fault_whose_details_cannot_be_kept_does_not_claim_that_they_were(program: Program) -> None:
    program.meddling = "import dockpass.cli.explain as explain; explain.explain_text = None"
    ended = program.run("explain", "push", "--repo", "a.example/b", DOCKPASS_LOG="/dev/full")
    assert ended.returncode == 1
    assert "could not be logged" in ended.stderr
    assert "No space left" in ended.stderr


def test_what_is_kept_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "file.json"
    keep(path, json.dumps([1]).encode())
    assert (path.stat().st_mode & 0o777, path.read_text()) == (0o600, "[1]")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        keep(path, b"two")
    assert [each.name for each in path.parent.iterdir()] == ["file.json"]
    assert path.read_text() == "[1]"
