"""A Dockerfile as instructions: continuations, comments, heredocs and the escape directive.

The grammar is that of the Dockerfile reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_][\w.-]*)\1")
_WITH_HEREDOC = frozenset({"RUN", "COPY", "ADD"})


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: upper-case keyword, its arguments in one line, the line where it begins."""

    keyword: str
    arguments: str
    line: int
    has_heredoc: bool = False


def directives(text: str) -> dict[str, str]:
    """Return the parser directives at the top, names in lower case."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _DIRECTIVE.match(line.strip())
        if not match or match[1].lower() in found:
            break
        found[match[1].lower()] = match[2]
    return found


def instructions(text: str) -> Iterator[Instruction]:
    """Yield the instructions in order."""
    escape = directives(text).get("escape", "\\")
    lines = text.lstrip("\ufeff").splitlines()
    number = 0
    while number < len(lines):
        begin, number, joined = _join(lines, number, escape)
        if not joined:
            continue
        keyword, _, arguments = joined.partition(" ")
        heredocs = _HEREDOC.findall(arguments) if keyword.upper() in _WITH_HEREDOC else []
        for _, word in heredocs:
            number = _after_heredoc(lines, number, word)
        yield Instruction(keyword.upper(), arguments.strip(), begin + 1, bool(heredocs))


def _join(lines: list[str], number: int, escape: str) -> tuple[int, int, str]:
    """Join the lines of one instruction; return where it begins, what comes next, and the text."""
    begin = number
    parts: list[str] = []
    while number < len(lines):
        line = lines[number].strip()
        number += 1
        if not line or line.startswith("#"):  # also between continued lines
            if not parts:
                return begin, number, ""
            continue
        if not line.endswith(escape):
            parts.append(line)
            break
        parts.append(line[: -len(escape)].strip())
    return begin, number, " ".join(part.replace("\t", " ") for part in parts if part)


def _after_heredoc(lines: list[str], number: int, word: str) -> int:
    for index in range(number, len(lines)):
        if lines[index].strip("\t") == word:
            return index + 1
    return len(lines)
