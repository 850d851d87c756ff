"""Hosts of registries: where a reference goes, and under which key docker stores its login.

The rules are those of docker's reference parser: the first part of a name is a host if it holds a
dot or a colon or is `localhost`; anything else is a name on Docker Hub.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

DOCKER_HUB_KEY = "https://index.docker.io/v1/"
DOCKER_HUB_HOST = "docker.io"

_HUB_HOSTS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com"})
_GOOGLE_HOSTS = frozenset({"gcr.io", "container.cloud.google.com"})
_GOOGLE_SUFFIXES = (".gcr.io", ".pkg.dev")


def host_of_reference(reference: str) -> str:
    """Return `host[:port]` in lower case; `docker.io` where the reference names no host."""
    first, slash, _ = reference.partition("/")
    if not slash or not ("." in first or ":" in first or first.lower() == "localhost"):
        return DOCKER_HUB_HOST
    return normalise_host(first)


def host_of_registry(registry: str) -> str:
    """Return `host[:port]` of a registry address such as `CI_REGISTRY`.

    A scheme, a user with a password, and a path are left out, as docker and every URL library do.
    """
    _, scheme, rest = registry.strip().rpartition("://")
    authority = (rest if scheme else registry.strip()).partition("/")[0]
    return normalise_host(authority.rpartition("@")[2])


def host_name(address: str) -> str:
    """Return the bare host of `host[:port]` or of an address, in lower case; empty where there is none."""
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""


def normalise_host(host: str) -> str:
    """Lower-case, and one name for Docker Hub."""
    lowered = host.lower()
    return DOCKER_HUB_HOST if lowered in _HUB_HOSTS else lowered


def login_key(host: str) -> str:
    """Return the key under which docker keeps the login of `host` in `config.json`."""
    return DOCKER_HUB_KEY if normalise_host(host) == DOCKER_HUB_HOST else host


def is_docker_hub(host: str) -> bool:
    """Tell whether `host` is one of Docker Hub's names."""
    return normalise_host(host) == DOCKER_HUB_HOST


def is_google(host: str) -> bool:
    """Tell whether `host` is Google's; case and port do not matter (DECISION rule 3)."""
    name = host.lower().partition(":")[0]
    return name in _GOOGLE_HOSTS or name.endswith(_GOOGLE_SUFFIXES)


def same_registry(one: str, other: str) -> bool:
    """Compare two registries as host and port, never as text prefixes.

    The port counts even where it is the default one, for docker keeps logins under the host as
    it is written.
    """
    return normalise_host(one) == normalise_host(other)


def is_loopback(host: str) -> bool:
    """Tell whether `host[:port]` is this machine: only there plain http is tried."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
