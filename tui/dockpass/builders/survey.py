"""Which builders there are on this machine, each asked for its version."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dockpass.builders.abilities import (
    BY_SESSION,
    FIRST_BY_SESSION,
    OF_BUILDAH,
    OF_CLASSIC,
    OF_EMBEDDED,
    OF_ENGINE,
    features,
    release_of,
)
from dockpass.builders.base import Builder, BuilderInfo, Contact, Guard
from dockpass.builders.buildx import Buildx, BuildxBuilder
from dockpass.builders.containers import FIRST, Containers, ContainersBuilder, buildah_in_podman
from dockpass.builders.environment import builder_environment, engine_variables, proxy_arguments
from dockpass.builders.names import BuilderName
from dockpass.builders.ofengine import EngineBuilder
from dockpass.dockerconfig.carried import carried_from, original_directory
from dockpass.dockerconfig.helpers import run_bounded
from dockpass.dockerconfig.temporary import TemporaryConfig
from dockpass.engines.base import EMBEDDED, Engine, EngineInfo
from dockpass.engines.endpoint import resolve_endpoint
from dockpass.errors import DockpassError
from dockpass.text import clean

SECONDS_TO_ANSWER = 5.0
FIRST_WITH_RAWJSON = (0, 13)
"""The first buildx that tells its progress as objects."""

_PLACES = ("PATH", "DOCKER_CONFIG", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")
_CARRIED = frozenset({"cliPluginsExtraDirs", "proxies"})
_VERSION = re.compile(rb"(?:github\.com/docker/buildx v?|version (?=\d))(\S+)")
"""How buildx tells its version, and how podman and buildah do."""
_NO_PLUGIN = re.compile(r"is not a docker command|unknown command")
"""What docker says of a plugin that it does not find."""
DOCKER, PODMAN = "Docker", "Podman"

Open = Callable[[Engine, Mapping[str, str], "Guard | None", Contact], Builder]


@dataclass(frozen=True, slots=True)
class Found:
    """A builder that was found, what the run's config needs for it, and what opens it."""

    info: BuilderInfo
    open: Open
    sections: Mapping[str, object] = field(default_factory=dict, repr=False)


FindBuilders = Callable[[EngineInfo, Mapping[str, str], Path], Sequence[Found]]
"""Returns the builders beside an engine, in the order of preference; given the run's environment and home."""


def builders_of_engine(engine: EngineInfo, _environ: Mapping[str, str], _home: Path) -> tuple[Found, ...]:
    """Return the builder that the engine brings along. Nothing is run."""
    if engine.name == EMBEDDED:
        return (_embedded(),)
    info = BuilderInfo(
        name=BuilderName.CLASSIC,
        can=OF_CLASSIC,
        where=f"of {engine.name} {engine.version}".rstrip(),
        stores_for=engine.name,
    )
    return (Found(info, lambda engine, _environ, _guard, _contact: EngineBuilder(info, engine)),)


def all_builders(engine: EngineInfo, environ: Mapping[str, str], home: Path) -> tuple[Found, ...]:
    """Return every builder; programs are run to ask for their versions."""
    own = builders_of_engine(engine, environ, home)
    return (
        *(
            (_buildx(engine, environ, home), _buildkit(engine, environ, home))
            if engine.name == DOCKER
            else ()
        ),
        _containers(BuilderName.PODMAN, engine, environ, home),
        _containers(BuilderName.BUILDAH, engine, environ, home),
        *own,
        *((_embedded(),) if engine.name != EMBEDDED else ()),
    )


def remembered(find: FindBuilders = all_builders) -> FindBuilders:
    """Return a survey that asks once for each engine, and for each place where it would look."""
    known: dict[object, Sequence[Found]] = {}

    def find_once(engine: EngineInfo, environ: Mapping[str, str], home: Path) -> Sequence[Found]:
        places = (engine, home, *(environ.get(name) for name in _PLACES))
        if places not in known:
            known[places] = find(engine, environ, home)
        return known[places]

    return find_once


def _embedded() -> Found:
    info = BuilderInfo(name=BuilderName.EMBEDDED, can=OF_EMBEDDED, stores_for=EMBEDDED)
    return Found(info, lambda engine, _environ, _guard, _contact: EngineBuilder(info, engine))


