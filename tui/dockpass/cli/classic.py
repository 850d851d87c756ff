"""Whether the engine's classic builder would build, which pulls more than BuildKit does."""

from __future__ import annotations

from dockpass.builders.survey import FindBuilders
from dockpass.cli.world import World
from dockpass.engines.base import EMBEDDED
from dockpass.engines.choice import EngineChoice, Engines, detect_chosen
from dockpass.errors import UsageError
from dockpass.runs.builder import Builders, builds_classic
from dockpass.runs.request import BuildOptions
from dockpass.runs.sources import sources_of_build


def is_classic(choice: EngineChoice, world: World, build: BuildOptions, find: FindBuilders) -> bool:
    """Tell whether it would; the engine is asked what it is."""
    if choice.engine is Engines.EMBEDDED:
        return False
    info = detect_chosen(choice, world.environ, world.home).info
    if info is None or info.name == EMBEDDED:
        return info is None
    builders = Builders(engine=info.name, found=find(info, world.environ, world.home))
    try:
        sources = sources_of_build(world.cwd, build)
    except UsageError:
        return False  # the run will say so
    return builds_classic(builders, sources, build)
