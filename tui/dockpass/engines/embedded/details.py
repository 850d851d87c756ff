"""What is in the image store, image by image, read at once for those who show it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from dockpass.engines.embedded.manifest import Manifest
from dockpass.engines.embedded.store import Entry, Store
from dockpass.engines.embedded.upkeep import StoredImage, described, store_size
from dockpass.errors import DockpassError
from dockpass.text import clean

MOST_LABELS = 200


@dataclass(frozen=True, slots=True)
class LayerDetails:
    """One layer as its manifest names it; `size` in bytes, compressed."""

    digest: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class ImageDetails:
    """An image with its layers and what its config says; all of it is clean text.

    `variables` counts the variables of its environment, whose values may be secrets and are not kept.
    """

    image: StoredImage
    media_type: str = ""
    layers: tuple[LayerDetails, ...] = ()
    entrypoint: str = ""
    command: str = ""
    user: str = ""
    directory: str = ""
    variables: int = 0
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StoreContents:
    """Where the store is, its images by name, and the bytes of all its blobs."""

    root: str
    images: tuple[ImageDetails, ...]
    size: int


def look(store: Store) -> StoreContents:
    """Read the whole store; raises `DockpassError` where its index cannot be read."""
    found = tuple(_details(store, entry) for entry in store.entries())
    return StoreContents(clean(str(store.root)), found, store_size(store))


def _details(store: Store, entry: Entry) -> ImageDetails:
    image, media_type = described(store, entry), clean(entry.descriptor.media_type, 100)
    try:
        manifest = store.manifest(entry.descriptor)
        if not isinstance(manifest, Manifest):
            return ImageDetails(image, media_type)
        config = _object(store.config(manifest).get("config"))
    except DockpassError:  # the image itself says what its problem is
        return ImageDetails(image, media_type)
    labels = _object(config.get("Labels"))
    variables = config.get("Env")
    return ImageDetails(
        image,
        clean(manifest.media_type, 100),
        tuple(LayerDetails(each.digest, each.media_type, each.size) for each in manifest.layers),
        _argv(config.get("Entrypoint")),
        _argv(config.get("Cmd")),
        clean(str(config.get("User") or ""), 100),
        clean(str(config.get("WorkingDir") or ""), 200),
        len(variables) if isinstance(variables, list) else 0,
        tuple((clean(str(key), 100), clean(str(labels[key]), 300)) for key in sorted(labels)[:MOST_LABELS]),
    )


def _object(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _argv(found: object) -> str:
    return clean(json.dumps(found, ensure_ascii=False), 500) if isinstance(found, list) and found else ""