def _buildx(engine: EngineInfo, environ: Mapping[str, str], home: Path) -> Found:
    where = f"with {engine.name} {engine.version}".rstrip()

    def found(version: str = "", unusable: str = "", buildx: Buildx | None = None) -> Found:
        info = BuilderInfo(
            name=BuilderName.BUILDX,
            version=version,
            can=features(OF_ENGINE, engine.version),
            runs_frontends=True,
            where=where,
            unusable=unusable,
            stores_for=engine.name,
        )

        def opened(
            engine: Engine, environ: Mapping[str, str], guard: Guard | None, _contact: Contact
        ) -> Builder:
            if buildx is None:
                raise AssertionError(f"a builder is opened that cannot be used: {unusable}")
            return BuildxBuilder(info, buildx, engine, environ, guard)

        return Found(info, opened, buildx.sections if buildx else {})

    try:
        endpoint = resolve_endpoint(environ, home)
    except DockpassError as error:
        return found(unusable=error.message.rstrip("."))
    carried = carried_from(original_directory(environ, home), environ)
    sections = {name: value for name, value in carried.sections.items() if name in _CARRIED}
    docker = shutil.which("docker", path=environ.get("PATH", ""))
    plugin = shutil.which("docker-buildx", path=environ.get("PATH", ""))
    if docker is None and plugin is None:
        return found(unusable="docker's command line is not installed, so there is no docker buildx")
    program = (docker, "buildx") if docker else (plugin or "",)
    try:
        config = TemporaryConfig.create({}, environ=environ, extra=sections)
    except DockpassError as error:
        return found(unusable=error.message.rstrip("."))
    try:
        asked = builder_environment(environ, config.path) | engine_variables(endpoint)
        version, why = _version_of("docker buildx", (*program, "version"), asked)
    finally:
        config.remove()
    release = release_of(version) if version else None
    if why:
        return found(unusable="docker has no buildx plugin" if _NO_PLUGIN.search(why) else why)
    if release is not None and release < FIRST_WITH_RAWJSON:
        return found(version, f"docker buildx {version} is too old: it tells its progress from 0.13 on")
    return found(version, buildx=Buildx(program=program, endpoint=endpoint, sections=sections))


def _buildkit(engine: EngineInfo, environ: Mapping[str, str], home: Path) -> Found:
    """Return the engine's BuildKit as dockpass speaks to it itself. Nothing is asked."""
    release, why, endpoint = release_of(engine.version), "", None
    title = f"{engine.name} {engine.version}".rstrip()
    try:
        endpoint = resolve_endpoint(environ, home)
    except DockpassError as error:
        why = error.message.rstrip(".")
    if not engine.has_buildkit:
        why = f"{title} has no BuildKit"
    elif release is not None and release < FIRST_BY_SESSION:
        why = f"{title} is too old: its BuildKit can be used without buildx from Docker 20.10 on"
    info = BuilderInfo(
        name=BuilderName.BUILDKIT,
        can=features(OF_ENGINE, engine.version) & BY_SESSION,
        runs_frontends=True,
        where=f"in {title}",
        unusable=why,
        stores_for=engine.name,
    )

    def opened(engine: Engine, environ: Mapping[str, str], _guard: Guard | None, contact: Contact) -> Builder:
        from dockpass.builders.buildkit import BuildKitBuilder  # with it come HTTP/2 and the docker SDK

        if endpoint is None:
            raise AssertionError(f"a builder is opened that cannot be used: {why}")
        carried = carried_from(original_directory(environ, home), environ)
        proxies = proxy_arguments(carried.sections.get("proxies"), endpoint.url)
        return BuildKitBuilder(info, endpoint, engine, environ, contact, proxies)

    return Found(info, opened)


def _containers(name: BuilderName, engine: EngineInfo, environ: Mapping[str, str], home: Path) -> Found:
    """Return podman, which builds in its service where that is the engine, or buildah, which has none."""
    program = shutil.which(name, path=environ.get("PATH", ""))
    version, why = "", f"{name} is not installed"
    if program is not None:
        asked = builder_environment(environ, Path("/nonexistent"))
        version, why = _version_of(name, (program, "--version"), asked)
    buildah = buildah_in_podman(version) if name is BuilderName.PODMAN else version
    release = release_of(buildah) if buildah else None
    if not why and release is not None and release < FIRST:
        why = f"{name} {version} is too old: its options are known from buildah 1.24 on"
    in_service = name is BuilderName.PODMAN and engine.name == PODMAN
    url = ""
    if in_service and not why:
        try:
            url = resolve_endpoint(environ, home).url
        except DockpassError as error:
            why = error.message.rstrip(".")
    info = BuilderInfo(
        name=name,
        version=version,
        can=features(OF_BUILDAH, buildah),
        where=f"with {engine.name} {engine.version}" if in_service else "with its own images",
        unusable=why,
        stores_for=engine.name if in_service else "",
    )
    containers = Containers(program=program or "", url=url)

    def opened(
        _engine: Engine, environ: Mapping[str, str], guard: Guard | None, _contact: Contact
    ) -> Builder:
        return ContainersBuilder(info, containers, environ, guard)

    return Found(info, opened)


def _version_of(name: str, argv: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the version that a program tells, or why it tells none."""
    answer = run_bounded(argv, b"", environ, SECONDS_TO_ANSWER)
    if answer.problem:
        return "", f"{name} tells no version: {answer.problem}"
    if found := _VERSION.search(answer.out[:4096]):
        return clean(found[1].decode("utf-8", "replace"), 40), ""
    said = (answer.err or answer.out)[:2000].decode("utf-8", "replace").strip().partition("\n")[0]
    return "", f"{name} does not answer: {clean(said, 120) or 'it says nothing'}"
