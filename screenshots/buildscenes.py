"""What a build looks like: a Dockerfile that needs BuildKit, the builders beside an engine, the progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dockpass.auth.facts import BaseImage
from dockpass.builders.abilities import BY_SESSION, OF_CLASSIC, OF_ENGINE, features
from dockpass.builders.base import Builder, BuilderInfo, BuilderName, Contact, Guard
from dockpass.builders.survey import Found
from dockpass.buildfiles.dockerfile import read_dockerfile
from dockpass.buildfiles.find import BuildSources
from dockpass.colours import ColourReader, moved
from dockpass.engines.base import Engine, EngineInfo
from dockpass.runs import events as ev
from dockpass.runs.events import Phase, Status
from dockpass.runs.options import Chosen
from dockpass.runs.request import BuildOptions

BASE = "registry.myhost.com/web/base:3"
RUNTIME = "registry.myhost.com/web/runtime:3"
DOCKERFILE = f"""FROM {BASE} AS build
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg go mod download
COPY . .
RUN --mount=type=secret,id=license <<EOF
make license
EOF
FROM {RUNTIME}
COPY --link --from=build /src/backend /usr/bin/backend
"""
PATH = "/dev/shm/dockpass-4711-7f3a90c1d2e4"

CHOSEN = Chosen(
    tags=("registry.myhost.com/web/backend:1.4.2",),
    build=BuildOptions(
        target="build", args={"GO_VERSION": "1.24", "API_TOKEN": "canary-license"}, platform="linux/arm64"
    ),
)
"""What a person chose for the build; one of its arguments is a secret."""


def sources(_cwd: Path, _build: BuildOptions) -> BuildSources:
    """The sources of the build."""
    return BuildSources(
        base_images=(BaseImage(BASE, "Dockerfile:1"), BaseImage(RUNTIME, "Dockerfile:8")),
        needs=read_dockerfile(DOCKERFILE).needs,
        dockerfile=Path("/srv/app/Dockerfile"),
        context=Path("/srv/app"),
    )


def _opened(_engine: Engine, _environ: Mapping[str, str], _guard: Guard | None, _contact: Contact) -> Builder:
    raise AssertionError("no scene builds anything")


def with_buildx(engine: EngineInfo, _environ: Mapping[str, str], _home: Path) -> Sequence[Found]:
    """A machine with buildx."""
    info = BuilderInfo(
        name=BuilderName.BUILDX,
        version="0.24.0",
        can=features(OF_ENGINE, engine.version),
        runs_frontends=True,
        where=f"with {engine.name} {engine.version}",
        stores_for=engine.name,
    )
    return (Found(info, _opened),)


def without_buildx(engine: EngineInfo, _environ: Mapping[str, str], _home: Path) -> Sequence[Found]:
    """A machine with nothing but an engine that is too old."""
    missing = BuilderInfo(
        name=BuilderName.BUILDX, unusable="docker has no buildx plugin", stores_for=engine.name
    )
    buildkit = BuilderInfo(
        name=BuilderName.BUILDKIT,
        can=features(OF_ENGINE, engine.version) & BY_SESSION,
        runs_frontends=True,
        where=f"in {engine.name} {engine.version}",
        stores_for=engine.name,
    )
    classic = BuilderInfo(
        name=BuilderName.CLASSIC,
        can=OF_CLASSIC,
        where=f"of {engine.name} {engine.version}",
        stores_for=engine.name,
    )
    return (Found(missing, _opened), Found(buildkit, _opened), Found(classic, _opened))


def _step(at: float, number: int, name: str, state: str, seconds: float = 0.0) -> ev.Event:
    return ev.Step(at=at, id=str(number), name=name, state=state, seconds=seconds)


def building() -> tuple[ev.Event, ...]:
    """BuildKit in the middle of it."""
    needs = "Dockerfile:3 uses RUN --mount=type=cache, which needs BuildKit"
    bases = f"base image {BASE}, base image {RUNTIME}"
    said = [
        "go: downloading github.com/jackc/pgx/v5 v5.7.2",
        "\x1b[33mwarning:\x1b[0m \x1b[1mpkg/api\x1b[0m: 2 deprecated calls",
        "\x1b[30;42m PASS \x1b[0m pkg/store \x1b[32m41 of 41\x1b[0m",
    ]
    reader = ColourReader()
    lines = [reader.line(words) for words in said]
    return (
        ev.Log(0.009, ev.LogKind.NOTE, "Docker 28.2.2 at unix:///var/run/docker.sock (the default socket)"),
        ev.Log(0.211, ev.LogKind.NOTE, f"built by docker buildx 0.24.0 with Docker 28.2.2: {needs}"),
        ev.Log(0.212, ev.LogKind.NOTE, f"registry.myhost.com: {bases}; as gitlab-ci-token"),
        ev.PhaseStarted(0.213, Phase.CREATE_CONFIG),
        ev.ConfigCreated(0.215, PATH, "0700", "0600", True, "shared memory", ("registry.myhost.com",)),
        ev.PhaseEnded(0.215, Phase.CREATE_CONFIG, Status.DONE, f"{PATH}  0700, config.json 0600"),
        ev.PhaseStarted(0.216, Phase.LOGIN),
        ev.LoginSucceeded(0.301, "registry.myhost.com", "gitlab-ci-token", "accepted (bearer)"),
        ev.PhaseEnded(0.301, Phase.LOGIN, Status.DONE, "gitlab-ci-token at registry.myhost.com, by dockpass"),
        ev.PhaseStarted(0.302, Phase.BUILD, "/srv/app/Dockerfile"),
        _step(0.9, 1, "[internal] load build definition from Dockerfile", "done", 0.01),
        _step(0.9, 2, f"[internal] load metadata for {BASE}", "running"),
        _step(1.0, 3, "[auth] web/base:pull token for registry.myhost.com", "done", 0.0),
        _step(1.2, 2, f"[internal] load metadata for {BASE}", "done", 0.31),
        _step(1.2, 4, f"[internal] load metadata for {RUNTIME}", "done", 0.34),
        _step(1.3, 5, f"[build 1/5] FROM {BASE}", "running"),
        ev.Layer(2.2, "9ad3185e2e02", "pulled", 31_000_000, 31_000_000),
        _step(2.9, 5, f"[build 1/5] FROM {BASE}", "done", 1.6),
        _step(3.0, 6, "[build 2/5] COPY go.mod go.sum ./", "cached"),
        _step(3.1, 7, "[build 3/5] RUN --mount=type=cache,target=/go/pkg go mod download", "running"),
        _step(3.3, 8, f"[stage-1 1/2] FROM {RUNTIME}", "running"),
        ev.Layer(3.9, "4f4fb700ef54", "pulling", 18_300_000, 52_800_000),
        *(
            ev.Log(4.0 + number, ev.LogKind.ENGINE, f"#7 {text}", moved(colours, 3))
            for number, (text, colours) in enumerate(lines)
        ),
    )
