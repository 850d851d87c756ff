"""The repositories of earlier runs, kept for the command palette."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dockpass.programs.history import History

MOST = 20
_FILE = "repositories"


def recent(state: Path) -> tuple[str, ...]:
    """Return the repositories, the youngest first; nothing where they cannot be read."""
    return History(state, _FILE).lines()[:MOST]


def remember(state: Path, repository: str, redact: Callable[[str], str]) -> None:
    """Keep a repository; not one that may hold a secret. Raises `OSError` where it cannot be written."""
    History(state, _FILE).remember(repository, redact)
