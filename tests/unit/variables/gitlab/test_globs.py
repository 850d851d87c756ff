"""Globs of rules: the answers of Ruby's `File.fnmatch?`, and Ruby itself."""

from __future__ import annotations

import json
import random
import shutil
import subprocess

import pytest
from needed import missing

from dockpass.variables.gitlab.globs import matches

ANSWERS = [
    ("[c-a]", "c", True),
    ("[c-a]", "b", False),
    ("[a-c]", "b", True),
    ("[!a-c]", "b", False),
    ("[^x]", "b", True),
    ("[a\\]b]", "]", True),
    ("[]a]", "a]", False),
    ("[]", "a", False),
    ("[!]", "a", True),
    ("[!]", "/", False),
    ("[a/b]", "/", False),
    ("[ab", "a", False),
    ("[ab", "[ab", False),
    ("[[:alpha:]]", "a", False),
    ("[[:alpha:]]", "a]", True),
    ("a\\", "a", True),
    ("a\\*", "a*", True),
    ("{a", "{a", False),
    ("\\{a", "{a", True),
    ("a}", "a}", True),
    ("{a}}", "a}", True),
    ("{a,\\}b}", "}b", True),
    ("x{a,{b,c}d}y", "xcdy", True),
    ("{a,b}{", "a{", False),
]
PIECES = [
    "a",
    "b",
    "/",
    "*",
    "**/",
    "?",
    "[",
    "]",
    "!",
    "^",
    "-",
    "\\",
    "{a,b}",
    "{",
    "}",
    ",",
    "[ab]",
    "[b-a]",
]


@pytest.mark.parametrize(("glob", "path", "answer"), ANSWERS)
def test_what_ruby_answers(glob: str, path: str, answer: bool) -> None:
    assert matches(glob, path) is answer


def test_ruby_itself_answers_the_same() -> None:
    if shutil.which("ruby") is None:
        missing("ruby is not installed")
    choose = random.Random(4711)
    rows = [(glob, path) for glob, path, _ in ANSWERS]
    for _ in range(4000):
        glob = "".join(choose.choices(PIECES, k=choose.randrange(1, 7)))
        parts = ["".join(choose.choices("ab.-]^\\[{", k=choose.randrange(1, 4))) for _ in range(2)]
        rows.append((glob, "/".join(parts[: choose.randrange(1, 3)])))
    script = (
        "F = File::FNM_PATHNAME | File::FNM_DOTMATCH | File::FNM_EXTGLOB;"
        "puts JSON.generate(JSON.parse(STDIN.read).map { |glob, path| File.fnmatch?(glob, path, F) })"
    )
    ruby = ["ruby", "-rjson", "-e", script]
    ended = subprocess.run(ruby, input=json.dumps(rows), capture_output=True, text=True, check=True)
    answers = json.loads(ended.stdout)
    assert any(answers)
    different = [row for row, answer in zip(rows, answers, strict=True) if matches(*row) is not answer]
    assert different == []
