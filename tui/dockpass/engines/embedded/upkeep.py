"""Upkeep of the image store: what is there, and taking away what no name reaches."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockpass.auth.reference import is_digest, parse_reference
from dockpass.engines.embedded.manifest import (
    DOCKER_CONFIG,
    DOCKER_LAYER_GZIP,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_LAYER_GZIP,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
)
from dockpass.engines.embedded.store import Entry, Store
from dockpass.errors import DockpassError, UsageError
from dockpass.text import clean

FORGOTTEN_AFTER = 24 * 3600.0
"""Seconds after which a file that was being written is taken for left behind."""

_AS_OCI = {DOCKER_LAYER_GZIP: OCI_LAYER_GZIP, DOCKER_CONFIG: OCI_CONFIG, DOCKER_MANIFEST: OCI_MANIFEST}


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
    """What was taken away, or would be: unnamed images by their digest, blobs, and their bytes."""

    images: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()
    size: int = 0


def stored_images(store: Store) -> list[StoredImage]:
    """Return every image by name; one whose blobs are damaged says so."""
    return [described(store, entry) for entry in store.entries()]


def store_size(store: Store) -> int:
    """Return the bytes of every blob in the store, named or not."""
    return sum(_size_of(path) for _, path in _blobs(store))


def remove_image(store: Store, name: str) -> Removed:
    """Take a name away, or an image by its id; blobs that nothing reaches any more go with it.

    Raises `UsageError` where there is no such image. Where another process uses the store, blobs stay for
    a prune.
    """
    leaving, _ = _leaving(store, name)
    if leaving[0].name and not is_digest(name):
        store.unname(leaving[0].name)
    else:
        store.remove(leaving[0].descriptor.digest)
    try:
        with store.alone():
            held = _known(store, leaving)
            return _delete(store, held - set(_reached(store, store.entries())), ()) if held else Removed()
    except DockpassError as error:
        if error.id not in {"store-in-use", "store-damaged"}:
            raise
        return Removed()


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
    """Return the entries that go with a name or an image's id, and those that stay."""
    wanted = name if is_digest(name) else _full_name(name)
    entry = store.find(wanted)
    if entry is None:
        raise UsageError(
            "image-missing", f"There is no image {clean(name)} in the store.", "`dockpass images` lists them."
        )
    digest = entry.descriptor.digest
    by_name = entry.name == wanted
    entries = store.entries()
    leaving = [each for each in entries if (each == entry if by_name else each.descriptor.digest == digest)]
    return leaving or [entry], [each for each in entries if each not in leaving]


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
    unreached = _unreached(store)
    return Removed(
        unnamed, tuple(digest for digest, _ in unreached), sum(_size_of(path) for _, path in unreached)
    )


def prune(store: Store) -> Removed:
    """Take away every unnamed image and every blob that no name reaches.

    Raises `DockpassError` while another process uses the store, and before anything is removed where an
    image's parts cannot be listed: what it needs is not known then.
    """
    with store.alone():
        unreached = [digest for digest, _ in _unreached(store)]
        unnamed = tuple(each.descriptor.digest for each in store.entries() if not each.name)
        for digest in unnamed:
            store.remove_unnamed(digest)
        removed = _delete(store, unreached, unnamed)
        _forget_leftovers(store)
        return removed


def export(store: Store, name: str, directory: Path) -> tuple[str, bool]:
    """Write an OCI layout of one image; return its digest and whether its types had to be converted.

    Types of docker's own become those of OCI, which other tools look for in a layout; the digest changes
    then. Raises `UsageError` for a directory that is not empty.
    """
    entry = store.find(name if is_digest(name) else _full_name(name))
    if entry is None:
        raise UsageError(
            "image-missing", f"There is no image {clean(name)} in the store.", "`dockpass images` lists them."
        )
    if directory.exists() and any(directory.iterdir()):
        raise UsageError(
            "export-not-empty", f"{clean(str(directory))} is not empty.", "Name a directory that is new."
        )
    manifest = store.manifest(entry.descriptor)
    if not isinstance(manifest, Manifest):
        raise UsageError("export-index", f"{clean(name)} is an index.", "Export the image of one platform.")
    target = Store(directory)
    tag = parse_reference(entry.name).tag if entry.name else None
    for blob in manifest.blobs:
        if not store.is_sound(blob):
            raise DockpassError(
                "store-damaged",
                f"The blob {blob.digest[:19]} of {clean(name)} is missing or damaged.",
                "Pull or build the image again; that puts in what is missing.",
            )
        _copy(store.blob(blob.digest), target.blob(blob.digest))
    raw, converted = _as_oci(manifest)
    stored = target.put(raw, OCI_MANIFEST if converted else manifest.media_type)
    target.name(tag or "latest", stored)
    shutil.rmtree(directory / "ingest", ignore_errors=True)
    for lock in ("index.lock", "use.lock"):
        (directory / lock).unlink(missing_ok=True)
    return stored.digest, converted


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
            raise DockpassError(
                "store-unwritable",
                f"{clean(str(path))} cannot be removed: {error.strerror or error}."
                f" {len(gone)} blobs were removed before it.",
                "See who owns the directory.",
            ) from error
        gone.append(digest)
        size += bytes_of
        algorithm, _, name = digest.partition(":")
        (store.root / "sources" / algorithm / name).unlink(missing_ok=True)
    return Removed(images, tuple(gone), size)


def _forget_leftovers(store: Store) -> None:
    """Remove files that a killed process was writing, and notes on layers that are gone."""
    for path in (store.root / "ingest").glob("*"):
        if path.is_file() and time.time() - path.stat().st_mtime > FORGOTTEN_AFTER:
            path.unlink(missing_ok=True)
        elif path.is_dir() and time.time() - path.stat().st_mtime > FORGOTTEN_AFTER:
            shutil.rmtree(path, ignore_errors=True)
    for path in (store.root / "built").glob("*"):
        try:
            digest = str(json.loads(path.read_bytes())["digest"])
            stale = not is_digest(digest) or not store.blob(digest).exists()
        except (OSError, ValueError, KeyError, TypeError):
            stale = True
        if stale:
            path.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except OSError as error:
        raise DockpassError(
            "export-failed",
            f"{clean(str(target))} cannot be written: {error.strerror or error}.",
            "Make room, or name another directory.",
        ) from error


def _as_oci(manifest: Manifest) -> tuple[bytes, bool]:
    if manifest.media_type == OCI_MANIFEST:
        return manifest.raw, False

    def renamed(each: Descriptor) -> dict[str, Any]:
        return each.as_json() | {"mediaType": _AS_OCI.get(each.media_type, each.media_type)}

    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": renamed(manifest.config),
        "layers": [renamed(layer) for layer in manifest.layers],
    }
    return json.dumps(document, separators=(",", ":")).encode(), True


def _full_name(name: str) -> str:
    parsed = parse_reference(name)
    return str(parsed) if parsed.tag or parsed.digest else f"{parsed}:latest"
