"""Taking an image out of the store, as a layout that other tools read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from dockpass.engines.embedded.lookup import entries_of
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
from dockpass.engines.embedded.store import Store
from dockpass.engines.embedded.storeerrors import damaged
from dockpass.errors import DockpassError, UsageError
from dockpass.references.reference import parse_reference
from dockpass.text import clean

_AS_OCI = {DOCKER_LAYER_GZIP: OCI_LAYER_GZIP, DOCKER_CONFIG: OCI_CONFIG, DOCKER_MANIFEST: OCI_MANIFEST}


def export(store: Store, name: str, directory: Path) -> tuple[str, bool]:
    """Write an OCI layout of one image; return its digest and whether its types had to be converted.

    Types of docker's own become those of OCI, which other tools look for in a layout; the digest changes
    then. Raises `UsageError` for a directory that is not empty.
    """
    entry = entries_of(store, store.entries(), name)[0]
    if directory.exists() and any(directory.iterdir()):
        raise UsageError(
            "export-not-empty", f"{clean(str(directory))} is not empty.", "Name a new or empty directory."
        )
    manifest = store.manifest(entry.descriptor)
    if not isinstance(manifest, Manifest):
        raise UsageError("export-index", f"{clean(name)} is an index.", "Export the image of one platform.")
    target = Store(directory)
    tag = parse_reference(entry.name).tag if entry.name else None
    for blob in manifest.blobs:
        if not store.is_sound(blob):
            raise damaged(store.blob(blob.digest), "is missing or does not match its digest")
        _copy(store.blob(blob.digest), target.blob(blob.digest))
    raw, converted = _as_oci(manifest)
    stored = target.put(raw, OCI_MANIFEST if converted else manifest.media_type)
    target.name(tag or "latest", stored)
    shutil.rmtree(directory / "ingest", ignore_errors=True)
    for lock in ("index.lock", "use.lock"):
        (directory / lock).unlink(missing_ok=True)
    return stored.digest, converted


def _copy(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except OSError as error:
        raise DockpassError(
            "export-failed",
            f"{clean(str(target))} cannot be written: {error.strerror or error}.",
            "Free some space, or name another directory.",
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
