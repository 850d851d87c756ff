"""Where snapshots are kept: one file a project in the state directory, for its owner only.

The file is written as a whole. What is not as dockpass writes it is told, and counts as if it were not there.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dockpass.keeping import keep
from dockpass.paths import SNAPSHOTS
from dockpass.text import clean
from dockpass.variables.gitlab.model import Definition, Level, Ref, RefType
from dockpass.variables.gitlabplace import GitlabPlace
from dockpass.variables.snapshot import HIDDEN, LEVELS, NOT_KEPT, NOT_READABLE, Extent, Reach, Snapshot

VERSION = 1
LARGEST = 32 << 20
MOST_NAMES = 50_000
LATEST = 1e11
"""In seconds since the epoch, some 3,000 years from now."""

_FLAGS = ("protected", "masked", "hidden", "raw", "file")
_LEVELS = {level.name.lower(): level for level in LEVELS}


class _Odd(ValueError):
    """The file is not as dockpass writes it; the text says where."""


def snapshot_path(state: Path, place: GitlabPlace) -> Path:
    """Return the file of a project below the state directory; its name tells nobody which project it is."""
    import hashlib  # only who needs it pays for it

    return state / SNAPSHOTS / f"{hashlib.sha256(place.key.encode()).hexdigest()[:32]}.json"


def keep_snapshot(state: Path, place: GitlabPlace, snapshot: Snapshot) -> Path:
    """Write the snapshot without any value and return the file; raises `OSError`.

    A project that was asked for by its number is kept by its path.
    """
    path = snapshot_path(state, replace(place, project=snapshot.project))
    keep(path, json.dumps(_as_json(snapshot.without_values()), indent=1).encode("ascii"))
    return path


def read_snapshot(state: Path, place: GitlabPlace) -> tuple[Snapshot | None, str]:
    """Return the snapshot of a project, None where there is none; and what is wrong with its file."""
    path = snapshot_path(state, place)
    try:
        found = _read(path)
        snapshot = _of_json(found)
        if GitlabPlace(snapshot.server, snapshot.project, "").key != place.key:
            raise _Odd("it is of another project")
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        if not isinstance(error, OSError | _Odd):
            why = "it is not JSON as dockpass writes it"
        return None, f"{clean(str(path))} is not used: {clean(str(why), 200)}"
    return snapshot, ""


def forget_snapshot(state: Path, place: GitlabPlace) -> bool:
    """Remove the snapshot of a project, and tell whether there was one; raises `OSError`."""
    try:
        snapshot_path(state, place).unlink()
    except FileNotFoundError:
        return False
    return True


def _read(path: Path) -> Any:
    """Read a plain file that is the person's own and that nobody else may change."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _Odd("it is not a regular file")
        if found.st_uid not in {os.getuid(), 0} or found.st_mode & 0o022:
            raise _Odd("somebody else may have changed it")
        raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise _Odd("it is too large")
    return json.loads(raw)


def _as_json(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "version": VERSION,
        "server": snapshot.server,
        "project": snapshot.project,
        "taken": snapshot.taken,
        "ref": _ref_json(snapshot.ref),
        "pipeline_ref": None if snapshot.pipeline_ref is None else _ref_json(snapshot.pipeline_ref),
        "levels": [
            {"level": each.level.name.lower(), "origin": each.origin, "extent": each.extent, "why": each.why}
            for each in snapshot.levels
        ],
        "variables": [_variable_json(each) for each in snapshot.definitions],
        "protected_branches": snapshot.protected_branches,
        "protected_tags": snapshot.protected_tags,
        "environments": snapshot.environments,
        "jobs": snapshot.jobs,
        "default_branch": snapshot.default_branch,
        "registry": snapshot.registry,
        "registry_enabled": snapshot.registry_enabled,
        "config_path": snapshot.config_path,
        "version_of_server": snapshot.version,
    }


def _ref_json(ref: Ref) -> dict[str, str]:
    return {"type": ref.type, "name": ref.name}


