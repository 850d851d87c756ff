"""What podman and buildah leave of a build's secrets is removed, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dockpass.builders.copies import copies, in_variables, places, remove_copies, values_of
from dockpass.engines.base import BuildSecret
from dockpass.secrets import Secret

VALUES = ("canary-of-a-build", "päss\nword", "raw-\udcff", "")


@pytest.mark.parametrize("value", VALUES)
def test_only_what_holds_a_secret_of_this_build_goes(tmp_path: Path, value: str) -> None:
    raw = os.fsencode(value)
    (tmp_path / "buildah0").write_bytes(raw)
    where = ((str(tmp_path), "buildah*"),)
    before = copies(where)
    (tmp_path / "buildah1").write_bytes(raw)
    (tmp_path / "buildah1").chmod(0o400)
    (tmp_path / "buildah2").write_bytes(raw + b"x")
    (tmp_path / "buildah3").write_bytes(bytes(reversed(raw)) + b"y")
    (tmp_path / "buildah4").mkdir()
    (tmp_path / "buildah5").symlink_to(tmp_path / "buildah0")
    (tmp_path / "other").write_bytes(raw)
    assert remove_copies(frozenset({b"another-value", raw}), before, where) == []
    left = sorted(each.name for each in tmp_path.iterdir())
    assert left == ["buildah0", "buildah2", "buildah3", "buildah4", "buildah5", "other"]


def test_without_secrets_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / "buildah1").write_text("")
    assert remove_copies(frozenset(), frozenset(), ((str(tmp_path), "buildah*"),)) == []
    assert remove_copies(frozenset({b"x"}), frozenset(), ((str(tmp_path / "none"), "buildah*"),)) == []
    assert (tmp_path / "buildah1").exists()


def test_what_cannot_be_removed_is_named_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "buildah1").write_text("canary-value")

    def denied(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "unlink", denied)
    [told] = remove_copies(frozenset({b"canary-value"}), frozenset(), ((str(tmp_path), "buildah*"),))
    assert (
        told
        == f"{tmp_path}/buildah1 holds a secret of the build and cannot be removed: Operation not permitted"
    )


def test_the_text_of_a_file_goes_in_a_variable_and_anything_else_stays_a_file(tmp_path: Path) -> None:
    """Of a file buildah makes its copy in its storage, where a cancel leaves it."""
    contents = {"text": "pässword\n".encode(), "odd": b"raw-\xff", "nul": b"a\0b", "large": b"x" * 200_000}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    given = [BuildSecret(id=name, file=tmp_path / name) for name in (*contents, "none")]
    taken = in_variables([*given, BuildSecret(id="own", value=Secret("own"))])
    assert [each.id for each in taken if each.file] == ["nul", "large", "none"]
    assert values_of(taken) == {*contents.values(), b"own"}
    assert (
        os.fsencode(next(each.value.reveal() for each in taken if each.id == "odd" and each.value))
        == b"raw-\xff"
    )


def test_copies_in_the_storage_of_containers_are_found_too(tmp_path: Path) -> None:
    left = tmp_path / "vfs-containers" / "1a2b" / "userdata" / "secrets" / "key"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"a\0b")
    where = places({"TMPDIR": str(tmp_path / "tmp")}, str(tmp_path))
    assert (str(tmp_path / "tmp"), "buildah*") in where
    assert remove_copies(frozenset({b"a\0b"}), frozenset(), where[-1:]) == []
    assert not left.exists()
