"""Builds the documentation site from README's neighbours and docs/; a broken link or anchor fails it.

The pages are gathered below .site/pages: those of docs at the root, CHANGELOG and CONTRIBUTING beside them,
and the pictures that they show. Links between the two places lose the directory that is one of them there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / ".site" / "pages"
BESIDE = ("CHANGELOG.md", "CONTRIBUTING.md")
CELL_WORD = re.compile(r"`[^`\s]{1,48}`")
"""An option, a variable, a file: a cell of a table is not to break it at a hyphen."""
OPTION = re.compile(r"`--?[a-z][\w-]{0,28}`")
"""An option in a text, of which a line is not to end with the hyphens."""
PICTURE = re.compile(r"\]\((?:\.\./)*screenshots/([\w.-]+\.png)\)")


def gather() -> None:
    """Copy every page, what pages link to, and the pictures that they show."""
    shutil.rmtree(PAGES, ignore_errors=True)
    docs = ROOT / "docs"
    pictures: set[str] = set()
    for source in (*sorted(docs.rglob("*")), *(ROOT / name for name in BESIDE)):
        below = source.relative_to(docs) if source.is_relative_to(docs) else Path(source.name)
        if not source.is_file() or source.suffix == ".1":
            continue
        target = PAGES / below
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix != ".md":
            shutil.copy(source, target)
            continue
        text = moved(source.read_text(encoding="utf-8"), depth=len(below.parts) - 1)
        pictures |= set(PICTURE.findall(text))
        target.write_text(text, encoding="utf-8")
    (PAGES / "screenshots").mkdir()
    for name in sorted(pictures):
        shutil.copy(ROOT / "screenshots" / name, PAGES / "screenshots" / name)


def moved(text: str, depth: int) -> str:
    """Return a page with its links as they are on the site; `depth` is how far it is below docs."""
    outside = "../" * (depth + 1)
    text = text.replace(f"]({outside}", f"]({'../' * depth}").replace("](docs/", "](")
    return "".join(whole_lines(text))


def whole_lines(text: str) -> Iterator[str]:
    """Yield the lines of a page with a class for the code in them that stays on one line (site.css)."""
    in_block = False
    for line in text.splitlines(True):
        if line.lstrip().startswith("```"):
            in_block = not in_block
        if in_block or line.startswith("    "):
            yield line
        else:
            words = CELL_WORD if line.startswith("|") else OPTION
            yield words.sub(lambda code: f"{code[0]}{{.whole}}", line)


def main() -> int:
    """Gather the pages and build the site; return the exit status of MkDocs."""
    gather()
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # of its makers, about a version that is not used
    command = [sys.executable, "-m", "mkdocs", "build", *sys.argv[1:]]
    return subprocess.run(command, cwd=ROOT, env=environ).returncode


if __name__ == "__main__":
    sys.exit(main())
