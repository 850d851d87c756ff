"""The two expansions of a job's variables: GitLab's, which sorts and recurses, and the runner's, once.

GitLab's follows `lib/gitlab/ci/variables/collection.rb` and its `Sort`; the runner's is Go's `os.Expand` over
`common/spec/variables.go`. A value that is not known makes every value that uses it unknown. Neither has
a limit. Here it is `LARGEST`, because values that repeat each other would fill the memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from dockpass.text import cut
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Definition, Step, Value

_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
_REFERENCE = re.compile(rf"\$\$|%%|\$(?P<plain>{_NAME})|\$\{{(?P<braced>{_NAME})?\}}|%(?P<percent>{_NAME})%")
_NOTHING: list[int] = []
_GO_NAME = re.compile(r"[a-zA-Z0-9_]+")
_GO_SPECIAL = frozenset("*#$@!?-0123456789")
_GO_EMPTY = frozenset("*#@!?0123456789")

LARGEST = 2 << 20
"""How many characters the expanded values of a job may have together: by default, Linux starts no program
with more in its environment and arguments."""
TOO_LONG = "the job's variables expand to more than 2 MiB"
LONGEST_NAMES = 500

Circles: TypeAlias = tuple[tuple[Definition, ...], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A definition on its way to the runner, with its value so far and the references that were replaced."""

    definition: Definition
    value: Value = field(repr=False)
    steps: tuple[Step, ...] = ()

    @property
    def key(self) -> str:
        return self.definition.key


def references(text: str) -> list[str]:
    """Return the names that GitLab sees in a value, in order."""
    if "$" not in text and "%" not in text:
        return []
    return [name for match in _REFERENCE.finditer(text) if (name := _name(match))]


def gitlab_expand(
    definitions: Sequence[Definition], *, keep_undefined: bool = True, for_runner: bool = True
) -> tuple[list[Item], Circles]:
    """Sort and expand as GitLab does; later definitions of a name win.

    Returns the items in the order in which they are sent, and the definitions that refer to each other in a
    circle (then the items are unexpanded). `for_runner` leaves references to raw and file variables to the
    runner.
    """
    order, circles = _sorted(definitions)
    if circles:
        return [Item(each, each.value) for each in definitions], circles
    done: dict[str, Item] = {}
    items: list[Item] = []
    room = LARGEST
    for definition, needs in order:
        item = Item(definition, definition.value)
        if needs:
            item = _expanded(item, done, room, keep_undefined=keep_undefined, for_runner=for_runner)
            room -= _length(item.value)
        items.append(item)
        done[definition.key] = item
    return items, ()


def circle_words(circles: Circles) -> str:
    """Return GitLab's error text for definitions that refer to each other in a circle."""
    names = ", ".join(json.dumps([each.key for each in circle]) for circle in circles)
    return f"circular variable reference detected: {cut(names, LONGEST_NAMES)}"


def _name(match: re.Match[str]) -> str | None:
    return match["plain"] or match["braced"] or match["percent"]


def _depends_on(definition: Definition) -> list[str]:
    if definition.raw or isinstance(definition.value, Unknown):
        return []
    return references(definition.value)


def _length(value: Value) -> int:
    return 0 if isinstance(value, Unknown) else len(value)


def _cut(text: str) -> Iterator[tuple[str | None, str]]:
    """Cut a text as GitLab does: `(None, text)` for what stays, `(name, reference)` else."""
    position = 0
    for match in _REFERENCE.finditer(text):
        name = _name(match)
        if name is None:
            continue
        yield None, text[position : match.start()]
        yield name, match[0]
        position = match.end()
    yield None, text[position:]


def _expanded(
    item: Item, done: Mapping[str, Item], room: int, *, keep_undefined: bool, for_runner: bool
) -> Item:
    """Return an item with at most `room` characters; one without references stays as it is."""
    if isinstance(item.value, Unknown):
        return item
    steps: list[Step] = []
    pieces: list[Value] = []
    for name, text in _cut(item.value):
        found = done.get(name) if name else None
        if found is None:
            pieces.append(text if name is None or keep_undefined else "")
        elif for_runner and (found.definition.file or found.definition.raw):
            pieces.append(text)
        else:
            steps.append(Step("GitLab", text, found.definition.source))
            pieces.append(found.value)
    return Item(item.definition, joined(pieces, room), tuple(steps))


def _sorted(definitions: Sequence[Definition]) -> tuple[list[tuple[Definition, bool]], Circles]:
    """Order definitions so that each comes after all that it names, as Ruby's TSort does.

    With each of them stands whether it names any. The second of the pair are the circles among them.
    """
    by_key: dict[str, list[int]] = {}
    for number, definition in enumerate(definitions):
        by_key.setdefault(definition.key, []).append(number)
    names = [_depends_on(definition) for definition in definitions]
    needs = [
        [other for name in each for other in by_key.get(name, ())] if each else _NOTHING for each in names
    ]
    order: list[tuple[Definition, bool]] = []
    circles: list[tuple[Definition, ...]] = []
    for component in _components(needs):
        order.extend((definitions[number], bool(names[number])) for number in component)
        if len(component) > 1:
            circles.append(tuple(definitions[number] for number in component))
    return order, tuple(circles)


