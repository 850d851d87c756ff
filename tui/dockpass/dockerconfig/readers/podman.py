"""podman, buildah and skopeo: several files, keys with paths, helpers for single hosts only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dockpass.dockerconfig.keys import looks_like
from dockpass.dockerconfig.readers.dockercli import VARIABLE
from dockpass.dockerconfig.readers.files import FileKind, FileRead
from dockpass.dockerconfig.readers.goconfig import (
    BrokenAuth,
    GoConfig,
    GoEntry,
    docker_config,
    podman_config,
    podman_login,
)
from dockpass.dockerconfig.readers.gojson import BrokenJson, TooDeep
from dockpass.dockerconfig.readers.hosts import podman_host
from dockpass.dockerconfig.readers.model import Reader, Reading, SecretKind, Verdict
from dockpass.dockerconfig.readers.reasons import Reason
from dockpass.dockerconfig.readers.situation import HUB, HelperState, Situation, Target, go_login
from dockpass.dockerconfig.readers.trail import Trail
from dockpass.text import clean

_BROKEN = GoEntry()


@dataclass(frozen=True, slots=True)
class AuthFile:
    """A file that is looked into; a `legacy` one is a bare map of entries."""

    path: Path
    legacy: bool = False


def read_podman(
    target: Target, situation: Situation, *, skopeo: bool = False, goes_on: bool = False
) -> Reading:
    """Return what podman and buildah, or skopeo, make of it.

    `goes_on`: before containers/image 5.24 the other files were looked into after `REGISTRY_AUTH_FILE`.
    """
    host = HUB if target.host == "index.docker.io" else target.host
    path = target.path
    if host == HUB and path and "/" not in path:
        path = f"library/{path}"
    name = f"{host}/{path}" if path else host
    trail = Trail(Reader.SKOPEO if skopeo else Reader.PODMAN, name)
    if situation.set(VARIABLE):
        trail.add(VARIABLE, Reason.VARIABLE_NOT_READ)
    places = auth_files(trail, situation, skopeo=skopeo, goes_on=goes_on)
    if not skopeo:
        _require_named(trail, situation, places[0])
    for place in places:
        _File(trail, situation, place, situation.files.read(place.path), host, name).look()
    return trail.done()


def auth_files(trail: Trail, situation: Situation, *, skopeo: bool, goes_on: bool = False) -> list[AuthFile]:
    """Return the files in their order; what is skipped because of the environment is told."""
    named = situation.set("REGISTRY_AUTH_FILE")
    directory = situation.set("DOCKER_CONFIG")
    if not named and directory and not skopeo:
        named = str(Path(directory) / "config.json")
        trail.find(
            "podman-docker-config",
            "with DOCKER_CONFIG set podman and buildah read that file only; skopeo looks into its others too",
            "Set REGISTRY_AUTH_FILE for all three.",
        )
    runtime, others = _runtime_file(trail, situation), _other_files(situation, directory)
    if not named:
        return [*runtime, *others]
    if goes_on:
        return [AuthFile(Path(named)), *others]
    for place in (*runtime, *others):
        if situation.files.exists(place.path) and place.path != Path(named):
            trail.add(str(place.path), Reason.FILE_NOT_READ, f"only {named} is read")
    return [AuthFile(Path(named))]


def _require_named(trail: Trail, situation: Situation, first: AuthFile) -> None:
    """podman and buildah stop where the file that a variable names does not exist; skopeo goes on."""
    named = situation.set("REGISTRY_AUTH_FILE") or situation.set("DOCKER_CONFIG")
    if named and not situation.files.exists(first.path):
        trail.find(
            "podman-stops",
            f"{clean(str(first.path))} does not exist, so podman and buildah stop; skopeo goes on without it",
            "Create it, or unset the variable that names it.",
        )
        trail.add(clean(str(first.path)), Reason.NO_FILE)
        trail.decide(Verdict.FAILS)


def _runtime_file(trail: Trail, situation: Situation) -> list[AuthFile]:
    runtime = situation.set("XDG_RUNTIME_DIR")
    if not runtime:
        return [AuthFile(Path(f"/run/containers/{situation.uid}/auth.json"))]
    if situation.files.exists(Path(runtime)):
        return [AuthFile(Path(runtime) / "containers" / "auth.json")]
    trail.find(
        "runtime-dir-missing",
        f"XDG_RUNTIME_DIR is {runtime}, which does not exist, so no auth.json is read there",
        "Create it, or unset the variable.",
    )
    return []


def _other_files(situation: Situation, directory: str) -> list[AuthFile]:
    config_home = Path(situation.set("XDG_CONFIG_HOME") or situation.home / ".config")
    docker = Path(directory) if directory else situation.home / ".docker"
    return [
        AuthFile(config_home / "containers" / "auth.json"),
        AuthFile(docker / "config.json"),
        AuthFile(situation.home / ".dockercfg", legacy=True),
    ]


@dataclass(frozen=True, slots=True)
class _File:
    trail: Trail
    situation: Situation
    place: AuthFile
    file: FileRead
    host: str
    name: str

    def look(self) -> None:
        """Look into the file, unless an earlier one has decided; a fault in it stops the search."""
        trail, file = self.trail, self.file
        if trail.decided:
            if file.exists:
                trail.add(file.shown, Reason.OUTRANKED)
            return
        if file.kind is not FileKind.FILE:
            trail.no_file(file)
            if file.kind is not FileKind.MISSING:
                trail.decide(Verdict.FAILS)
            return
        try:
            config = podman_config(file.raw, legacy=self.place.legacy)
        except TooDeep as error:
            trail.add(file.shown, Reason.NOT_LOOKED_AT, str(error))
            trail.decide(Verdict.UNDECIDED)
            return
        except (BrokenJson, BrokenAuth) as error:
            self._stop(Reason.BROKEN_FILE, str(error))
            return
        trail.look_at(file, self.situation.uid, holds_logins=any(e.auth for e in config.entries.values()))
        helper = config.cred_helpers.get(self.host)
        if helper is not None:
            self._helper(helper, config)
        else:
            self._entries(config)
        self._store(file.raw)

    def _helper(self, helper: str, config: GoConfig) -> None:
        login = go_login(self.situation, helper, self.host)
        self.trail.helper(f"credHelpers {helper} in {self.file.shown}", self.host, login)
        if login.state is HelperState.NOT_ASKED:
            self.trail.decide(Verdict.UNDECIDED)
        elif login.state is HelperState.FAILED:
            self.trail.decide(Verdict.FAILS)
        for key in self._path_keys():
            if key in config.entries:
                self.trail.entry(
                    self.file.shown, key, self._shown(config.entries[key]), Reason.HELPER_INSTEAD
                )

    def _path_keys(self) -> list[str]:
        if self.place.legacy:
            return [self.host]
        parts = self.name.split("/")
        return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]

    def _entries(self, config: GoConfig) -> None:
        keys = [key for key in self._path_keys() if key in config.entries]
        wanted = podman_host(self.host, legacy=False)
        by_host = [
            key
            for key in config.entries
            if key not in keys and podman_host(key, legacy=self.place.legacy) == wanted
        ]
        if keys:
            reason = Reason.EXACT_KEY if keys[0] in {self.host, self.name} else Reason.PATH_KEY
            self._take(keys[0], config.entries[keys[0]], reason)
            for key in keys[1:]:
                self._rest(key, config, Reason.LESS_SPECIFIC)
        elif by_host:
            self._by_host(by_host, config)
        else:
            self.trail.add(self.file.shown, Reason.NO_ENTRY, f"no key for {self.name}")
        for key in config.entries:
            if key not in keys and key not in by_host and looks_like(key, self.host):
                self._rest(key, config, Reason.OTHER_KEY)

    def _by_host(self, keys: list[str], config: GoConfig) -> None:
        different = {(e.auth, e.identity_token) for e in (config.entries[key] for key in keys)}
        if len(different) == 1:
            self._take(keys[0], config.entries[keys[0]], Reason.HOST_OF_KEY)
            return
        for key in keys:
            shown, reason = self._shown(config.entries[key]), Reason.ONE_BY_CHANCE
            if shown is _BROKEN:
                reason = Reason.BROKEN_ENTRY
            self.trail.entry(self.file.shown, key, shown, reason, f"auths › {key}", accepted=True)
        self.trail.decide(Verdict.CHANCE)
        self.trail.find(
            "one-by-chance",
            f"{self.file.shown}: {' and '.join(keys)} all stand for {self.host}; any of them is taken",
            f"Keep one, under the key {self.host}.",
        )

    def _take(self, key: str, entry: GoEntry, reason: Reason) -> None:
        seen = f"auths › {key}"
        try:
            login = podman_login(entry)
        except BrokenAuth as error:
            self._stop(Reason.BROKEN_ENTRY, f"{seen}: {error}", key)
            return
        if login is None or login.kind is SecretKind.NONE:
            # The search goes on in the next file, as if there were no entry.
            self.trail.add(self.file.shown, Reason.EMPTY_ENTRY, seen, key=key)
            return
        self.trail.take(self.file.shown, key, login, reason, seen)

    def _rest(self, key: str, config: GoConfig, reason: Reason) -> None:
        self.trail.entry(self.file.shown, key, self._shown(config.entries[key]), reason, f"auths › {key}")

    def _shown(self, entry: GoEntry) -> GoEntry:
        try:
            return podman_login(entry) or GoEntry()
        except BrokenAuth:
            return _BROKEN

    def _stop(self, reason: Reason, evidence: str, key: str = "") -> None:
        self.trail.add(self.file.shown, reason, evidence, key=key)
        self.trail.find(
            "podman-stops", f"{self.file.shown}: {evidence}; the search stops there", "Correct it there."
        )
        self.trail.decide(Verdict.FAILS)

    def _store(self, raw: bytes) -> None:
        """Tell a `credsStore`: docker asks it, and podman's family never does."""
        if self.place.legacy:
            return
        store = docker_config(raw).creds_store
        if store:
            source = f"credsStore {store} in {self.file.shown}"
            self.trail.add(source, Reason.STORE_NOT_READ, kind=SecretKind.HELPER)
