"""Deploy: look up what a deployment needs of each image; nothing is changed anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dockpass.cleanup.reading import parse_time
from dockpass.errors import DockpassError
from dockpass.references.reference import Reference
from dockpass.registry.client import RegistryClient
from dockpass.registry.contents import Manifest
from dockpass.runs.contact import contact
from dockpass.runs.events import ImageDescribed, Phase
from dockpass.runs.job import Job
from dockpass.runs.references import references_of_run
from dockpass.text import clean

LARGEST_LAYER = 1 << 50
"""In bytes; more than any registry holds, and no number that arithmetic trips over."""

_PREFERRED = ("linux", "amd64")


def deploy(job: Job) -> Callable[[], str]:
    """Prepare the lookup of each of the run's references."""
    return partial(_run, job, references_of_run(job))


def _run(job: Job, references: tuple[Reference, ...]) -> str:
    return job.run_async(_deploy(job, references))


async def _deploy(job: Job, references: tuple[Reference, ...]) -> str:
    found = []
    async with contact(job, job.repository.host) as client:
        for reference in references:
            with job.phase(Phase.INSPECT, str(reference)) as report:
                manifest = await client.manifest(reference.path, reference.tag or "latest")
                _require_manifest(manifest.data, reference)
                described = await describe(client, str(reference), manifest, reference.path, job.at)
                report.detail = described.digest
                job.feed.put(described)
                found.append(f"{reference}@{described.digest}")
    return "found " + ", ".join(found)


async def describe(
    client: RegistryClient, reference: str, manifest: Manifest, path: str, at: float
) -> ImageDescribed:
    """Return what a manifest, and the config that it names, say of an image."""
    image = manifest
    platforms: tuple[str, ...] = ()
    if manifest.is_index:
        entries = _objects(manifest.data.get("manifests"))
        platforms = tuple(_platform(entry.get("platform")) for entry in entries if not _is_attestation(entry))
        chosen = _preferred(entries)
        if chosen:
            image = await client.manifest(path, _text(chosen.get("digest")))
    config = image.data.get("config")
    image_id = _text(config.get("digest")) if isinstance(config, dict) else ""
    content: Mapping[str, Any] = await client.config(path, image_id) if image_id else {}
    created = parse_time(content.get("created"))
    inner = content.get("config")
    labels = inner.get("Labels") if isinstance(inner, dict) else None
    return ImageDescribed(
        at,
        reference,
        manifest.digest,
        manifest.media_type,
        clean(image_id, 80),
        created.isoformat() if created else "",
        platforms or (_platform(content),),
        _size(image),
        tuple(sorted((clean(name), clean(_text(value))) for name, value in labels.items()))
        if isinstance(labels, dict)
        else (),
    )


def _require_manifest(data: Mapping[str, Any], reference: Reference) -> None:
    """Raise for a JSON object that is neither an image nor an index: anything may answer with one."""
    lists = (data.get(name) for name in ("manifests", "layers", "fsLayers"))
    if isinstance(data.get("config"), dict) or any(isinstance(each, list) for each in lists):
        return
    raise DockpassError(
        "not-a-manifest",
        f"What {clean(reference.host)} gave for {reference} is no manifest of an image: it has neither a"
        " config nor layers.",
        "Check host and port: something other than a registry may have answered.",
    )


def _objects(found: object) -> list[dict[str, Any]]:
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""


def _preferred(entries: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the entry to describe: linux/amd64 if it is there, else the first image."""
    images = [entry for entry in entries if not _is_attestation(entry)] or entries
    for entry in images:
        platform = entry.get("platform")
        if isinstance(platform, dict) and (platform.get("os"), platform.get("architecture")) == _PREFERRED:
            return entry
    return images[0] if images else None


def _is_attestation(entry: Mapping[str, Any]) -> bool:
    platform = entry.get("platform")
    return isinstance(platform, dict) and platform.get("os") == "unknown"


def _platform(found: object) -> str:
    if not isinstance(found, dict):
        return "unknown"
    parts = (_text(found.get(name)) for name in ("os", "architecture", "variant"))
    return clean("/".join(filter(None, parts)), 120) or "unknown"


def _size(manifest: Manifest) -> int:
    """Return the bytes of the layers, as far as they are numbers that a layer can have."""
    sizes = (layer.get("size") for layer in _objects(manifest.data.get("layers")))
    return sum(size for size in sizes if isinstance(size, int) and 0 <= size <= LARGEST_LAYER)
