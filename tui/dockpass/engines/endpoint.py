"""Where the engine is: resolved as docker does, with every candidate and why it won or not."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dockpass.dockerconfig.configfile import read_config
from dockpass.errors import DockpassError
from dockpass.text import clean

DEFAULT_SOCKET = Path("/var/run/docker.sock")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Client certificate, key and CA; an empty path is not used."""

    ca: str = ""
    cert: str = ""
    key: str = ""
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An engine's address (`unix://…`, `tcp://…`), its TLS files, and which source named it."""

    url: str
    how: str
    tls: TlsFiles | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One source that was looked at; `url` is empty where it names none."""

    source: str
    url: str
    because: str


def resolve_endpoint(environ: Mapping[str, str], home: Path) -> Endpoint:
    """Return the first endpoint of docker's order; raises `DockpassError` naming all that was tried."""
    tried = []
    for candidate, endpoint in _candidates(environ, home):
        if endpoint is not None:
            return endpoint
        tried.append(f"{candidate.source}: {candidate.because}")
    raise DockpassError(
        "no-engine",
        f"No container engine was found ({'; '.join(tried)}).",
        "Start one with `systemctl start docker`, or name one with DOCKER_HOST.",
    )


def _candidates(environ: Mapping[str, str], home: Path) -> Iterator[tuple[Candidate, Endpoint | None]]:
    host = environ.get("DOCKER_HOST", "")
    if host:
        tls = _tls_of_environ(environ, home)
        yield Candidate("DOCKER_HOST", host, "set"), Endpoint(_with_scheme(host), "DOCKER_HOST", tls)
    else:
        yield Candidate("DOCKER_HOST", "", "not set"), None
    directory = Path(environ.get("DOCKER_CONFIG") or home / ".docker")
    yield _context(environ, directory)
    for path, source in _sockets(environ):
        if _is_socket(path):
            yield Candidate(source, f"unix://{path}", "is there"), Endpoint(f"unix://{path}", source)
        else:
            yield Candidate(source, "", f"there is no socket {path}"), None


def _context(environ: Mapping[str, str], directory: Path) -> tuple[Candidate, Endpoint | None]:
    name = environ.get("DOCKER_CONTEXT", "")
    source = "DOCKER_CONTEXT"
    if not name:
        name, source = read_config(directory).current_context, "the current docker context"
    if not name or name == "default":
        return Candidate(source, "", "not set" if not name else "the default one"), None
    identity = hashlib.sha256(name.encode()).hexdigest()
    meta = directory / "contexts" / "meta" / identity / "meta.json"
    shown = clean(name)
    try:
        docker = json.loads(meta.read_text(encoding="utf-8"))["Endpoints"]["docker"]
        url = str(docker["Host"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        # Docker itself stops here, and so does every command of it.
        raise DockpassError(
            "context-broken",
            f"{source} names {shown}, and {clean(str(meta))} does not say where that is.",
            "`docker context ls` lists the contexts; `docker context use default` leaves them.",
        ) from error
    files = directory / "contexts" / "tls" / identity / "docker"
    tls = _tls_of_files(files, verify=not docker.get("SkipTLSVerify")) if files.is_dir() else None
    return Candidate(source, url, "set"), Endpoint(url, f"{source} ({shown})", tls)


def _sockets(environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    yield DEFAULT_SOCKET, "the default socket"
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime:
        yield Path(runtime, "docker.sock"), "the rootless docker socket"
        yield Path(runtime, "podman", "podman.sock"), "the rootless podman socket"
    yield Path("/run/podman/podman.sock"), "the podman socket"


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _tls_of_environ(environ: Mapping[str, str], home: Path) -> TlsFiles | None:
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not verify and not environ.get("DOCKER_TLS"):
        return None
    return _tls_of_files(Path(environ.get("DOCKER_CERT_PATH") or home / ".docker"), verify=verify)


def _tls_of_files(directory: Path, *, verify: bool) -> TlsFiles:
    found = {
        name: str(directory / f"{name}.pem") if os.access(directory / f"{name}.pem", os.R_OK) else ""
        for name in ("ca", "cert", "key")
    }
    return TlsFiles(found["ca"], found["cert"], found["key"], verify)


def _with_scheme(host: str) -> str:
    if "://" in host:
        return host
    return f"unix://{host}" if host.startswith("/") else f"tcp://{host}"
