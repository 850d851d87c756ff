"""Deploy: look up what a deployment needs of each image; nothing is changed anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dockpass.auth.reference import Reference
from dockpass.registry.client import Manifest, RegistryClient
from dockpass.registry.survey import parse_time
from dockpass.runs.events import ImageDescribed, Phase
from dockpass.runs.job import Job
from dockpass.runs.login import credential_for
from dockpass.runs.references import references_of_run
from dockpass.text import clean

_PREFERRED = ("linux", "amd64")


def deploy(job: Job) -> Callable[[], str]:
    """Prepare the look-up of each of the run's references."""
    return partial(_run, job, references_of_run(job))


def _run(job: Job, references: tuple[Reference, ...]) -> str:
    return job.run_async(_deploy(job, references))


async def _deploy(job: Job, references: tuple[Reference, ...]) -> str:
    credential = credential_for(job, str(job.repository))
    found = []
    async with job.open_registry(job.repository.host, credential) as client:
        for reference in references:
            with job.phase(Phase.INSPECT, str(reference)) as report:
                manifest = await client.manifest(reference.path, reference.tag or "latest")
                described = await _describe(client, reference, manifest, job.at)
                report.detail = described.digest
                job.feed.put(described)
                found.append(f"{reference}@{described.digest}")
    return "found " + ", ".join(found)


async def _describe(
    client: RegistryClient, reference: Reference, manifest: Manifest, at: float
) -> ImageDescribed:
    image = manifest
    platforms: tuple[str, ...] = ()
    if manifest.is_index:
        entries = [entry for entry in manifest.data.get("manifests") or () if isinstance(entry, dict)]
        platforms = tuple(_platform(entry.get("platform")) for entry in entries if not _is_attestation(entry))
        chosen = _preferred(entries)
        if chosen:
            image = await client.manifest(reference.path, str(chosen.get("digest")))
    config = image.data.get("config")
    image_id = str(config.get("digest", "")) if isinstance(config, dict) else ""
    content: Mapping[str, Any] = await client.config(reference.path, image_id) if image_id else {}
    created = parse_time(content.get("created"))
    inner = content.get("config")
    labels = inner.get("Labels") if isinstance(inner, dict) else None
    return ImageDescribed(
        at,
        str(reference),
        manifest.digest,
        manifest.media_type,
        clean(image_id, 80),
        created.isoformat() if created else "",
        platforms or (_platform(content),),
        _size(image),
        tuple(sorted((clean(str(name)), clean(str(value))) for name, value in labels.items()))
        if isinstance(labels, dict)
        else (),
    )


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
    parts = (found.get("os"), found.get("architecture"), found.get("variant"))
    return clean("/".join(str(part) for part in parts if part)) or "unknown"


def _size(manifest: Manifest) -> int:
    layers = manifest.data.get("layers")
    sizes = (layer.get("size") for layer in layers or () if isinstance(layer, dict))
    return sum(size for size in sizes if isinstance(size, int))
