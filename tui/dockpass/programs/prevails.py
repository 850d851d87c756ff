"""What wins over the config whatever the environment says: options, and programs that drop it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from dockpass.text import clean

_OPTIONS = (
    "--authfile",
    "--creds",
    "--src-creds",
    "--dest-creds",
    "--src-authfile",
    "--dest-authfile",
    "--registry-config",
    "--registry-username",
    "--registry-token",
    "--username",
    "--docker-config",
)
_OF_PROGRAM = {"docker": ("--config",), "regctl": ("--host",), "kaniko": ("--docker-config",)}
"""Options that name another login, for every program and for single ones."""

_WITHOUT_ENVIRONMENT = {
    "sudo": "sudo drops the environment",
    "doas": "doas drops the environment",
    "su": "su drops the environment",
    "ssh": "ssh runs its command on another machine",
    "toolbox": "toolbox runs its command in a container",
    "distrobox": "distrobox runs its command in a container",
    "flatpak-spawn": "flatpak-spawn runs its command outside this environment",
    "systemd-run": "systemd-run starts its command outside this environment",
}
_JIB = frozenset({"mvn", "mvnw", "gradle", "gradlew"})
_ENGINES = frozenset({"docker", "podman"})


def prevailing(argv: Sequence[str]) -> Iterator[str]:
    """Yield what of a command line may lead its program to another login than the one in the config."""
    name = PurePosixPath(argv[0]).name
    given = list(dict.fromkeys(word.partition("=")[0] for word in argv[1:]))
    known = {*_OPTIONS, *_OF_PROGRAM.get(name, ())}
    for option in filter(known.__contains__, given):
        yield f"its option {clean(option)} may name another login"
    if name in _WITHOUT_ENVIRONMENT:
        yield f"{_WITHOUT_ENVIRONMENT[name]}, so it may not find this login"
    if name == "env" and {"-i", "-", "--ignore-environment"} & set(given):
        yield "env drops the environment, so it may not find this login"
    if name in _ENGINES and given[:1] and given[0] in {"run", "exec"}:
        yield f"{name} {given[0]} runs in a container, where this login is not"
    if argv[0].startswith("/snap/"):
        yield "a snap may not read this config"
    if name in _JIB:
        yield "jib prefers the logins of Podman's own files and of the project's settings"
    if name == "kubectl" and {"secret", "docker-registry"} <= set(given):
        yield "kubectl would copy this login into the cluster, where it stays"
