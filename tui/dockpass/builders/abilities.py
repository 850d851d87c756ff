"""Which builder has which feature, and since which release. Pure.

Docker's releases are those whose BuildKit brought the Dockerfile frontend with the feature (1.2 in 20.10,
1.4 in 23.0, 1.6 in 25.0, 1.17 in 28.3, 1.19 in 29.0), buildah's those of its change log.
`tests/engine/test_builders.py` asks the releases that there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from dockpass.buildfiles.needs import OF_OPTIONS, Feature, Need

if TYPE_CHECKING:
    from dockpass.builders.base import BuilderInfo

Release = tuple[int, ...]

_ALWAYS: Release = (0,)

OF_ENGINE: Mapping[Feature, Release] = {
    Feature.RUN: _ALWAYS,
    Feature.SYNTAX: _ALWAYS,
    Feature.PLATFORM_ARG: _ALWAYS,
    Feature.ADD_URL: _ALWAYS,
    Feature.MOUNT_BIND: (20, 10),
    Feature.MOUNT_CACHE: (20, 10),
    Feature.MOUNT_TMPFS: (20, 10),
    Feature.MOUNT_SECRET: (20, 10),
    Feature.MOUNT_SSH: (20, 10),
    Feature.CHMOD: (20, 10),
    Feature.SECRET: (20, 10),
    Feature.SSH: (20, 10),
    Feature.CACHE_FROM: (20, 10),
    Feature.CACHE_TO: (20, 10),
    Feature.PLATFORMS: (24, 0),  # with containerd's store, for which the builder looks
    Feature.NAMED_CONTEXT: (23, 0),
    Feature.NETWORK: (23, 0),
    Feature.HEREDOC: (23, 0),
    Feature.LINK: (23, 0),
    Feature.ADD_GIT: (25, 0),
    Feature.KEEP_GIT_DIR: (25, 0),
    Feature.CHECKSUM: (25, 0),
    Feature.UNPACK: (28, 3),
    Feature.EXCLUDE: (29, 0),
    Feature.PARENTS: (29, 1),
    Feature.SECURITY: (29, 1),
}
"""What BuildKit in a Docker Engine can do, by the release of the engine."""

OF_BUILDAH: Mapping[Feature, Release] = {
    Feature.RUN: _ALWAYS,
    Feature.SYNTAX: _ALWAYS,  # a comment to it
    Feature.PLATFORM_ARG: _ALWAYS,
    Feature.ADD_URL: _ALWAYS,
    Feature.CHMOD: (1, 20),
    Feature.MOUNT_BIND: (1, 24),
    Feature.MOUNT_CACHE: (1, 24),
    Feature.MOUNT_TMPFS: (1, 24),
    Feature.MOUNT_SECRET: (1, 24),
    Feature.MOUNT_SSH: (1, 24),
    Feature.MOUNT_OF_BUILDAH: (1, 24),
    Feature.SECRET: (1, 24),
    Feature.SSH: (1, 24),
    Feature.NAMED_CONTEXT: (1, 24),
    Feature.CACHE_FROM: (1, 28),
    Feature.CACHE_TO: (1, 28),
    Feature.NETWORK: (1, 30),
    Feature.HEREDOC: (1, 33),
    Feature.CHECKSUM: (1, 33),
    Feature.ADD_GIT: (1, 38),
    Feature.EXCLUDE: (1, 38),
    Feature.PARENTS: (1, 40),
    Feature.LINK: (1, 41),
    Feature.KEEP_GIT_DIR: (1, 44),
}
"""What buildah can do, by its own release; `podman build` is buildah inside."""

BY_SESSION = frozenset(OF_ENGINE) - {Feature.SECURITY}
"""What of that can be asked for without buildx."""
FIRST_BY_SESSION: Release = (20, 10)

OF_CLASSIC = frozenset({Feature.RUN, Feature.ADD_URL})
OF_EMBEDDED = frozenset(
    {Feature.SYNTAX, Feature.HEREDOC, Feature.PLATFORM_ARG, Feature.CHMOD, Feature.NAMED_CONTEXT}
)

_RELEASE = re.compile(r"v?(\d+)\.(\d+)")


def release_of(version: str) -> Release | None:
    """Return the release that a version such as `26.1.5+dfsg1` belongs to; None for one without numbers."""
    found = _RELEASE.match(version)
    return (int(found[1]), int(found[2])) if found else None


def features(table: Mapping[Feature, Release], version: str) -> frozenset[Feature]:
    """Return what a release can do; one that is built from source and has no number can do everything."""
    release = release_of(version)
    return frozenset(feature for feature, since in table.items() if release is None or since <= release)


def missing(needs: Iterable[Need], info: BuilderInfo) -> tuple[Need, ...]:
    """Return what a builder lacks of what a build needs.

    Where the Dockerfile names a frontend, and the builder runs it, that frontend reads all the rest.
    """
    wanted = list(needs)
    by_frontend = info.runs_frontends and any(need.feature is Feature.SYNTAX for need in wanted)
    return tuple(
        need
        for need in wanted
        if need.feature not in info.can and not (by_frontend and need.feature not in OF_OPTIONS)
    )
