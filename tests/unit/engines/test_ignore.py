"""`.dockerignore` as docker reads it: every row of the case file, and kinds of pattern."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from buildcases import IGNORES, make_context, our_files
from hypothesis import given
from hypothesis import strategies as st

from dockpass.engines.context import open_context
from dockpass.engines.ignore import Ignored, PatternError, read_patterns
from dockpass.errors import UsageError


@pytest.mark.parametrize("row", IGNORES, ids=lambda row: row["id"])
def test_files_stay_out_as_with_docker(row: dict[str, Any], tmp_path: Path) -> None:
    dockerfile = make_context(row, tmp_path)
    for key, classic in (("copied", False), ("sent", True)):
        if key in row:
            wanted = row[key] if isinstance(row[key], list) else None
            assert our_files(tmp_path, dockerfile, classic=classic) == wanted, key


def test_the_classic_builder_does_not_look_into_a_directory_for_a_pattern(tmp_path: Path) -> None:
    row = {"ignore": "**\n!**/*.go\n", "files": ["main.go", "src/main.go"]}
    dockerfile = make_context(row, tmp_path)
    assert our_files(tmp_path, dockerfile) == ["main.go", "src/main.go"]
    assert our_files(tmp_path, dockerfile, classic=True) == [".dockerignore", "Dockerfile", "main.go"]


@pytest.mark.parametrize("frame", ["%s", "**/%s", "%s/**", "*/%s", "%s/?"])
def test_every_plain_character_stands_for_itself(frame: str) -> None:
    for char in map(chr, (*range(0x21, 0x7F), 0xE9, 0x65E5)):
        if char not in "*?[\\/^":  # docker's matcher leaves ^ to its regular expressions
            name = f"x{char}y"
            patterns = read_patterns(frame % name)
            path = {"%s/**": f"{name}/a", "*/%s": f"a/{name}", "%s/?": f"{name}/a"}.get(frame, name)
            assert patterns[0].matches(path), patterns
            assert not patterns[0].matches(path.replace(name, f"x{char}zy")), patterns


def test_a_pattern_that_docker_refuses_is_told_with_file_and_line(tmp_path: Path) -> None:
    dockerfile = make_context({"ignore": "ok\n[x\n", "files": ["a"]}, tmp_path)
    with pytest.raises(UsageError, match=r"\.dockerignore: line 2: \[x: syntax error in pattern"):
        open_context(tmp_path, dockerfile, lambda: None)


@given(st.text("ab_*?[]^-\\/!.#d:{}()|$+é \n", max_size=12), st.text("ab/.dé", min_size=1, max_size=8))
def test_every_pattern_is_read_or_refused(text: str, path: str) -> None:
    try:
        out, matched = Ignored(read_patterns(text)).look(path, ())
    except PatternError:
        return
    assert isinstance(out, bool)
    assert not out or any(matched)
