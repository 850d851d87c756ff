"""What a build comes from and pulls, by the options that a person gave for it."""

from __future__ import annotations

from pathlib import Path

from dockpass.buildfiles.contexts import parse_contexts
from dockpass.buildfiles.find import BuildSources, find_base_images
from dockpass.runs.request import BuildOptions


def sources_of_build(cwd: Path, build: BuildOptions) -> BuildSources:
    """Return the sources of a build; raises `UsageError` for a bad option or a file that cannot be read."""
    return find_base_images(
        cwd,
        file=build.file,
        config=build.config,
        context=build.context,
        image=build.image,
        target=build.target,
        args=build.args,
        platform=build.platform,
        contexts=parse_contexts(build.contexts),
    )
