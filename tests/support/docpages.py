"""The commands that the pages of the documentation show, to be parsed and run by tests."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]

PLACEHOLDERS = {"COMMAND": "push", "NAME|ID...": "another:1", "NAME": "myimage:1", "DIR": "layout"}
"""What stands for the words that a page leaves to the reader."""

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
        """Return the words of each call of dockpass, without `dockpass` itself and the marks of what may be left out."""
        return [
            [word.strip("[]") for word in words[1:] if word not in {"…", "..."}]
            for words in _simple_commands(self.text)
            if words[0] == "dockpass"
        ]


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


def complaint(command: click.Command, words: list[str]) -> str:
    """Return what is wrong with the words of a call; empty where the command has every option and argument.

    The words are parsed as click does, but nothing is done, and what is missing is not asked for.
    """
    words = [PLACEHOLDERS.get(word, word) for word in words]
    ctx = click.Context(command, info_name=command.name)
    rest: list[str] = []
    try:
        _, rest, _ = command.make_parser(ctx).parse_args(list(words))
        if isinstance(command, click.Group) and rest:
            _, below, rest = command.resolve_command(ctx, rest)
            return complaint(below, rest) if below else f"{command.name} has no such command"
    except click.UsageError as error:
        # A span may name an option as its last word and leave the value to the text.
        leaves_value = isinstance(error, click.BadOptionUsage) and error.option_name == words[-1]
        return "" if leaves_value else error.format_message()
    for parameter in command.params:
        if isinstance(parameter, click.Argument) and rest:
            taken = rest if parameter.nargs == -1 else rest[: parameter.nargs]
            rest = rest[len(taken) :]
    return f"{command.name} takes no {rest}" if rest else ""


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
