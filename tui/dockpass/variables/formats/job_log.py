"""A pasted job log: timestamps, sections and colours go; what `export`, `env` and `set -x` print is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import accumulate

from dockpass.variables.formats.reading import Collector, Reading, from_log
from dockpass.variables.formats.shell import line_starts, number_at
from dockpass.variables.formats.shellword import NotLiteral, read_words
from dockpass.variables.formats.xtrace import TRACED, read_traced

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z (?:[0-9a-f]{2}[OE][ +])?", re.MULTILINE)
SECTION = re.compile(r"section_(?:start|end):\d+:[^\r\n]*\r?")
_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]")
_EXPORTS = re.compile(r'(?:export|declare(?: -[A-Za-z-]+)*) ([A-Za-z_]\w*)(?:="([^"\\$`\n]*)"$|$)?', re.ASCII)
_ASSIGNS = re.compile(r"([A-Za-z_]\w*)=(.*)", re.ASCII)
_PRINTS_ENV = re.compile(r"\$ (?:/usr/bin/)?(?:env|printenv)(?: *\|.*)?")
_INTERESTING = re.compile(
    r"^(?:(?P<export>(?:export|declare) )|(?P<traced>\++ )|(?P<env>[A-Za-z_]\w*=)|(?P<command>\$ ))",
    re.MULTILINE | re.ASCII,
)
_RUN = 3  # so many NAME=value lines in a row are what `env` printed, also where its command is not in the log


def read_job_log(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001
    """Read a log of any part of a job; a masked value is unknown, wholly or in part."""
    plain, numbers = _plain(text.removeprefix("\ufeff"))
    starts = line_starts(plain)
    found = Collector()
    end, in_env = 0, False
    for hit in _INTERESTING.finditer(plain):
        at = hit.start()
        if at < end:
            continue
        index = number_at(starts, at) - 1
        number = numbers[index]
        if hit["command"]:
            stop = plain.find("\n", at)
            in_env = bool(_PRINTS_ENV.fullmatch(plain[at : len(plain) if stop < 0 else stop].rstrip()))
        elif hit["export"]:
            end = _exported(plain, at, number, found)
        elif hit["traced"]:
            if traced := TRACED.match(plain, at):
                end = read_traced(plain, traced, number, found)
        elif in_env or _is_run(plain, starts, index):
            end = _block(plain, starts, index, numbers, found)
    if not found.entries and not found.names:
        found.problem(
            0,
            "The log shows no variables.",
            "Let the job run `export` or `env`, or set CI_DEBUG_TRACE, and give its log.",
        )
    return found.reading()


def _plain(text: str) -> tuple[str, list[int]]:
    """Return the log without what the runner adds, and the number of each line in the log as it was given."""
    stamped = STAMP.search(text) is not None
    if not stamped:
        plain = _ESCAPE.sub("", SECTION.sub("", text)).replace("\r\n", "\n")
        return plain, list(range(1, plain.count("\n") + 2))
    joined = re.sub(r"\n(?=\d{4}-\d\d-\d\dT[^ \n]* [0-9a-f]{2}[OE]\+)", "\0", text)
    counts = [line.count("\0") + 1 for line in joined.split("\n")]
    numbers = list(accumulate([1, *counts[:-1]]))
    clean = joined.replace("\0", "\n\0")
    clean = re.sub(
        r"^\0?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z (?:[0-9a-f]{2}[OE][ +])?", _mark, clean, flags=re.M
    )
    clean = clean.replace("\n\0", "").replace("\0", "")
    return _ESCAPE.sub("", SECTION.sub("", clean)).replace("\r\n", "\n"), numbers


def _mark(found: re.Match[str]) -> str:
    return "\0" if found[0].startswith("\0") else ""


def _exported(text: str, at: int, number: int, found: Collector) -> int:
    simple = re.compile(_EXPORTS.pattern, re.A | re.M).match(text, at)
    if simple and simple[2] is not None:
        found.add(simple[1], from_log(simple[2]), number)
        return simple.end()
    try:
        words, _ = read_words(text, at)
    except NotLiteral as error:
        found.problem(number, f"The line was left out: {error}.")
        return at + 1
    end = at + 1
    for word in words:
        if word.value is None:
            found.name(word.name, number)
        else:
            found.add(word.name, from_log(word.value), number)
    return max(end, _words_end(text, at))


def _words_end(text: str, at: int) -> int:
    _, taken = read_words(text, at)
    for _ in range(taken):
        at = text.find("\n", at) + 1
        if not at:
            return len(text)
    return at - 1


def _is_run(text: str, starts: list[int], index: int) -> bool:
    return all(
        index + more < len(starts) and _ASSIGNS.match(text, starts[index + more]) for more in range(_RUN)
    )


def _block(text: str, starts: list[int], index: int, numbers: list[int], found: Collector) -> int:
    """Read the `env` lines from a line on, to the first that assigns nothing; return where they end."""
    while index < len(starts) and (assigned := _ASSIGNS.match(text, starts[index])):
        found.add(assigned[1], from_log(assigned[2].removesuffix("\r")), numbers[index])
        index += 1
    stop = starts[index] if index < len(starts) else len(text)
    following = text[stop : stop + 200].partition("\n")[0]
    if index < len(starts) and following.strip() and not following.startswith(("$ ", "+", "export ")):
        found.problem(
            numbers[index],
            f"It is ambiguous whether the line goes on with {found.entries[-1].key}; it was left out.",
            "`export -p` prints values of several lines in quotes.",
        )
    return stop
