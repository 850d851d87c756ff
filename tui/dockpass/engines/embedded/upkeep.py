"""Upkeep of the image store: what is there, and taking away what no name reaches."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from dockpass.engines.embedded.lookup import entries_of
from dockpass.engines.embedded.manifest import Manifest
from dockpass.engines.embedded.store import Entry, Store
from dockpass.engines.embedded.storeerrors import unwritable
from dockpass.errors import DockpassError, UsageError
from dockpass.references.reference import is_digest
from dockpass.text import clean, plural


@dataclass(frozen=True, slots=True)
class StoredImage:
    """One image. `size` is that of its blobs, in bytes; `problem` is empty for one that is whole."""

    name: str
    image_id: str
    digest: str
    created: str
    size: int
    platform: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken away, or would be: unnamed images by their digest, blobs, and the bytes of all.

    `leftovers` counts what killed processes were writing; `kept` says why blobs stay that could go.
    """

    images: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()
    size: int = 0
    leftovers: int = 0
    kept: str = ""


def stored_images(store: Store) -> list[StoredImage]:
    """Return every image by name; one whose blobs are damaged says so."""
    return [described(store, entry) for entry in store.entries()]


def store_size(store: Store) -> int:
    """Return the bytes of every blob in the store, named or not."""
    return sum(_size_of(path) for _, path in _blobs(store))


def remove_image(store: Store, name: str) -> Removed:
    """Take a name away, or an image by its id; blobs that nothing reaches any more go with it.

    An id may be cut to its first digits. Raises `UsageError` where there is no such image, where several
    begin so, and where an image has several names, of which an id means none. Where another process uses
    the store, or what another image needs is not known, blobs stay for a prune.
    """
    leaving, _ = _leaving(store, name)
    if leaving[0].name:
        store.unname(leaving[0].name)
    else:
        store.remove(leaving[0].descriptor.digest)
    try:
        with store.alone():
            held = _known(store, leaving)
            return _delete(store, held - set(_reached(store, store.entries())), ())
    except DockpassError as error:
        if error.id not in {"store-in-use", "store-damaged"}:
            raise
        return Removed(kept=error.message)


def to_remove(store: Store, name: str) -> tuple[tuple[str, ...], Removed]:
    """Return the names that the image keeps without `name`, and the blobs that would go with it.

    Nothing is said to go where an image is damaged: what the others need is not known then, and
    `remove_image` leaves the blobs. Raises `UsageError` where there is no such image.
    """
    leaving, staying = _leaving(store, name)
    digest = leaving[0].descriptor.digest
    kept = tuple(each.name for each in staying if each.name and each.descriptor.digest == digest)
    try:
        going = sorted(_known(store, leaving) - set(_reached(store, staying)))
    except DockpassError as error:
        if error.id != "store-damaged":
            raise
        going = []
    return kept, Removed((), tuple(going), sum(_size_of(store.blob(each)) for each in going))


def _leaving(store: Store, name: str) -> tuple[list[Entry], list[Entry]]:
    """Return the entry that goes with a name or an image's id, and those that stay."""
    entries = store.entries()
    leaving = entries_of(store, entries, name)
    if len(leaving) > 1:
        names = ", ".join(each.name for each in leaving)
        raise UsageError(
            "image-has-names",
            f"The image {clean(name)} has several names: {names}. Nothing was removed.",
            "Give the names to remove; the last one removes the image too.",
        )
    return leaving, [each for each in entries if each not in leaving]


def _known(store: Store, entries: Iterable[Entry]) -> set[str]:
    """Return what entries reach, as far as their manifests can be read."""
    found: set[str] = set()
    for entry in entries:
        found.add(entry.descriptor.digest)
        with suppress(DockpassError):
            found.update(_reached(store, [entry]))
    return found


def to_prune(store: Store) -> Removed:
    """Return what a prune would take away now."""
    unnamed = tuple(each.descriptor.digest for each in store.entries() if not each.name)
    unreached, leftovers = _unreached(store), _leftovers(store)
    bytes_of = sum(_size_of(path) for _, path in unreached) + sum(map(_tree_size, leftovers))
    return Removed(unnamed, tuple(digest for digest, _ in unreached), bytes_of, len(leftovers))


