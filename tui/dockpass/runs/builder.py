"""Which builder a run's build uses: what the build needs, compared with what there is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dockpass.builders.choice import BuilderChoice, choose
from dockpass.builders.names import BuilderName
from dockpass.builders.survey import Found
from dockpass.buildfiles.find import BuildSources
from dockpass.buildfiles.needs import Feature, Need
from dockpass.errors import UsageError
from dockpass.runs.request import BuildOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Builders:
    """An engine and the builders beside it, as a survey found them."""

    engine: str
    found: Sequence[Found]


def chosen_builder(builders: Builders, needs: Sequence[Need], build: BuildOptions) -> BuilderChoice:
    """Return the builder for a build; raises `UsageError` with the line and the feature that stops it."""
    infos = [each.info for each in builders.found]
    return choose(infos, needs_of_build(needs, build), builders.engine, build.builder)


def builds_classic(builders: Builders, sources: BuildSources, build: BuildOptions) -> bool:
    """Tell whether the classic builder would build, which pulls more than the others do."""
    try:
        chosen = chosen_builder(builders, sources.needs, build)
    except UsageError:
        return False  # the plan, and the run, will say so
    return chosen.builder.name is BuilderName.CLASSIC


def needs_of_build(needs: Sequence[Need], build: BuildOptions) -> tuple[Need, ...]:
    """Return what a build needs of a builder: its file's needs, and those of the options."""
    return (*needs, *_of_options(build))


def _of_options(build: BuildOptions) -> Iterator[Need]:
    """Yield what the options need of a builder."""
    given = (
        (Feature.SECRET, build.secrets),
        (Feature.SSH, build.ssh),
        (Feature.CACHE_FROM, build.cache_from),
        (Feature.CACHE_TO, build.cache_to),
        (Feature.PLATFORMS, "," in (build.platform or "")),
    )
    return (Need(feature, str(feature)) for feature, values in given if values)
