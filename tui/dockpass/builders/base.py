"""The protocol of a builder, which stands beside that of an engine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dockpass.builders.names import BuilderName
from dockpass.buildfiles.needs import Feature
from dockpass.dockerconfig.runconfig import RunConfig
from dockpass.engines.base import BuildRequest, Sink
from dockpass.errors import DockpassError

if TYPE_CHECKING:
    from dockpass.registry.client import RegistryClient


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderInfo:
    """What is known of a builder before it builds.

    `can` are the features that it has; `runs_frontends` tells that a `# syntax=` line gives it others.
    `where` says in words what it is and where the image goes, `unusable` why it cannot be used at all; it is
    empty for one that can. `stores_for` names the engine whose images it makes, empty for none.
    """

    name: BuilderName
    version: str = ""
    can: frozenset[Feature] = frozenset()
    runs_frontends: bool = False
    where: str = ""
    unusable: str = ""
    stores_for: str = ""

    @property
    def asks_itself(self) -> bool:
        """Whether registries are asked beside the engine's own API, so that dockpass logs in for it."""
        return self.name in {
            BuilderName.BUILDX,
            BuilderName.BUILDKIT,
            BuilderName.PODMAN,
            BuilderName.BUILDAH,
        }

    @property
    def title(self) -> str:
        """The builder as a person knows it, with its version."""
        return f"{TITLES[self.name]} {self.version}".rstrip()


TITLES = {
    BuilderName.BUILDX: "docker buildx",
    BuilderName.BUILDKIT: "BuildKit without buildx",
    BuilderName.PODMAN: "podman build",
    BuilderName.BUILDAH: "buildah build",
    BuilderName.CLASSIC: "the classic builder",
    BuilderName.EMBEDDED: "the embedded engine",
}


def builder_failed(message: str, hint: str) -> DockpassError:
    """Return the error for a builder's program that does not do its part."""
    return DockpassError("builder-failed", message, hint)


def builder_unusable(message: str, hint: str) -> DockpassError:
    """Return the error for a builder that does not answer with the run's config."""
    return DockpassError("builder-unusable", message, hint)


class BuildSink(Sink, Protocol):
    """Where a builder reports."""

    def step(self, step_id: str, name: str, state: str, seconds: float) -> None:
        """Report a step of the build; states as in `events.Step`."""


LONGEST_LINE = 1 << 20
"""Bytes of a program's output after which a line is told as if it had ended."""
MOST_WORDS = 200
"""Lines of it that are kept to find the error among them."""

Contact = Callable[[str], "AbstractAsyncContextManager[RegistryClient]"]
"""Opens a client that is connected to a registry host, with the login that the run's config has for it."""

Guard = Callable[[int], None]
"""Is told the process id of a child that leads its group, so that it does not outlive dockpass."""


class Builder(Protocol):
    """One build. Every method raises only `DockpassError`s; `cut` is called from another thread."""

    info: BuilderInfo
    given_logins: frozenset[str]
    """The hosts to which the builder says it gave a login or a token; it may not say all."""

    def check(self, request: BuildRequest) -> None:
        """Raise `UsageError` for what this builder cannot build, as far as the build file tells."""

    def has_locally(self, reference: str) -> bool:
        """Tell whether an image is in the store from which this builder takes base images unasked."""

    def build(self, request: BuildRequest, config: RunConfig, sink: BuildSink) -> str:
        """Build with the logins in `config`; return the image's id."""

    def cut(self) -> None:
        """End the build within a few seconds, and leave nothing running."""
