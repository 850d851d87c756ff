"""Other programs as judges of formats: node's dotenv, and the shells. A missing one fails in CI and skips elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from needed import missing

NODE_MODULES = Path(
    os.environ.get("DOCKPASS_NODE_MODULES", Path(__file__).parents[2] / ".judges/node_modules")
)
_PARSE = """
const { parse } = require(process.argv[1]);
let line = '';
require('readline').createInterface({ input: process.stdin }).on('line', (line) =>
  console.log(JSON.stringify(parse(Buffer.from(JSON.parse(line))))));
"""


def shell_command(name: str) -> list[str]:
    """Return the command of a shell: bash, dash or busybox."""
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not installed")
    return [str(path), "sh"] if name == "busybox" else [str(path)]


def run_shell(name: str, script: str, environ: Mapping[str, str]) -> str:
    """Run a script of the test's own in a shell, and return what it prints on both streams."""
    ended = subprocess.run(
        [*shell_command(name), "-c", script],
        env=dict(environ),
        capture_output=True,
        check=True,
        timeout=20,
    )
    return (ended.stdout + ended.stderr).decode("utf-8", "surrogateescape")


class NodeDotenv:
    """A node that parses one text a line."""

    def __init__(self) -> None:
        node = shutil.which("node")
        if node is None or not (NODE_MODULES / "dotenv/package.json").exists():
            missing("node's dotenv is not installed")
        self._process = subprocess.Popen(
            [str(node), "-e", _PARSE, str(NODE_MODULES / "dotenv")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def parse(self, text: str) -> dict[str, str]:
        """Return what dotenv reads from a text."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(text) + "\n")
        self._process.stdin.flush()
        found: dict[str, str] = json.loads(self._process.stdout.readline())
        return found


@cache
def node_dotenv() -> NodeDotenv:
    """Return the one node of this process; it ends when its stdin does."""
    return NodeDotenv()
