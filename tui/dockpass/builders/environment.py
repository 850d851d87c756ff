"""The environment of a builder's program: an allow-list, and what leads to the run's config. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dockpass.engines.endpoint import Endpoint

_KEPT = frozenset(
    {
        "PATH",
        "HOME",
        "TMPDIR",
        "LANG",
        "LC_ALL",
        "XDG_RUNTIME_DIR",
        "SSH_AUTH_SOCK",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    }
    | {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
    | {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
    | {"SOURCE_DATE_EPOCH", "BUILDX_GIT_INFO", "BUILDX_GIT_LABELS", "BUILDX_NO_DEFAULT_ATTESTATIONS"}
    | {"CONTAINERS_CONF", "CONTAINERS_REGISTRIES_CONF", "CONTAINERS_STORAGE_CONF"}
    | {"STORAGE_DRIVER", "STORAGE_OPTS", "BUILDAH_ISOLATION", "XDG_DATA_HOME", "XDG_CONFIG_HOME"}
)
"""Which programs and directories are found, and how the network is. No variable that a login comes from."""


def builder_environment(environ: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Return the environment of a builder whose logins are in the config in `directory`.

    Nothing else of `environ` is handed on: no other login, no builder or context of the person's choice.
    """
    return {
        **{name: value for name, value in environ.items() if name in _KEPT},
        "DOCKER_CONFIG": str(directory),
        "BUILDX_CONFIG": str(directory / "buildx"),
        "REGISTRY_AUTH_FILE": str(directory / "config.json"),
    }


def proxy_arguments(proxies: object, url: str) -> dict[str, str]:
    """Return the build arguments that docker's command makes of `proxies` in config.json.

    They are the ones of the engine at `url`, else the default ones; what is no text is left out.
    """
    entries = proxies if isinstance(proxies, dict) else {}
    entry = entries.get(url, entries.get("default"))
    given = {str(name).lower(): value for name, value in entry.items()} if isinstance(entry, dict) else {}
    found = {kind: given.get(f"{kind}proxy") for kind in ("http", "https", "no", "ftp", "all")}
    named = {f"{kind}_proxy": value for kind, value in found.items() if isinstance(value, str) and value}
    return {**named, **{name.upper(): value for name, value in named.items()}}


def engine_variables(endpoint: Endpoint) -> dict[str, str]:
    """Return the variables by which docker's programs reach an engine."""
    found = {"DOCKER_HOST": endpoint.url}
    if (tls := endpoint.tls) is not None:
        found["DOCKER_TLS_VERIFY" if tls.verify else "DOCKER_TLS"] = "1"
        directories = {str(Path(path).parent) for path in (tls.ca, tls.cert, tls.key) if path}
        if len(directories) == 1:
            found["DOCKER_CERT_PATH"] = directories.pop()
    return found
