"""All readers together: what each makes of a registry, and which registries there are to ask about."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dockpass.auth.ci import GITLAB
from dockpass.configtext import problems_in
from dockpass.dockerconfig.readers.cliversions import BEFORE, NEWEST
from dockpass.dockerconfig.readers.dockercli import VARIABLE, config_path, read_cli
from dockpass.dockerconfig.readers.dockersdk import read_sdk
from dockpass.dockerconfig.readers.files import FileKind
from dockpass.dockerconfig.readers.goconfig import docker_config
from dockpass.dockerconfig.readers.hosts import docker_host
from dockpass.dockerconfig.readers.model import Reader, Reading
from dockpass.dockerconfig.readers.podman import auth_files, read_podman
from dockpass.dockerconfig.readers.runner import read_runner
from dockpass.dockerconfig.readers.situation import Situation, Target, parse_target
from dockpass.dockerconfig.readers.trail import Trail
from dockpass.errors import UsageError
from dockpass.findings import Finding
from dockpass.references.address import host_of_registry
from dockpass.text import clean


def read(reader: Reader, target: Target, situation: Situation) -> Reading:
    """Return what one reader makes of a registry."""
    match reader:
        case Reader.CLI_BEFORE | Reader.CLI:
            return read_cli(target, situation, NEWEST if reader is Reader.CLI else BEFORE)
        case Reader.SDK:
            return read_sdk(target, situation)
        case Reader.PODMAN | Reader.SKOPEO:
            return read_podman(target, situation, skopeo=reader is Reader.SKOPEO)
        case Reader.RUNNER:
            return read_runner(target, situation)


def read_all(target: Target, situation: Situation) -> tuple[Reading, ...]:
    """Return what every reader makes of a registry."""
    return tuple(read(reader, target, situation) for reader in Reader)


def known_hosts(situation: Situation, more: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the registries that environment and configs name; `more` are addresses that come first."""
    found = [host_of_registry(address) for address in more if address]
    found += [host_of_registry(value) for value in map(situation.set, _VARIABLES) if value]
    found += _hosts(situation.set(VARIABLE).encode("utf-8", "surrogateescape"))
    for path in _config_paths(situation):
        found += _hosts(_raw(situation, path))
    return tuple(host for host in dict.fromkeys(found) if _is_host(host))


def _config_paths(situation: Situation) -> tuple[Path, ...]:
    trail = Trail(Reader.SKOPEO, "")
    paths = [config_path(situation)]
    paths += [place.path for skopeo in (True, False) for place in auth_files(trail, situation, skopeo=skopeo)]
    return tuple(dict.fromkeys([*paths, situation.home / ".docker" / "config.json"]))


def config_problems(situation: Situation, target: Target | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with the configs that any reader looks at, and with their entries for a target."""
    texts = [(VARIABLE, situation.set(VARIABLE))]
    for path in _config_paths(situation):
        texts.append((clean(str(path), 300), _raw(situation, path).decode("utf-8", "replace")))
    return tuple(
        Finding(problem.id, "", f"{name} {problem.in_words}.", hint=problem.do)
        for name, text in texts
        for problem in problems_in(text)
        if not problem.key or target is None or docker_host(problem.key, lenient=True) == target.host
    )


_VARIABLES = (GITLAB.registry, "CI_DEPENDENCY_PROXY_SERVER")


def _raw(situation: Situation, path: Path) -> bytes:
    file = situation.files.read(path)
    return file.raw if file.kind is FileKind.FILE else b""


def _hosts(raw: bytes) -> list[str]:
    try:
        config = docker_config(raw)
    except ValueError:
        return []
    hosts = [docker_host(key, lenient=True) for key in (*config.entries, *config.cred_helpers)]
    return ["docker.io" if host in {"index.docker.io", "registry-1.docker.io"} else host for host in hosts]


def _is_host(host: str) -> bool:
    """Leave out what nobody can log in to: the dummy entries of configs, and keys with a user in them."""
    try:
        return not host.endswith(".invalid") and "@" not in host and not parse_target(host).path
    except UsageError:
        return False
