"""A build context as a stream of tar blocks: nothing is copied to disk, and it can be cancelled."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from dockpass.errors import UsageError
from dockpass.text import clean

BLOCK = 512
CHUNK = 256 << 10


class Context:
    """The files that a build sends. `dockerfile` is the Dockerfile's name among them."""

    def __init__(self, root: Path, names: list[str], dockerfile: str, extra: dict[str, bytes]) -> None:
        self.root = root
        self.names = names
        self.dockerfile = dockerfile
        self._extra = extra

    def chunks(self, check: Callable[[], None]) -> Iterator[bytes]:
        """Yield the tar, some 256 KiB at a time; `check` is called for each and may raise."""
        buffer = bytearray()
        for block in self._blocks():
            buffer += block
            if len(buffer) >= CHUNK:
                check()
                yield bytes(buffer)
                buffer.clear()
        yield bytes(buffer + bytes(2 * BLOCK))

    def _blocks(self) -> Iterator[bytes]:
        archive = tarfile.TarFile(fileobj=io.BytesIO(), mode="w")
        for name in self.names:
            info = archive.gettarinfo(str(self.root / name), arcname=name)
            if info is None:
                continue  # a socket, which no archive can hold
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            info.mtime = int(info.mtime)
            yield _header(info)
            if info.isreg():
                yield from _content(self.root / name, info.size)
        for name, content in self._extra.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            yield _header(info)
            yield content + bytes(-len(content) % BLOCK)


def open_context(root: Path, dockerfile: Path) -> Context:
    """List the files of a context, without those that `.dockerignore` excludes."""
    from docker.utils.build import exclude_paths

    root = root.resolve()
    if not root.is_dir():
        raise UsageError("context-missing", f"{clean(str(root))} is not a directory.", "Check --context.")
    inside, name = _name_in(root, dockerfile.resolve())
    ignore = _ignore_file(root, dockerfile)
    patterns = [] if ignore is None else _patterns(ignore)
    names = sorted(exclude_paths(str(root), patterns, dockerfile=name if inside else None))
    extra = {} if inside else {name: dockerfile.read_bytes()}
    if not names and not extra:
        raise UsageError(
            "context-empty",
            f"{clean(str(root))} holds no file that is sent to the engine.",
            "Check --context and the .dockerignore there.",
        )
    return Context(root, names, name, extra)


def _name_in(root: Path, dockerfile: Path) -> tuple[bool, str]:
    if dockerfile.is_relative_to(root):
        return True, str(dockerfile.relative_to(root))
    return False, f".dockerfile.{os.urandom(6).hex()}"


def _ignore_file(root: Path, dockerfile: Path) -> Path | None:
    """`NAME.dockerignore` beside the Dockerfile wins over the context's `.dockerignore`."""
    own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    return next((path for path in (own, root / ".dockerignore") if path.is_file()), None)


def _patterns(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _content(path: Path, size: int) -> Iterator[bytes]:
    """Yield exactly `size` bytes and the padding, also if the file changes meanwhile."""
    left = size
    with path.open("rb") as file:
        while left:
            chunk = file.read(min(CHUNK, left)) or bytes(min(CHUNK, left))
            left -= len(chunk)
            yield chunk
    yield bytes(-size % BLOCK)
