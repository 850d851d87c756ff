"""Copies of a build's secrets that podman and buildah leave behind when they are ended.

For each secret from a variable buildah writes a file in `/dev/shm` (`buildah*`, mode 0400), mounts it into
the step, and removes it after the step. Ended in the middle, it leaves the file until the machine restarts.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

from dockpass.secrets import Secret
from dockpass.system import reason

PLACE = Path("/dev/shm")  # noqa: S108 - buildah chose it
_NAMES = "buildah*"


def files_of_builds(place: Path = PLACE) -> frozenset[Path]:
    """Return the files there that look like those of a build."""
    try:
        return frozenset(place.glob(_NAMES))
    except OSError:
        return frozenset()


def remove_copies(secrets: Iterable[Secret], before: frozenset[Path], place: Path = PLACE) -> list[str]:
    """Remove the files that came since `before` and hold one of the secrets; say which could not be removed.

    What holds anything else belongs to another build.
    """
    values = {each.reveal().encode("utf-8", "surrogateescape") for each in secrets}
    if not values:
        return []
    return [
        f"{path} holds a secret of the build and cannot be removed: {why}"
        for path in sorted(files_of_builds(place) - before)
        if _holds(path, values) and (why := _removed(path))
    ]


def _holds(path: Path, values: set[bytes]) -> bool:
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size not in set(map(len, values)):
            return False
        return path.read_bytes() in values
    except OSError:  # removed meanwhile, or another person's
        return False


def _removed(path: Path) -> str:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        return reason(error)
    return ""
