"""What a build pulls, as facts of a decision and as findings for a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockpass.auth.facts import BaseImage, UnknownImage
from dockpass.findings import Finding
from dockpass.text import clean

if TYPE_CHECKING:  # only who has a build file pays for them
    from dockpass.buildfiles.find import BuildSources


@dataclass(frozen=True, slots=True)
class Pulled:
    """`images` is None where no build file says what is pulled; `unknown` are those that are not known."""

    images: tuple[BaseImage, ...] | None = None
    unknown: tuple[UnknownImage, ...] = ()
    findings: tuple[Finding, ...] = ()


def pulled_by(sources: BuildSources, *, classic: bool = False) -> Pulled:
    """Return what a build pulls. The classic builder runs every stage up to the target, needed or not."""
    images = sources.base_images
    if classic and images is not None:
        images = (*images, *_pulled_besides(sources))
    return Pulled(images, sources.unknown, tuple(_findings(sources, classic=classic)))


def _pulled_besides(sources: BuildSources) -> tuple[BaseImage, ...]:
    """Return what the classic builder pulls besides, where it can build the file at all."""
    from dockpass.builders.abilities import OF_CLASSIC

    can = all(need.feature in OF_CLASSIC for need in sources.needs)
    return sources.classic if can else ()


def _findings(sources: BuildSources, *, classic: bool) -> Iterator[Finding]:
    yield from sources.findings
    if sources.refusal is not None:
        yield Finding(
            sources.refusal.id, sources.refusal.about, f"is refused by BuildKit: {sources.refusal.message}"
        )
    told = {found.about for found in sources.findings}
    for image in sources.unknown:
        if image.origin not in told:
            yield Finding("image-unknown", image.origin, f"{image.text} is not known: {image.because}")
    if besides := _pulled_besides(sources):
        names = ", ".join(f"{clean(each.reference)} ({each.origin})" for each in besides)
        who = "pulls it too" if classic else "would pull it too"
        yield Finding(
            "classic-builder",
            "build",
            f"does not need {names}; the classic builder of Docker {who},"
            " because it runs every stage up to the target",
        )
    if sources.unsupported:
        yield Finding("build-unsupported", "build", sources.unsupported)
