"""What a person asks for: a command with its options, and the decision made for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockpass.auth.command import Command
from dockpass.auth.decision import Decision
from dockpass.auth.facts import Facts
from dockpass.builders.names import AUTO
from dockpass.cleanup.options import CleanupOptions


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """Where a build comes from. Paths are as given, relative to the working directory.

    `file` is a Dockerfile, `config` a werf.yaml, `image` the image of the werf.yaml; with neither file
    nor config the ones of the context are looked for. `contexts` are the NAME=VALUE of --build-context;
    `secrets`, `ssh` and the caches are as their options give them, and hold no value of a secret.
    `builder` is a builder's name, or `auto`.
    """

    file: str | None = None
    config: str | None = None
    context: str | None = None
    image: str | None = None
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    platform: str | None = None
    contexts: tuple[str, ...] = ()
    builder: str = AUTO
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    push: bool = False
    pull: bool = False
    network: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """Options that facts do not show any more, as typed: where variables come from, and who does the work.

    `env_files` are relative to the working directory, `-` is stdin. `froms` are the base images of a build
    that are named in place of a build file. `job` are the options that name a GitLab job.
    """

    env_files: tuple[str, ...] = ()
    env_format: str | None = None
    unsets: tuple[str, ...] = ()
    clean_env: bool = False
    froms: tuple[str, ...] = ()
    engine: str | None = None
    job: tuple[tuple[str, str | bool], ...] = ()


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run. `image` is the local image of a push; `tags` are as given, without defaults.

    `confirmed` is the person's word for what the plan says; `foreign_allowed` for sending a token to a
    registry other than `CI_REGISTRY`. `can_ask` tells whether there is anybody to ask for that word.
    `typed` is what a command line for the same run needs beside the facts. A deployment with `values` ends
    with those for Helm.
    """

    command: Command
    facts: Facts
    decision: Decision
    tags: tuple[str, ...] = ()
    image: str | None = None
    build: BuildOptions = field(default_factory=BuildOptions)
    cleanup: CleanupOptions = field(default_factory=CleanupOptions)
    confirmed: bool = False
    foreign_allowed: bool = False
    can_ask: bool = True
    typed: Typed = field(default_factory=Typed)
    values: bool = False

    @property
    def acts(self) -> bool:
        """Whether it does more than look."""
        return acts(self.command, self.cleanup)


def acts(command: Command, cleanup: CleanupOptions) -> bool:
    """Tell whether a run does more than look: each but the dry run of a cleanup."""
    return command is not Command.CLEANUP or not cleanup.dry_run
