"""What builders are called. Apart from the rest, for every start reads the options of a build."""

from __future__ import annotations

from enum import StrEnum

AUTO = "auto"
"""What `--builder` takes for the first builder that can build the file."""


class BuilderName(StrEnum):
    """What else `--builder` takes, in the order in which builders are preferred."""

    BUILDX = "buildx"
    BUILDKIT = "buildkit"
    PODMAN = "podman"
    BUILDAH = "buildah"
    CLASSIC = "classic"
    EMBEDDED = "embedded"
