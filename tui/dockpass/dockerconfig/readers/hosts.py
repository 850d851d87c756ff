"""Which host a key stands for: each family of readers has a rule of its own."""

from __future__ import annotations

import posixpath
import re

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*\Z")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PORT = re.compile(r"(.*):(\d*)\Z", re.DOTALL)


def docker_host(key: str, *, lenient: bool) -> str:
    """Return what docker's command line since 27 makes of a key; `lenient` is how newer ones treat odd URLs.

    With a scheme it is the URL's host and port, without one everything before the first slash.
    """
    scheme, mark, rest = key.partition("://")
    if not mark:
        return key.partition("/")[0]
    host = _url_host(scheme, rest)
    if host:
        return host
    fallback = rest.partition("/")[0] if lenient else ""
    return fallback or key.partition("/")[0]


def _url_host(scheme: str, rest: str) -> str:
    """Return the host of a URL as Go parses it; empty where Go finds a fault in it."""
    if not _SCHEME.match(scheme) or _CONTROL.search(rest) or _BAD_ESCAPE.search(rest.partition("?")[0]):
        return ""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, _, host = authority.rpartition("@")
    if " " in user or " " in host:
        return ""
    if host.startswith("["):
        inside, closed, port = host[1:].partition("]")
        if not closed or (port and not re.fullmatch(r":\d*", port)):
            return ""
        return f"[{inside}]{port}" if port not in {"", ":"} else inside
    found = _PORT.match(host)
    if ":" in host and (found is None or ":" in found[1]):
        return ""
    return host.removesuffix(":")


def sdk_host(key: str) -> str:
    """Return what the docker SDK reduces a key to, with one name for Docker Hub."""
    host = key.replace("http://", "").replace("https://", "").partition("/")[0]
    return "docker.io" if host == "index.docker.io" else host


def podman_host(key: str, *, legacy: bool) -> str:
    """Return what podman's family reduces a key to: only a key with a scheme loses its path."""
    bare = key.removeprefix("http://").removeprefix("https://")
    if legacy or bare != key:
        bare = bare.partition("/")[0]
    return "index.docker.io" if bare in {"docker.io", "registry-1.docker.io"} else bare


def runner_image(image: str) -> str:
    """Return the path that GitLab Runner looks up for an image: as `runner_path`, with `docker.io` before a
    name of Docker Hub (`normalizeImageRef` of helpers/docker/auth/auth.go). A digest keeps its `@sha256`.
    """
    directory, slash, name = image.rpartition("/")
    path = posixpath.normpath(f"{directory}{slash}{name.partition(':')[0]}").lstrip("/")
    first, mark, rest = path.partition("/")
    if not mark or not ("." in first or ":" in first or first.lower() == "localhost"):
        return f"docker.io/{path}"
    host = first.lower()
    return f"{'docker.io' if host == 'index.docker.io' else host}/{rest}"


def runner_path(key: str) -> str:
    """Return the path that GitLab Runner makes of a key: host in lower case, no scheme and no tag."""
    bare = re.sub(r"^https?://", "", key, flags=re.IGNORECASE)
    if bare != key:
        host = bare.partition("/")[0].lower()
        return "docker.io" if host == "index.docker.io" else host
    path = key.removesuffix("/")
    slash, colon = path.rfind("/"), path.rfind(":")
    if slash != -1 and colon > slash:
        path = path[:colon]
    host, mark, rest = path.partition("/")
    return f"{host.lower()}{mark}{rest}"
