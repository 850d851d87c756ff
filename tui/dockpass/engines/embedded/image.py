"""An image on its way: what its stages have made of it so far, and how it becomes one of the store."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dockpass.engines.embedded.imageconfig import ImageConfig
from dockpass.engines.embedded.layer import Layer, members
from dockpass.engines.embedded.manifest import (
    DOCKER_LAYER_GZIP,
    OCI_CONFIG,
    OCI_LAYER_GZIP,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    Platform,
)
from dockpass.engines.embedded.moment import Moment
from dockpass.engines.embedded.store import Store
from dockpass.engines.embedded.tree import Tree, add_layer
from dockpass.errors import DockpassError

_AS_OCI = {
    DOCKER_LAYER_GZIP: OCI_LAYER_GZIP,
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar.zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
}


@dataclass
class Image:
    """Its config, its layers with their diff ids, its history; its files once somebody asks."""

    config: ImageConfig
    platform: Platform
    layers: list[Descriptor] = field(default_factory=list)
    diff_ids: list[str] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    arguments: dict[str, str] = field(default_factory=dict)
    tree: Tree | None = None

    @property
    def values(self) -> dict[str, str]:
        """What variables mean: the environment wins over arguments of the same name."""
        return {**self.arguments, **self.config.env}

    def branch(self) -> Image:
        """Return an image that begins as this one is, and goes its own way."""
        config = ImageConfig(copy.deepcopy(self.config.data), self.config.author)
        return Image(
            config, self.platform, list(self.layers), list(self.diff_ids), copy.deepcopy(self.history)
        )

    def files(self, store: Store, check: Callable[[], None]) -> Tree:
        """Return what its layers add up to."""
        if self.tree is None:
            tree = Tree()
            for layer in self.layers:
                with members(store, layer) as archive:
                    add_layer(tree, layer.digest, archive, check)
            self.tree = tree
        return self.tree

    def note(self, moment: Moment, created_by: str, layer: Layer | None) -> None:
        """Add a step to the history, and its layer if it made one."""
        entry: dict[str, Any] = {"created": str(moment), "created_by": created_by, "comment": "dockpass"}
        if layer is None:
            entry["empty_layer"] = True
        else:
            self.layers.append(layer.descriptor)
            self.diff_ids.append(layer.diff_id)
        self.history.append(entry)

    def store(self, store: Store, moment: Moment) -> tuple[Descriptor, str]:
        """Put config and manifest into the store; return the manifest's descriptor and the image's id."""
        described: dict[str, Any] = {
            "created": str(moment),
            "architecture": self.platform.architecture,
            "os": self.platform.os,
            "config": dict(sorted(self.config.data.items())),
            "rootfs": {"type": "layers", "diff_ids": self.diff_ids},
            "history": self.history,
        }
        if self.platform.variant:
            described["variant"] = self.platform.variant
        if self.config.author:
            described["author"] = self.config.author
        config = store.put(_json(described), OCI_CONFIG)
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": config.as_json(),
            "layers": [layer.as_json() for layer in self.layers],
        }
        return store.put(_json(manifest), OCI_MANIFEST), config.digest


def image_of(store: Store, manifest: Manifest, platform: Platform, name: str) -> Image:
    """Return a stored image as the base of another; raises `DockpassError` for one that is no such thing."""
    described = store.config(manifest)
    rootfs, inner, history = (described.get(key) for key in ("rootfs", "config", "history"))
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(diff_ids, list) or len(diff_ids) != len(manifest.layers):
        raise DockpassError(
            "base-unusable",
            f"{name} cannot be used as a base image: its config does not match its layers.",
            "Use another base image.",
        )
    variant = described.get("variant")
    return Image(
        ImageConfig(
            copy.deepcopy(inner) if isinstance(inner, dict) else {}, str(described.get("author") or "")
        ),
        Platform(
            str(described.get("os") or platform.os),
            str(described.get("architecture") or platform.architecture),
            variant if isinstance(variant, str) else "",
        ),
        [_as_oci(each) for each in manifest.layers],
        [str(each) for each in diff_ids],
        [dict(each) for each in history if isinstance(each, dict)] if isinstance(history, list) else [],
    )


def _as_oci(layer: Descriptor) -> Descriptor:
    return Descriptor(_AS_OCI.get(layer.media_type, layer.media_type), layer.digest, layer.size)


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
