"""Where a blob is known to be: repositories from which a push to the same registry may mount it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from dockpass.engines.embedded.store import Store
from dockpass.errors import DockpassError
from dockpass.references.reference import Repository, parse_repository

MOST_SOURCES = 8


def remember_source(store: Store, digest: str, repository: Repository) -> None:
    """Note that a repository has a blob. It only saves time, so a note that is lost does no harm."""
    known = _lines(store, digest)
    if str(repository) in known:
        return
    path = _path(store, digest)
    fresh = path.with_name(f".{path.name}-{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text("\n".join([str(repository), *known][:MOST_SOURCES]) + "\n", encoding="utf-8")
        fresh.replace(path)


def source_of(store: Store, digest: str, target: Repository) -> str | None:
    """Return the path of another repository on the target's registry that has the blob."""
    for line in _lines(store, digest):
        with suppress(DockpassError):
            found = parse_repository(line)
            if found.host == target.host and found.path != target.path:
                return found.path
    return None


def _lines(store: Store, digest: str) -> list[str]:
    try:
        text = _path(store, digest).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    return [line for line in text.splitlines() if line][:MOST_SOURCES]


def _path(store: Store, digest: str) -> Path:
    algorithm, _, name = digest.partition(":")
    return store.root / "sources" / algorithm / name
