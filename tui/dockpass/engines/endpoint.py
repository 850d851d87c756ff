"""Where the engine is: resolved as docker does, with every candidate and why it won or not.

The order is that of the docker command: `DOCKER_HOST`, `DOCKER_CONTEXT`, the `currentContext` of the
person's config, the default socket. Behind them come the sockets of rootless docker and of podman.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dockpass.dockerconfig.configfile import ConfigFile, read_config
from dockpass.engines.starting import how_to_start
from dockpass.errors import DockpassError
from dockpass.text import clean

DEFAULT_SOCKET = Path("/var/run/docker.sock")
LARGEST_META = 1 << 20
OPEN_SECONDS = 2.0
"""How long an engine may take to answer."""

_NAMES = frozenset({"DOCKER_HOST", "DOCKER_CONTEXT", "currentContext"})
_PLAIN_PORT, _TLS_PORT = 2375, 2376  # docker's own, where an address names none


class Outcome(StrEnum):
    """What became of a candidate."""

    CHOSEN = "chosen"
    NOT_SET = "not-set"
    NOT_THERE = "not-there"
    NOT_REACHED = "not-reached"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Client certificate, key and CA; an empty path is not used. Without `verify` anyone may answer."""

    ca: str = ""
    cert: str = ""
    key: str = ""
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """One source that was looked at; `url` is empty where it names none."""

    source: str
    url: str
    outcome: Outcome
    because: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An engine's address (`unix://PATH`, `tcp://HOST:PORT`) with its TLS files.

    `how` says in words which source won and why; `candidates` are all sources in docker's order. `is_named`
    tells that the person names it, by a variable or the current context.
    """

    url: str
    how: str
    tls: TlsFiles | None = None
    candidates: tuple[Candidate, ...] = ()
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at one source gave: an address with the reason to take it, or why there is none."""

    url: str = ""
    because: str = ""
    tls: TlsFiles | None = None
    outcome: Outcome = Outcome.NOT_SET


def resolve_endpoint(environ: Mapping[str, str], home: Path) -> Endpoint:
    """Return the first endpoint of docker's order.

    `environ` is the run's environment with the person's own `DOCKER_CONFIG`, never the temporary one.
    Raises `DockpassError`: `no-engine` names all that was tried, `context-broken` the context's file.
    """
    tried: list[Candidate] = []
    sources = list(_sources(environ, home))
    for position, (source, look) in enumerate(sources):
        found = look()
        if not found.url:
            tried.append(Candidate(source, "", found.outcome, found.because))
            continue
        tried.append(Candidate(source, found.url, Outcome.CHOSEN, found.because))
        for later, _ in sources[position + 1 :]:
            tried.append(Candidate(later, "", Outcome.NOT_REACHED, f"{source} came first"))
        return Endpoint(found.url, found.because, found.tls, tuple(tried), source in _NAMES)
    raise no_engine(
        "No container engine was found.",
        f"{how_to_start('')}, or name one with DOCKER_HOST."
        f" Checked: {'; '.join(candidate.because for candidate in tried)}.",
    )


def no_engine(message: str, hint: str = "") -> DockpassError:
    """Return the error for an engine that is not running or does not answer."""
    return DockpassError("no-engine", message, hint)


def _sources(environ: Mapping[str, str], home: Path) -> Iterator[tuple[str, Callable[[], _Look]]]:
    directory = Path(environ.get("DOCKER_CONFIG") or home / ".docker")
    yield "DOCKER_HOST", lambda: _host(environ, directory)
    yield "DOCKER_CONTEXT", lambda: _context_variable(environ, directory)
    yield "currentContext", lambda: _current_context(environ, directory)
    yield "default socket", lambda: _socket(DEFAULT_SOCKET, "nothing names another")
    elsewhere = f"{DEFAULT_SOCKET} is not"
    if runtime := environ.get("XDG_RUNTIME_DIR", ""):
        yield "rootless docker socket", lambda: _socket(Path(runtime, "docker.sock"), elsewhere)
        yield "rootless podman socket", lambda: _socket(Path(runtime, "podman", "podman.sock"), elsewhere)
    yield "podman socket", lambda: _socket(Path("/run/podman/podman.sock"), elsewhere)


