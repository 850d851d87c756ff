"""What the bytes of a manifest say, read strictly, and every digest they name, read as leniently as can be.

What the strict reader refuses may still be an image to somebody else: registries store it, other clients
copy it. So nothing that it could need may be deleted.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockpass.references.reference import is_digest
from dockpass.registry.strictjson import NotJson, strict_object
from dockpass.text import clean

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MEDIA_TYPES = (
    *INDEX_TYPES,
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
LARGEST_MANIFEST = 4 << 20
MOST_NAMED = 10_000

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_HEX = re.compile(r"(?=([0-9a-f]{64}))")
_LONG_HEX = re.compile(r"(?=([0-9a-f]{128}))")
_GZIP = b"\x1f\x8b"
_KNOWN = ("manifests", "subject", "digest", "config", "layers", "mediaType")
_FIELDS = frozenset({*_KNOWN, "schemaVersion", "artifactType", "annotations"}) - {"digest"}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or index; `digest` is that of its bytes, checked; `size` is their number."""

    digest: str
    media_type: str
    data: Mapping[str, Any]
    size: int

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests, one for each platform."""
        return self.media_type in INDEX_TYPES or isinstance(self.data.get("manifests"), list)

    @property
    def is_standard(self) -> bool:
        """Whether it needs other manifests only as the OCI and Docker formats say: `manifests`, `subject`."""
        layers = self.data.get("layers")
        blobs = [*(layers if isinstance(layers, list) else ()), self.data.get("config")]
        types = [blob.get("mediaType") for blob in blobs if isinstance(blob, dict)]
        return (
            self.media_type in MEDIA_TYPES
            and self.data.keys() <= _FIELDS
            and not any(str(found).lower() in MEDIA_TYPES for found in types)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An answer for a tag or digest: its manifest, or why it cannot be read (`problem`).

    `digest` is empty where it is not known; `twin` is the sha256 of the bytes where `digest` is of another
    algorithm. `named` are all digests that the image's bytes name; None
    where no bytes came that are known to be the image's, or where they cannot be searched. `absent` says
    that the registry answered, in its own form, that it was not found; `status` is that of the answer, 0 for
    one that was refused.
    """

    status: int = 200
    digest: str = ""
    twin: str = ""
    manifest: Manifest | None = None
    named: frozenset[str] | None = None
    problem: str = ""
    absent: bool = False


def read_content(raw: bytes, digest: str, content_type: str, *, claimed: bool) -> Seen:
    """Read the bytes of a manifest; `claimed` says that the registry named their digest itself.

    Bytes whose digest nobody named may be any page, so they count as the image's only if they have the
    form of a manifest. What cannot be read and names nothing at all tells nothing of what the image needs.
    """
    named = (digests_named(raw) or None) if claimed else None
    try:
        data = strict_object(raw)
    except NotJson as error:
        return Seen(digest=digest if claimed else "", named=named, problem=str(error))
    if not _has_form(data):
        problem = "it is not in the format of a manifest"
        return Seen(digest=digest if claimed else "", named=named, problem=problem)
    if not _is_plain(data):
        problem = "clients disagree about what it lists"
        return Seen(digest=digest, named=digests_named(raw) or None, problem=problem)
    media_type = data.get("mediaType") or content_type.partition(";")[0]
    manifest = Manifest(digest, clean(str(media_type), 120), data, len(raw))
    return Seen(digest=digest, manifest=manifest, named=digests_named(raw))


def digests_named(raw: bytes) -> frozenset[str] | None:
    """Return each digest that the bytes name in any spelling; None for bytes that are not text, or too many.

    64 hexadecimal digits in a row count, whatever stands before them: JSON has many ways to write a colon,
    and what is named too much is only kept.
    """
    if raw.startswith(_GZIP):
        raw = _unpacked(raw)
    text = _text(raw)
    if text is None:
        return None
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text.replace("\0", "")).lower()
    found: set[str] = set()
    for algorithm, digits in (("sha256", _HEX), ("sha512", _LONG_HEX)):
        for each in digits.finditer(text):
            found.add(f"{algorithm}:{each[1]}")
            if len(found) > MOST_NAMED:
                return None
    return frozenset(found)


def digests_in(entries: object) -> tuple[str, ...]:
    """Return the valid digests of a list of descriptors, as an index has it."""
    listed = entries if isinstance(entries, list) else []
    found = (entry.get("digest") for entry in listed if isinstance(entry, dict))
    return tuple(digest for digest in found if isinstance(digest, str) and is_digest(digest))


def _has_form(data: Mapping[str, Any]) -> bool:
    lists = (data.get(name) for name in ("manifests", "layers", "fsLayers", "blobs"))
    return isinstance(data.get("config"), dict) or any(isinstance(found, list) for found in lists)


def _is_plain(data: Mapping[str, Any]) -> bool:
    """Tell whether every reader finds the same digests in it.

    Go's JSON knows keys in any case, and what is no digest to one reader may be one to another.
    """
    entries = data.get("manifests")
    if not (entries is None or isinstance(entries, list)) or _has_odd_keys(data):
        return False
    descriptors = list(entries or ())
    if data.get("subject") is not None:
        descriptors.append(data["subject"])
    return all(
        isinstance(entry, dict) and not _has_odd_keys(entry) and is_digest(str(entry.get("digest")))
        for entry in descriptors
    )


def _has_odd_keys(data: Mapping[str, Any]) -> bool:
    known = {name.lower(): name for name in _KNOWN}
    return any(known.get(name.casefold(), name) != name for name in data)


def _unpacked(raw: bytes) -> bytes:
    """Return what gzip made of it; the same bytes, which are no text, where that is broken or too much.

    A file of gzip may have several members, one behind the other; together they are the content.
    """
    found, rest = b"", raw
    while rest:
        unpacking = zlib.decompressobj(wbits=31)
        try:
            found += unpacking.decompress(rest, LARGEST_MANIFEST)
        except zlib.error:
            return raw
        if not unpacking.eof or len(found) > LARGEST_MANIFEST:
            return raw
        rest = unpacking.unused_data
    return found


def _text(raw: bytes) -> str | None:
    for encoding in ("utf-8", "utf-16"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            if not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
                return None
    return None
