"""Programs that a person may want to run with a login, as far as they and what they need are here."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from dockpass.errors import DockpassError
from dockpass.programs.find import find

_DOCKERFILES = ("Dockerfile", "Containerfile")
_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_SYSTEM_PLUGINS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
_MOST_CHARTS = 200
_WITHOUT_TLS = ("127.", "localhost:", "[::1]")
"""Where a registry is on this machine, as the sandbox is: the other programs would insist on TLS."""
Find = Callable[[str, Mapping[str, str]], str]
"""Returns the path of a program by the PATH of an environment; raises `DockpassError` if there is none."""
Has = Callable[[str], bool]


def examples(
    cwd: Path, environ: Mapping[str, str], original: Path, repository: str, find: Find = find
) -> tuple[str, ...]:
    """Return command lines for the files in `cwd` and the programs in PATH.

    `original` is the person's docker config, where docker looks for its plugins, and `repository` the one
    that is worked with, empty if none is known. The last one runs wherever there is a shell.
    """
    plugins = {"PATH": os.pathsep.join((str(original / "cli-plugins"), *_SYSTEM_PLUGINS))}

    def has(program: str) -> bool:
        try:
            find(program, plugins if program.startswith("docker-") else environ)
        except DockpassError:
            return False
        return True

    lines = [*_of_files(cwd, has, repository)]
    if repository:
        lines += _of_repository(cwd, has, repository)
    return (*lines, "sh -c 'ls -l $DOCKER_CONFIG'")


def _of_files(cwd: Path, has: Has, repository: str) -> Iterator[str]:
    dockerfile = any((cwd / name).is_file() for name in _DOCKERFILES)
    tag = f" -t {shlex.quote(repository)}" if repository else ""
    if has("docker") and dockerfile:
        if has("docker-buildx"):
            yield f"docker buildx build --push{tag} ."
        else:
            yield f"docker build --pull{tag} ."
    if any((cwd / name).is_file() for name in _COMPOSE) and has("docker") and has("docker-compose"):
        yield "docker compose push"
    if dockerfile and has("podman"):
        insecure = " --tls-verify=false" if repository.startswith(_WITHOUT_TLS) else ""
        yield f"podman build --pull{insecure}{tag} ."


def _of_repository(cwd: Path, has: Has, repository: str) -> Iterator[str]:
    shown, source = shlex.quote(repository), shlex.quote(f"docker://{repository}")
    plain = repository.startswith(_WITHOUT_TLS)
    helm, skopeo = (" --plain-http", "tls-verify=false ") if plain else ("", "")
    if has("helm") and (chart := _packaged_chart(cwd)):
        yield f"helm push {shlex.quote(chart)} {shlex.quote(f'oci://{repository}')}{helm}"
    if has("skopeo"):
        if (cwd / "oci-layout").is_file():
            yield f"skopeo copy {skopeo and f'--dest-{skopeo}'}oci:. {source}"
        yield f"skopeo copy {skopeo and f'--src-{skopeo}'}{source} dir:image"
        yield f"skopeo list-tags {skopeo and f'--{skopeo}'}{source}"
    if has("docker"):
        yield f"docker push {shown}"
    if has("crane"):
        yield f"crane ls {shown}"


def _packaged_chart(cwd: Path) -> str:
    """Return the name of a chart that `helm package` made here, beside Chart.yaml or above it."""
    try:
        names = sorted(path.name for _, path in zip(range(_MOST_CHARTS), cwd.glob("*.tgz"), strict=False))
    except OSError:
        return ""
    has_chart = (cwd / "Chart.yaml").is_file() or any(cwd.glob("*/Chart.yaml"))
    return names[-1] if names and has_chart else ""