def _components(needs: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Yield strongly connected components, each after those that it needs (Tarjan's, without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    for root in range(len(needs)):
        if root in index:
            continue
        if not needs[root]:
            index[root] = low[root] = len(index)
            yield [root]
            continue
        work: list[tuple[int, Iterator[int]]] = [(root, iter(needs[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, children = work[-1]
            child = next(children, None)
            if child is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = [stack.pop()]
                    while component[-1] != node:
                        component.append(stack.pop())
                    on_stack.difference_update(component)
                    yield component[::-1]
            elif child not in index:
                index[child] = low[child] = len(index)
                stack.append(child)
                on_stack.add(child)
                work.append((child, iter(needs[child])))
            elif child in on_stack:
                low[node] = min(low[node], index[child])


def runner_expand(items: Sequence[Item], path_of: Callable[[str], str]) -> list[Item]:
    """Expand once as the runner does: against the unexpanded values, the last of a name first.

    `path_of` returns the path of a variable of type File. A value of a raw variable stays as it is.
    """
    last = {item.key: item for item in items}
    room = LARGEST

    def expand(item: Item) -> Item:
        nonlocal room
        if item.definition.raw or isinstance(item.value, Unknown) or "$" not in item.value:
            return item
        pieces: list[Value] = []
        steps = list(item.steps)
        for name, text in go_expand(item.value):
            if name is None:
                pieces.append(text)
                continue
            value, source = _runner_value(name, last, path_of)
            if source:
                steps.append(Step("runner", text, source))
            pieces.append(value)
        value = joined(pieces, room)
        room -= _length(value)
        return Item(item.definition, value, tuple(steps))

    return [expand(item) for item in items]


def _runner_value(name: str, last: Mapping[str, Item], path_of: Callable[[str], str]) -> tuple[Value, str]:
    if name == "$":
        return "$", ""
    if name in _GO_EMPTY:
        return "", ""
    found = last.get(name)
    if found is None:
        return "", "nothing: not defined"
    if found.definition.file:
        return path_of(name), found.definition.source
    return found.value, found.definition.source


def joined(pieces: Iterable[Value], room: int = LARGEST) -> Value:
    """Return the pieces as one text; unknown if one of them is, or if it has more than `room` characters."""
    texts: list[str] = []
    unknown: list[Unknown] = []
    for piece in pieces:
        if isinstance(piece, Unknown):
            unknown.append(piece)
        else:
            texts.append(piece)
    if unknown:
        return Unknown(unknown[0].why, is_set=any(texts) or any(each.is_set for each in unknown))
    return "".join(texts) if sum(map(len, texts)) <= room else Unknown(TOO_LONG, is_set=True)


def go_expand(text: str) -> Iterator[tuple[str | None, str]]:
    """Cut a text as Go's `os.Expand` does: `(None, text)` for what stays, `(name, reference)` else.

    Bad syntax such as `${}` or an open `${` is dropped, as Go drops it.
    """
    start = 0
    position = 0
    while position < len(text):
        if text[position] != "$" or position + 1 >= len(text):
            position += 1
            continue
        if position > start:
            yield None, text[start:position]
        name, width = _go_name(text, position + 1)
        if not name and width == 0:
            yield None, text[position]
        elif name:
            yield name, text[position : position + 1 + width]
        position += 1 + width
        start = position
    if start < len(text):
        yield None, text[start:]


def _go_name(text: str, start: int) -> tuple[str, int]:
    """Return the name behind a dollar sign and how many characters it takes, as Go's `getShellName`."""
    first = text[start]
    if first == "{":
        if text[start + 1 : start + 2] in _GO_SPECIAL and text[start + 2 : start + 3] == "}":
            return text[start + 1], 3
        end = text.find("}", start)
        return ("", 1) if end == -1 else (text[start + 1 : end], end - start + 1)
    if first in _GO_SPECIAL:
        return first, 1
    name = _GO_NAME.match(text, start)
    return (name[0], len(name[0])) if name else ("", 0)


def gitlab_blank(text: str, variables: Mapping[str, Value]) -> Value:
    """Expand once, as in `include` and `environment:name`: what is not defined becomes empty."""
    return joined(piece if name is None else variables.get(name, "") for name, piece in _cut(text))


def expand_existing(text: str, variables: Mapping[str, Value]) -> Value:
    """Expand once, as in `rules:changes` and `rules:exists`: what is not defined stays."""
    return joined(piece if name is None else variables.get(name, piece) for name, piece in _cut(text))
