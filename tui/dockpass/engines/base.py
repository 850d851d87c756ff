"""The protocol of an engine: who builds, pulls and pushes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dockpass.buildfiles.contexts import NamedContexts
from dockpass.colours import Colours
from dockpass.errors import DockpassError
from dockpass.references.credential import Logins
from dockpass.secrets import Secret

EMBEDDED = "embedded"
"""The name of the engine that is part of dockpass."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Which engine answered. `how` says which source won (`DOCKER_HOST`, context, socket) and why.

    `has_buildkit` tells that BuildKit is part of it, whether or not it is what it builds with by default.
    """

    name: str  # Docker, Podman
    version: str
    endpoint: str
    how: str
    has_buildkit: bool = False


def program_of(info: EngineInfo) -> str:
    """Return the command line program that shows an engine's images."""
    return "dockpass" if info.name == EMBEDDED else info.name.lower()


class Sink(Protocol):
    """Where an engine reports; called from the run's thread. Texts are cleaned by the engine."""

    def log(self, text: str) -> None:
        """Report one line of output."""

    def output(self, text: str, colours: Colours) -> None:
        """Report one line that a command of a build printed, and the looks that it gave the line's parts."""

    def layer(self, layer_id: str, state: str, current: int, total: int) -> None:
        """Report progress of a layer in bytes; states as in `events.Layer`."""

    def check(self) -> None:
        """Raise `Cancelled` if the person has cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSecret:
    """A secret of `--secret`, which a RUN mounts. It comes from `file`, or has the `value` of a variable."""

    id: str
    file: Path | None = None
    value: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildExtras:
    """What else a build was asked for, each as the option of the same name takes it.

    `push` pushes the image under its tags; `pull` asks registries for base images that are there, too.
    `network` is that of RUN, empty for the builder's own default.
    """

    secrets: tuple[BuildSecret, ...] = ()
    ssh: tuple[str, ...] = ()
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    push: bool = False
    pull: bool = False
    network: str = ""


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """A Dockerfile build. `dockerfile` may lie outside `context`.

    `platform` is empty for the engine's own; directories among the named `contexts` are relative to
    `named_root`. `accepted` are docker's keys of the registries that accepted this run's login.
    """

    context: Path
    dockerfile: Path
    tags: tuple[str, ...] = ()
    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    platform: str = ""
    contexts: NamedContexts = field(default_factory=dict)
    named_root: Path = Path()
    extras: BuildExtras = BuildExtras()
    accepted: frozenset[str] = frozenset()


def image_missing(message: str, hint: str) -> DockpassError:
    """Return the error for a local image that does not exist."""
    return DockpassError("image-missing", message, hint)


class Engine(Protocol):
    """One connection for one run. Every method raises only `DockpassError`s.

    What a registry is sent is read from `logins`, when the method is called or later.

    The methods block; `cut` is called from another thread and makes a blocked one end within half a
    second with `Cancelled`, as it does every later one. `tag` and `untag` are let to their end, before
    and after: cut in the middle nobody would know whether the name is there.
    """

    def info(self) -> EngineInfo:
        """Return which engine answered."""

    def own_proxy(self) -> str:
        """Say by which proxy of its own the engine reaches registries, as it tells it; empty where by none.

        The embedded engine has none of its own: what holds for dockpass holds for it.
        """

    def lacks_containerd_store(self) -> bool:
        """Tell whether the engine says that its images are not in containerd's store.

        Only there it keeps an image for several platforms, and only then it exports caches.
        """

    def login(self, key: str, logins: Logins) -> str:
        """Log in at docker's key of a registry, always asking it; return the registry's words."""

    def image_id(self, reference: str) -> str | None:
        """Return the id (`sha256:…`) of a local image, or None."""

    def tag(self, image: str, reference: str) -> None:
        """Give the local image (reference or id) the name `reference`."""

    def untag(self, reference: str) -> bool:
        """Remove the local name and tell so; the last name of an image is kept, for its removal would
        delete the image."""

    def pull(self, reference: str, logins: Logins, sink: Sink) -> str:
        """Pull one reference; return its digest (empty where the engine does not tell)."""

    def push(self, reference: str, logins: Logins, sink: Sink) -> str:
        """Push one reference; return its digest (empty where the engine does not tell)."""

    def check_build(self, request: BuildRequest) -> None:
        """Raise `UsageError` for what this engine cannot build, as far as the build file tells."""

    def build(self, request: BuildRequest, logins: Logins, sink: Sink) -> str:
        """Build; return the image's id."""

    def cut(self) -> None:
        """End whatever blocks, from another thread."""

    def close(self) -> None:
        """Release the connection."""
