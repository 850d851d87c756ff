"""What looks wrong in the text of a configuration: changed values, and merges that lose variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dockpass.findings import Finding
from dockpass.text import clean
from dockpass.variables.gitlab.tree import as_text, composed, read_scalar

_DEEPEST = 100


def find_in_yaml(text: str, file: str) -> Iterator[Finding]:
    """Yield findings of one file; one that cannot be read has none, for the reader of jobs says why."""
    try:
        nodes = composed(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    shown = clean(file, 200)
    for mapping in _mappings(nodes):
        yield from _about_merge(mapping, shown)
        for key, value in mapping.value:
            if isinstance(key, ScalarNode) and key.value == "variables" and isinstance(value, MappingNode):
                yield from _about_values(value, shown)


def _mappings(nodes: Iterable[Node | None]) -> Iterator[MappingNode]:
    """Yield every mapping of a file in its order; an alias leads to the same node, which comes once."""
    seen: set[int] = set()
    waiting = [(each, 0) for each in reversed(list(nodes))]
    while waiting:
        node, depth = waiting.pop()
        if node is None or isinstance(node, ScalarNode) or depth > _DEEPEST or id(node) in seen:
            continue
        seen.add(id(node))
        below: Sequence[Node] = node.value
        if isinstance(node, MappingNode):
            yield node
            below = [value for _, value in node.value]
        waiting += [(each, depth + 1) for each in reversed(below)]


def _about_values(node: MappingNode, file: str) -> Iterator[Finding]:
    for key, value in node.value:
        scalar = _value_of(value)
        if scalar is None or not isinstance(key, ScalarNode):
            continue
        try:
            text = as_text(read_scalar(scalar))
        except OverflowError:  # the reader of jobs says so
            continue
        if text is not None and text != scalar.value and not scalar.style:
            yield Finding(
                "changed-by-yaml",
                clean(key.value, 255),
                f"is {clean(scalar.value, 80)} in {file}:{scalar.start_mark.line + 1}, and YAML makes"
                f" {clean(text, 80)} of it",
                hint="Put it in quotes.",
            )


def _value_of(node: Node) -> ScalarNode | None:
    """Return the value of a variable, which may stand under `value`."""
    if isinstance(node, MappingNode):
        found = [value for key, value in node.value if isinstance(key, ScalarNode) and key.value == "value"]
        node = found[-1] if found else node
    return node if isinstance(node, ScalarNode) else None


def _about_merge(node: MappingNode, file: str) -> Iterator[Finding]:
    names = {key.value: key for key, _ in node.value if isinstance(key, ScalarNode)}
    if "<<" not in names or "variables" not in names:
        return
    merged = [value for key, value in node.value if isinstance(key, ScalarNode) and key.value == "<<"]
    parts = [
        each for value in merged for each in (value.value if isinstance(value, SequenceNode) else [value])
    ]
    if any(isinstance(each, MappingNode) and _has_variables(each) for each in parts):
        line = names["variables"].start_mark.line + 1
        yield Finding(
            "merge-loses-variables",
            f"{file}:{line}",
            "has its own `variables`, which replace all that `<<` merges",
            hint="Use extends, which merges them.",
        )


def _has_variables(node: MappingNode) -> bool:
    return any(isinstance(key, ScalarNode) and key.value == "variables" for key, _ in node.value)
