"""Literal assignments of a shell file, and what `export -p` and `declare -x` print. Nothing is ever run."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping

from dockpass.variables.formats.reading import COMPUTED, Collector, Reading
from dockpass.variables.formats.shellword import NotLiteral, Word, is_shell_line, read_words

_ASSIGNS = re.compile(r"[A-Za-z_]\w*=", re.ASCII)
_DECLARED = re.compile(r"\s*(?:declare|typeset) -")
_HINT = "`export -p` prints values after the shell has computed them."


def read_shell(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001
    """Read what a shell would set; what it would compute is unknown, and other commands are problems."""
    found = Collector()
    text = text.removeprefix("\ufeff")
    if _DECLARED.match(text):  # what bash printed: a CR at the end of a line came on the way here
        text = text.replace("\r\n", "\n")
    starts = line_starts(text)
    number = 1
    while number <= len(starts):
        at = starts[number - 1]
        end = starts[number] - 1 if number < len(starts) else len(text)
        line = text[at:end]
        bare = line.lstrip(" \t")
        number += 1
        if not bare.strip("\r") or bare.startswith("#"):
            continue
        number += _statement(text, at + len(line) - len(bare), bare, number - 1, found)
    return found.reading()


def line_starts(text: str) -> list[int]:
    """Return where each line of a text begins."""
    return [0, *(found.end() for found in re.finditer("\n", text))]


def number_at(starts: list[int], at: int) -> int:
    """Return the line of a position, counted from 1."""
    return bisect_right(starts, at)


def _statement(text: str, at: int, line: str, number: int, found: Collector) -> int:
    """Read the statement at a position; return how many more lines it takes."""
    if not is_shell_line(line) and not _ASSIGNS.match(line):
        why = "command not found" if re.match(r"[\w.-]+(?:\s|$)", line) else "it is a command, and no text"
        found.problem(number, f"The line assigns nothing: a shell would answer {why}, or run it.", _HINT)
        return 0
    try:
        words, taken = read_words(text, at)
    except NotLiteral as error:
        found.problem(number, f"The line was left out: {error}.", _HINT)
        return 0
    for word in words:
        add_word(found, word, number)
    if words and (words[-1].value or "").endswith("\r"):
        found.problem(
            number,
            f"The line ends with CR LF: a shell keeps the CR in the value of {words[-1].name}.",
            "Convert the file to LF line endings.",
        )
    return taken - 1


def add_word(found: Collector, word: Word, number: int) -> None:
    """Add what a shell's word assigns."""
    if word.value is None:
        found.name(word.name, number)
        return
    if word.computed:
        found.problem(
            number, f"A shell would compute {word.name}; nothing is run, so its value is unknown.", _HINT
        )
    found.add(word.name, COMPUTED if word.computed else word.value, number)
