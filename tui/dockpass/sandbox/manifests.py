"""What a manifest says that a registry has to know: its kind, what it needs, what it is about."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dockpass.references.reference import is_digest
from dockpass.sandbox.answers import Refused, shown

LARGEST = 4 << 20
INDEX = "application/vnd.oci.image.index.v1+json"

_INDEXES = frozenset({INDEX, "application/vnd.docker.distribution.manifest.list.v2+json"})
_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A stored manifest; `size` in bytes, `subject` and `artifact_type` empty where it has none."""

    digest: str
    media_type: str
    size: int
    blobs: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    subject: str = ""
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    def as_descriptor(self) -> dict[str, object]:
        """Return the entry in a list of referrers."""
        entry: dict[str, object] = {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size,
        }
        if self.artifact_type:
            entry["artifactType"] = self.artifact_type
        if self.annotations:
            entry["annotations"] = dict(self.annotations)
        return entry


def read_manifest(raw: bytes, digest: str, content_type: str) -> Manifest:
    """Read a manifest; raises `Refused` (MANIFEST_INVALID) for what no registry takes."""
    data = _object(raw)
    inner = data.get("mediaType")
    if inner is not None and not isinstance(inner, str):
        raise _invalid("its mediaType is no text")
    if inner and content_type and inner != content_type:
        raise _invalid(f"it says {shown(inner)} and is sent as {shown(content_type)}")
    media_type = content_type or inner or ""
    if not media_type:
        raise _invalid("neither the request nor the manifest names its media type")
    if media_type.startswith(_SCHEMA_1) or data.get("schemaVersion") != 2:
        raise _invalid("its schemaVersion is not 2")
    is_index = media_type in _INDEXES
    return Manifest(
        digest,
        media_type,
        len(raw),
        blobs=() if is_index else tuple(_blobs(data)),
        children=tuple(_digests(data.get("manifests"))) if is_index else (),
        subject=_subject(data.get("subject")),
        artifact_type=_artifact_type(data, is_index=is_index),
        annotations=_annotations(data.get("annotations")),
    )


def _artifact_type(data: Mapping[str, object], *, is_index: bool) -> str:
    """Return its own kind; an image without one is of its config's kind, an index of none."""
    own = data.get("artifactType")
    kind = own if own or is_index else _mapping(data.get("config")).get("mediaType")
    return kind if isinstance(kind, str) else ""


def _object(raw: bytes) -> Mapping[str, object]:
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise _invalid("it is no JSON object")
    return data


def _blobs(data: Mapping[str, object]) -> Iterator[str]:
    if data.get("config") is not None:
        yield from _digests([data["config"]])
    layers = data.get("layers")
    if isinstance(layers, list):
        # A layer with addresses of its own (Windows bases) need not be in the registry.
        layers = [layer for layer in layers if not _mapping(layer).get("urls")]
    yield from _digests(layers)
    yield from _digests(data.get("blobs"))


def _digests(listed: object) -> Iterator[str]:
    if listed is None:
        return
    if not isinstance(listed, list):
        raise _invalid("what it lists is no list")
    for entry in listed:
        digest = _mapping(entry).get("digest")
        if not isinstance(digest, str) or not is_digest(digest):
            raise _invalid("it lists something without a valid digest")
        yield digest


def _subject(found: object) -> str:
    return next(_digests([found]), "") if found is not None else ""


def _annotations(found: object) -> Mapping[str, str]:
    return {key: value for key, value in _mapping(found).items() if isinstance(value, str)}


def _mapping(found: object) -> Mapping[str, object]:
    return found if isinstance(found, dict) else {}


def _invalid(why: str) -> Refused:
    return Refused(400, "MANIFEST_INVALID", f"manifest invalid: {why}")
