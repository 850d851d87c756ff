"""The files of a configuration: local includes are read and merged, all others are named as not loaded.

GitLab merges included files in order, each after its own includes, and the including file last
(`lib/gitlab/ci/config/external/processor.rb`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache
from typing import Any, Protocol

from dockpass.text import clean
from dockpass.variables.gitlab.expand import gitlab_blank, references
from dockpass.variables.gitlab.expression import UNREADABLE_IF, has_readable_if
from dockpass.variables.gitlab.inputs import InputError, NotFilledIn, filled_in, split_header
from dockpass.variables.gitlab.model import NOWHERE, Place, Value
from dockpass.variables.gitlab.tree import Tree, YamlError, in_words, merged_trees, read_tree

MOST_INCLUDES = 150
MOST_WILDCARDS = 4
"""An include with more of them is not loaded: trying every way they may match takes too long."""

_KINDS = ("local", "remote", "project", "template", "component", "artifact")


class Files(Protocol):
    """The files of the work tree, by path from its root without a leading slash."""

    def read(self, path: str) -> str | None:
        """Return the text; None where there is no such file. Raises `YamlError` for an unreadable one."""

    def paths(self) -> tuple[str, ...] | None:
        """Return all paths, sorted; None where that is not known."""


@dataclass(frozen=True, slots=True)
class NotLoaded:
    """An include that is not read here, with what it names: `remote`, `project`, `template`, `component`."""

    kind: str
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in GitLab's words, and where."""

    message: str
    place: Place = NOWHERE


@dataclass(slots=True)
class Loaded:
    """The merged configuration, what was not loaded, and what is wrong.

    `conditional` tells that another pipeline may include other files.
    """

    tree: Tree
    not_loaded: list[NotLoaded] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    conditional: bool = False


_read_once = lru_cache(MOST_INCLUDES + 1)(read_tree)
"""Another ref reads the same files again, and parsing is most of that. Trees are not changed once read."""

RuleCheck = Callable[[Any], bool | None]


def load(path: str, files: Files, variables: Mapping[str, Value], rules_hold: RuleCheck) -> Loaded:
    """Read a configuration with its local includes; raises `YamlError` where the first file cannot be read.

    `variables` are those that exist before the pipeline; `rules_hold` judges the rules of an include, None
    where they cannot be judged here.
    """
    text = files.read(path)
    if text is None:
        raise YamlError(f"{clean(path, 200)}: file not found", Place(path))
    loaded = Loaded(Tree())
    loader = _Loader(files, variables, rules_hold, loaded)
    loaded.tree = loader.whole(text, path, ())
    return loaded


class _Loader:
    def __init__(
        self, files: Files, variables: Mapping[str, Value], rules_hold: RuleCheck, loaded: Loaded
    ) -> None:
        self.files = files
        self.variables = variables
        self.rules_hold = rules_hold
        self.loaded = loaded

    def whole(self, text: str, path: str, above: tuple[str, ...], inputs: object = None) -> Tree:
        self.loaded.files.append(path)
        template = split_header(text, path)
        try:
            text = filled_in(template, inputs, self.variables)
        except InputError as error:
            self._problem(f"`{clean(path, 200)}`: {error}", Place(path, 1))
            return Tree()
        except NotFilledIn:
            shown = f"{clean(path, 200)} (its inputs are not filled in here)"
            self.loaded.not_loaded.append(NotLoaded("local", shown, Place(path, 1)))
            return Tree()
        documents = _read_once(text, path)
        own = documents[0] if documents else None
        if own is None:
            own = Tree()
        if not isinstance(own, Tree):
            raise YamlError("Invalid configuration format", Place(path, 1))
        result = Tree()
        entries = own.get("include")
        place = own.place("include")
        for entry in entries if isinstance(entries, list) else [] if entries is None else [entries]:
            for included in self._include(entry, place, (*above, path)):
                result = merged_trees(result, included)
        return merged_trees(result, _without_include(own))

    def _include(self, entry: Any, place: Place, above: tuple[str, ...]) -> list[Tree]:
        if isinstance(entry, str):
            entry = _tree_of("remote" if re.match(r"https?://", entry) else "local", entry, place)
        if not isinstance(entry, Tree):
            self._problem("include config should be a hash or a string", place)
            return []
        kind = next((each for each in _KINDS if each in entry), "")
        if not kind:
            self._problem(
                "Each include must use only one of: local, project, remote, template, component", place
            )
            return []
        place = entry.place(kind) if entry.place(kind).line else place
        target = entry[kind]
        shown = clean(in_words(target), 200)
        if not isinstance(target, str):
            self._problem(f"Included file `{shown}` needs to be a string", place)
            return []
        for rule in trees_in(entry.get("rules")):
            if not has_readable_if(rule):
                self._problem(f"include:rule {UNREADABLE_IF}", rule.place("if"))
        if "rules" in entry or references(target):
            self.loaded.conditional = True
        holds = self.rules_hold(entry.get("rules")) if "rules" in entry else True
        if holds is False:
            return []
        name = gitlab_blank(target, self.variables)
        if kind != "local" or not isinstance(name, str) or holds is None:
            self.loaded.not_loaded.append(NotLoaded(kind, shown, place))
            return []
        inputs = entry.get("inputs")
        return [self._local(each, place, above, inputs) for each in self._expanded(name.lstrip("/"), place)]

    def _expanded(self, name: str, place: Place) -> list[str]:
        if "*" not in name:
            return [name]
        paths = self.files.paths()
        if paths is None or len(re.findall(r"\*+", name)) > MOST_WILDCARDS:
            self.loaded.not_loaded.append(NotLoaded("local", name, place))
            return []
        pattern = _glob(name)
        found = [path for path in paths if pattern.fullmatch(path)]
        if not found:
            self._problem(f"Local file `{clean(name, 200)}` does not have any matching files!", place)
        return found

    def _local(self, path: str, place: Place, above: tuple[str, ...], inputs: object) -> Tree:
        if path in above or len(self.loaded.files) > MOST_INCLUDES:
            self._problem(f"Maximum of {MOST_INCLUDES} nested includes are allowed!", place)
            return Tree()
        if not re.search(r"\.ya?ml$", path):
            self._problem(f"Included file `{clean(path, 200)}` does not have YAML extension!", place)
            return Tree()
        text = self.files.read(path)
        if text is None:
            self._problem(f"Local file `{clean(path, 200)}` does not exist!", place)
            return Tree()
        if not text.strip():
            self._problem(f"Local file `{clean(path, 200)}` is empty!", place)
            return Tree()
        return self.whole(text, path, above, inputs)

    def _problem(self, message: str, place: Place) -> None:
        self.loaded.problems.append(Problem(message, place))


def trees_in(rules: object) -> list[Tree]:
    """Return the rules of an include."""
    return [each for each in rules if isinstance(each, Tree)] if isinstance(rules, list) else []


def _without_include(tree: Tree) -> Tree:
    result = Tree()
    for key, value in tree.items():
        if key != "include":
            result.put(key, value, tree.place(key))
    return result


def _tree_of(key: str, value: str, place: Place) -> Tree:
    tree = Tree()
    tree.put(key, value, place)
    return tree


def _glob(name: str) -> re.Pattern[str]:
    """GitLab's include globs: `*` stays within a folder, `**` crosses folders."""
    pieces = [
        ".*" if piece == "**" else "[^/]*" if piece == "*" else translate(piece)[4:-3]
        for piece in re.split(r"(\*\*|\*)", name)
    ]
    return re.compile("".join(pieces), re.DOTALL)
