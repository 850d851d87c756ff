"""What COPY and ADD put where: sources in a tree, a destination in another, by docker's rules."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dockpass.engines.embedded.imageconfig import InstructionError
from dockpass.engines.embedded.tree import WHITEOUT, Kind, Node, Tree

_WILD = re.compile(r"[*?\[\\]")
_SPECIAL = re.compile(r"[\[\]&~|^]")


@dataclass(frozen=True, slots=True)
class Source:
    """One source: a path or a pattern in a tree."""

    tree: Tree
    pattern: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What an instruction asks for. `owner` and `mode` are None where they stay as they are.

    `unpack` tells whether a file is an archive that ADD unpacks, and gives its entries then.
    """

    sources: tuple[Source, ...]
    destination: str
    owner: tuple[int, int] | None = (0, 0)
    mode: int | None = None
    unpack: Callable[[Node], Iterable[tuple[str, Node]] | None] = lambda _: None


class Changes:
    """The nodes that an instruction puts into a tree, by their path there; a layer is made of them."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._paths: set[str] = set()

    def put(self, path: str, node: Node) -> None:
        """Put a node at a path, whose links are followed but for the last part.

        It takes the place of what is there; only a directory keeps what is in it for another directory.
        """
        real = self._place(path)
        self.tree.put(real, node)
        self._paths.add(real)

    def make_directory(self, path: str, owner: tuple[int, int] | None) -> None:
        """Make a directory and those above it where they are missing."""
        real = self._place(path + "/.")
        parts = [part for part in real.split("/") if part]
        for count in range(1, len(parts) + 1):
            each = "/" + "/".join(parts[:count])
            there = self.tree.at(each)
            if there is None:
                self.tree.put(each, Node(Kind.DIRECTORY).owned_by(owner, None))
                self._paths.add(each)
            elif there.kind is not Kind.DIRECTORY:
                raise InstructionError(f"{each} is a {there.kind.value}, not a directory")

    def touch(self, path: str) -> None:
        """Have a directory that is there in the layer, as docker does with one that it copies into."""
        self._paths.add(self._place(path + "/."))

    def entries(self) -> list[tuple[str, Node]]:
        """Return what a layer needs, sorted: the changes and every directory above them.

        Docker gives a directory that a layer does not list rights of its own, hence all of them are.
        """
        found: dict[str, Node] = {}
        for path in self._paths:
            node = self.tree.at(path)
            if node is not None and path != "/":
                _refuse_whiteout(path)
                found[path] = node
                found.update(self.tree.parents(path))
        return sorted(found.items(), key=lambda each: each[0].split("/"))

    def _place(self, path: str) -> str:
        real = self.tree.resolve(path, follow_last=False)
        if real is None:
            raise InstructionError(f"a part of {path} is not a directory, or its links go in circles")
        return real


def _refuse_whiteout(path: str) -> None:
    """Raise for a name that in a layer is no file, but the removal of one (image specification)."""
    name = next((part for part in path.split("/") if part.startswith(WHITEOUT)), "")
    if name:
        raise InstructionError(f"{path}: in a layer, a name that begins with {WHITEOUT} removes a file", name)


def copy(wish: Wish, changes: Changes, workdir: str) -> None:
    """Put the sources into the tree of `changes`; raises `InstructionError` as docker would."""
    found = [(each.tree, path) for each in wish.sources for path in _matching(each.tree, each.pattern)]
    destination = posixpath.join(workdir, wish.destination)
    into = wish.destination.endswith(("/", "/.")) or wish.destination == "."
    if len(found) > 1 and not into:
        raise InstructionError(
            f"several sources need a directory, whose name ends with a slash: {wish.destination}/",
            wish.destination,
        )
    for tree, path in found:
        _copy_one(wish, tree, path, changes, destination.rstrip("/") or "/", into=into)


def _copy_one(wish: Wish, source: Tree, path: str, changes: Changes, destination: str, *, into: bool) -> None:
    real = source.resolve(path)
    node = source.at(real) if real is not None else None
    if node is None or real is None:
        raise InstructionError(f"{path.lstrip('/')} is a broken symbolic link", path.lstrip("/"))
    if node.kind is Kind.DIRECTORY:
        _copy_directory(wish, source, real, changes, destination)
        return
    unpacked = wish.unpack(node) if node.kind is Kind.FILE else None
    if unpacked is not None:
        changes.make_directory(destination, wish.owner)
        for name, member in unpacked:
            changes.put(f"{destination}/{name}", member)
        return
    there = changes.tree.get(destination)
    if into or (there is not None and there.kind is Kind.DIRECTORY):
        changes.make_directory(destination, wish.owner)
        target = f"{destination.rstrip('/')}/{path.rpartition('/')[2]}"
    else:
        changes.make_directory(posixpath.dirname(destination), wish.owner)
        target = changes.tree.resolve(destination) or destination
    changes.put(target, _copied(node, wish))


def _copy_directory(wish: Wish, source: Tree, real: str, changes: Changes, destination: str) -> None:
    """Copy what is in a directory; the directory itself is not copied."""
    changes.make_directory(posixpath.dirname(destination), None)
    changes.make_directory(destination, wish.owner)
    changes.touch(destination)
    base = len(real.rstrip("/"))
    for path, node in source.walk(real):
        changes.put(destination.rstrip("/") + path[base:], _copied(node, wish))


def _copied(node: Node, wish: Wish) -> Node:
    return node.owned_by(wish.owner, wish.mode)


def _matching(tree: Tree, pattern: str) -> list[str]:
    """Return the paths of a source; docker takes a leading slash as the root of the context."""
    cleaned = posixpath.normpath("/" + pattern)
    if _leaves(pattern):
        raise InstructionError(f"{pattern} leads out of the build context", pattern)
    if _WILD.search(pattern):
        wanted = _regex(cleaned, pattern)
        found = [path for path, _ in tree.walk() if wanted.fullmatch(path)]
    else:
        found = [cleaned] if tree.get(cleaned, follow_last=False) is not None else []
    if not found:
        raise InstructionError(f"there is no {pattern} in the build context or source", pattern)
    return found


def _leaves(pattern: str) -> bool:
    depth = 0
    for part in pattern.split("/"):
        depth += {"": 0, ".": 0, "..": -1}.get(part, 1)
        if depth < 0:
            return True
    return False


def _regex(path: str, pattern: str) -> re.Pattern[str]:
    """Return a pattern in Go's form (`*` and `?` stop at slashes, `[^a]`) as a regular expression."""
    made, at = "", 0
    while at < len(path):
        char = path[at]
        at += 1
        if char == "*":
            made += "[^/]*"
        elif char == "?":
            made += "[^/]"
        elif char == "\\" and at < len(path):
            made += re.escape(path[at])
            at += 1
        elif char == "[":
            end = path.find("]", at + 1)
            if end < 0:
                raise InstructionError(f"{pattern} is not a valid pattern: a bracket is not closed", pattern)
            inside = path[at:end]
            negated = "^" if inside.startswith("^") else ""
            made += f"[{negated}{_SPECIAL.sub(_escaped, inside[len(negated) :])}]"
            at = end + 1
        else:
            made += re.escape(char)
    try:
        return re.compile(made, re.DOTALL)
    except re.error:
        raise InstructionError(f"{pattern} is not a valid pattern", pattern) from None


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[0]
