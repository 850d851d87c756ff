"""YAML as GitLab reads it (Ruby's Psych, YAML 1.1), with the line of every key.

A mapping is a `Tree` with the place of each key; `!reference` stays a `Reference` until it is resolved. A
merge key (`<<`) takes its place in the order of the keys, and the later of two equal keys wins, as in Psych.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dockpass.text import clean
from dockpass.variables.gitlab.model import NOWHERE, Place
from dockpass.variables.gitlab.model import YamlError as YamlError

MOST_NODES = 200_000
MOST_CHARACTERS = 2 << 20
"""As GitLab's `max_yaml_size_bytes`, with what an alias repeats; GitLab counts more for the same text."""
DEEPEST = 100
LONGEST_NUMBER = 3000
"""Longer numbers are not converted; Python itself writes out no integer of more than 4,300 digits."""

_TEXT = "tag:yaml.org,2002:str"


class PsychLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Leaves it to `read_scalar` what a scalar is: only a tag that was written says so before."""

    def resolve(self, kind: type[Node], value: Any, implicit: Any) -> str | None:  # noqa: ARG002
        if kind is ScalarNode:
            return "" if implicit[0] else _TEXT
        return None


MOST_COMPOSED = 32
"""The texts whose nodes are kept: the doctor looks at the same ones again that were just read as jobs."""

_BLOCKS = frozenset("|>")

_TRUE = re.compile(r"(?:yes|true|on)", re.IGNORECASE)
_FALSE = re.compile(r"(?:no|false|off)", re.IGNORECASE)
_NULL = re.compile(r"~|null|Null|NULL|")
_INTEGER = re.compile(
    r"[-+]?0b[01_,]+|[-+]?0[0-7_,]+|[-+]?(?:0|[1-9](?:[0-9]|,[0-9]|_[0-9])*)|[-+]?0x[0-9a-fA-F_,]+"
)
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_,]*)?\.[0-9]*(?:[eE][+-][0-9]+)?")
_DATE = re.compile(r"\d{4}-(?:1[012]|0\d|\d)-(?:[12]\d|3[01]|0\d|\d)(?:(?:[Tt]|\s+)\d{1,2}:\d\d:\d\d.*)?")

_NOT_ONLY_TEXT = frozenset("yYnNtTfFoO~+-.0123456789:") | {""}
"""How a scalar begins that may be something else than a text."""


class Tree(dict[str, Any]):
    """A mapping with the place of each key."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, Place] = {}

    def put(self, key: str, value: Any, place: Place) -> None:
        """Set a key and say where it stands."""
        self[key] = value
        self.places[key] = place

    def place(self, key: str) -> Place:
        """Return where a key stands."""
        return self.places.get(key, NOWHERE)


class Items(list[Any]):
    """A sequence with the place of each item."""

    def __init__(self, items: Iterable[Any], places: tuple[Place, ...]) -> None:
        super().__init__(items)
        self.places = places


class Block(str):
    """The text of a block scalar; `place` is where it begins, one line below its `|` or `>`.

    `literal` tells that each line of the text is a line of the file.
    """

    place: Place
    literal: bool

    @classmethod
    def at(cls, text: str, place: Place, *, literal: bool) -> Block:
        """Return a text with its place."""
        block = cls(text)
        block.place, block.literal = place, literal
        return block


@dataclass(frozen=True, slots=True)
class Reference:
    """`!reference [job, keyword]`, not resolved yet."""

    path: tuple[str, ...]
    place: Place

    @property
    def shown(self) -> str:
        """The reference as GitLab writes it in its messages."""
        return clean(f"!reference {json.dumps(self.path, ensure_ascii=False)}", 200)


@dataclass(frozen=True, slots=True)
class Odd:
    """A value that is no text, number or boolean: a date, or a tag of its own."""

    text: str


@lru_cache(MOST_COMPOSED)
def composed(text: str) -> tuple[Node | None, ...]:
    """Return the nodes of a text, which nobody changes; raises what the parser does."""
    return tuple(yaml.compose_all(text, Loader=PsychLoader))


