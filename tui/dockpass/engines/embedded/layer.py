"""Layers: written so that the same files give the same bytes, and read back.

A layer's entries are sorted. Files keep their times, as with BuildKit; what the build makes itself is of
its own time. A layer is compressed in parts, each a gzip member of its own, by several threads; readers of
gzip take the parts as one.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tarfile
import tempfile
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from dockpass.engines.context import unreadable
from dockpass.engines.embedded.manifest import OCI_LAYER_GZIP, Descriptor
from dockpass.engines.embedded.moment import Moment
from dockpass.engines.embedded.store import Store
from dockpass.engines.embedded.storeerrors import damaged, unwritable
from dockpass.engines.embedded.tree import Content, DiskFile, Kind, Member, Node, Text
from dockpass.errors import DockpassError, UsageError
from dockpass.text import clean

BLOCK = 512
CHUNK = 1 << 20
PART = 4 << 20
LEVEL = 6
GZIP = b"\x1f\x8b"
_TIME_BEGINS, _SUM_ENDS = 136 - BLOCK, 156 - BLOCK  # in the last block of a header (POSIX, ustar)

_TYPES = {Kind.DIRECTORY: tarfile.DIRTYPE, Kind.LINK: tarfile.SYMTYPE, Kind.FILE: tarfile.REGTYPE}


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the store, and the digest of its uncompressed bytes."""

    descriptor: Descriptor
    diff_id: str
    reused: bool = False


def write_layer(
    store: Store, entries: Iterable[tuple[str, Node]], moment: Moment, check: Callable[[], None]
) -> Layer:
    """Store the layer of these paths and nodes, which must be sorted; one that is known is not built again.

    It is known by everything but its times, as with BuildKit, so that a fresh checkout gives the same layers.
    Where the person fixed the time, the times count too: what was built before changes nothing then.

    Contents that are `Member`s must have been brought to the disk before.
    """
    with tempfile.TemporaryFile(dir=_workspace(store)) as spool:
        digest, timeless = hashlib.sha256(), hashlib.sha256()
        try:
            for block in _tar(entries, moment.seconds, check):
                check()
                digest.update(block.raw)
                if not moment.is_fixed:
                    timeless.update(block.timeless or block.raw)
                spool.write(block.raw)
            spool.flush()
        except OSError as error:
            raise unwritable(store.root, error) from error
        diff_id = f"sha256:{digest.hexdigest()}"
        identity = digest.hexdigest() if moment.is_fixed else timeless.hexdigest()
        if known := _known(store, identity):
            return known
        spool.seek(0)
        with store.ingest() as ingest:
            for part in _compressed(iter(lambda: spool.read(PART), b""), check):
                ingest.write(part)
            found = Descriptor(OCI_LAYER_GZIP, ingest.digest, ingest.size)
            store.commit(ingest, found)
    made = Layer(found, diff_id)
    _remember(store, identity, made)
    return made


@contextmanager
def members(store: Store, layer: Descriptor) -> Iterator[tarfile.TarFile]:
    """Open a layer for reading in its order; raises `DockpassError` for one that is no archive."""
    path = store.blob(layer.digest)
    if layer.media_type.endswith("zstd"):
        raise DockpassError(
            "layer-unreadable",
            f"The layer {layer.digest[:19]} is compressed with zstd, which is not supported.",
            "Use an image with gzip layers, or build with --engine docker.",
        )
    try:
        with path.open("rb") as file, _opened(file) as archive:
            yield archive
    except FileNotFoundError:
        raise damaged(path, "is missing") from None
    except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise damaged(path, f"is not a tar archive ({clean(str(error), 80)})") from error


def _opened(file: IO[bytes]) -> tarfile.TarFile:
    """Open an archive for reading in its order; tarfile's own reader ends after the first gzip member."""
    is_gzip = file.read(2) == GZIP
    file.seek(0)
    if is_gzip:
        return tarfile.open(fileobj=gzip.GzipFile(fileobj=file), mode="r|", bufsize=CHUNK)
    return tarfile.open(fileobj=file, mode="r|*")


def bring_to_disk(
    store: Store, layers: Iterable[Descriptor], wanted: Iterable[Node], check: Callable[[], None]
) -> IO[bytes] | None:
    """Copy contents out of layers into one temporary file, which the nodes then refer to.

    Returns the file, to be closed when the nodes are done with; None if no content is in a layer.
    """
    by_layer: dict[str, dict[str, list[Node]]] = {}
    for node in wanted:
        if isinstance(node.content, Member):
            by_layer.setdefault(node.content.layer, {}).setdefault(node.content.name, []).append(node)
    if not by_layer:
        return None
    spool = tempfile.NamedTemporaryFile(dir=_workspace(store))  # noqa: SIM115 - the caller closes it
    place = Path(spool.name)
    for layer in layers:
        nodes = by_layer.pop(layer.digest, {})
        if not nodes:
            continue
        with members(store, layer) as archive:
            for member in archive:
                check()
                # A name may stand twice in a layer; the last one counts.
                if member.isreg() and member.name in nodes:
                    content = _spooled(archive, member, spool, place, check)
                    for node in nodes[member.name]:
                        node.content = content
    spool.flush()
    missing = next((node for nodes in by_layer.values() for each in nodes.values() for node in each), None)
    if missing is not None:
        raise DockpassError("layer-missing", "The layer of a file is missing.", "Pull the image again.")
    return spool


