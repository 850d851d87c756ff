"""Where dockpass keeps what is its own. Asking for a path makes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs

NAME = "dockpass"


@dataclass(frozen=True, slots=True)
class Paths:
    """The settings file, the log file, the directory of what is remembered between runs, the image store."""

    settings: Path
    log: Path
    state: Path
    store: Path


def paths(environ: Mapping[str, str]) -> Paths:
    """Return the paths; `DOCKPASS_CONFIG`, `_STATE`, `_LOG` and `_STORE` move them."""
    dirs = PlatformDirs(NAME, appauthor=False)
    config = environ.get("DOCKPASS_CONFIG")
    state = Path(environ.get("DOCKPASS_STATE") or dirs.user_state_path)
    log = environ.get("DOCKPASS_LOG")
    store = environ.get("DOCKPASS_STORE")
    return Paths(
        Path(config) if config else dirs.user_config_path / "config.toml",
        Path(log) if log else state / "dockpass.log",
        state,
        Path(store) if store else dirs.user_data_path / "images",
    )
