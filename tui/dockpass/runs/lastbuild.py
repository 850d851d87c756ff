"""What `dockpass build` last built in a directory, for a push that names no image."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from dockpass.keeping import keep

_FILE = "last-builds.json"
_KEPT = 200

_log = logging.getLogger("dockpass.run")


def remember_build(state: Path, directory: Path, image_id: str) -> None:
    """Remember the image id (`sha256:…`) built in `directory`; the newest 200 are kept. Raises `OSError`."""
    builds = _read(state)
    builds.pop(str(directory), None)
    builds[str(directory)] = image_id
    kept = dict(list(builds.items())[-_KEPT:])
    keep(state / _FILE, json.dumps(kept, indent=1).encode())


def last_build(state: Path, directory: Path) -> str | None:
    """Return the image id last built in `directory`."""
    return _read(state).get(str(directory))


def _read(state: Path) -> dict[str, str]:
    try:
        found = json.loads((state / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        _log.warning("the record of builds cannot be read: %s", error)
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)}