def _variable_json(definition: Definition) -> dict[str, Any]:
    """Return names and flags, those that are set: a flag that is missing is false, a missing scope `*`."""
    kept: dict[str, Any] = {"key": definition.key, "level": definition.level.name.lower()}
    kept |= {"origin": definition.origin} if definition.origin else {}
    kept |= {name: True for name in _FLAGS if getattr(definition, name)}
    kept |= {"scope": definition.scope} if definition.scope != "*" else {}
    kept |= {"empty": True} if definition.value == "" else {}
    kept |= {"readable": False} if definition.value == NOT_READABLE else {}
    return kept


def _of_json(found: Any) -> Snapshot:
    if not isinstance(found, dict) or found.get("version") != VERSION:
        raise _Odd("it is not a snapshot of this version of dockpass")
    taken = found.get("taken")
    if isinstance(taken, bool) or not isinstance(taken, int | float) or not abs(taken) < LATEST:
        raise _Odd("its time is not a number of seconds")
    pipeline = found.get("pipeline_ref")
    return Snapshot(
        server=_text(found, "server"),
        project=_text(found, "project"),
        taken=float(taken),
        ref=_ref_of(found.get("ref")),
        pipeline_ref=None if pipeline is None else _ref_of(pipeline),
        levels=tuple(_reach_of(each) for each in _list(found, "levels")),
        definitions=tuple(_definition_of(each) for each in _list(found, "variables")),
        protected_branches=_names(found, "protected_branches"),
        protected_tags=_names(found, "protected_tags"),
        environments=_names(found, "environments"),
        jobs=_names(found, "jobs"),
        default_branch=_text(found, "default_branch") if found.get("default_branch") else None,
        registry=_text(found, "registry") if found.get("registry") else None,
        registry_enabled=_flag(found, "registry_enabled")
        if found.get("registry_enabled") is not None
        else None,
        config_path=_text(found, "config_path"),
        version=_text(found, "version_of_server"),
    )


def _ref_of(found: Any) -> Ref:
    if not isinstance(found, dict) or found.get("type") not in list(RefType):
        raise _Odd("its ref is not one")
    return Ref(type=RefType(found["type"]), name=_text(found, "name"), protected=None)


def _reach_of(found: Any) -> Reach:
    if not isinstance(found, dict) or found.get("extent") not in list(Extent):
        raise _Odd("it has an invalid level")
    return Reach(
        _level(found), _text(found, "origin"), Extent(found["extent"]), clean(_text(found, "why"), 200)
    )


def _definition_of(found: Any) -> Definition:
    if not isinstance(found, dict):
        raise _Odd("it has an invalid variable")
    hidden, readable = _flag(found, "hidden"), _flag(found, "readable", missing=True)
    unknown = HIDDEN if hidden else NOT_KEPT if readable else NOT_READABLE
    return Definition(
        key=_text(found, "key"),
        value="" if _flag(found, "empty") else unknown,
        level=_level(found),
        origin=_text(found, "origin", ""),
        scope=_text(found, "scope", "*"),
        protected=_flag(found, "protected"),
        masked=_flag(found, "masked"),
        hidden=hidden,
        raw=_flag(found, "raw"),
        file=_flag(found, "file"),
    )


def _level(found: Mapping[str, Any]) -> Level:
    level = found.get("level")
    if not isinstance(level, str) or level not in _LEVELS:
        raise _Odd("it names a level that does not exist")
    return _LEVELS[level]


def _text(found: Mapping[str, Any], name: str, missing: str | None = None) -> str:
    value = found.get(name, missing)
    if not isinstance(value, str) or len(value) > 4096:
        raise _Odd(f"its {name} is not text")
    return value


def _flag(found: Mapping[str, Any], name: str, *, missing: bool = False) -> bool:
    value = found.get(name, missing)
    if not isinstance(value, bool):
        raise _Odd(f"its {name} is neither true nor false")
    return value


def _list(found: Mapping[str, Any], name: str) -> list[Any]:
    value = found.get(name)
    if not isinstance(value, list) or len(value) > MOST_NAMES:
        raise _Odd(f"its {name} is not a list")
    return value


def _names(found: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    if found.get(name) is None:
        return None
    values = _list(found, name)
    if not all(isinstance(each, str) for each in values):
        raise _Odd(f"its {name} is not a list of names")
    return tuple(values)
