"""The docker command line: a variable since 28.3, then a helper, then the plain entry.

`cliversions` has what changed when.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from dockpass.configtext import ADVICE, Shape, shape_of
from dockpass.dockerconfig.configfile import MISSPELLED
from dockpass.dockerconfig.keys import looks_like
from dockpass.dockerconfig.readers.cliversions import (
    LENIENT_URLS,
    NEWEST,
    READS_VARIABLE,
    STOPS_ON_HELPERS,
    Version,
)
from dockpass.dockerconfig.readers.files import FileKind, FileRead
from dockpass.dockerconfig.readers.goconfig import (
    BrokenAuth,
    GoConfig,
    GoEntry,
    docker_config,
    variable_config,
    with_auth,
)
from dockpass.dockerconfig.readers.gojson import BrokenJson, TooDeep
from dockpass.dockerconfig.readers.hosts import docker_host
from dockpass.dockerconfig.readers.model import Reader, Reading, SecretKind, Verdict
from dockpass.dockerconfig.readers.reasons import Reason
from dockpass.dockerconfig.readers.situation import (
    HUB_KEY,
    HelperLogin,
    HelperState,
    Situation,
    Target,
    go_login,
)
from dockpass.dockerconfig.readers.trail import Trail
from dockpass.text import clean

VARIABLE = "DOCKER_AUTH_CONFIG"
_WINS = f"{VARIABLE} is set and takes precedence."

_EMPTY = GoConfig({})
_HUB_HOSTS = frozenset({"docker.io", "index.docker.io"})


def read_cli(target: Target, situation: Situation, version: Version = NEWEST) -> Reading:
    """Return what the docker command line of a version makes of it."""
    key = docker_key(target.host)
    since = version >= READS_VARIABLE
    trail = Trail(Reader.CLI if since else Reader.CLI_BEFORE, key)
    raw = situation.set(VARIABLE)
    if raw and since:
        _variable(trail, raw, key)
    elif raw:
        trail.add(VARIABLE, Reason.VARIABLE_NOT_READ)
    file = situation.files.read(config_path(situation))
    config, decoding = _load(trail, file, situation, version)
    if not file.not_looked_at and trail.verdict is not Verdict.UNDECIDED:
        _Search(trail, situation, file.shown, key, config, decoding, version).run()
    return trail.done()


@dataclass(frozen=True, slots=True)
class Said:
    """What docker prints because of `DOCKER_AUTH_CONFIG`: at `docker login` and `logout`, and always."""

    on_login: str = ""
    always: str = ""


def said_of_variable(raw: str, version: Version = NEWEST) -> Said:
    """Return what docker prints for the variable's value; nothing where the version does not read it."""
    if not raw or version < READS_VARIABLE:
        return Said()
    try:
        variable_config(raw.encode("utf-8", "surrogateescape"))
    except (BrokenJson, TooDeep, BrokenAuth):
        return Said(_WINS, f"Failed to create credential store from {VARIABLE}")
    return Said(_WINS)


def docker_key(host: str) -> str:
    """Return the key that docker looks up for a host; its case stays."""
    return HUB_KEY if host in _HUB_HOSTS else host


def config_path(situation: Situation) -> Path:
    """Return the one file that docker reads."""
    directory = situation.set("DOCKER_CONFIG")
    return (Path(directory) if directory else situation.home / ".docker") / "config.json"


def _variable(trail: Trail, raw: str, key: str) -> None:
    try:
        entries = variable_config(raw.encode("utf-8", "surrogateescape"))
    except (BrokenJson, TooDeep, BrokenAuth) as error:
        why = f"it {ADVICE[Shape.PATH].is_}" if shape_of(raw) is Shape.PATH else str(error)
        trail.add(VARIABLE, Reason.VARIABLE_REFUSED, why)
        trail.find(
            "variable-refused",
            f"docker since 28.3 refuses {VARIABLE}: {why}",
            'It takes {"auths": {"HOST": {"auth": …}}} and nothing else.',
        )
        return
    if key in entries:
        trail.take(VARIABLE, key, entries[key], Reason.EXACT_KEY, f"auths › {key}")
        return
    trail.add(VARIABLE, Reason.NO_ENTRY, f"no key is exactly {key}")
    for near in entries:
        if looks_like(near, key):
            trail.entry(VARIABLE, near, entries[near], Reason.OTHER_KEY, "only the exact key counts here")
            trail.find(
                "variable-near-key",
                f"{VARIABLE} has {near}, and docker looks up exactly {key}",
                f"Write {key} as the key.",
            )


