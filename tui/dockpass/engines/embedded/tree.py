"""A file tree in memory: a build context, or what the layers of an image add up to.

Nothing of it exists on the disk; links are followed inside the tree only, so nothing can lead out.
"""

from __future__ import annotations

import posixpath
import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from dockpass.engines.embedded.moment import whole_seconds

MOST_LINKS = 255
WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"

_XATTR = "SCHILY.xattr."


class Kind(Enum):
    """What a node is."""

    DIRECTORY = "directory"
    FILE = "file"
    LINK = "symbolic link"
    OTHER = "device"


@dataclass(frozen=True, slots=True)
class DiskFile:
    """Content in a file of this machine: `size` bytes from `offset` on."""

    path: Path
    size: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """Content in a layer of the store, by the name that it has there."""

    layer: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Text:
    """Content that is in memory."""

    raw: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.raw)


Content = DiskFile | Member | Text


@dataclass(slots=True)
class Node:
    """One file, directory or link. `inode` is equal for hard links of the same file, None if alone.

    `mtime` is in whole seconds since 1970, None for what the build itself makes.
    """

    kind: Kind
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    mtime: int | None = None
    target: str = ""
    content: Content | None = None
    inode: object = None
    device: tuple[bytes, int, int] | None = None
    xattrs: dict[str, str] = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)

    def owned_by(self, owner: tuple[int, int] | None, mode: int | None) -> Node:
        """Return a copy without children, with another owner and mode where they are given."""
        uid, gid = owner if owner is not None else (self.uid, self.gid)
        keeps = mode is None or self.kind is Kind.LINK
        return replace(self, uid=uid, gid=gid, mode=self.mode if keeps else mode or 0, children={})


class Tree:
    """A root directory. Paths are absolute or relative to the root, with `/` between their parts."""

    def __init__(self) -> None:
        self.root = Node(Kind.DIRECTORY)

    def resolve(self, path: str, *, follow_last: bool = True) -> str | None:
        """Return the path without links and dots, as a process in the tree would see it.

        None for links that go round in circles, or a part that is no directory. What does not exist
        yet keeps its name.
        """
        todo = [part for part in path.split("/") if part][::-1]
        done: list[str] = []
        hops = 0
        while todo:
            part = todo.pop()
            if part == ".":
                continue
            if part == "..":
                done = done[:-1]
                continue
            node = self._at([*done, part])
            if node is not None and node.kind is Kind.LINK and (todo or follow_last):
                hops += 1
                if hops > MOST_LINKS:
                    return None
                if node.target.startswith("/"):
                    done = []
                todo += [each for each in node.target.split("/") if each][::-1]
                continue
            if node is not None and node.kind is not Kind.DIRECTORY and todo:
                return None
            done.append(part)
        return "/" + "/".join(done)

    def get(self, path: str, *, follow_last: bool = True) -> Node | None:
        """Return what is at a path, links followed; None if nothing is."""
        real = self.resolve(path, follow_last=follow_last)
        return None if real is None else self.at(real)

    def at(self, real: str) -> Node | None:
        """Return what is at a path that holds no links."""
        return self._at([part for part in real.split("/") if part])

    def put(self, real: str, node: Node) -> None:
        """Put a node at a path without links; missing parents are made. A directory keeps its children."""
        parts = [part for part in real.split("/") if part]
        if not parts:
            node.children = self.root.children
            self.root = node
            return
        parent = self.root
        for part in parts[:-1]:
            below = parent.children.get(part)
            if below is None or below.kind is not Kind.DIRECTORY:
                below = parent.children[part] = Node(Kind.DIRECTORY)
            parent = below
        before = parent.children.get(parts[-1])
        if before is not None and before.kind is node.kind is Kind.DIRECTORY:
            node.children = before.children
        parent.children[parts[-1]] = node

    def remove(self, real: str) -> None:
        """Take away what is at a path, with everything below it."""
        head, _, name = real.rstrip("/").rpartition("/")
        parent = self.at(head)
        if parent is not None:
            parent.children.pop(name, None)

    def walk(self, real: str = "/") -> Iterator[tuple[str, Node]]:
        """Yield paths and nodes below a directory, sorted, parents first; links are not followed."""
        node = self.at(real)
        stack = [] if node is None else _below("" if real == "/" else real, node)
        while stack:
            path, found = stack.pop()
            yield path, found
            stack += _below(path, found)

    def parents(self, real: str) -> Iterator[tuple[str, Node]]:
        """Yield the directories above a path that exist, the root left out."""
        parts = [part for part in real.split("/") if part][:-1]
        for count in range(1, len(parts) + 1):
            node = self._at(parts[:count])
            if node is not None:
                yield "/" + "/".join(parts[:count]), node

    def _at(self, parts: list[str]) -> Node | None:
        node = self.root
        for part in parts:
            found = node.children.get(part)
            if found is None:
                return None
            node = found
        return node


