"""What a build sends."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from dockpass.engines.context import Context, open_context, visible_names
from dockpass.errors import Cancelled, UsageError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "context"
    made.mkdir()
    (made / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (made / "hello").write_text("hello")
    return made


def opened(root: Path, dockerfile: Path | None = None) -> Context:
    return open_context(root, dockerfile or root / "Dockerfile", lambda: None)


def archive(context: Context) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(b"".join(context.chunks(lambda sent: None))))


def names(context: Context) -> set[str]:
    return set(archive(context).getnames())


def text(context: Context, name: str) -> str:
    file = archive(context).extractfile(name)
    assert file is not None
    return file.read().decode()


def test_files_directories_links_and_modes_arrive(root: Path) -> None:
    (root / "sub" / "empty").mkdir(parents=True)
    (root / "sub" / "run").write_text("#!")
    (root / "sub" / "run").chmod(0o755)
    (root / "link").symlink_to("hello")
    (root / "twin").hardlink_to(root / "hello")
    (root / ("long" * 40)).write_text("x" * 100_000)
    os.mkfifo(root / "pipe")
    tar = archive(opened(root))
    assert set(tar.getnames()) >= {"Dockerfile", "hello", "sub", "sub/empty", "sub/run", "link", "pipe"}
    assert tar.getmember("sub/run").mode == 0o755
    assert tar.getmember("link").linkname == "hello"
    assert tar.getmember("twin").linkname == "hello"
    assert tar.getmember("long" * 40).size == 100_000
    assert {(member.uid, member.uname) for member in tar} == {(0, "")}


def test_the_ignore_file_excludes_but_for_what_the_engine_needs(root: Path) -> None:
    (root / ".dockerignore").write_text("# all\n*\n!keep\n")
    (root / "keep").mkdir()
    (root / "keep" / "this").write_text("")
    assert names(opened(root)) == {".dockerignore", "Dockerfile", "keep", "keep/this"}


def test_an_ignore_file_beside_the_dockerfile_is_for_buildkit_only(root: Path) -> None:
    (root / ".dockerignore").write_text("hello\n")
    (root / "Dockerfile.dockerignore").write_text("other\nDockerfile.*\n.dockerignore")
    (root / "other").write_text("")
    assert names(opened(root)) == {".dockerignore", "Dockerfile", "Dockerfile.dockerignore", "other"}
    assert visible_names(root, root / "Dockerfile", lambda: None) == ("Dockerfile", "hello")


def test_a_dockerfile_outside_the_context_is_sent_and_hidden_from_copy(root: Path) -> None:
    outside = root.parent / "My.Dockerfile"
    outside.write_text("FROM scratch\n")
    context = opened(root, outside)
    assert context.dockerfile.startswith(".dockerfile.")
    assert text(context, context.dockerfile) == "FROM scratch\n"
    assert text(context, ".dockerignore").splitlines() == [".dockerignore", context.dockerfile]
    assert names(context) == {".dockerignore", "Dockerfile", "hello", context.dockerfile}


def test_an_outside_dockerfile_keeps_the_contexts_own_ignore_file(root: Path) -> None:
    (root / ".dockerignore").write_text("hello")
    outside = root.parent / "My.Dockerfile"
    outside.write_text("FROM scratch\n")
    context = opened(root, outside)
    assert text(context, ".dockerignore").splitlines() == ["hello", context.dockerfile]
    assert "hello" not in names(context)
    assert archive(context).getnames().count(".dockerignore") == 1


def test_the_same_files_give_the_same_bytes(root: Path) -> None:
    assert [*opened(root).chunks(lambda sent: None)] == [*opened(root).chunks(lambda sent: None)]


@pytest.mark.parametrize(
    ("context", "dockerfile", "wrong", "words"),
    [
        ("nowhere", "context/Dockerfile", "context-missing", "does not exist"),
        ("context/hello", "context/Dockerfile", "context-missing", "is not a directory"),
        ("context", "context/Nope", "dockerfile-missing", "no Dockerfile"),
        ("context", "context", "dockerfile-missing", "no Dockerfile"),
        ("empty", "context/Dockerfile", "context-empty", "0 files"),
    ],
)
def test_what_cannot_be_built_is_told_with_its_path(
    root: Path, context: str, dockerfile: str, wrong: str, words: str
) -> None:
    (root.parent / "empty").mkdir()
    with pytest.raises(UsageError) as caught:
        opened(root.parent / context, root.parent / dockerfile)
    assert caught.value.id == wrong
    assert words in caught.value.message
    assert str(root.parent) in caught.value.message


def test_a_file_that_goes_away_meanwhile_is_named(root: Path) -> None:
    context = opened(root)
    (root / "hello").unlink()
    with pytest.raises(UsageError, match="hello"):
        list(context.chunks(lambda sent: None))


def test_a_file_that_shrinks_meanwhile_keeps_the_archive_whole(root: Path) -> None:
    (root / "big").write_bytes(b"x" * (1 << 20))
    blocks = opened(root).chunks(lambda sent: None)
    first = next(blocks)
    (root / "big").write_bytes(b"x")
    with tarfile.open(fileobj=io.BytesIO(first + b"".join(blocks))) as tar:
        assert tar.getnames()[-1] == "hello"
        assert tar.getmember("big").size == 1 << 20


def test_progress_counts_the_bytes_of_files_up_to_the_size_listed(root: Path) -> None:
    (root / "big").write_bytes(bytes(3 << 20))
    context = opened(root)
    told: list[int] = []
    for _ in context.chunks(told.append):
        pass
    assert told == sorted(told)
    assert told[-1] == context.size == (3 << 20) + 5 + len("FROM scratch\nCOPY . /\n")


def test_a_cancel_ends_the_listing_and_the_sending(root: Path) -> None:
    (root / "big").write_bytes(bytes(3 << 20))

    def cancelled(*_: object) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        open_context(root, root / "Dockerfile", cancelled)
    with pytest.raises(Cancelled):
        next(opened(root).chunks(cancelled))


def test_names_that_are_not_unicode_arrive(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/\xff")).write_text("odd")
    assert os.fsdecode(b"\xff") in names(opened(root))
