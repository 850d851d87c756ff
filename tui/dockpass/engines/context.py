"""A build context as a stream of tar blocks: nothing is copied to disk, and it can be cancelled."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dockpass.engines.ignore import Ignored, PatternError, kept, read_patterns
from dockpass.errors import UsageError
from dockpass.text import clean

BLOCK = 512
CHUNK = 256 << 10
IGNORE_FILE = ".dockerignore"
LARGEST_TEXT = 8 << 20
"""Bytes of a Dockerfile or an ignore file."""

_LOOK_EVERY = 256  # names between two looks at whether the person has cancelled


@dataclass(frozen=True, slots=True)
class Context:
    """The files that a build sends, relative to `root`.

    `dockerfile` is the Dockerfile's name among them, `extra` what is sent in place of files (by name),
    `size` the bytes of all file contents when they were listed.
    """

    root: Path
    names: tuple[str, ...]
    dockerfile: str
    extra: tuple[tuple[str, bytes], ...] = ()
    size: int = 0

    def chunks(self, told: Callable[[int], None]) -> Iterator[bytes]:
        """Yield the tar, some 256 KiB at a time.

        `told` gets the bytes of file contents so far before each chunk, and may raise to end it all.
        """
        archive = tarfile.TarFile(fileobj=io.BytesIO(), mode="w")
        buffer = bytearray()
        contents = 0
        for block, size in self._blocks(archive):
            buffer += block
            contents += size
            if len(buffer) >= CHUNK:
                told(contents)
                yield bytes(buffer)
                buffer.clear()
        told(contents)
        yield bytes(buffer + bytes(2 * BLOCK))

    def _blocks(self, archive: tarfile.TarFile) -> Iterator[tuple[bytes, int]]:
        """Yield each block of the tar with the bytes of file contents in it."""
        extra = dict(self.extra)
        for name in self.names:
            if name in extra:
                continue
            path = self.root / name
            try:
                info = archive.gettarinfo(str(path), arcname=name)
                if info is None:
                    continue  # a socket, which no archive can hold
                yield _header(_plain(info)), 0
                if info.isreg():
                    yield from _content(path, info.size)
            except OSError as error:
                raise unreadable(path, error) from error
        for name, content in extra.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            yield _header(info), 0
            yield content + bytes(-len(content) % BLOCK), len(content)


def open_context(root: Path, dockerfile: Path, check: Callable[[], None]) -> Context:
    """List the files of a context, without those that the ignore file excludes.

    A Dockerfile outside the context is sent beside it under a name of its own, which is excluded from
    what `COPY` sees, as the docker command does. `check` is called again and again, and may raise.
    Raises `UsageError` for a context or a Dockerfile that is missing, empty or unreadable.
    """
    _require(root, dockerfile)
    root, real = root.resolve(), dockerfile.resolve()
    inside = real.is_relative_to(root)
    ignored = _ignore_text(root / IGNORE_FILE)
    own = str(real.relative_to(root)) if inside else ""
    always = frozenset(filter(None, (own, IGNORE_FILE)))
    names, size = _listed(root, _patterns(root / IGNORE_FILE, ignored), check, always=always)
    if not [name for name in names if name != IGNORE_FILE]:
        raise UsageError(
            "context-empty",
            f"The build context {clean(str(root))} has 0 files to send.",
            f"Check --context, and what {IGNORE_FILE} excludes.",
        )
    if inside:
        return Context(root, names, str(real.relative_to(root)), (), size)
    content = read_file(real)
    name = f".dockerfile.{hashlib.sha256(content).hexdigest()[:20]}"
    # The engine takes away what the ignore file lists once it has read it.
    ignore = f"{IGNORE_FILE if ignored is None else ignored}\n{name}\n".encode("utf-8", "surrogateescape")
    return Context(root, names, name, ((IGNORE_FILE, ignore), (name, content)), size)


def visible_names(root: Path, dockerfile: Path | None, check: Callable[[], None]) -> tuple[str, ...]:
    """Return the names in a context that `COPY` sees with BuildKit; what is ignored is not among them.

    `NAME.dockerignore` beside the Dockerfile wins over the context's own; a named context has no Dockerfile.
    Raises `UsageError` as `open_context` does.
    """
    if dockerfile is not None:
        _require(root, dockerfile)
    root = root.resolve()
    path = root / IGNORE_FILE
    if dockerfile is not None and (own := dockerfile.with_name(f"{dockerfile.name}{IGNORE_FILE}")).is_file():
        path = own
    names, _ = _listed(root, _patterns(path, _ignore_text(path)), check, classic=False)
    return names


def require_directory(root: Path, hint: str) -> None:
    """Raise `UsageError` unless a build context is a directory."""
    if not root.is_dir():
        kind = "is not a directory" if root.exists() else "does not exist"
        raise UsageError("context-missing", f"The build context {clean(str(root))} {kind}.", hint)


def _require(root: Path, dockerfile: Path) -> None:
    require_directory(root, "Name one with --context.")
    if not dockerfile.is_file():
        raise UsageError(
            "dockerfile-missing",
            f"There is no Dockerfile {clean(str(dockerfile))}.",
            "Name one with --file, relative to the working directory.",
        )


def _listed(
    root: Path,
    ignored: Ignored,
    check: Callable[[], None],
    *,
    always: frozenset[str] = frozenset(),
    classic: bool = True,
) -> tuple[tuple[str, ...], int]:
    names: list[str] = []
    size = 0
    try:
        for name in kept(root, ignored, always=always, classic=classic):
            if len(names) % _LOOK_EVERY == 0:
                check()
            status = (root / name).lstat()
            size += status.st_size if status.st_mode & 0o170000 == 0o100000 else 0
            names.append(name)
    except OSError as error:
        raise unreadable(Path(error.filename or root), error) from error
    except PatternError as error:
        raise _ignore_invalid(root, error) from error
    return tuple(sorted(names)), size


def _ignore_text(path: Path) -> str | None:
    """Read an ignore file; None if there is none."""
    return read_file(path).decode("utf-8", "surrogateescape") if path.is_file() else None


def _patterns(path: Path, text: str | None) -> Ignored:
    try:
        return Ignored(read_patterns(text or ""))
    except PatternError as error:
        raise _ignore_invalid(path, error) from error


def _ignore_invalid(path: Path, error: PatternError) -> UsageError:
    return UsageError(
        "ignore-invalid",
        f"{clean(str(path))}: {clean(str(error), 300)}.",
        "Docker refuses this file too; a class is closed by `]`, and a backslash stands before a character.",
    )


def read_file(path: Path) -> bytes:
    """Return a Dockerfile or an ignore file, at most 8 MiB; raises `UsageError`."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_TEXT + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(content) > LARGEST_TEXT:
        raise UsageError(
            "file-too-large", f"{clean(str(path))} is larger than 8 MiB.", "Is it the right file?"
        )
    return content


def unreadable(path: Path, error: OSError) -> UsageError:
    """Return the error for a file of a build context that cannot be read."""
    return UsageError(
        "context-unreadable",
        f"{clean(str(path))} cannot be read for the build: {error.strerror or error}.",
        f"Make it readable, or exclude it in {IGNORE_FILE}.",
    )


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who owns a file here, so that the same files give the same layer everywhere."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = int(info.mtime)
    return info


def _header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _content(path: Path, size: int) -> Iterator[tuple[bytes, int]]:
    """Yield exactly `size` bytes and the padding, also if the file changes meanwhile."""
    left = size
    with path.open("rb") as file:
        while left:
            chunk = file.read(min(CHUNK, left)) or bytes(min(CHUNK, left))
            left -= len(chunk)
            yield chunk, len(chunk)
    yield bytes(-size % BLOCK), 0
