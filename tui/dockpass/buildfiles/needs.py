"""What a Dockerfile and its options need beyond the oldest builders, with the line of each. Pure.

The names and flags are those of the Dockerfile reference; `builders/abilities.py` says who can do what.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from dockpass.buildfiles.lines import Instruction
from dockpass.buildfiles.mounts import OF_BUILDAH


class Feature(StrEnum):
    """A feature that not every builder has, in the words in which it is shown."""

    RUN = "RUN"
    SYNTAX = "# syntax="
    HEREDOC = "a heredoc"
    PLATFORM_ARG = "a platform argument in FROM"
    MOUNT_BIND = "RUN --mount=type=bind"
    MOUNT_CACHE = "RUN --mount=type=cache"
    MOUNT_TMPFS = "RUN --mount=type=tmpfs"
    MOUNT_SECRET = "RUN --mount=type=secret"  # noqa: S105 - what a Dockerfile says
    MOUNT_SSH = "RUN --mount=type=ssh"
    MOUNT_OF_BUILDAH = "a field of --mount that only Podman and Buildah have"
    NETWORK = "RUN --network"
    SECURITY = "RUN --security"
    DEVICE = "RUN --device"
    CHMOD = "--chmod"
    LINK = "--link"
    PARENTS = "COPY --parents"
    EXCLUDE = "--exclude"
    CHECKSUM = "ADD --checksum"
    KEEP_GIT_DIR = "ADD --keep-git-dir"
    UNPACK = "ADD --unpack"
    ADD_URL = "ADD of a URL"
    ADD_GIT = "ADD of a git repository"
    NAMED_CONTEXT = "--build-context"
    SECRET = "--secret"  # noqa: S105 - an option's name
    SSH = "--ssh"
    CACHE_FROM = "--cache-from"
    CACHE_TO = "--cache-to"
    PLATFORMS = "--platform with several platforms"


OF_OPTIONS = frozenset(
    {
        Feature.NAMED_CONTEXT,
        Feature.SECRET,
        Feature.SSH,
        Feature.CACHE_FROM,
        Feature.CACHE_TO,
        Feature.PLATFORMS,
    }
)
"""Features that options ask for, and no line of a Dockerfile."""

_MOUNTS = {
    "": Feature.MOUNT_BIND,
    "bind": Feature.MOUNT_BIND,
    "cache": Feature.MOUNT_CACHE,
    "tmpfs": Feature.MOUNT_TMPFS,
    "secret": Feature.MOUNT_SECRET,
    "ssh": Feature.MOUNT_SSH,
}
_FLAGS = {
    "--network": Feature.NETWORK,
    "--security": Feature.SECURITY,
    "--device": Feature.DEVICE,
    "--chmod": Feature.CHMOD,
    "--link": Feature.LINK,
    "--parents": Feature.PARENTS,
    "--exclude": Feature.EXCLUDE,
    "--checksum": Feature.CHECKSUM,
    "--keep-git-dir": Feature.KEEP_GIT_DIR,
    "--unpack": Feature.UNPACK,
}
_GIT = re.compile(r"git://|git@|ssh://|https?://\S+\.git(#|\?|$)", re.IGNORECASE)
_URL = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Need:
    """A feature and where it is needed: `Dockerfile:7`, or an option."""

    feature: Feature
    where: str

    @property
    def in_words(self) -> str:
        """What needs the feature: `Dockerfile:7 uses a heredoc`, `--secret is given`."""
        if self.feature in OF_OPTIONS:
            return f"{self.where} is given"
        if self.feature is Feature.SYNTAX:
            return f"{self.where} names a syntax"
        return f"{self.where} uses {self.feature}"


def needs_in_words(needs: Iterable[Need]) -> str:
    """Return each feature beyond RUN once, with where it is needed first: `--link (Dockerfile:5)`."""
    first: dict[Feature, Need] = {}
    for need in needs:
        if need.feature is not Feature.RUN:
            first.setdefault(need.feature, need)
    return ", ".join(
        f"{feature}{'' if feature in OF_OPTIONS else f' ({need.where})'}" for feature, need in first.items()
    )


def needs_of_instruction(at: Instruction) -> Iterator[Feature]:
    """Yield what an instruction needs by itself; a trigger of ONBUILD counts where it is carried out."""
    if at.has_heredoc:
        yield Feature.HEREDOC
    if at.keyword not in {"RUN", "COPY", "ADD"}:
        return
    for flag in at.flags:
        name, _, value = flag.partition("=")
        if name == "--mount":
            fields = _fields_of(value)
            yield _MOUNTS.get(fields.get("type", "").lower(), Feature.MOUNT_BIND)
            if OF_BUILDAH & fields.keys():
                yield Feature.MOUNT_OF_BUILDAH
        elif name in _FLAGS:  # one that does not know a flag refuses it with =false, too
            yield _FLAGS[name]
    if at.keyword == "ADD":
        for source in at.words[:-1]:
            if _GIT.match(source.strip("\"'")):
                yield Feature.ADD_GIT
            elif _URL.match(source.strip("\"'")):
                yield Feature.ADD_URL


def _fields_of(mount: str) -> dict[str, str]:
    try:
        fields = next(csv.reader([mount], strict=True), [])
    except csv.Error:
        return {}
    found = (each.partition("=") for each in fields)
    return {name.strip().lower(): value for name, _, value in found}
