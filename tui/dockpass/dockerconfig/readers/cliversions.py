"""What changed in the docker command line from version to version, by the history of docker/cli.

A version is (major, minor), 27.0 or later. Each constant is the first one that does as its docstring says.
"""

from __future__ import annotations

Version = tuple[int, int]

NEWEST: Version = (29, 7)
BEFORE: Version = (28, 2)
"""The newest version that is known here, and the last one that did not read the variable."""

READS_VARIABLE: Version = (28, 3)
"""`DOCKER_AUTH_CONFIG` goes before everything else."""

STOPS_ON_HELPERS: Version = (29, 0)
"""A helper that fails stops a pull; before, a plain entry was sent without a word."""

LENIENT_URLS: Version = (29, 7)
"""What stands after the scheme counts where Go finds a fault in the URL (3cc61496db, the same file)."""

_WENT: dict[str, Version] = {"experimental": (29, 0), "email": (29, 0)}


def knows(name: str, version: Version) -> bool:
    """Tell whether a version has the field, by its name in lower case. What it lacks has no wrong type.

    The fields are those of `ConfigFile`, `ProxyConfig` and `AuthConfig` at the tags of docker/cli since 27.0:
    `experimental` went with a53e83a3d4, and `email` with 29.0.
    """
    return name not in _WENT or version < _WENT[name]
