"""Variables in YAML: a `variables:` of GitLab's, gitlab-ci-local's two files, and act's flat maps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from dockpass.text import clean
from dockpass.variables.formats.node_dotenv import read_node_dotenv
from dockpass.variables.formats.reading import Collector, Entry, Reading, shown_key
from dockpass.variables.gitlab.config import read_variables
from dockpass.variables.gitlab.includes import Problem
from dockpass.variables.gitlab.model import YamlPart
from dockpass.variables.gitlab.tree import Tree, YamlError, read_tree

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ALLOWED = ("value", "description", "expand", "options")


def read_yaml_variables(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001
    """Read the `variables:` of a YAML file, and those of its jobs, as GitLab reads them."""
    found = Collector()
    try:
        documents = read_tree(text.removeprefix("\ufeff"), "the file")
    except YamlError as error:
        found.problem(error.place.line, clean(error.message, 300), refuses=True)
        return found.reading()
    problems: list[Problem] = []
    for tree in documents:
        if not isinstance(tree, Tree):
            continue
        sources = [("", tree), *((name, job) for name, job in tree.items() if isinstance(job, Tree))]
        for name, each in sources:
            if name == "variables":
                continue
            allowed = _ALLOWED if not name else ("value", "expand")
            part = YamlPart.JOB if name else YamlPart.DEFAULT
            for made in read_variables(each, name, part, allowed, problems):
                entry = Entry(
                    key=made.key,
                    value=made.value,
                    line=made.place.line,
                    raw=made.raw,
                    origin=clean(name, 200),
                )
                found.put(entry)
    for problem in problems:
        found.problem(problem.place.line, problem.message, refuses=True)
    if not found.entries and not found.problems:
        found.problem(0, "There is no `variables:` in the file.")
    return found.reading()


def _mapping(text: str, found: Collector) -> MappingNode | None:
    """Return the top mapping as YAML's nodes (every scalar is a text); None with the reason as a problem."""
    try:
        node = yaml.compose(text.removeprefix("\ufeff"), Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = clean(error.problem or "it cannot be parsed", 200)
        found.problem(mark.line + 1 if mark else 0, f"The YAML cannot be read: {why}.", refuses=True)
        return None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        found.problem(0, f"The YAML cannot be read: {clean(str(error), 200)}.", refuses=True)
        return None
    if isinstance(node, MappingNode):
        return node
    if node is not None:
        found.problem(1, "The file is no YAML mapping of names to values.", refuses=True)
    return None


def _items(node: Node) -> Iterator[tuple[str, Node, int]]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                yield key.value, value, key.start_mark.line + 1


def read_flat_yaml(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001
    """Read a flat map of names to texts, as act reads `--secret-file s.yaml`."""
    found = Collector()
    node = _mapping(text, found)
    for key, value, line in _items(node) if node else ():
        if isinstance(value, ScalarNode):
            found.add(key, value.value, line)
        else:
            found.problem(line, f"The value of {shown_key(key)} is no text; it was left out.", refuses=True)
    return found.reading()


def read_gcl_project(text: str, environ: Mapping[str, str]) -> Reading:
    """Read `.gitlab-ci-local-variables.yml`: a flat map, else what node's dotenv reads."""
    found = Collector()
    node = _mapping(text, found)
    if node is None and text.strip():
        reading = read_node_dotenv(text, environ)
        if reading.entries:
            return reading
    for key, value, line in _items(node) if node else ():
        _variable(key, value, line, "project file", found)
    return found.reading()


def read_gcl_home(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001
    """Read gitlab-ci-local's `variables.yml`: `global`, `group` and `project`, each entry with its origin."""
    found = Collector()
    node = _mapping(text, found)
    for section, content, line in _items(node) if node else ():
        if section == "global":
            for key, value, at in _items(content):
                _variable(key, value, at, "global", found)
        elif section in {"group", "project"}:
            for owner, variables, _ in _items(content):
                for key, value, at in _items(variables):
                    _variable(key, value, at, f"{section}:{owner}", found)
        else:
            found.problem(
                line, f"{shown_key(section)} is none of global, group and project; it was left out."
            )
    return found.reading()


def _variable(key: str, value: Node, line: int, origin: str, found: Collector) -> None:
    if isinstance(value, ScalarNode):
        text: str = value.value
        is_file = text.startswith(("/", "~"))
        found.put(Entry(key=key, value=text, line=line, file=is_file, origin=origin))
        return
    parts: dict[str, Any] = {name: each for name, each, _ in _items(value)}
    kind = parts.get("type")
    is_file = isinstance(kind, ScalarNode) and kind.value == "file"
    values = list(_items(parts["values"])) if "values" in parts else []
    if not values:
        found.problem(line, f"{shown_key(key)} has no text and no `values`; it was left out.", refuses=True)
    for scope, content, at in values:
        if isinstance(content, ScalarNode):
            found.put(Entry(key=key, value=content.value, line=at, file=is_file, scope=scope, origin=origin))
        else:
            found.problem(at, f"{shown_key(key)}: content must be text.", refuses=True)


def gcl_chosen(reading: Reading, environment: str | None, remote: str = "") -> dict[str, Entry]:
    """Return what gitlab-ci-local takes: the longest matching scope, then the level; GitLab differs."""
    address = _address(remote)
    best: dict[str, tuple[tuple[int, int], Entry]] = {}
    for entry in reading.entries:
        level = _level(entry.origin, address)
        matches = entry.scope == "*" or (
            environment is not None
            and re.fullmatch(".*".join(map(re.escape, entry.scope.split("*"))), environment) is not None
        )
        rank = (len(entry.scope), level)
        if level and matches and (entry.key not in best or rank > best[entry.key][0]):
            best[entry.key] = (rank, entry)
    return {key: entry for key, (_, entry) in best.items()}


def _level(origin: str, address: str) -> int:
    section, _, owner = origin.partition(":")
    owner = owner.replace(":", "/", 1)
    group = address.rpartition("/")[0] + "/"
    if section == "group":
        return 12 if owner in group else 0
    if section == "project":
        return 13 if owner in address else 0
    return 24 if section == "project file" else 11


def _address(remote: str) -> str:
    """Return `host/group/project.git` of a git remote."""
    bare = re.sub(r"^(?:\w+://)?(?:[^@/]*@)?", "", remote)
    host, _, path = bare.replace(":", "/", 1).partition("/") if "://" not in remote else bare.partition("/")
    return f"{host}/{path.removesuffix('.git')}.git"
