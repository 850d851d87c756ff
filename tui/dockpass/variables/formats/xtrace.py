"""What a shell prints under `set -x`, which GitLab's CI_DEBUG_TRACE switches on. Nothing is ever run."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dockpass.variables.formats.reading import Collector, Reading, from_log
from dockpass.variables.formats.shell import line_starts, number_at
from dockpass.variables.formats.shellword import NotLiteral, read_word

TRACED = re.compile(
    r"^\++ (?:(?:export|declare|typeset)(?: -[A-Za-z-]+)* )?(?=['\"]?[A-Za-z_]\w*=)", re.M | re.A
)
_ASSIGNS = re.compile(r"([A-Za-z_]\w*)=", re.ASCII)
_SIMPLE = re.compile(r"([A-Za-z_]\w*)=([^\s'\"\\$`;&|()<>]*)(?=\n|\Z)", re.ASCII)


def read_xtrace(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001
    """Read the assignments of a trace; a variable that a log masks is unknown."""
    found = Collector()
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    starts = line_starts(text)
    end = 0
    for traced in TRACED.finditer(text):
        if traced.start() >= end:
            end = read_traced(text, traced, number_at(starts, traced.start()), found)
    return found.reading()


def read_traced(text: str, traced: re.Match[str], number: int, found: Collector) -> int:
    """Read one traced line, and return where it ends."""
    at = traced.end()
    if simple := _SIMPLE.match(text, at):
        _add(found, simple[1], simple[2], number)
        return simple.end()
    exported = bool(traced[0].rstrip("+ "))
    words: list[str] = []
    try:
        while at < len(text) and text[at] not in "\n":
            word, _, at = read_word(text, at)
            words.append(word)
            while text.startswith((" ", "\t"), at):
                at += 1
            if text.startswith(";", at):
                break
    except NotLiteral as error:
        found.problem(number, f"The traced line was left out: {error}.")
        return at
    if not exported and not all(map(_ASSIGNS.match, words)):
        return at  # a command with variables of its own
    for word in words:
        if assigned := _ASSIGNS.match(word):
            _add(found, assigned[1], word[assigned.end() :], number)
    return at


def _add(found: Collector, key: str, value: str, number: int) -> None:
    known = from_log(value)
    if found.entries and (found.entries[-1].key, found.entries[-1].value) == (key, known):
        return  # the shell traces `export A=1` and `A=1`
    found.add(key, known, number)
