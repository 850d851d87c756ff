"""The instructions that change files: WORKDIR, COPY and ADD, each of which makes at most one layer."""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dockpass.buildfiles.lines import Heredoc, Instruction
from dockpass.engines.embedded.archive import unpack
from dockpass.engines.embedded.copying import Changes, Source, Wish, copy
from dockpass.engines.embedded.image import Image
from dockpass.engines.embedded.imageconfig import Expand, InstructionError, words_of
from dockpass.engines.embedded.layer import Layer, bring_to_disk, read_content, write_layer
from dockpass.engines.embedded.moment import Moment
from dockpass.engines.embedded.owners import find_owner
from dockpass.engines.embedded.store import Store
from dockpass.engines.embedded.storeerrors import unwritable
from dockpass.engines.embedded.tree import DiskFile, Kind, Member, Node, Text, Tree

_URL = ("http://", "https://", "git://", "git@", "ssh://")
_ROOT = (0, 0)


class FileSteps:
    """What a build's file instructions share. `context` gives the build context when it is first needed."""

    def __init__(
        self, store: Store, context: Callable[[], Tree], moment: Moment, check: Callable[[], None]
    ) -> None:
        self._store = store
        self._context = context
        self._moment = moment
        self._check = check

    def workdir(self, image: Image, at: Instruction, expand: Expand) -> Layer | None:
        """Set the working directory, and make it where it is missing."""
        text = at.text.strip()
        if not text:
            raise InstructionError("it names no directory")
        path = posixpath.normpath(posixpath.join(image.config.workdir, expand(text)))
        changes = Changes(image.files(self._store, self._check))
        changes.make_directory(path, _ROOT)
        image.config.data["WorkingDir"] = path
        return self._layer(changes)

    def copy(
        self, image: Image, at: Instruction, expand: Expand, origin: Image | Tree | None
    ) -> Layer | None:
        """COPY or ADD; `origin` is the image or the directory of `--from`."""
        flags = dict(flag.partition("=")[::2] for flag in at.flags)
        words = words_of(at)
        if len(words) < 2:
            raise InstructionError("it needs a source and a destination")
        tree = image.files(self._store, self._check)
        owner = (
            None if isinstance(origin, Image) else _ROOT
        )  # what comes from an image belongs to whom it did there
        if "--chown" in flags:
            owner = self._owner(image, expand(flags["--chown"]))
        mode = _mode(expand(flags["--chmod"])) if "--chmod" in flags else None
        changes = Changes(tree)
        with self._spool() as spool:

            def unpacked(node: Node) -> list[tuple[str, Node]] | None:
                return unpack(node, owner if "--chown" in flags else None, spool)

            wish = Wish(
                tuple(self._sources(at, words[:-1], expand, origin)),
                expand(words[-1]),
                owner,
                mode,
                unpacked if at.keyword == "ADD" else lambda _: None,
            )
            copy(wish, changes, image.config.workdir)
            return self._layer(changes, origin if isinstance(origin, Image) else None)

    def _sources(
        self, at: Instruction, words: list[str], expand: Expand, origin: Image | Tree | None
    ) -> Iterator[Source]:
        documents = {f"<<{heredoc.name}": heredoc for heredoc in at.heredocs}
        for word in words:
            heredoc = documents.get(word.lstrip("0123456789").replace("<<-", "<<").translate(_NO_QUOTES))
            if heredoc is not None:
                yield Source(_document(heredoc, expand), f"/{heredoc.name}")
                continue
            text = expand(word)
            if at.keyword == "ADD" and text.startswith(_URL):
                raise InstructionError(
                    "the embedded engine adds local files only; fetch it before the build and COPY it", word
                )
            tree = self._tree(origin)
            yield Source(tree, text)

    def _tree(self, origin: Image | Tree | None) -> Tree:
        if isinstance(origin, Image):
            return origin.files(self._store, self._check)
        return self._context() if origin is None else origin

    def _owner(self, image: Image, text: str) -> tuple[int, int]:
        return find_owner(text, lambda path: self._read(image, path))

    def _read(self, image: Image, path: str) -> bytes | None:
        """Return a small file of an image."""
        node = image.files(self._store, self._check).get(path)
        if node is None or node.kind is not Kind.FILE or node.content is None:
            return None
        taken = node.owned_by(None, None)
        spool = bring_to_disk(self._store, image.layers, [taken], self._check)
        try:
            return read_content(taken.content) if taken.content is not None else None
        finally:
            if spool is not None:
                spool.close()

    def _layer(self, changes: Changes, origin: Image | None = None) -> Layer | None:
        """Write what was changed; nothing gives no layer."""
        entries = changes.entries()
        if not entries:
            return None
        spool = bring_to_disk(
            self._store, origin.layers if origin else (), (node for _, node in entries), self._check
        )
        try:
            layer = write_layer(self._store, entries, self._moment, self._check)
        finally:
            if spool is not None:
                spool.close()
        _refer(entries, layer.descriptor.digest)
        return layer

    @contextmanager
    def _spool(self) -> Iterator[Callable[[Iterator[bytes]], DiskFile]]:
        """Keep the contents of unpacked archives until their layer is written."""
        with self._workspace() as place:
            count = 0

            def keep(chunks: Iterator[bytes]) -> DiskFile:
                nonlocal count
                count += 1
                path, written = place / str(count), 0
                with _in_words(place), path.open("wb") as file:
                    for chunk in chunks:
                        self._check()
                        written += file.write(chunk)
                return DiskFile(path, written)

            yield keep

    @contextmanager
    def _workspace(self) -> Iterator[Path]:
        """Make a directory that is removed at the end; what cannot be removed is left to a prune."""
        parent = self._store.root / "ingest"
        with _in_words(parent):
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            place = tempfile.TemporaryDirectory(dir=parent, ignore_cleanup_errors=True)
        with place as name:
            yield Path(name)


@contextmanager
def _in_words(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable(place, error) from error


_NO_QUOTES: Mapping[int, None] = {ord(char): None for char in "\"'"}


def _document(heredoc: Heredoc, expand: Expand) -> Tree:
    text = heredoc.text
    if heredoc.expands:
        text = "\n".join(map(expand_line(expand), text.split("\n")))
    content = Text(text.encode("utf-8", "surrogateescape"))
    tree = Tree()
    tree.put(f"/{heredoc.name}", Node(Kind.FILE, 0o644, content=content))
    return tree


def expand_line(expand: Expand) -> Expand:
    """Return what replaces the variables of a document's line, in which quotes are only characters."""
    return lambda line: expand("".join(f"\\{char}" if char in "\"'" else char for char in line))


def _mode(text: str) -> int:
    if not (text.isdecimal() and len(text) <= 5 and set(text) <= set("01234567")):
        raise InstructionError(f"{text} is not an octal mode such as 755", text)
    return int(text, 8)


def _refer(entries: list[tuple[str, Node]], digest: str) -> None:
    """Let the contents of a layer that is written be found there, and no longer in the context."""
    first_of: dict[int, str] = {}
    for path, node in entries:
        if node.kind is Kind.FILE and node.content is not None:
            key = id(node.inode) if node.inode is not None else id(node)
            name = first_of.setdefault(key, path.lstrip("/"))
            node.content = Member(digest, name, node.content.size)
