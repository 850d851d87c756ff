"""Where dockpass keeps its files, and which home is the person's. Asking for a path makes nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dockpass.errors import UsageError

NAME = "dockpass"
SNAPSHOTS = "gitlab"
"""The directory of what was imported from GitLab, within the one of what is remembered."""

_MAC = "Library/Application Support"
_XDG = {"XDG_CONFIG_HOME": ".config", "XDG_STATE_HOME": ".local/state", "XDG_DATA_HOME": ".local/share"}


@dataclass(frozen=True, slots=True)
class Paths:
    """The settings file, the log file, the directory of what is remembered between runs, the image store."""

    settings: Path
    log: Path
    state: Path
    store: Path


def paths(environ: Mapping[str, str]) -> Paths:
    """Return the paths; `DOCKPASS_CONFIG`, `_STATE`, `_LOG` and `_STORE` move them.

    Raises `UsageError` where one of them would lie in a home that there is not.
    """
    config = environ.get("DOCKPASS_CONFIG")
    state = Path(environ.get("DOCKPASS_STATE") or _own(environ, "XDG_STATE_HOME"))
    log = environ.get("DOCKPASS_LOG")
    store = environ.get("DOCKPASS_STORE")
    return Paths(
        Path(config) if config else _own(environ, "XDG_CONFIG_HOME") / "config.toml",
        Path(log) if log else state / "dockpass.log",
        state,
        Path(store) if store else _own(environ, "XDG_DATA_HOME") / "images",
    )


def home_directory(environ: Mapping[str, str]) -> Path:
    """Return `HOME`, else the home directory of the user's account, as docker does.

    Raises `UsageError` for a user without either, as in a container that runs under any user id.
    """
    if environ.get("HOME"):
        return Path(environ["HOME"]).absolute()
    import pwd

    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir).absolute()
    except KeyError:
        raise UsageError(
            "no-home",
            f"There is no home directory: HOME is not set, and the user id {os.getuid()} has no account.",
            "Set HOME to a directory, for example HOME=/tmp.",
        ) from None


def _own(environ: Mapping[str, str], name: str) -> Path:
    """Return dockpass's own directory below a base directory of XDG, which counts only if it is absolute."""
    moved = environ.get(name, "")
    if moved.startswith("/"):
        return Path(moved) / NAME
    return home_directory(environ) / (_MAC if sys.platform == "darwin" else _XDG[name]) / NAME
