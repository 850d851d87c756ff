"""The commands that dockpass explains and runs, and the login methods between which it decides."""

from __future__ import annotations

from enum import StrEnum


class Command(StrEnum):
    """A registry command, in the order in which it is listed everywhere."""

    BUILD = "build"
    PUSH = "push"
    PULL = "pull"
    CLEANUP = "cleanup"
    DEPLOY = "deploy"

    @property
    def needs_repo(self) -> bool:
        """Every command but build works on one repository."""
        return self is not Command.BUILD


class Method(StrEnum):
    """How a command comes by its credentials."""

    EXTERNAL = "external"
    OPTIONS = "options"
    CLEANUP_TOKEN = "cleanup-token"  # noqa: S105
    AUTOLOGIN = "autologin"
    AMBIENT = "ambient"

    @property
    def logs_in(self) -> bool:
        """Whether dockpass itself logs in; otherwise entries of an existing config are used."""
        return self in {Method.OPTIONS, Method.CLEANUP_TOKEN, Method.AUTOLOGIN}

    @property
    def label(self) -> str:
        """The name that a person reads."""
        return _LABELS[self]


_LABELS = {
    Method.EXTERNAL: "external config",
    Method.OPTIONS: "options",
    Method.CLEANUP_TOKEN: "cleanup token",
    Method.AUTOLOGIN: "autologin",
    Method.AMBIENT: "docker's own",
}
