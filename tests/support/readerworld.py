"""A world for the readers of docker's config: files, variables and helpers in memory."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockpass.dockerconfig.helpers import HelperAnswer
from dockpass.dockerconfig.readers.files import FileKind, FileRead
from dockpass.dockerconfig.readers.model import Reader, Reading
from dockpass.dockerconfig.readers.read import read, read_all
from dockpass.dockerconfig.readers.situation import Situation, parse_target

HOME = "/home/dev"
CONFIG = f"{HOME}/.docker/config.json"
AUTH_JSON = f"{HOME}/.config/containers/auth.json"
RUNTIME = "/run/user/1000"
RUNTIME_JSON = f"{RUNTIME}/containers/auth.json"
UID = 1000
NOT_FOUND = b"credentials not found in native keychain\n"


def basic(user: str, password: str = "x") -> dict[str, str]:
    """An entry as docker writes it."""
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def auths(**users: str) -> dict[str, object]:
    """A config with one entry, of a password `x`, for each key."""
    return {"auths": {key: basic(user) for key, user in users.items()}}


@dataclass
class MemoryFiles:
    """Files by path; a value is text, bytes, an object for JSON, or a `FileKind`."""

    files: Mapping[str, object] = field(default_factory=dict)
    modes: Mapping[str, int] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    directories: frozenset[str] = frozenset()

    def read(self, path: Path) -> FileRead:
        name = str(path)
        found = self.files.get(name)
        if found is None:
            return FileRead(path, FileKind.MISSING)
        if isinstance(found, FileKind):
            return FileRead(path, found)
        raw = found if isinstance(found, bytes) else None
        if raw is None:
            raw = (found if isinstance(found, str) else json.dumps(found)).encode("utf-8", "surrogatepass")
        mode = self.modes.get(name, 0o600)
        return FileRead(path, FileKind.FILE, raw, mode, UID, self.links.get(name, ""))

    def exists(self, path: Path) -> bool:
        return str(path) in self.directories or str(path) in self.files


@dataclass
class Helpers:
    """Helpers by name: a map from key to (user, secret), or what is said with which status."""

    known: Mapping[str, object] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def finds(self, program: str, environ: Mapping[str, str]) -> object:
        return program.removeprefix("docker-credential-") in self.known

    def run(self, name: str, action: str, said: str, environ: Mapping[str, str]) -> HelperAnswer:
        self.asked.append((name, action, said))
        found = self.known[name]
        if isinstance(found, tuple):
            status, out = found
            return HelperAnswer(name, "", status, out)
        assert isinstance(found, Mapping)
        if action == "list":
            return HelperAnswer(
                name, "", 0, json.dumps({key: user for key, (user, _) in found.items()}).encode()
            )
        if said not in found:
            return HelperAnswer(name, "", 1, NOT_FOUND)
        user, secret = found[said]
        return HelperAnswer(name, "", 0, json.dumps({"Username": user, "Secret": secret}).encode())


@dataclass
class World:
    """A situation in memory, and the readings of it."""

    files: Mapping[str, object] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    helpers: Mapping[str, object] = field(default_factory=dict)
    ask: bool = False
    modes: Mapping[str, int] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    directories: frozenset[str] = frozenset()
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def situation(self) -> Situation:
        helpers = Helpers(self.helpers, self.asked)
        files = MemoryFiles(self.files, self.modes, self.links, self.directories)
        environ = {"HOME": HOME, **self.environ}
        return Situation(environ, Path(HOME), UID, files, self.ask, helpers.run, helpers.finds)

    def read(self, reader: Reader, registry: str) -> Reading:
        return read(reader, parse_target(registry), self.situation)

    def read_all(self, registry: str) -> tuple[Reading, ...]:
        return read_all(parse_target(registry), self.situation)
