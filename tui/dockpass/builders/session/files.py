"""The files of a build, sent as BuildKit asks for them: `FileSync/DiffCopy`.

The messages are those of tonistiigi/fsutil (types/wire.proto, types/stat.proto). First every entry is
described, parents before what is in them; then the engine asks for the contents that it does not have yet.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote_plus

from dockpass.builders.session.channel import Call, CallFailed, Method, Status
from dockpass.builders.session.wire import decode, encode, number, raw_bytes
from dockpass.engines.context import IGNORE_FILE, unreadable, visible_names
from dockpass.errors import DockpassError
from dockpass.text import clean

PATH = "/moby.filesync.v1.FileSync/DiffCopy"
_STAT, _REQ, _DATA, _FIN, _ERR = range(5)
_CHUNK = 32 << 10  # what BuildKit's own client sends at once
_MODE_BITS = {
    stat.S_ISUID: 1 << 23,
    stat.S_ISGID: 1 << 22,
    stat.S_ISVTX: 1 << 20,
}
_DIRECTORY, _LINK = 1 << 31, 1 << 27
"""How Go writes the mode of a file."""
_WILD = frozenset("*?[\\")


@dataclass(frozen=True)
class Sources:
    """What a build may send: its context without what the ignore file excludes, and its Dockerfile.

    `named` are the directories of named contexts, by what the session calls them. `check` is called again
    and again while files are listed, and may raise.
    """

    context: Path
    dockerfile: Path
    check: Callable[[], None] = lambda: None
    named: Mapping[str, Path] = field(default_factory=dict)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names in the context that a build sees, parents first; raises `UsageError`."""
        return visible_names(self.context, self.dockerfile, self.check)

    def of_dockerfile(self) -> tuple[Path, tuple[str, ...]]:
        """Return the directory of the Dockerfile, and what is sent of it: the file and its ignore file."""
        folder, name = self.dockerfile.parent, self.dockerfile.name
        found = (name, f"{name}{IGNORE_FILE}")
        return folder, tuple(each for each in found if (folder / each).is_file())

    def of_context(self, asked: Asked) -> tuple[Path, tuple[str, ...]]:
        """Return a context, and what is sent of it: at least all that is asked for and not excluded."""
        named = self.named.get(asked.directory)
        root = (named or self.context).resolve()
        if asked.paths == (IGNORE_FILE,) and not asked.excludes:
            return root, (IGNORE_FILE,) if (root / IGNORE_FILE).is_file() else ()
        wanted = followed(root, asked.paths)
        seen = self.names if named is None else visible_names(root, None, self.check)
        names = seen if wanted is None else (each for each in seen if _is_wanted(each, wanted))
        return root, tuple(sorted(names, key=lambda name: os.fsencode(name).split(b"/")))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asks for. `paths` may be links or patterns; without any, everything is meant."""

    directory: str
    paths: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


def asked_by(metadata: Mapping[str, tuple[str, ...]]) -> Asked:
    """Read what a call asks for from its header fields; texts beyond ASCII come escaped."""

    def values(name: str) -> tuple[str, ...]:
        found = metadata.get(name, ())
        return tuple(map(unquote_plus, found)) if f"{name}-encoded" in metadata else found

    directory = values("dir-name")
    return Asked(directory[0] if directory else "", values("followpaths"), values("exclude-patterns"))


def followed(root: Path, paths: Iterable[str]) -> frozenset[str] | None:
    """Return what has to be sent for these paths, without a leading slash; None for everything.

    A link is sent with what it leads to, as by BuildKit's client. A pattern stands for its whole directory.
    """
    found: set[str] = set()
    waiting = [path.strip("/") for path in paths]
    while waiting:
        path = os.path.normpath(waiting.pop()).lstrip("/")
        resolved, link = _first_link(root, path)
        if resolved in {"", "."}:
            return None
        if resolved in found:
            continue
        found.add(resolved)
        if link:
            waiting.append(link)
    return frozenset(found) or None


def _first_link(root: Path, path: str) -> tuple[str, str]:
    """Return the part of a path up to its first link or pattern, and where a link leads."""
    parts = path.split("/")
    for end, part in enumerate(parts, 1):
        before = "/".join(parts[: end - 1])
        if _WILD & set(part):
            return before, ""
        here = "/".join(parts[:end])
        try:
            target = str((root / here).readlink())
        except OSError:
            continue  # no link, or nothing at all
        # A link cannot leave the context: it leads where it would if the context were the whole disk.
        start = "/" if target.startswith("/") else f"/{before}"
        return here, os.path.normpath("/".join((start, target, *parts[end:])))
    return path, ""


def _is_wanted(name: str, wanted: frozenset[str]) -> bool:
    """Tell whether a name is asked for, lies in what is, or is a parent of it."""
    parts = name.split("/")
    above = ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
    return any(each in wanted for each in above) or any(each.startswith(f"{name}/") for each in wanted)


def file_methods(sources: Sources, note: Callable[[DockpassError], None]) -> dict[str, Method]:
    """Return the method that sends files; `note` is told of a file that cannot be read."""

    async def diff_copy(call: Call) -> None:
        asked = asked_by(call.metadata)
        try:
            if asked.directory == "dockerfile":
                root, names = sources.of_dockerfile()
                # A Dockerfile may be a link to anywhere, of which the engine would see the link alone.
                return await _Sending(call, root, names, Path.stat).send()
            if asked.directory == "context" or asked.directory in sources.named:
                root, names = await asyncio.to_thread(sources.of_context, asked)
            else:
                raise CallFailed(Status.NOT_FOUND, f"this build has no {clean(asked.directory, 80)!r}")
            # The same holds for an ignore file that is asked for by itself.
            look = Path.stat if names == (IGNORE_FILE,) else Path.lstat
            await _Sending(call, root, names, look).send()
        except DockpassError as error:
            note(error)
            raise CallFailed(Status.FAILED_PRECONDITION, clean(error.message, 400)) from error

    return {PATH: diff_copy}


class _Sending:
    """One answer: the entries, then the contents that are asked for."""

    def __init__(
        self, call: Call, root: Path, names: Sequence[str], look: Callable[[Path], os.stat_result]
    ) -> None:
        self._call = call
        self._look = look
        self._root = root
        self._names = names
        self._files: dict[int, Path] = {}

    async def send(self) -> None:
        """Send what is there, until the other side has all that it wants."""
        try:
            await self._describe()
            await self._answer()
        except ConnectionError:
            raise  # the engine is gone, and the files are well
        except OSError as error:
            raise unreadable(Path(error.filename or self._root), error) from error

    async def _describe(self) -> None:
        place = 0
        first: dict[tuple[int, int], str] = {}
        for name in self._names:
            path = self._root / name
            status = self._look(path)
            linked = ""
            if stat.S_ISREG(status.st_mode):
                self._files[place] = path
                # Names of one file stay names of one file.
                other = first.setdefault((status.st_dev, status.st_ino), name)
                linked = other if other != name else ""
            described = _described(path, name, status, linked)
            if described is None:
                continue  # a socket, a pipe or a device
            await self._call.send(encode((1, _STAT), (2, described)))
            place += 1
        await self._call.send(b"")  # no more entries

    async def _answer(self) -> None:
        while (message := await self._call.receive()) is not None:
            fields = decode(message)
            kind = number(fields, 1)
            if kind == _REQ:
                await self._content(number(fields, 3))
            elif kind == _FIN:
                await self._call.send(encode((1, _FIN)))
                return
            elif kind == _ERR:
                words = raw_bytes(fields, 4).decode("utf-8", "replace")
                raise CallFailed(Status.UNKNOWN, clean(words, 400))

    async def _content(self, place: int) -> None:
        if place not in self._files:
            raise CallFailed(Status.INVALID_ARGUMENT, f"there is no file {place}")
        with _opened(self._files[place], follows=self._look is not Path.lstat) as file:
            while chunk := file.read(_CHUNK):
                await self._call.send(encode((1, _DATA), (3, place), (4, chunk)))
        await self._call.send(encode((1, _DATA), (3, place)))


def _opened(path: Path, *, follows: bool) -> BinaryIO:
    """Open what was a file when it was described: a pipe that took its place since is not waited for.

    Nor is a link followed that took its place, unless a link was meant to be.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    file = os.fdopen(os.open(path, flags if follows else flags | os.O_NOFOLLOW), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is no regular file any more", str(path))
    return file


def _described(path: Path, name: str, status: os.stat_result, linked: str) -> bytes | None:
    """Return the message that describes an entry, without its owner; None for what is not sent.

    `linked` is the name under which the same file was described before, empty for none.
    """
    mode = status.st_mode & 0o777
    for bit, ours in _MODE_BITS.items():
        mode |= ours if status.st_mode & bit else 0
    size, target = 0, linked
    if stat.S_ISDIR(status.st_mode):
        mode |= _DIRECTORY
    elif stat.S_ISLNK(status.st_mode):
        mode |= _LINK
        target = str(path.readlink())
    elif stat.S_ISREG(status.st_mode):
        size = 0 if linked else status.st_size
    else:
        return None
    return encode((1, name), (2, mode), (5, size), (6, status.st_mtime_ns), (7, target))
