"""What `extends` and `!reference` bring in.

Follows `lib/gitlab/ci/config/extendable` and `config/yaml/tags/reference.rb`, with their error texts. What
may be in an include that is not loaded is left open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dockpass.text import clean
from dockpass.variables.gitlab.includes import Problem
from dockpass.variables.gitlab.model import NOWHERE, Place
from dockpass.variables.gitlab.tree import MOST_NODES, Items, Reference, Tree, in_words, merged

DEEPEST_EXTENDS = 10


def unread_parent(name: str, place: Place) -> Tree:
    """Return what stands for a mapping of an include that is not loaded: it may have a script and rules."""
    unread = Tree()
    unread.put("script", Reference((name, "script"), place), place)
    unread.put("rules", Reference((name, "rules"), place), place)
    return unread


class Extender:
    """Merges mappings with what they extend, each once for a depth, for parents are often named again."""

    def __init__(self, tree: Tree, problems: list[Problem], *, whole: bool) -> None:
        self.tree = tree
        self.problems = problems
        self.whole = whole
        self.done: dict[tuple[str, int], Any] = {}

    def extended(self) -> Tree:
        """Return the configuration with every mapping merged."""
        result = Tree()
        result.places = self.tree.places
        for name, value in self.tree.items():
            result[name] = self._extend(name, ()) if isinstance(value, Tree) else value
        return result

    def _extend(self, name: str, above: tuple[str, ...]) -> Any:
        value = self.tree.get(name)
        if not isinstance(value, Tree) or "extends" not in value:
            return value
        key = (name, len(above))
        if key not in self.done:
            self.done[key] = self._with_parents(name, value, above)
        return self.done[key]

    def _with_parents(self, name: str, value: Tree, above: tuple[str, ...]) -> Any:
        parents = value["extends"]
        listed = parents if isinstance(parents, list) else [] if parents is None else [parents]
        names = [in_words(each) for each in listed]
        place = value.place("extends")
        if problem := self._problem(clean(name, 80), names, above, circular=name in above):
            if all(each.message != problem for each in self.problems):
                self.problems.append(Problem(problem, place))
            return value
        result: Any = Tree()
        for each in names:
            parent = self._extend(each, (*above, name)) if each in self.tree else unread_parent(each, place)
            result = merged(result, parent)
        return merged(result, value)

    def _problem(self, shown: str, names: Sequence[str], above: tuple[str, ...], *, circular: bool) -> str:
        unknown = [each for each in names if each not in self.tree]
        bad = [each for each in names if each in self.tree and not isinstance(self.tree[each], Tree)]
        if unknown and self.whole:
            return f"{shown}: unknown keys in `extends` ({clean(', '.join(unknown), 200)})"
        if bad:
            return f"{shown}: invalid base hashes in `extends` ({clean(', '.join(bad), 200)})"
        if len(above) > DEEPEST_EXTENDS:
            return f"{shown}: nesting too deep in `extends`"
        return f"{shown}: circular dependency detected in `extends`" if circular else ""


class Resolver:
    """Puts in what `!reference` names; what may be in an include that is not loaded stays a `Reference`."""

    def __init__(self, tree: Tree, problems: list[Problem], *, whole: bool) -> None:
        self.tree = tree
        self.problems = problems
        self.whole = whole
        self.referred = 0
        self.plain: set[int] = set()
        self.last = NOWHERE

    def resolved(self) -> Tree:
        """Return the configuration without references; an empty one if they repeat too much."""
        result = self._resolve(self.tree, ())
        if self.referred > MOST_NODES:
            message = "The parsed YAML is too big, with what `!reference` repeats"
            self.problems.append(Problem(message, self.last))
            return Tree()
        return result if isinstance(result, Tree) else Tree()

    def _resolve(self, value: Any, above: tuple[tuple[str, ...], ...]) -> Any:
        self.referred += bool(above)
        if self.referred > MOST_NODES:
            return None
        if isinstance(value, Reference):
            return self._look_up(value, above)
        if not isinstance(value, list | Tree) or (not above and id(value) in self.plain):
            return value
        if isinstance(value, list):
            found = [self._resolve(each, above) for each in value]
            if all(new is old for new, old in zip(found, value, strict=True)):
                self.plain.add(id(value))
                return value
            return Items(found, value.places) if isinstance(value, Items) else found
        changed = {key: new for key, each in value.items() if (new := self._resolve(each, above)) is not each}
        if not changed:
            self.plain.add(id(value))
            return value
        result = Tree()
        result.update(value | changed)
        result.places = value.places
        return result

    def _look_up(self, reference: Reference, above: tuple[tuple[str, ...], ...]) -> Any:
        self.last = reference.place
        if reference.path in above:
            return self._refused(f"{reference.shown} is part of a circular chain", reference.place)
        found: Any = self.tree
        for key in reference.path:
            found = found.get(key) if isinstance(found, Tree) else None
        if found is not None:
            return self._resolve(found, (*above, reference.path))
        if self.whole:
            return self._refused(f"{reference.shown} could not be found", reference.place)
        return reference

    def _refused(self, message: str, place: Place) -> None:
        problem = Problem(message, place)
        if problem not in self.problems:
            self.problems.append(problem)