def _host(environ: Mapping[str, str], directory: Path) -> _Look:
    host = environ.get("DOCKER_HOST", "")
    if not host:
        return _Look(because="DOCKER_HOST is not set")
    tls = _tls_of_environ(environ, directory)
    return _Look(address(host, tls=tls is not None), "DOCKER_HOST is set", tls)


def _context_variable(environ: Mapping[str, str], directory: Path) -> _Look:
    name = environ.get("DOCKER_CONTEXT", "")
    if not name:
        return _Look(because="DOCKER_CONTEXT is not set")
    if name == "default":
        return _Look(because="DOCKER_CONTEXT asks for the default")
    return _context(directory, name, f"DOCKER_CONTEXT names {clean(name)}")


def _current_context(environ: Mapping[str, str], directory: Path) -> _Look:
    if environ.get("DOCKER_CONTEXT"):
        return _Look(because="DOCKER_CONTEXT is set and goes before currentContext")
    config: ConfigFile = read_config(directory)
    name = config.current_context
    if config.problem and not config.state.is_empty_config:
        return _Look(because=f"no context is known, for {config.problem}")
    if not name or name == "default":
        return _Look(because=f"{clean(str(config.path))} names no context")
    return _context(directory, name, f"{clean(name)} is the current context in {clean(str(config.path))}")


def _context(directory: Path, name: str, because: str) -> _Look:
    identity = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    meta = directory / "contexts" / "meta" / identity / "meta.json"
    try:
        with meta.open("rb") as file:
            docker = json.loads(file.read(LARGEST_META))["Endpoints"]["docker"]
        host = docker["Host"]
        if not isinstance(host, str) or not host:
            raise ValueError("no host")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        # Docker itself stops here, and so does every command of it.
        raise DockpassError(
            "context-broken",
            f"{because}, and {clean(str(meta))} does not say where that is.",
            "`docker context ls` lists the contexts; `docker context use default` leaves them.",
        ) from error
    files = directory / "contexts" / "tls" / identity / "docker"
    verify = not docker.get("SkipTLSVerify")
    tls = _tls_of_files(files, verify=verify) if files.is_dir() or not verify else None
    return _Look(address(host, tls=tls is not None), because, tls)


def _socket(path: Path, otherwise: str) -> _Look:
    try:
        is_there = stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        is_there = False
    if is_there:
        return _Look(f"unix://{path}", f"{path} is there, and {otherwise}")
    return _Look(because=f"there is no socket {path}", outcome=Outcome.NOT_THERE)


def _tls_of_environ(environ: Mapping[str, str], directory: Path) -> TlsFiles | None:
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not verify and not environ.get("DOCKER_TLS"):
        return None
    return _tls_of_files(Path(environ.get("DOCKER_CERT_PATH") or directory), verify=verify)


def _tls_of_files(directory: Path, *, verify: bool) -> TlsFiles:
    found = {
        name: str(directory / f"{name}.pem") if os.access(directory / f"{name}.pem", os.R_OK) else ""
        for name in ("ca", "cert", "key")
    }
    return TlsFiles(found["ca"], found["cert"], found["key"], verify)


def address(host: str, *, tls: bool = False) -> str:
    """Return docker's way of writing a host in full: `tcp://HOST:PORT` or `unix://PATH`."""
    scheme, separator, rest = host.partition("://")
    if not separator:
        scheme, rest = ("unix", host) if host.startswith("/") else ("tcp", host)
    scheme = scheme.lower()
    if scheme == "unix":
        return f"unix://{rest or DEFAULT_SOCKET}"
    if scheme != "tcp":
        return f"{scheme}://{rest}"
    authority, slash, path = rest.partition("/")
    name, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):  # `[::1]` has colons, and no port
        name, port = authority, str(_TLS_PORT if tls else _PLAIN_PORT)
    return f"tcp://{name or '127.0.0.1'}:{port}{slash}{path}".rstrip("/")
