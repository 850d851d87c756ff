"""What a build comes from and pulls, by the options that a person gave for it."""

from __future__ import annotations

from pathlib import Path

from dockpass.buildfiles.contexts import parse_contexts
from dockpass.buildfiles.find import BuildSources, find_base_images, refused
from dockpass.errors import UsageError
from dockpass.references.reference import parse_reference
from dockpass.runs.request import BuildOptions, RunRequest


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


def require_buildable(sources: BuildSources, request: RunRequest, cwd: Path) -> tuple[Path, Path]:
    """Return Dockerfile and context; raises `UsageError` for a build that cannot be prepared."""
    if sources.refusal is not None:
        raise refused(sources.refusal)
    if sources.unsupported:
        raise UsageError(
            "build-unsupported",
            sources.unsupported,
            "Build it with werf itself, or describe the image with `dockerfile:`.",
        )
    if sources.unknown:
        found = sources.unknown[0]
        raise UsageError(
            "base-unknown",
            f"{found.origin}: {found.text} is not known: {found.because}.",
            "Give what is missing, for example with --build-arg.",
        )
    if sources.dockerfile is None or sources.context is None:
        raise UsageError(
            "no-build-file",
            f"There is no Dockerfile and no werf.yaml in {cwd}.",
            "Name one with --file or --config, or the directory with --context.",
        )
    if request.build.push and not request.tags:
        raise UsageError("push-unnamed", "--push needs a name to push.", "Give one with --tag.")
    for tag in request.tags:
        parse_reference(tag)
    return sources.dockerfile, sources.context
