"""The image store: an OCI image layout, content-addressed, safe with several processes at once.

Every file is written beside its place, synced, and renamed, so that a reader sees all of it or none.
Whoever needs blobs that no name reaches yet holds the store in use; pruning waits for nobody and
refuses meanwhile.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from dockpass.engines.embedded.manifest import Descriptor, Index, Manifest, parse
from dockpass.engines.embedded.storeerrors import damaged, unwritable, wrong_blob
from dockpass.errors import DockpassError
from dockpass.references.reference import is_digest
from dockpass.registry.strictjson import NotJson, strict_object
from dockpass.text import clean

NAME_KEY = "org.opencontainers.image.ref.name"
LARGEST_INDEX, LARGEST_DOCUMENT = 32 << 20, 8 << 20
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """An image in the store; `name` is its reference, empty for one that has none."""

    name: str
    descriptor: Descriptor


class Ingest:
    """A blob on its way in: written to a file of its own, and hashed meanwhile."""

    def __init__(self, file: IO[bytes], path: Path, algorithm: str = "sha256") -> None:
        self._file = file
        self._hash = hashlib.new(algorithm)
        self._algorithm = algorithm
        self.path = path
        self.size = 0

    @property
    def digest(self) -> str:
        """The digest of what was written so far."""
        return f"{self._algorithm}:{self._hash.hexdigest()}"

    def write(self, chunk: bytes) -> None:
        """Append bytes; raises `DockpassError` where the disk takes no more."""
        try:
            self._file.write(chunk)
        except OSError as error:
            raise unwritable(self.path.parent, error) from error
        self._hash.update(chunk)
        self.size += len(chunk)

    def restart(self) -> None:
        """Forget what was written."""
        try:
            self._file.seek(0)
            self._file.truncate()
        except OSError as error:
            raise unwritable(self.path.parent, error) from error
        self._hash = hashlib.new(self._algorithm)
        self.size = 0

    def sync(self) -> None:
        """Have what was written on the disk."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise unwritable(self.path.parent, error) from error


