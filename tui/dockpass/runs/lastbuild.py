"""What `dockpass build` last built in a directory, for a push that names no image."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from pathlib import Path

_FILE = "last-builds.json"
_KEPT = 200

_log = logging.getLogger("dockpass.run")


def remember_build(state: Path, directory: Path, image_id: str) -> None:
    """Remember the image id (`sha256:…`) built in `directory`; the newest 200 are kept."""
    builds = _read(state)
    builds.pop(str(directory), None)
    builds[str(directory)] = image_id
    kept = dict(list(builds.items())[-_KEPT:])
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=state, prefix=".last-builds-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(kept, file, indent=1)
    Path(name).replace(state / _FILE)


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
