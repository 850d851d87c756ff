"""Local tar archives that ADD unpacks: recognised by their bytes, as docker does it."""

from __future__ import annotations

import posixpath
import tarfile
import zlib
from collections.abc import Callable, Iterator
from lzma import LZMAError

from dockpass.engines.embedded.imageconfig import InstructionError
from dockpass.engines.embedded.moment import whole_seconds
from dockpass.engines.embedded.tree import DiskFile, Kind, Node
from dockpass.text import clean

CHUNK = 1 << 20
ZSTD = b"\x28\xb5\x2f\xfd"

Spool = Callable[[Iterator[bytes]], DiskFile]
"""Keeps the bytes of a file until its layer is written."""


def unpack(node: Node, owner: tuple[int, int] | None, spool: Spool) -> list[tuple[str, Node]] | None:
    """Return the entries of an archive, names relative; None if the file is none.

    Raises `InstructionError` for entries that lead out of the archive, as docker does.
    """
    content = node.content
    if not isinstance(content, DiskFile):
        return None
    with content.path.open("rb") as file:
        if file.read(4) == ZSTD:
            raise InstructionError(f"{content.path.name} is compressed with zstd, which is not supported")
        file.seek(0)
        try:
            archive = tarfile.open(fileobj=file, mode="r:*")  # noqa: SIM115 - closed below
        except (tarfile.TarError, zlib.error, LZMAError, EOFError, OSError):
            return None
        with archive:
            try:
                found = _entries(archive, owner, spool)
            except (tarfile.TarError, zlib.error, LZMAError, EOFError) as error:
                words = clean(str(error), 80)
                raise InstructionError(f"{content.path.name} cannot be unpacked: {words}") from error
    return found or None


def _entries(archive: tarfile.TarFile, owner: tuple[int, int] | None, spool: Spool) -> list[tuple[str, Node]]:
    nodes: dict[str, Node] = {}
    for member in archive:
        name = posixpath.normpath(member.name.lstrip("/"))
        if name == ".":
            continue
        if name.startswith(".."):
            raise InstructionError(f"its entry {clean(member.name, 100)} leads out of the archive")
        node = _node(archive, member, nodes, spool)
        if node is not None:
            nodes.pop(name, None)  # an entry that comes again counts where it comes last
            nodes[name] = node.owned_by(owner, None) if owner is not None else node
    return list(nodes.items())


def _node(
    archive: tarfile.TarFile, member: tarfile.TarInfo, nodes: dict[str, Node], spool: Spool
) -> Node | None:
    node = Node(Kind.DIRECTORY, member.mode & 0o7777, member.uid, member.gid, whole_seconds(member.mtime))
    if member.issym():
        target = posixpath.normpath(
            posixpath.join(posixpath.dirname(member.name.lstrip("/")), member.linkname)
        )
        if not member.linkname.startswith("/") and target.startswith(".."):
            raise InstructionError(f"its link {clean(member.name, 100)} leads out of the archive")
        node.kind, node.target, node.mode = Kind.LINK, member.linkname, 0o777
    elif member.islnk():
        first = nodes.get(posixpath.normpath(member.linkname.lstrip("/")))
        if first is None or first.kind is not Kind.FILE:
            raise InstructionError(f"its hard link {clean(member.name, 100)} has no target in the archive")
        first.inode = first.inode or object()
        return first
    elif member.isreg():
        source = archive.extractfile(member)
        chunks = iter(lambda: source.read(CHUNK) if source else b"", b"")
        node.kind, node.content = Kind.FILE, spool(chunks)
    elif member.ischr() or member.isblk() or member.isfifo():
        node.kind, node.device = Kind.OTHER, (member.type, member.devmajor, member.devminor)
    elif not member.isdir():
        return None
    return node