def _spooled(
    archive: tarfile.TarFile,
    member: tarfile.TarInfo,
    spool: IO[bytes],
    place: Path,
    check: Callable[[], None],
) -> DiskFile:
    source = archive.extractfile(member)
    begin = spool.tell()
    while source is not None and (chunk := source.read(CHUNK)):
        check()
        spool.write(chunk)
    return DiskFile(place, spool.tell() - begin, begin)


def read_content(content: Content) -> bytes:
    """Return a content that is on the disk or in memory."""
    return b"".join(_bytes_of(content))


class _Block(NamedTuple):
    """Some bytes of an archive; `timeless` is what a header is without its time and its checksum."""

    raw: bytes
    timeless: bytes = b""


def _tar(entries: Iterable[tuple[str, Node]], now: int, check: Callable[[], None]) -> Iterator[_Block]:
    first_of: dict[object, str] = {}
    for path, node in entries:
        check()
        name = path.lstrip("/")
        info = _info(name, node, now if node.mtime is None else node.mtime)
        if node.inode is not None and node.kind is Kind.FILE:
            first = first_of.setdefault(node.inode, name)
            if first != name:
                info.type, info.linkname, info.size = tarfile.LNKTYPE, first, 0
        header = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        yield _Block(header, header[:_TIME_BEGINS] + header[_SUM_ENDS:])
        if info.type == tarfile.REGTYPE and node.content is not None:
            yield from map(_Block, _bytes_of(node.content))
            yield _Block(bytes(-info.size % BLOCK))
    yield _Block(bytes(2 * BLOCK))


def _info(name: str, node: Node, mtime: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name + "/" if node.kind is Kind.DIRECTORY else name)
    info.mode, info.uid, info.gid, info.mtime = node.mode, node.uid, node.gid, mtime
    info.pax_headers = dict(node.xattrs)
    if node.device is not None:
        info.type, info.devmajor, info.devminor = node.device
    else:
        info.type = _TYPES[node.kind]
    info.linkname = node.target
    info.size = node.content.size if node.content is not None and node.kind is Kind.FILE else 0
    return info


def _bytes_of(content: Content) -> Iterator[bytes]:
    if isinstance(content, Text):
        yield content.raw
        return
    if isinstance(content, Member):
        raise RuntimeError("a content was not brought to the disk")
    left = content.size
    try:
        with content.path.open("rb", buffering=0) as file:
            if content.offset:
                file.seek(content.offset)
            while left:
                chunk = file.read(min(CHUNK, left))
                if not chunk:
                    raise _changed(content.path)
                left -= len(chunk)
                yield chunk
    except OSError as error:
        raise unreadable(content.path, error) from error


def _changed(path: Path) -> UsageError:
    return UsageError(
        "context-changed",
        f"{clean(str(path))} was truncated while it was read.",
        "Build again while nothing writes to it.",
    )


def _compressed(parts: Iterator[bytes], check: Callable[[], None]) -> Iterator[bytes]:
    """Yield gzip members, compressed by as many threads as there are processors."""
    workers = max(os.cpu_count() or 1, 1)
    with ThreadPoolExecutor(workers) as pool:
        running: deque[Future[bytes]] = deque()
        for part in parts:
            check()
            running.append(pool.submit(_gzip, part))
            if len(running) > workers:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _gzip(part: bytes) -> bytes:
    return gzip.compress(part, LEVEL, mtime=0)


def _workspace(store: Store) -> Path:
    place = store.root / "ingest"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(place, error) from error
    return place


def _known(store: Store, identity: str) -> Layer | None:
    try:
        found = json.loads(_record(store, identity).read_bytes())
        descriptor = Descriptor(OCI_LAYER_GZIP, found["digest"], found["size"])
        return Layer(descriptor, found["diff_id"], reused=True) if store.has(descriptor) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(store: Store, identity: str, layer: Layer) -> None:
    """Note a built layer; a note that cannot be written costs only time."""
    path = _record(store, identity)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}-{os.getpid()}")
        found = {"digest": layer.descriptor.digest, "size": layer.descriptor.size, "diff_id": layer.diff_id}
        fresh.write_text(json.dumps(found), encoding="utf-8")
        fresh.replace(path)
    except OSError:
        return


def _record(store: Store, identity: str) -> Path:
    return store.root / "built" / identity
