"""The commands that the pages of the documentation show, to be parsed and run by tests."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]

_SPAN = re.compile(r"`([^`]*\bdockpass [^`]+)`")
_ENDS = {"|", "||", "&&", "&", ";", ">", ">>", "<"}


@dataclass(frozen=True)
class Shown:
    """A line of a page that calls dockpass.

    `before` is what stands above it in the same block and does not call dockpass; `output` is the block behind it,
    where that shows what the command prints.
    """

    page: str
    number: int
    text: str
    before: tuple[str, ...] = ()
    output: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.page}:{self.number}"

    def calls(self) -> list[list[str]]:
        """Return the words of each call of dockpass, without `dockpass` itself."""
        return [words[1:] for words in _simple_commands(self.text) if words[0] == "dockpass"]


def blocks() -> list[Shown]:
    """Return the lines of code blocks that call dockpass."""
    return [shown for page in PAGES for shown in _of_page(page)]


def spans() -> list[Shown]:
    """Return what stands within lines, between back quotes."""
    return [
        Shown(str(page.relative_to(ROOT)), number, match[1])
        for page in PAGES
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
        for match in _SPAN.finditer(line)
    ]


def _of_page(page: Path) -> Iterator[Shown]:
    found = [*_code(page.read_text(encoding="utf-8").splitlines())]
    for at, (start, lines) in enumerate(found):
        before: list[str] = []
        for number, line in _joined(start, lines):
            calls = any(words[0] == "dockpass" for words in _simple_commands(line)) or "$(dockpass " in line
            if not calls:
                before.append(line)
                continue
            following = found[at + 1][1] if at + 1 < len(found) and len(lines) == 1 else []
            is_output = bool(following) and found[at + 1][0] == start + 2
            name = str(page.relative_to(ROOT))
            yield Shown(name, number, line, tuple(before), tuple(following) if is_output else ())


def _code(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield each code block, indented or fenced: the number of its first line, and its lines."""
    fenced, block = False, list[str]()
    for number, line in enumerate([*lines, ""], 1):
        fence = line.startswith("```")
        if fence or not (fenced or line.startswith("    ")):
            if block:
                yield number - len(block), block
            block = []
        else:
            block.append(line if fenced else line[4:])
        fenced ^= fence


def _joined(start: int, lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines of a block with their numbers; those that end with a backslash are one with the next."""
    text, first = "", start
    for number, line in enumerate(lines, start):
        first = first if text else number
        if line.endswith("\\"):
            text += line[:-1].rstrip() + " "
        else:
            yield first, text + line.strip()
            text = ""


def _simple_commands(text: str) -> Iterator[list[str]]:
    """Yield the commands of a line of shell without assignments and redirections."""
    try:
        words = shlex.split(text, comments=True)
    except ValueError:  # prose
        return
    command: list[str] = []
    for word in [*words, ";"]:
        ends = word in _ENDS
        if not ends and not (not command and re.match(r"\w+=", word)):
            command.append(word.removesuffix(";"))
        if ends or word.endswith(";"):
            if command:
                yield command
            command = []
