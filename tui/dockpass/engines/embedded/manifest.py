"""Manifests and indexes (OCI image specification, docker schema 2), checked before anything uses them."""

from __future__ import annotations

import platform as machine
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from dockpass.errors import DockpassError
from dockpass.references.reference import is_digest
from dockpass.registry.strictjson import NotJson, strict_object
from dockpass.text import clean

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"

INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
ACCEPT = ", ".join((OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST))

MOST_LAYERS = 500
LARGEST_BLOB = 1 << 40

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_VARIANTS = {"armv7l": ("arm", "v7"), "armv6l": ("arm", "v6")}


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system and an architecture, in the words of the Go toolchain."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says of a blob: its type, its digest, and its size in bytes.

    `urls` are other servers that have a foreign layer.
    """

    media_type: str
    digest: str
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    urls: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the descriptor as a manifest has it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image's manifest; `raw` are its bytes as the registry has them."""

    media_type: str
    digest: str
    raw: bytes
    config: Descriptor
    layers: tuple[Descriptor, ...]

    @property
    def descriptor(self) -> Descriptor:
        """The manifest's own descriptor."""
        return Descriptor(self.media_type, self.digest, len(self.raw))

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The config and every layer, each once."""
        return tuple({each.digest: each for each in (self.config, *self.layers)}.values())


@dataclass(frozen=True, slots=True)
class Index:
    """A list of manifests, one a platform."""

    media_type: str
    digest: str
    manifests: tuple[Descriptor, ...]


def this_platform() -> Platform:
    """Return the platform of the images that this machine would run."""
    name = machine.machine().lower()
    if name in _VARIANTS:
        return Platform("linux", *_VARIANTS[name])
    return Platform("linux", _ARCHITECTURES.get(name, name))


def parse(raw: bytes, digest: str, media_type: str) -> Manifest | Index:
    """Read a manifest or an index; raises `DockpassError` for one that cannot be used."""
    data = _object(raw, digest)
    kind = data.get("mediaType", media_type)
    if kind != media_type and media_type in INDEXES | MANIFESTS:
        refuse(digest, f"it calls itself {clean(str(kind), 80)}, and the registry calls it {media_type}")
    if kind in INDEXES:
        return Index(kind, digest, tuple(_descriptors(data.get("manifests"), digest)))
    if kind not in MANIFESTS:
        refuse(digest, f"it is of the kind {clean(str(kind), 80) or 'unknown'}, which is no image")
    config = _descriptor(data.get("config"), digest)
    return Manifest(kind, digest, raw, config, tuple(_descriptors(data.get("layers"), digest)))


def choose(index: Index, wanted: Platform) -> Descriptor:
    """Return the manifest for a platform; one for any variant if the wanted one does not exist.

    Raises `DockpassError` that names the platforms that are there.
    """
    fitting = [
        each
        for each in index.manifests
        if each.platform
        and (each.platform.os, each.platform.architecture) == (wanted.os, wanted.architecture)
    ]
    exact = [each for each in fitting if each.platform and each.platform.variant == wanted.variant]
    if exact or fitting:
        return (exact or fitting)[0]
    known = {each.platform for each in index.manifests if each.platform}
    there = ", ".join(sorted(str(each) for each in known if each.os != "unknown"))
    raise DockpassError(
        "platform-missing",
        f"The image has nothing for {wanted}: it is there for {clean(there, 300) or 'no platform at all'}.",
        "Pull the manifest of another platform by its digest.",
    )


def _object(raw: bytes, digest: str) -> dict[str, Any]:
    try:
        return strict_object(raw)
    except NotJson as error:
        refuse(digest, str(error))


def _descriptors(found: object, digest: str) -> list[Descriptor]:
    listed = found if isinstance(found, list) else []
    if len(listed) > MOST_LAYERS:
        refuse(digest, f"it lists more than {MOST_LAYERS} blobs")
    return [_descriptor(each, digest) for each in listed]


def _descriptor(found: object, owner: str) -> Descriptor:
    data = found if isinstance(found, dict) else {}
    digest, size, kind = data.get("digest"), data.get("size"), data.get("mediaType")
    if not isinstance(digest, str) or not is_digest(digest):
        refuse(owner, f"it names a blob by {clean(str(digest), 80)}, which is no digest")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= LARGEST_BLOB:
        refuse(owner, f"it gives a blob the size {clean(str(size), 40)}")
    urls = data.get("urls")
    return Descriptor(
        clean(kind, 120) if isinstance(kind, str) else "",
        digest,
        size,
        _platform(data.get("platform")),
        urls=tuple(clean(str(url), 200) for url in urls[:8]) if isinstance(urls, list) else (),
    )


def _platform(found: object) -> Platform | None:
    if not isinstance(found, dict):
        return None
    words = [found.get(key) for key in ("os", "architecture", "variant")]
    return Platform(*(clean(word, 40) if isinstance(word, str) else "" for word in words))


def refuse(digest: str, why: str) -> NoReturn:
    """Raise for a manifest that is not used."""
    raise DockpassError(
        "manifest-refused",
        f"The manifest {digest[:19]} is not accepted: {why}.",
        "Whoever pushed the image can tell how it was made.",
    )