class Store:
    """One layout in `root`, made by the first write."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def blob(self, digest: str) -> Path:
        """Return where a blob is, or would be."""
        if not is_digest(digest):
            raise ValueError(f"no digest: {digest!r}")
        algorithm, _, name = digest.partition(":")
        return self.root / "blobs" / algorithm / name

    def has(self, blob: Descriptor) -> bool:
        """Tell whether a blob is there with its size."""
        try:
            return self.blob(blob.digest).stat().st_size == blob.size
        except OSError:
            return False

    def is_sound(self, blob: Descriptor, check: Callable[[], None] = lambda: None) -> bool:
        """Tell whether a blob is there, by its bytes."""
        if not self.has(blob):
            return False
        found = hashlib.new(blob.digest.partition(":")[0])
        with self.blob(blob.digest).open("rb") as file:
            while chunk := file.read(CHUNK):
                check()
                found.update(chunk)
        return found.hexdigest() == blob.digest.partition(":")[2]

    def read(self, digest: str) -> bytes:
        """Return a manifest or a config, checked; raises `DockpassError` if it is missing or damaged."""
        path = self.blob(digest)
        try:
            if path.stat().st_size > LARGEST_DOCUMENT:
                raise damaged(path)
            raw = path.read_bytes()
        except FileNotFoundError:
            raise damaged(path, "is missing") from None
        except OSError as error:
            raise unwritable(path, error, "read") from error
        algorithm, _, name = digest.partition(":")
        if hashlib.new(algorithm, raw).hexdigest() != name:
            raise damaged(path)
        return raw

    def manifest(self, descriptor: Descriptor) -> Manifest | Index:
        """Return a manifest or an index of the store."""
        return parse(self.read(descriptor.digest), descriptor.digest, descriptor.media_type)

    def config(self, manifest: Manifest) -> dict[str, Any]:
        """Return an image's config."""
        try:
            return strict_object(self.read(manifest.config.digest))
        except NotJson:
            raise damaged(self.blob(manifest.config.digest), "is not an image config") from None

    def put(self, raw: bytes, media_type: str) -> Descriptor:
        """Store a small document and return its descriptor."""
        with self.ingest() as ingest:
            ingest.write(raw)
            return self.commit(ingest, Descriptor(media_type, ingest.digest, len(raw)))

    @contextmanager
    def ingest(self, algorithm: str = "sha256") -> Iterator[Ingest]:
        """Open a new blob; what is not committed is removed again."""
        self._make()
        place = self.root / "ingest"
        try:
            handle, name = tempfile.mkstemp(dir=place)
        except OSError as error:
            raise unwritable(place, error) from error
        file = os.fdopen(handle, "w+b")
        try:
            yield Ingest(file, Path(name), algorithm)
        finally:
            # What was committed is on the disk already, and of anything else nothing is kept: a failure to
            # write out the rest tells nothing, and would hide the one that counts.
            with suppress(OSError):
                file.close()
            with suppress(OSError):
                Path(name).unlink(missing_ok=True)

    def commit(self, ingest: Ingest, expected: Descriptor) -> Descriptor:
        """Give a blob its place; raises `DockpassError` unless size and digest are the expected ones."""
        if (ingest.size, ingest.digest) != (expected.size, expected.digest):
            raise wrong_blob(
                expected,
                f"arrived as {ingest.size:,} bytes with the digest {ingest.digest[:19]}, not as the"
                f" {expected.size:,} bytes that were promised",
            )
        ingest.sync()
        place = self.blob(expected.digest)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            ingest.path.replace(place)
            _sync_directory(place.parent)
        except OSError as error:
            raise unwritable(place, error) from error
        return expected

    def entries(self) -> tuple[Entry, ...]:
        """Return every image; raises `DockpassError` for an index that cannot be read."""
        path = self.root / "index.json"
        try:
            if path.stat().st_size > LARGEST_INDEX:
                raise damaged(path)
            data = json.loads(path.read_bytes())
            return tuple(_entry(each) for each in data["manifests"])
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise unwritable(path, error, "read") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise damaged(path) from None

    def find(self, name: str) -> Entry | None:
        """Return the image of a full reference or of an image id (the digest of its config)."""
        entries = self.entries()
        named = next((each for each in entries if each.name == name), None)
        if named or not is_digest(name):
            return named
        return next((each for each in entries if name in self.ids(each.descriptor)), None)

    def image_id(self, entry: Entry) -> str:
        """Return the digest of the image's config; of an index its own digest."""
        found = self.manifest(entry.descriptor)
        return found.config.digest if isinstance(found, Manifest) else found.digest

    def name(self, name: str, descriptor: Descriptor) -> None:
        """Let `name` mean this image, and no other any more; an empty name keeps an unnamed image."""

        def change(entries: list[Entry]) -> list[Entry]:
            old = [each for each in entries if name and each.name == name]
            rest = [each for each in entries if each not in old]
            fresh = Entry(name, replace(descriptor, annotations={}))
            rest = [each for each in rest if each.name or each.descriptor.digest != descriptor.digest]
            # What loses its name stays as an unnamed image until it is removed or pruned.
            kept = {each.descriptor.digest for each in (*rest, fresh)}
            rest += [Entry("", each.descriptor) for each in old if each.descriptor.digest not in kept]
            return [*rest, fresh]

        self._change(change)

    def unname(self, name: str, *, keep_last: bool = False) -> bool:
        """Take a name away and tell whether it was there; `keep_last` keeps an image's last name."""
        removed = False

        def change(entries: list[Entry]) -> list[Entry]:
            nonlocal removed
            old = next((each for each in entries if each.name == name), None)
            others = [each for each in entries if old and each is not old]
            same = [each for each in others if old and each.descriptor.digest == old.descriptor.digest]
            if old is None or (keep_last and not same):
                return entries
            removed = True
            return others

        self._change(change)
        return removed

    def remove(self, digest: str, *, names_too: bool = True) -> None:
        """Take the entries of a manifest away; without `names_too` only the one that has no name."""

        def stays(each: Entry) -> bool:
            return each.descriptor.digest != digest or (bool(each.name) and not names_too)

        self._change(lambda entries: [each for each in entries if stays(each)])

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep a prune away while blobs are there that nothing names yet."""
        with self._locked("use.lock", fcntl.LOCK_SH):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only user; raises `DockpassError` at once where there is another."""
        try:
            with self._locked("use.lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
                yield
        except BlockingIOError:
            raise DockpassError(
                "store-in-use",
                f"Another dockpass is using the images in {clean(str(self.root))}.",
                "Try again once it has ended.",
            ) from None

    def half_written(self) -> list[Path]:
        """Return what killed processes left of lists of images: whoever writes one holds the lock."""
        if not self.root.exists():
            return []
        with self._locked("index.lock", fcntl.LOCK_EX):
            return sorted(self.root.glob(".index.json-*"))

    def mend(self) -> str:
        """Put an index that cannot be read aside; return where it is now, or the empty string."""
        try:
            self.entries()
        except DockpassError as error:
            if error.id != "store-damaged":
                raise
        else:
            return ""
        path = self.root / "index.json"
        with self._locked("index.lock", fcntl.LOCK_EX):
            handle, aside = tempfile.mkstemp(dir=self.root, prefix="index.json.damaged-")
            os.close(handle)
            path.replace(aside)
        return aside

    def ids(self, descriptor: Descriptor) -> tuple[str, ...]:
        """Return the digests by which an image is known: its config's and its manifest's."""
        with suppress(DockpassError):
            found = self.manifest(descriptor)
            return (found.config.digest, found.digest) if isinstance(found, Manifest) else (found.digest,)
        return (descriptor.digest,)

    def _change(self, change: Callable[[list[Entry]], list[Entry]]) -> None:
        self._make()
        with self._locked("index.lock", fcntl.LOCK_EX):
            before = list(self.entries())
            after = change(before)
            if after != before:
                self._write("index.json", _index_json(after))

    def _write(self, name: str, document: object) -> None:
        raw = json.dumps(document, indent=1).encode()
        path = self.root / name
        try:
            handle, temporary = tempfile.mkstemp(dir=self.root, prefix=f".{name}-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(raw)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(path)
            finally:
                Path(temporary).unlink(missing_ok=True)
            _sync_directory(self.root)
        except OSError as error:
            raise unwritable(path, error) from error

    @contextmanager
    def _locked(self, name: str, how: int) -> Iterator[None]:
        self._make()
        try:
            file = (self.root / name).open("ab")
        except OSError as error:
            raise unwritable(self.root / name, error) from error
        with file:
            fcntl.flock(file, how)
            yield

    def _make(self) -> None:
        try:
            for part in ("blobs/sha256", "ingest"):
                (self.root / part).mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (self.root / "oci-layout").exists():
                self._write("oci-layout", {"imageLayoutVersion": "1.0.0"})
        except OSError as error:
            raise unwritable(self.root, error) from error


def _entry(data: dict[str, Any]) -> Entry:
    name = (data.get("annotations") or {}).get(NAME_KEY, "")
    digest, size, kind = data["digest"], data["size"], data["mediaType"]
    if not (is_digest(digest) and isinstance(size, int) and isinstance(kind, str) and isinstance(name, str)):
        raise ValueError
    return Entry(clean(name, 512), Descriptor(kind, digest, size))


def _index_json(entries: list[Entry]) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            each.descriptor.as_json() | ({"annotations": {NAME_KEY: each.name}} if each.name else {})
            for each in sorted(entries, key=lambda each: (each.name, each.descriptor.digest))
        ],
    }


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
