"""What the structure promises."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "tui").rglob("*.py"))
LIGHT = """
import sys
from dockpass.cli.main import cli
try:
    cli.main({arguments!r}, prog_name="dockpass", standalone_mode=False)
except SystemExit:
    pass
print(sorted(name for name in ("textual", "docker", "aiohttp", "rich") if name in sys.modules))
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["explain", "push", "--repo", "registry.example/a"],
        ["explain", "build", "--json"],
        ["config", "registry.example"],
    ],
)
def test_small_commands_load_nothing_heavy(arguments: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LIGHT.format(arguments=arguments)], capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "[]"


def test_who_may_import_whom() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports"))]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT / "tui")) for path in SOURCES])
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name


def test_styles_name_no_colour_of_their_own() -> None:
    for path in (ROOT / "tui").rglob("*.tcss"):
        assert not re.search(r":[^;{]*#[0-9a-fA-F]{3,8}\b", path.read_text(encoding="utf-8"))