@dataclass(frozen=True, slots=True)
class _Decoding:
    """What keeps `auth` from being decoded: a wrong type anywhere, or broken entries."""

    fault: str = ""
    broken: frozenset[str] = frozenset()


def _is_broken(entry: GoEntry) -> bool:
    """Tell whether the `auth` of the entry cannot be decoded."""
    try:
        with_auth(entry)
    except BrokenAuth:
        return True
    return False


def _load(trail: Trail, file: FileRead, situation: Situation, version: Version) -> tuple[GoConfig, _Decoding]:
    if file.kind is not FileKind.FILE:
        trail.no_file(file)
        return _EMPTY, _Decoding()
    try:
        config = docker_config(file.raw, version)
    except TooDeep as error:
        trail.add(file.shown, Reason.NOT_LOOKED_AT, str(error))
        trail.decide(Verdict.UNDECIDED)
        return _EMPTY, _Decoding()
    except (BrokenJson, BrokenAuth) as error:
        trail.add(file.shown, Reason.BROKEN_FILE, str(error))
        trail.find(
            "file-broken",
            f"{file.shown} is not JSON ({error}), so docker goes on without it",
            "Correct it there.",
        )
        return _EMPTY, _Decoding()
    trail.look_at(file, situation.uid, holds_logins=any(e.auth or e.kind is not SecretKind.NONE
                                                        for e in config.entries.values()))  # fmt: skip
    find_misspelled(trail, file.shown, config.unknown)
    broken = frozenset(key for key, entry in config.entries.items() if _is_broken(entry))
    if config.faults:
        trail.find(
            "file-wrong-type",
            f"{file.shown}: {config.faults[0]} has a wrong type, so docker decodes no auth in the file",
            "Correct it there; docker only warns.",
        )
        return config, _Decoding(fault=config.faults[0])
    for key in sorted(broken):
        trail.find(
            "entry-broken",
            f"{file.shown}: the entry {key} cannot be decoded, so whether docker decodes others is random",
            f"Log in to it again: docker login {key}",
        )
    return config, _Decoding(broken=broken)


def find_misspelled(trail: Trail, shown: str, names: Iterable[str]) -> None:
    """Tell sections that nothing reads, and which was probably meant."""
    for name in names:
        meant = MISSPELLED.get(name.lower())
        if meant:
            trail.find(
                "section-misspelled",
                f"{shown}: nothing reads {clean(name, 60)}; {meant} is probably meant",
                f"Write {meant}, or take it out.",
            )


_Option = tuple[str, GoEntry, Reason, str]
"""A key, what is sent of its entry, why, and what was seen."""


