"""After a kill the next start removes the copies of a build's secrets, and nothing that lives or is another's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from needed import root

from dockpass import turns
from dockpass.builders import copynotes
from dockpass.builders.copynotes import PREFIX, noted, sweep_copies

SINCE = 1_000_000.0
LATER = SINCE + 60


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "shared"
    place.mkdir()
    place.chmod(0o1777)
    monkeypatch.setattr(turns, "SHARED", (place,))
    return place


def made(path: Path, content: bytes = b"canary-value", at: float = SINCE + 1) -> Path:
    path.write_bytes(content)
    os.utime(path, (at, at))
    return path


def killed(shared: Path, where: Path) -> None:
    """Leave a note as a killed process does: with nobody who has it locked."""
    note = {"since": SINCE, "lengths": [12], "where": [[str(where), "buildah*"]]}
    (shared / f"{PREFIX}{os.getuid()}-left").write_text(json.dumps(note))


def test_only_what_is_as_old_and_as_long_as_the_note_says_goes(shared: Path, tmp_path: Path) -> None:
    killed(shared, tmp_path)
    copy = made(tmp_path / "buildah1")
    others = [
        made(tmp_path / "buildah2", b"another length"),
        made(tmp_path / "buildah3", at=SINCE - 60),
        made(tmp_path / "other"),
    ]
    (tmp_path / "buildah4").symlink_to(others[0])
    (tmp_path / "buildah5").mkdir()
    assert list(sweep_copies(LATER)) == [copy]
    assert not copy.exists()
    assert all(each.exists() for each in others)
    assert list(shared.iterdir()) == []
    assert list(sweep_copies(LATER)) == []


def test_what_is_young_or_mounted_stays_with_its_note(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(shared, tmp_path)
    copy = made(tmp_path / "buildah1")
    assert list(sweep_copies(SINCE + 2)) == []
    monkeypatch.setattr(copynotes, "_is_mounted", lambda _: True)
    assert list(sweep_copies(LATER)) == []
    assert copy.exists()
    monkeypatch.undo()
    monkeypatch.setattr(turns, "SHARED", (shared,))
    assert list(sweep_copies(LATER)) == [copy]


def test_a_note_holds_no_secret_and_is_gone_with_the_build(shared: Path, tmp_path: Path) -> None:
    where = ((str(tmp_path), "buildah*"),)
    with noted(frozenset({b"canary-value"}), where, SINCE) as problem:
        assert problem == ""
        copy = made(tmp_path / "buildah1")
        [note] = shared.iterdir()
        assert b"canary" not in note.read_bytes()
        assert note.stat().st_mode & 0o777 == 0o600
        assert list(sweep_copies(LATER)) == []  # its process lives
    assert copy.exists()
    assert list(shared.iterdir()) == []
    with noted(frozenset(), where, SINCE):
        assert list(shared.iterdir()) == []
    shared.chmod(0o700)
    with noted(frozenset({b"canary-value"}), where, SINCE) as problem:
        assert "no file can be made" in problem


def test_a_file_that_is_mounted_is_known_to_be(tmp_path: Path) -> None:
    root("a mount needs root's rights")
    source, target = made(tmp_path / f"buildah{os.getpid()}"), made(tmp_path / "target")
    script = f"mount --bind {source} {target} && echo mounted && exec sleep 60"
    child = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"mounted\n"
        assert copynotes._is_mounted(source)
    finally:
        child.kill()
        child.wait()
    assert not copynotes._is_mounted(tmp_path / "buildah0")


def test_after_a_real_kill_the_next_start_removes_them(shared: Path, tmp_path: Path) -> None:
    script = (
        "import sys, time, pathlib; from dockpass import turns;"
        f"turns.SHARED = (pathlib.Path({str(shared)!r}),);"
        "from dockpass.builders.copynotes import noted;"
        f"note = noted(frozenset([b'canary-value']), (({str(tmp_path)!r}, 'buildah*'),), time.time());"
        "note.__enter__(); print('noted', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"noted\n"
    copy = made(tmp_path / "buildah1", at=time.time())
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert list(sweep_copies(time.time() + 60)) == [copy]
    assert list(shared.iterdir()) == []
