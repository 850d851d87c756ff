"""What a build of podman or buildah leaves is told from what others have."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dockpass.builders.leftcontainers import mark_words, marked, new_mark, remove_marked
from dockpass.builders.names import BuilderName
from dockpass.dockerconfig.helpers import HelperAnswer

OURS, MORE, OTHER = ("a" * 64, "b" * 64, "c" * 64)


def container(storage: Path, name: str, said: str) -> None:
    state = storage / "overlay-containers" / name / "userdata" / "buildah.json"
    state.parent.mkdir(parents=True)
    state.write_text(said)


class Program:
    """podman or buildah as far as it removes containers."""

    def __init__(self, storage: Path, *, works: bool = True) -> None:
        self.storage = storage
        self.works = works
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, *words: str) -> HelperAnswer:
        self.asked.append(words)
        for name in words[words.index("--") + 1 :] if self.works else ():
            shutil.rmtree(self.storage / "overlay-containers" / name)
        return HelperAnswer("podman", status=0 if self.works else 1)


def test_only_the_containers_of_this_very_build_are_found(tmp_path: Path) -> None:
    mark, other = new_mark(), new_mark()
    assert mark != other
    options = f'{{"Secrets": ["{mark_words(mark)[1]}"]}}'
    container(tmp_path, OURS, options)
    container(tmp_path, MORE, options)
    container(tmp_path, OTHER, options.replace(mark, other))
    container(tmp_path, "--all", options)
    (tmp_path / "overlay-containers" / "d").mkdir()
    assert marked(tmp_path, mark) == (OURS, MORE)
    assert marked(tmp_path / "none", mark) == ()


@pytest.mark.parametrize(
    ("name", "words"),
    [(BuilderName.PODMAN, ("rm", "--force", "--", OURS)), (BuilderName.BUILDAH, ("rm", "--", OURS))],
)
def test_they_are_removed_and_that_is_looked_at(
    tmp_path: Path, name: BuilderName, words: tuple[str, ...]
) -> None:
    mark = new_mark()
    container(tmp_path, OURS, mark)
    container(tmp_path, OTHER, new_mark())
    program = Program(tmp_path)
    assert remove_marked(name, str(tmp_path), mark, program) == "1 container of the build is removed"
    assert program.asked == [words]
    assert (tmp_path / "overlay-containers" / OTHER).is_dir()
    assert remove_marked(name, str(tmp_path), mark, program) == ""
    assert remove_marked(name, "", mark, program) == ""


def test_what_stays_is_told_with_what_removes_it(tmp_path: Path) -> None:
    mark = new_mark()
    container(tmp_path, OURS, mark)
    said = remove_marked(BuilderName.BUILDAH, str(tmp_path), mark, Program(tmp_path, works=False))
    assert said == f"1 container of the build stayed in the storage of buildah: buildah rm {OURS[:12]}"
