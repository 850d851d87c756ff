"""Removes what killed processes of dockpass left behind, at the start of every command.

`PLACES` lists every place where something can lie. Only what is this user's, has a name that dockpass gives,
and is locked by no living process is removed. What fails is a warning, and the command goes on.

One thing takes an engine, and waits for the next push: the name that an image had for a killed push
(`runs.naming`).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dockpass.paths import Paths
from dockpass.text import clean


@dataclass(frozen=True, slots=True)
class Here:
    """Where to look; `now` is in seconds since the epoch.

    `paths` and `store`, the image store, are None where there is no home to hold them.
    """

    environ: Mapping[str, str] = field(repr=False)
    paths: Paths | None
    store: Path | None
    now: float
    failed: Callable[[Path], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Removed:
    """Something that was left behind, and what it is."""

    what: str
    path: Path


@dataclass(frozen=True, slots=True)
class Swept:
    """What was removed, and what could not be, each in words."""

    removed: tuple[Removed, ...]
    problems: tuple[str, ...]


class Place(NamedTuple):
    """What can lie somewhere, and the function that removes it from there."""

    what: str
    sweep: Callable[[Here], Iterator[Path]]


def _configs(here: Here) -> Iterator[Path]:
    """`dockpass-PID-…` in XDG_RUNTIME_DIR, /dev/shm, TMPDIR, /tmp and /var/tmp."""
    from dockpass.dockerconfig.sweep import sweep

    for left in sweep(here.environ, now=lambda: here.now, failed=here.failed):
        yield left.path


def _sandboxes(here: Here) -> Iterator[Path]:
    """`dockpass-sandbox-…` in TMPDIR and where Python goes instead, half-made ones too."""
    from dockpass.sandbox.leftovers import remove_leftovers

    named = [here.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP")]
    with suppress(OSError):
        named.append(tempfile.gettempdir())
    named += ["/tmp", "/var/tmp"]  # noqa: S108 - what is not ours there is left alone
    for parent in dict.fromkeys(Path(name).absolute() for name in named if name):
        yield from remove_leftovers(parent, here.now)


def _files_of_sandboxes(here: Here) -> Iterator[Path]:
    """What `sandbox --env-file` wrote; a note in the state directory says where."""
    from dockpass.sandbox.leftovers import sweep_noted_files

    if here.paths is not None:
        yield from sweep_noted_files(here.paths.state)


def _half_written(here: Here) -> Iterator[Path]:
    """Files that were being replaced: settings, what is remembered, and the notes on names of pushes."""
    from dockpass.keeping import sweep_half_written
    from dockpass.paths import SNAPSHOTS
    from dockpass.turns import SHARED

    directories = list(SHARED)
    if here.paths is not None:
        state = here.paths.state
        directories += [state, state / SNAPSHOTS, here.paths.settings.resolve().parent]
    for directory in dict.fromkeys(directories):
        yield from sweep_half_written(directory, here.now)


def _turns(here: Here) -> Iterator[Path]:
    """Empty files by which pushes take turns, in /dev/shm, /tmp and /var/tmp."""
    from dockpass.turns import sweep_turns

    yield from sweep_turns(here.now)


def _store(here: Here) -> Iterator[Path]:
    """Blobs, build directories and lists in the embedded engine's store, unless somebody uses it."""
    if here.store is None:
        return
    waiting = [*_entries(here.store / "ingest"), *here.store.glob(".index.json-*")]
    if not waiting:
        return
    from dockpass.engines.embedded.store import Store
    from dockpass.engines.embedded.upkeep import remove_leftovers
    from dockpass.errors import DockpassError

    store = Store(here.store)
    try:
        with store.alone():
            remove_leftovers(store)
    except DockpassError as error:
        if error.id != "store-in-use":
            raise OSError(error.message) from error
    yield from (path for path in waiting if not os.path.lexists(path))


def _copies_of_secrets(here: Here) -> Iterator[Path]:
    """What podman and buildah wrote of a build's secrets, in the places that the build's note names."""
    from dockpass.builders.copynotes import sweep_copies

    yield from sweep_copies(here.now)


PLACES = (
    Place("config", _configs),
    Place("sandbox", _sandboxes),
    Place("file of a sandbox's environment", _files_of_sandboxes),
    Place("half-written file", _half_written),
    Place("lock", _turns),
    Place("copy of a build's secret", _copies_of_secrets),
    Place("half-written image", _store),
)


def sweep_leftovers(here: Here) -> Swept:
    """Remove what was left in every place; never raises for what it finds."""
    removed: list[Removed] = []
    problems: list[str] = []
    for place in PLACES:
        failed: list[Path] = []
        try:
            for path in place.sweep(Here(here.environ, here.paths, here.store, here.now, failed.append)):
                removed.append(Removed(place.what, path))
        except Exception as error:  # noqa: BLE001 - a sweep is never why a command fails
            problems.append(f"a {place.what} left by a killed dockpass: {clean(str(error), 300)}")
        problems += [f"a {place.what} left by a killed dockpass: {clean(str(path), 300)}" for path in failed]
    return Swept(tuple(removed), tuple(problems))


def _entries(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []
