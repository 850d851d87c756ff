"""What changed in the docker command line from version to version, by the history of docker/cli.

A version is (major, minor). Each constant is the first one that does as its docstring says.
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

NO_DOCKERCFG: Version = (23, 0)
"""`~/.dockercfg` is not read any more where there is no config.json (ee218fa89e, cli/config/config.go)."""

NEEDS_NAME: Version = (23, 0)
"""An `auth` without a user name is broken (c8bd8932a1, `decodeAuth` in cli/config/configfile/file.go)."""

PARSES_URLS: Version = (27, 0)
"""A key with a scheme is parsed as a URL; before, only http:// and https:// were cut off.

8376b3e428 in cli/config/credentials/file_store.go. It lost the port, which 27.0.2 brought back (217971d481);
27.0.1 alone is not told apart here.
"""

LENIENT_URLS: Version = (29, 7)
"""What stands after the scheme counts where Go finds a fault in the URL (3cc61496db, the same file)."""

_CAME: dict[str, Version] = {"allproxy": (23, 0), "features": (26, 1)}
_WENT: dict[str, Version] = {
    "kubernetes": (23, 0),
    "stackorchestrator": (24, 0),
    "experimental": (29, 0),
    "email": (29, 0),
}


def knows(name: str, version: Version) -> bool:
    """Tell whether a version has the field, by its name in lower case. What it lacks has no wrong type.

    The fields are those of `ConfigFile`, `ProxyConfig` and `AuthConfig` at the tags of docker/cli:
    `allProxy` came with 7a0dc924f9 and `features` with c5016c6d5b; `kubernetes` went with 7b9580df51,
    `stackOrchestrator` with 66a1c3bab9, `experimental` with a53e83a3d4, and `email` with 29.0.
    """
    return _CAME.get(name, version) <= version < _WENT.get(name, (version[0] + 1, 0))
