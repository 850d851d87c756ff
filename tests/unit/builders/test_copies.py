"""What podman and buildah leave of a build's secrets is removed, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dockpass.builders.copies import files_of_builds, remove_copies
from dockpass.secrets import Secret

VALUES = ("canary-of-a-build", "päss\nword", "raw-\udcff", "")


@pytest.mark.parametrize("value", VALUES)
def test_only_what_holds_a_secret_of_this_build_goes(tmp_path: Path, value: str) -> None:
    raw = os.fsencode(value)
    (tmp_path / "buildah0").write_bytes(raw)
    before = files_of_builds(tmp_path)
    (tmp_path / "buildah1").write_bytes(raw)
    (tmp_path / "buildah1").chmod(0o400)
    (tmp_path / "buildah2").write_bytes(raw + b"x")
    (tmp_path / "buildah3").write_bytes(bytes(reversed(raw)) + b"y")
    (tmp_path / "buildah4").mkdir()
    (tmp_path / "buildah5").symlink_to(tmp_path / "buildah0")
    (tmp_path / "other").write_bytes(raw)
    assert remove_copies([Secret("another-value"), Secret(value)], before, tmp_path) == []
    left = sorted(each.name for each in tmp_path.iterdir())
    assert left == ["buildah0", "buildah2", "buildah3", "buildah4", "buildah5", "other"]


def test_without_secrets_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / "buildah1").write_text("")
    assert remove_copies([], frozenset(), tmp_path) == []
    assert remove_copies([Secret("x")], frozenset(), tmp_path / "none") == []
    assert (tmp_path / "buildah1").exists()


def test_what_cannot_be_removed_is_named_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "buildah1").write_text("canary-value")

    def denied(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "unlink", denied)
    [told] = remove_copies([Secret("canary-value")], frozenset(), tmp_path)
    assert (
        told
        == f"{tmp_path}/buildah1 holds a secret of the build and cannot be removed: Operation not permitted"
    )
