"""One command of a shell script: its words, and which variables it sets or asks for. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNS = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[[^\]]*\])?\+?=")
_DECLARES = frozenset({"declare", "typeset", "local", "readonly"})
_ASSIGNING = _DECLARES | {"export", "env", "let"}
_NAMING = _DECLARES | {"read", "mapfile", "readarray", "unset"}
_TESTS = frozenset({"test", "[", "[["})
_ASKS = frozenset({"-n", "-z", "-v"})
_COMPARES = frozenset({"=", "==", "!="})


@dataclass(frozen=True, slots=True)
class Word:
    """A word without its quotes.

    In `text` a variable stands as `$NAME`, and a command whose output is put in as `$(…)`; `names` are those
    variables. `fixed` tells that nothing in it is replaced.
    """

    text: str = field(repr=False)
    names: tuple[str, ...] = ()
    fixed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Simple:
    """One command; `line` counts from 0.

    `source` is the command whose output it reads, `inputs` the files of `<`, `here` the words of `<<<`, and
    `outputs` the files of `>`.
    """

    words: tuple[Word, ...]
    line: int
    source: Simple | None = None
    inputs: tuple[Word, ...] = ()
    here: tuple[Word, ...] = ()
    outputs: tuple[Word, ...] = ()


def piped(command: Simple) -> Iterator[Simple]:
    """Yield the commands whose output a command reads, the nearest first."""
    while command.source is not None:
        command = command.source
        yield command


@dataclass(frozen=True, slots=True)
class Effect:
    """The variables that a command sets, and those that it asks for (`[ -n "$NAME" ]`).

    `is_open` tells that it may set any.
    """

    assigned: frozenset[str] = frozenset()
    asks: frozenset[str] = frozenset()
    is_open: bool = False


def effect_of(words: Sequence[Word], inside: Sequence[Simple] = ()) -> Effect:
    """Return what a command does to variables; `inside` are the commands whose output it puts in."""
    assigned = set[str]()
    first = 0
    while first < len(words) and (found := _ASSIGNS.match(words[first].text)):
        assigned.add(found[1])
        first += 1
    if first == len(words):
        return Effect(frozenset(assigned))
    name, rest = words[first].text.rpartition("/")[2], words[first + 1 :]
    plain = [each.text for each in rest]
    if name in _ASSIGNING:
        assigned.update(found[1] for text in plain if (found := _ASSIGNS.match(text)))
    if name in _NAMING:
        assigned.update(text for text in plain if NAME.fullmatch(text))
    elif name in {"for", "select"}:
        assigned.update(plain[:1])
    elif name == "getopts" or (name == "printf" and plain[:1] == ["-v"]):
        assigned.update(plain[1:2])
    return Effect(frozenset(assigned), frozenset(_asked(name, rest)), _may_set_any(name, plain, inside))


def _may_set_any(name: str, plain: Sequence[str], inside: Sequence[Simple]) -> bool:
    if name in {"source", "."}:
        return not (plain and plain[0].endswith("bin/activate"))
    return name == "eval" and {each.words[0].text for each in inside} != {"ssh-agent"}


def _asked(name: str, rest: Sequence[Word]) -> Iterator[str]:
    """Yield the variables of which a test asks whether they are there, or not empty."""
    if name not in _TESTS:
        return
    words = [each for each in rest if each.text not in {"]", "]]", "!"}]
    if len(words) == 1:
        yield from words[0].names
    for one, other in pairwise(words):
        if one.text in _ASKS:
            yield from other.names or (other.text,)
    for one, sign, other in zip(words, words[1:], words[2:], strict=False):
        if sign.text in _COMPARES and "" in {one.text, other.text}:
            yield from (*one.names, *other.names)