@dataclass(frozen=True, slots=True)
class _Search:
    trail: Trail
    situation: Situation
    shown: str
    key: str
    config: GoConfig
    decoding: _Decoding
    version: Version

    def run(self) -> None:
        """Look in docker's order: helper, else plain entries."""
        own = self.config.cred_helpers.get(self.key)
        helper = self.config.creds_store if own is None else own
        options = self._options()
        if helper:
            section = "credsStore" if own is None else "credHelpers"
            self._helper(f"{section} {helper}", helper, options)
            if own is not None and self.config.creds_store:
                self._outranked(f"credsStore {self.config.creds_store}", Reason.HELPER_INSTEAD)
        elif not self.config.names_logins and self._system_store():
            self._helper("the system's store, as the config names no login", self._system_store(), options)
        else:
            self._plain(options)
        self._near({key for key, *_ in options})

    def _options(self) -> list[_Option]:
        """Return everything that may come out of the plain entries; more than one is chance."""
        keys, reason = [self.key], Reason.EXACT_KEY
        if self.key not in self.config.entries:
            reason = Reason.HOST_OF_KEY
            keys = [key for key in self.config.entries if self._host_of(key) == self.key]
        if len(keys) > 1:
            reason = Reason.ONE_BY_CHANCE
        return [option for key in keys for option in self._decoded(key, reason)]

    def _decoded(self, key: str, reason: Reason) -> list[_Option]:
        entry, seen = self.config.entries[key], f"auths › {key}"
        bare = replace(entry)
        if self.decoding.fault:
            return [(key, bare, Reason.NOT_DECODED if entry.auth else reason, seen)]
        if key in self.decoding.broken:
            return [(key, bare, reason if bare.kind is not SecretKind.NONE else Reason.BROKEN_ENTRY, seen)]
        whole = (key, with_auth(entry), reason, seen)
        if entry.auth and self.decoding.broken:
            return [
                (key, whole[1], Reason.DECODED_BY_CHANCE, seen),
                (key, bare, Reason.DECODED_BY_CHANCE, seen),
            ]
        return [whole]

    def _plain(self, options: list[_Option]) -> None:
        if not options:
            self.trail.add(self.shown, Reason.NO_ENTRY, f"no key for {self.key}")
            return
        different = {(entry.kind, entry.username, entry.secret) for _, entry, _, _ in options}
        if self.trail.decided:
            for key, entry, _, seen in options[:1]:
                self.trail.entry(self.shown, key, entry, Reason.OUTRANKED, seen)
        elif len(different) > 1:
            for key, entry, reason, seen in options:
                self.trail.entry(self.shown, key, entry, reason, seen, accepted=True)
            self.trail.decide(Verdict.CHANCE)
            self._find_chance(options)
        else:
            key, entry, reason, seen = options[0]
            if entry.kind is SecretKind.NONE and reason in {Reason.NOT_DECODED, Reason.BROKEN_ENTRY}:
                self.trail.entry(self.shown, key, entry, reason, seen)
                self.trail.decide(Verdict.ANONYMOUS)
            else:
                self.trail.take(self.shown, key, entry, reason, seen)

    def _find_chance(self, options: list[_Option]) -> None:
        keys = list(dict.fromkeys(key for key, *_ in options))
        if len(keys) > 1:
            self.trail.find(
                "one-by-chance",
                f"{self.shown}: {' and '.join(keys)} all stand for {self.key}; docker takes any of them",
                f"Keep one, under the key {self.key}.",
            )

    def _helper(self, source: str, helper: str, options: list[_Option]) -> None:
        if self.trail.decided:
            self._outranked(source, Reason.OUTRANKED)
            return
        login = go_login(self.situation, helper, self.key)
        stops = self.version >= STOPS_ON_HELPERS
        failed = login.state is HelperState.FAILED
        open_or_stopped = login.state is HelperState.NOT_ASKED or (failed and stops)
        tokens = [option for option in options if option[1].registry_token]
        if tokens and not (open_or_stopped and (stops or len(tokens) < len(options))):
            self._token(source, login, options, tokens)
            return
        self.trail.helper(source, self.key, login)
        if login.state is HelperState.NOT_ASKED:
            self.trail.decide(Verdict.UNDECIDED)
        elif open_or_stopped:
            self.trail.decide(Verdict.FAILS)
        elif failed:
            self._plain([(key, entry, Reason.PLAIN_AFTER_FAILURE, seen) for key, entry, _, seen in options])
        self.trail.decide(Verdict.ANONYMOUS)
        for key, entry, _, seen in options[:1]:
            if entry.kind is not SecretKind.NONE and not failed:
                self.trail.entry(self.shown, key, entry, Reason.HELPER_INSTEAD, seen)

    def _token(self, source: str, login: HelperLogin, options: list[_Option], tokens: list[_Option]) -> None:
        """A registry token in the plain entry goes along with a helper's login, and the engine prefers it."""
        if len(tokens) == len(options) and len({entry.registry_token for _, entry, _, _ in tokens}) == 1:
            key, entry, _, seen = tokens[0]
            self.trail.take(self.shown, key, entry, Reason.TOKEN_STAYS, seen)
            self._outranked(source, Reason.OUTRANKED)
        elif login.state is HelperState.FAILED:
            self.trail.helper(source, self.key, login)
            self._plain([(key, entry, Reason.ONE_BY_CHANCE, seen) for key, entry, _, seen in options])
        else:
            for key, entry, _, seen in tokens:
                self.trail.entry(self.shown, key, entry, Reason.ONE_BY_CHANCE, seen, accepted=True)
            self.trail.helper(source, self.key, login, by_chance=len(tokens) < len(options))
            self.trail.decide(Verdict.CHANCE)
            self._find_chance(options)

    def _host_of(self, key: str) -> str:
        return docker_host(key, lenient=self.version >= LENIENT_URLS)

    def _outranked(self, source: str, reason: Reason) -> None:
        self.trail.add(source, reason, key=self.key, kind=SecretKind.HELPER)

    def _near(self, read: set[str]) -> None:
        for key, entry in self.config.entries.items():
            if key in read:
                continue
            reduces = self._host_of(key) == self.key
            if reduces or looks_like(key, self.key):
                reason = Reason.OUTRANKED if reduces else Reason.OTHER_KEY
                shown = entry if _is_broken(entry) else with_auth(entry)
                self.trail.entry(self.shown, key, shown, reason, f"docker looks up {self.key}")

    def _system_store(self) -> str:
        store = "pass" if self.situation.installed("pass") else "secretservice"
        return store if self.situation.installed(f"docker-credential-{store}") else ""