def _below(path: str, node: Node) -> list[tuple[str, Node]]:
    """Return a directory's children, the first of them last."""
    return [(f"{path}/{name}", node.children[name]) for name in sorted(node.children, reverse=True)]


def add_layer(tree: Tree, digest: str, members: Iterable[tarfile.TarInfo], check: Callable[[], None]) -> None:
    """Apply a layer to a tree.

    Whiteouts and opaque directories hide what is in lower layers, never what is in their own, wherever
    they stand in it (image specification).
    """
    own: set[str] = set()
    for member in members:
        check()
        path = posixpath.normpath("/" + member.name)
        head, _, name = path.rpartition("/")
        if name == OPAQUE:
            below = tree.at(head)
            if below is not None:
                for child in list(below.children):
                    _hide(tree, f"{head}/{child}", own)
        elif name.startswith(WHITEOUT):
            _hide(tree, f"{head}/{name.removeprefix(WHITEOUT)}", own)
        else:
            node = _node(tree, digest, member)
            if node is not None:
                tree.put(path, node)
                own.update(_with_parents(path))


def _hide(tree: Tree, path: str, own: set[str]) -> None:
    """Take away what is at a path and below it, but for the paths in `own`."""
    if path not in own:
        tree.remove(path)
        return
    node = tree.at(path)
    for child in list(node.children) if node is not None else ():
        _hide(tree, f"{path}/{child}", own)


def _with_parents(path: str) -> Iterator[str]:
    while path.strip("/"):
        yield path
        path = path.rpartition("/")[0]


def _node(tree: Tree, digest: str, member: tarfile.TarInfo) -> Node | None:
    node = Node(Kind.DIRECTORY, member.mode & 0o7777, member.uid, member.gid, whole_seconds(member.mtime))
    node.xattrs = {name: text for name, text in member.pax_headers.items() if name.startswith(_XATTR)}
    if member.islnk():
        first = tree.at(posixpath.normpath("/" + member.linkname))
        if first is None or first.kind is Kind.DIRECTORY:
            return None
        first.inode = first.inode or object()
        return first
    if member.issym():
        node.kind, node.target = Kind.LINK, member.linkname
    elif member.isreg():
        node.kind, node.content = Kind.FILE, Member(digest, member.name, member.size)
    elif member.ischr() or member.isblk() or member.isfifo():
        node.kind, node.device = Kind.OTHER, (member.type, member.devmajor, member.devminor)
    elif not member.isdir():
        return None
    return node


def tree_of_files(root: Path, names: Iterable[str], check: Callable[[], None]) -> Tree:
    """Return the tree of files of this machine: owned by root, as docker sends them."""
    tree = Tree()
    for name in names:
        check()
        path = root / name
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISDIR(status.st_mode):
            node = Node(Kind.DIRECTORY, mode)
        elif stat.S_ISLNK(status.st_mode):
            node = Node(Kind.LINK, 0o777, target=str(path.readlink()))
        elif stat.S_ISREG(status.st_mode):
            inode = (status.st_dev, status.st_ino) if status.st_nlink > 1 else None
            node = Node(Kind.FILE, mode, content=DiskFile(path, status.st_size), inode=inode)
        elif stat.S_ISFIFO(status.st_mode):
            node = Node(Kind.OTHER, mode, device=(tarfile.FIFOTYPE, 0, 0))
        else:
            continue  # a socket or a device, which no context holds
        node.mtime = whole_seconds(status.st_mtime_ns // 10**9)
        tree.put("/" + name, node)
    return tree
