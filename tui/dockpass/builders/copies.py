"""Copies of a build's secrets that podman and buildah leave behind when they are ended.

For each secret from a variable buildah writes a file `buildah*` (mode 0400) into `/dev/shm`; newer releases,
into TMPDIR. For each from a file it writes one into the storage of the step's container. It mounts the file
into the step, and removes it after the step. Ended in the middle, it leaves it. A podman that builds by its
service writes one file a secret into the context, and leaves that too.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from dockpass.engines.base import BuildSecret
from dockpass.secrets import Secret
from dockpass.system import reason

LARGEST_VARIABLE = 100 << 10
"""Bytes of a secret that surely fit into a variable; Linux takes 128 KiB with the name."""

_PLACES = ("/dev/shm", "/var/tmp", "/tmp")  # noqa: S108 - buildah chose them

OF_CLIENT = "podman-build-secret*"
"""What podman writes into the context of a build by its service, to send it there."""

Where = tuple[tuple[str, str], ...]
"""Directories, each with the pattern of the copies' paths in it."""


def in_variables(secrets: Iterable[BuildSecret]) -> tuple[BuildSecret, ...]:
    """Return secrets with the contents of files as values, where a variable can hold them.

    So that buildah makes no copy in its storage, where it would stay for longer.
    """
    return tuple(map(_in_variable, secrets))


def _in_variable(secret: BuildSecret) -> BuildSecret:
    if secret.file is None:
        return secret
    try:
        content = secret.file.read_bytes()
    except OSError:
        return secret  # the builder will say so
    if b"\0" in content or len(content) > LARGEST_VARIABLE:
        return secret
    return replace(secret, file=None, value=Secret(content.decode("utf-8", "surrogateescape")))


def values_of(secrets: Iterable[BuildSecret]) -> frozenset[bytes]:
    """Return what copies of the secrets hold."""
    return frozenset(value for each in secrets if (value := _bytes_of(each)))


def _bytes_of(secret: BuildSecret) -> bytes:
    if secret.value is not None:
        return secret.value.reveal().encode("utf-8", "surrogateescape")
    try:
        return secret.file.read_bytes() if secret.file else b""
    except OSError:
        return b""


def places(environ: Mapping[str, str], storage: str = "") -> Where:
    """Return where copies lie; with `storage`, where images and containers are kept, in there too."""
    folders = dict.fromkeys(filter(None, (*_PLACES, environ.get("TMPDIR", ""))))
    found = tuple((folder, "buildah*") for folder in folders)
    return (*found, (storage, "*-containers/*/userdata/secrets/*")) if storage else found


def copies(where: Iterable[tuple[str, str]]) -> frozenset[Path]:
    """Return the files there that look like those of a build."""
    found: set[Path] = set()
    for folder, pattern in where:
        try:
            found.update(Path(folder).glob(pattern))
        except (OSError, ValueError):
            continue  # a place that cannot be read holds nothing of ours
    return frozenset(found)


def remove_copies(
    values: frozenset[bytes], before: frozenset[Path], where: Iterable[tuple[str, str]]
) -> list[str]:
    """Remove the files that came since `before` and hold one of the values; say which could not be removed.

    What holds anything else belongs to another build.
    """
    if not values:
        return []
    return [
        f"{path} holds a secret of the build and cannot be removed: {why}"
        for path in sorted(copies(where) - before)
        if _holds(path, values) and (why := _removed(path))
    ]


def _holds(path: Path, values: frozenset[bytes]) -> bool:
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
