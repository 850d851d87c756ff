"""What wins over the config whatever the environment says: options, and programs that drop it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from dockpass.dockerconfig.runconfig import RIVALS
from dockpass.programs.environment import LEADING
from dockpass.text import clean

_SIDES = ("", "src-", "dest-", "from-", "to-")
_LOGINS = ("creds", "no-creds", "authfile", "username", "registry-token", "registry-config", "identity-token")
_OPTIONS = frozenset(
    {
        *(f"--{side}{what}" for side in _SIDES for what in _LOGINS),
        "--identity-token-stdin",
        "--registry-username",
        "--docker-config",
    }
)
_OF_PROGRAM = {
    "docker": {"--config"},
    "regctl": {"--host"},
    "kaniko": {"--docker-config"},
    "oras": {"-u"},
}
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
_AROUND = frozenset(
    {"nice", "ionice", "nohup", "time", "timeout", "stdbuf", "setsid", "chrt", "taskset", "xargs", "env"}
)
"""Programs that run the one behind their options, in their own environment."""
_OF_AROUND = re.compile(r"-.*|\w+=.*|[\d.,-]+[smhd]?|0x[0-9a-f]+")
_JIB = frozenset({"mvn", "mvnw", "gradle", "gradlew"})
_ENGINES = frozenset({"docker", "podman", "nerdctl"})
_WITH_VALUE = frozenset(
    {"--config", "--context", "-c", "--host", "-H", "--log-level", "-l", "--url", "--connection", "-f", "-p"}
    | {"--namespace", "--file", "--project-name", "--project-directory", "--profile", "--env-file", "--ansi"}
)
"""Options of these in front of the command, whose value is the next word."""


def prevailing(argv: Sequence[str]) -> Iterator[str]:
    """Yield what of a command line may lead its program to another login than the one in the config."""
    while PurePosixPath(argv[0]).name in _AROUND:
        if _empties(argv):
            yield "env drops the environment, so it may not find this login"
        for variable in {word.partition("=")[0] for word in argv[1:]} & (LEADING | RIVALS):
            yield f"{variable}= on the command line may lead to another login"
        inner = next((at for at, word in enumerate(argv) if at and not _OF_AROUND.fullmatch(word)), 0)
        if not inner:
            return
        argv = argv[inner:]
    name = PurePosixPath(argv[0]).name
    given = list(dict.fromkeys(word.partition("=")[0] for word in argv[1:]))
    known = _OPTIONS | _OF_PROGRAM.get(name, set())
    for option in filter(known.__contains__, given):
        yield f"its option {clean(option)} may name another login"
    if name in _WITHOUT_ENVIRONMENT:
        yield f"{_WITHOUT_ENVIRONMENT[name]}, so it may not find this login"
    if name in _ENGINES and (command := _command_in_container(argv)):
        yield f"{name} {command} runs in a container, where this login is not"
    if argv[0].startswith("/snap/"):
        yield "a snap may not read this config"
    if name in _JIB:
        yield "jib prefers the logins of Podman's own files and of the project's settings"
    if name == "kubectl" and {"secret", "docker-registry"} <= set(given):
        yield "kubectl would copy this login into the cluster, where it stays"


def _empties(argv: Sequence[str]) -> bool:
    return PurePosixPath(argv[0]).name == "env" and bool({"-i", "-", "--ignore-environment"} & set(argv[1:]))


def _command_in_container(argv: Sequence[str]) -> str:
    """Return the command of an engine that runs something in a container; empty for any other."""
    words = list(argv[1:])
    commands: list[str] = []
    while words and len(commands) < 2:
        word = words.pop(0)
        if not word.startswith("-"):
            commands.append(word)
        elif word in _WITH_VALUE and words:
            words.pop(0)
    if commands[:1] == ["container"] or commands[:1] == ["compose"]:
        return " ".join(commands) if commands[1:2] in (["run"], ["exec"]) else ""
    return commands[0] if commands[:1] in (["run"], ["exec"]) else ""
