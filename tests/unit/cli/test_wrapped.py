"""Lines for people are broken between words on a terminal, and nowhere else."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobclone import make_clone

from dockpass.cli.table import cells, columns, wrapped

WORDS = st.text(st.sampled_from("abcXYZ_019$./:-•▲é名🙂"), min_size=1, max_size=60)
LINES = st.builds(
    lambda indent, words, gaps: (
        " " * indent + "".join(word + " " * gap for word, gap in zip(words, gaps, strict=False)).rstrip(" ")
    ),
    st.integers(0, 8),
    st.lists(WORDS, min_size=1, max_size=40),
    st.lists(st.sampled_from([1, 1, 1, 1, 2, 3, 20]), min_size=40, max_size=40),
)


@given(LINES, st.integers(40, 200))
def test_no_word_is_broken_lost_or_moved(line: str, width: int) -> None:
    found = wrapped(line, width)
    assert " ".join(found).split() == line.split()
    for each in found:
        assert cells(each) <= width or len(each.split()) == 1 or cells(each.split()[0]) > width
        assert each == each.rstrip()
    if cells(line) <= width:
        assert found == [line]
    else:
        assert len(found) > 1 or len(line.split()) == 1


@given(LINES, st.integers(40, 200))
def test_a_line_is_broken_only_where_the_next_word_has_no_room(line: str, width: int) -> None:
    found = wrapped(" ".join(line.split()), width)
    for one, after in pairwise(found):
        assert cells(one) + 1 + cells(after.split()[0]) > width


@given(
    st.lists(
        st.tuples(
            *[st.from_regex(r"[a-z]{1,12}", fullmatch=True)] * 2,
            st.lists(WORDS, min_size=1, max_size=30).map(" ".join),
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(60, 200),
)
def test_what_follows_stands_below_the_last_column(rows: list[tuple[str, str, str]], width: int) -> None:
    for line in columns(rows):
        first, *others = wrapped(line, width)
        begin = 4 + max(len(row[0]) for row in rows) + max(len(row[1]) for row in rows) + 2
        for each in others:
            indent = len(each) - len(each.lstrip(" "))
            assert indent == begin or cells(each.split()[0]) > width - begin
        assert first.startswith("  ")


@pytest.mark.parametrize(
    ("width", "command"),
    [
        (80, ("explain", "push", "--job", "publish")),
        (60, ("vars", "show", "--job", "publish")),
        (40, ("vars", "explain", "PUSH_TOKEN", "--job", "publish")),
        (50, ("vars", "why", "publish")),
        (40, ("vars", "diff", "main", "feature/login", "--job", "publish")),
        (60, ("doctor", "--job", "publish")),
        (50, ("config",)),
    ],
)
def test_commands_break_between_words_on_a_terminal_only(
    width: int, command: tuple[str, ...], tmp_path: Path
) -> None:
    yaml = (
        "variables: {CI_REGISTRY: registry.example.com, CI_REGISTRY_IMAGE: registry.example.com/acme/shop}\n"
        "publish:\n  rules: [{if: '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_PIPELINE_SOURCE != \"push\"'}]\n"
        "  script: ['echo \"$PUSH_TOKEN\" | docker login -u bot --password-stdin $CI_REGISTRY']\n"
    )
    root = make_clone(tmp_path / "shop", yaml)
    line = [sys.executable, "-m", "dockpass", *command]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    whole = subprocess.run(
        line, cwd=root, env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    running = subprocess.Popen(
        line, cwd=root, env=environ, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    raw = b""
    try:
        while part := os.read(ours, 65536):
            raw += part
    except OSError:  # as Linux tells that the other end is closed
        pass
    finally:
        os.close(ours)
        running.wait(timeout=60)
    shown = raw.decode().replace("\r\n", "\n")
    assert shown.split() == whole.stdout.split()
    assert all(cells(each) <= width or len(each.split()) == 1 for each in shown.splitlines())


def test_an_error_breaks_between_words_too(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "dockpass", "explain", "push", "--env-file", "none.env"]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    whole = subprocess.run(line, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 30, 0, 0))
    ended = subprocess.run(
        line, cwd=tmp_path, env=environ, stdout=subprocess.DEVNULL, stderr=theirs, check=False
    )
    os.close(theirs)
    shown = os.read(ours, 65536).decode().replace("\r\n", "\n")
    os.close(ours)
    assert ended.returncode == whole.returncode == 2
    assert shown.split() == whole.stderr.split()
    assert all(cells(each) <= 30 or len(each.split()) == 1 for each in shown.splitlines())
    assert max(map(cells, whole.stderr.splitlines())) > 30