def read_tree(text: str, file: str) -> list[Any]:
    """Return the documents of a text; raises `YamlError`."""
    try:
        nodes = composed(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1 if mark else 0)
        problem = clean(error.problem or str(error), 200)
        context = f"({file}): {problem}"
        where = f" while {clean(error.context, 100).removeprefix('while ')}" if error.context else ""
        column = f" at line {mark.line + 1} column {mark.column + 1}" if mark else ""
        raise YamlError(f"{context}{where}{column}", place) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise YamlError(f"({file}): {clean(str(error), 200)}", Place(file)) from error
    reader = _Reader(file)
    return [reader.read(node, 0) for node in nodes]


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.count = 0
        self.characters = 0

    def read(self, node: Node | None, depth: int) -> Any:
        if node is None:
            return None
        self.count += 1
        if self.count > MOST_NODES or depth > DEEPEST:
            raise self._too_big(node)
        if node.tag == "!reference":
            return self._reference(node)
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if isinstance(node, SequenceNode):
            items = [self.read(each, depth + 1) for each in node.value]
            return Items(items, tuple(self.place(each) for each in node.value))
        if isinstance(node, MappingNode):
            return self._mapping(node, depth)
        return None

    def place(self, node: Node) -> Place:
        return Place(self.file, node.start_mark.line + 1)

    def _too_big(self, node: Node) -> YamlError:
        return YamlError("The parsed YAML is too big", self.place(node))

    def _scalar(self, node: ScalarNode) -> Any:
        self.characters += len(node.value)
        if self.characters > MOST_CHARACTERS:
            raise self._too_big(node)
        try:
            found = read_scalar(node)
        except OverflowError as error:
            raise YamlError(f"({self.file}): {error}", self.place(node)) from error
        if node.style in _BLOCKS and isinstance(found, str):
            place = Place(self.file, node.start_mark.line + 2)
            return Block.at(found, place, literal=node.style == "|")
        return found

    def _reference(self, node: Node) -> Reference:
        items = node.value if isinstance(node, SequenceNode) else ()
        path = tuple(each.value for each in items if isinstance(each, ScalarNode))
        if not path or len(path) != len(items):
            raise YamlError(f"!reference {clean(str(list(path)), 80)} is not valid", self.place(node))
        return Reference(path, self.place(node))

    def _mapping(self, node: MappingNode, depth: int) -> Tree:
        tree = Tree()
        for key_node, value_node in node.value:
            if _is_merge(key_node):
                for other in self._merged(value_node, depth):
                    for name, value in other.items():
                        tree.put(name, value, other.place(name))
                continue
            key = as_text(self._scalar(key_node)) if isinstance(key_node, ScalarNode) else None
            value = self.read(value_node, depth + 1)
            if key is not None:
                tree.put(key, value, self.place(key_node))
        return tree

    def _merged(self, node: Node, depth: int) -> Iterator[Tree]:
        nodes = reversed(node.value) if isinstance(node, SequenceNode) else (node,)
        for each in nodes:
            value = self.read(each, depth + 1)
            if isinstance(value, Tree):
                yield value


def _is_merge(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value == "<<" and node.style not in {"'", '"'}


def read_scalar(node: ScalarNode) -> Any:
    """Return what Psych makes of a scalar: text, integer, float, boolean, None, or `Odd`.

    A decimal integer of more than `LONGEST_NUMBER` characters is its digits as a text; any other such number
    raises `OverflowError`.
    """
    text: str = node.value
    if text[:1] not in _NOT_ONLY_TEXT:
        return text
    if node.style or node.tag == _TEXT:
        return text
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _DATE.fullmatch(text):
        return Odd(text)
    if _SEXAGESIMAL.fullmatch(text):
        return _sexagesimal(text)
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text) and any(letter.isdigit() for letter in text):
        return float(text.replace("_", "").replace(",", ""))
    return text[1:] if text.startswith(":") and len(text) > 1 and text[1] not in " :" else text


def _integer(text: str) -> int | str:
    plain = text.replace("_", "").replace(",", "")
    sign = "-" if plain.startswith("-") else ""
    digits = plain.lstrip("+-")
    base = 10
    for prefix, other in (("0b", 2), ("0x", 16), ("0", 8)):
        if digits.startswith(prefix) and digits != "0":
            digits, base = digits.removeprefix(prefix) or "0", other
            break
    if base == 10 and len(digits) > LONGEST_NUMBER:
        return sign + digits
    return int(sign + _convertible(digits), base)


def _convertible(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise OverflowError(
            f"a number of more than {LONGEST_NUMBER:,} digits is not converted here; quote it"
        )
    return text


def _sexagesimal(text: str) -> int:
    total = 0
    for part in _convertible(text.lstrip("+-").replace("_", "")).split(":"):
        total = total * 60 + int(part)
    return -total if text.startswith("-") else total


def as_text(value: Any) -> str | None:
    """Return the text that Ruby's `to_s` makes of a scalar; None for what is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _ruby_float(value)
    if isinstance(value, int | str):
        return str(value)
    return None


def in_words(value: Any) -> str:
    """Return any value for a message: the text of a scalar, else what it is."""
    match value:
        case None:
            return "null"
        case Odd():
            return value.text
        case Reference():
            return value.shown
        case Tree():
            return "a mapping"
        case list():
            return "a list"
    return as_text(value) or ""


def _ruby_float(value: float) -> str:
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-4 <= abs(value) < 1e16:
        text = repr(value)
        return text if "e" not in text else f"{value:.17f}".rstrip("0")
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        mantissa, _, exponent = f"{value:.16e}".partition("e")
        mantissa = mantissa.rstrip("0")
    digits = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{digits}e{int(exponent):+03d}"


def merged(base: Any, over: Any) -> Any:
    """Return two values merged deeply: mappings key by key, everything else replaced."""
    return merged_trees(base, over) if isinstance(base, Tree) and isinstance(over, Tree) else over


def merged_trees(base: Tree, over: Tree) -> Tree:
    """Return two mappings merged deeply."""
    result = Tree()
    result.update(base)
    result.places = base.places | over.places
    for key, value in over.items():
        result[key] = merged(base[key], value) if key in base else value
    return result