def prune(store: Store) -> Removed:
    """Take away every unnamed image and every blob that no name reaches.

    Raises `DockpassError` while another process uses the store, and before anything is removed where an
    image's parts cannot be listed: what it needs is not known then.
    """
    with store.alone():
        unreached = [digest for digest, _ in _unreached(store)]
        unnamed = tuple(each.descriptor.digest for each in store.entries() if not each.name)
        for digest in unnamed:
            store.remove(digest, names_too=False)
        removed = _delete(store, unreached, unnamed)
        _forget_notes(store)
        count, bytes_of = remove_leftovers(store)
        return replace(removed, size=removed.size + bytes_of, leftovers=count)


def described(store: Store, entry: Entry) -> StoredImage:
    """Return one image; where its blobs are damaged, it says so."""
    digest = entry.descriptor.digest
    try:
        manifest = store.manifest(entry.descriptor)
        if not isinstance(manifest, Manifest):
            return StoredImage(entry.name, digest, digest, "", entry.descriptor.size, "index")
        config = store.config(manifest)
    except DockpassError as error:
        return StoredImage(entry.name, "", digest, "", entry.descriptor.size, "", error.message)
    missing = [blob for blob in manifest.blobs if not store.has(blob)]
    problem = f"{len(missing)} of its blobs are missing or cut short" if missing else ""
    platform = "/".join(clean(str(config.get(key) or ""), 40) for key in ("os", "architecture"))
    return StoredImage(
        entry.name,
        manifest.config.digest,
        digest,
        clean(str(config.get("created") or ""), 40),
        len(manifest.raw) + sum(blob.size for blob in manifest.blobs),
        platform,
        problem,
    )


def _reached(store: Store, entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the digests of everything that the entries need."""
    for entry in entries:
        yield entry.descriptor.digest
        found = store.manifest(entry.descriptor)
        if isinstance(found, Manifest):
            yield from (blob.digest for blob in found.blobs)
        else:
            there = (Entry("", each) for each in found.manifests if store.has(each))
            yield from _reached(store, there)


def _unreached(store: Store) -> list[tuple[str, Path]]:
    reached = set(_reached(store, [each for each in store.entries() if each.name]))
    return [(digest, path) for digest, path in _blobs(store) if digest not in reached]


def _blobs(store: Store) -> Iterator[tuple[str, Path]]:
    for path in sorted((store.root / "blobs").glob("*/*")):
        digest = f"{path.parent.name}:{path.name}"
        if is_digest(digest):
            yield digest, path


def _size_of(path: Path) -> int:
    """Return a file's bytes; one that somebody has just removed has none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _delete(store: Store, digests: Iterable[str], images: tuple[str, ...]) -> Removed:
    gone: list[str] = []
    size = 0
    for digest in sorted(digests):
        path = store.blob(digest)
        try:
            bytes_of = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            before = f"{plural(len(gone), 'blob')} had been removed before."
            raise unwritable(path, error, "changed", before) from error
        gone.append(digest)
        size += bytes_of
        algorithm, _, name = digest.partition(":")
        (store.root / "sources" / algorithm / name).unlink(missing_ok=True)
    return Removed(images, tuple(gone), size)


def _leftovers(store: Store) -> list[Path]:
    """Return what is being written: by nobody, for whoever is alone in the store."""
    return [*sorted((store.root / "ingest").glob("*")), *store.half_written()]


def remove_leftovers(store: Store) -> tuple[int, int]:
    """Remove what killed processes were writing; return how much that was, and its bytes.

    For whoever is alone in the store.
    """
    count, bytes_of = 0, 0
    for path in _leftovers(store):
        size = _tree_size(path)
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unwritable(path, error, "tidied") from error
        count, bytes_of = count + 1, bytes_of + size
    return count, bytes_of


def _tree_size(path: Path) -> int:
    return sum(_size_of(each) for each in (path, *path.rglob("*")) if each.is_file())


def _forget_notes(store: Store) -> None:
    """Remove notes on layers that are gone."""
    for path in (store.root / "built").glob("*"):
        try:
            digest = str(json.loads(path.read_bytes())["digest"])
            stale = not is_digest(digest) or not store.blob(digest).exists()
        except (OSError, ValueError, KeyError, TypeError):
            stale = True
        if stale:
            path.unlink(missing_ok=True)
