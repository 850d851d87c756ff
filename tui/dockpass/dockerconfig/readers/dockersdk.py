"""The docker SDK for Python: helper, then entry; with files and rules of its own."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dockpass.dockerconfig.keys import shown_key
from dockpass.dockerconfig.readers.dockercli import VARIABLE, find_misspelled
from dockpass.dockerconfig.readers.files import FileKind, FileRead
from dockpass.dockerconfig.readers.goconfig import GoEntry
from dockpass.dockerconfig.readers.hosts import sdk_host
from dockpass.dockerconfig.readers.model import Reader, Reading, Verdict
from dockpass.dockerconfig.readers.reasons import Reason
from dockpass.dockerconfig.readers.situation import (
    HUB,
    HUB_KEY,
    HelperState,
    Situation,
    Target,
    sdk_login,
)
from dockpass.dockerconfig.readers.trail import Trail
from dockpass.secrets import Secret

_SECTIONS = ("auths", "credsStore", "credHelpers")


class _Stops(Exception):
    """The SDK ends with an exception; the message says why, and repeats no value."""


@dataclass(frozen=True, slots=True)
class _Login:
    """An entry as the SDK keeps it; `marker` is one that holds nothing, and is found all the same."""

    user: str = ""
    secret: Secret | None = None
    is_token: bool = False
    fields_ignored: bool = False

    @property
    def entry(self) -> GoEntry:
        """The same as an entry that can be told."""
        secret = self.secret or Secret("")
        return (
            GoEntry(identity_token=secret) if self.is_token else GoEntry(username=self.user, password=secret)
        )


@dataclass(frozen=True, slots=True)
class _Config:
    logins: Mapping[str, _Login]
    creds_store: object = None
    cred_helpers: object = None


_EMPTY = _Config({})


def read_sdk(target: Target, situation: Situation) -> Reading:
    """Return what the docker SDK makes of it. What its constructor raises stops every use of it."""
    host = sdk_host(target.host)
    trail = Trail(Reader.SDK, host)
    if target.path and not _names_a_host(target.host):
        trail.find(
            "sdk-no-host",
            f"the docker SDK takes {target.host} for a part of an image's name on Docker Hub",
            "Write the registry in lower case, with a dot or a port.",
        )
        trail.registry = host = HUB
    if situation.set(VARIABLE):
        trail.add(VARIABLE, Reason.VARIABLE_NOT_READ)
    file = _find_file(trail, situation)
    if file is None:
        return trail.done()
    try:
        config = _load(trail, file, situation)
        _resolve(trail, situation, file.shown, config, host)
        _tell_what_a_build_sends(trail, situation, config)
    except _Stops as error:
        trail.add(file.shown, Reason.BROKEN_FILE, str(error))
        trail.find("sdk-stops", f"{file.shown}: {error}; the docker SDK stops there", "Correct it there.")
        trail.decide(Verdict.FAILS)
    return trail.done()


def _names_a_host(first: str) -> bool:
    return "." in first or ":" in first or first == "localhost"


def _find_file(trail: Trail, situation: Situation) -> FileRead | None:
    """Return the first file that is there: a missing `DOCKER_CONFIG` does not keep the home out."""
    home = Path("/") if situation.environ.get("HOME") == "" else situation.home
    directory = situation.set("DOCKER_CONFIG")
    paths = [home / ".docker" / "config.json", home / ".dockercfg"]
    if directory:
        paths.insert(0, Path(directory) / "config.json")
    found: FileRead | None = None
    for path in dict.fromkeys(paths):
        file = situation.files.read(path)
        if found is not None:
            if file.exists:
                trail.add(
                    file.shown, Reason.OUTRANKED, f"{found.shown} exists too, but only one file is read"
                )
        elif not file.exists:
            trail.no_file(file)
        else:
            found = file
            if directory and path != paths[0]:
                trail.find(
                    "sdk-reads-home",
                    f"DOCKER_CONFIG has no config.json, so the docker SDK reads {file.shown}",
                    "Write a config.json there, with an entry for some .invalid host.",
                )
    return found


def _load(trail: Trail, file: FileRead, situation: Situation) -> _Config:
    if file.kind is not FileKind.FILE:
        trail.no_file(file)
        return _EMPTY
    try:
        found = json.loads(file.raw.decode("utf-8"))
    except RecursionError:
        raise _Stops("it is nested too deeply") from None
    except ValueError:
        return _legacy(trail, file)
    if not isinstance(found, dict):
        raise _Stops("it is not a JSON object")
    find_misspelled(trail, file.shown, found)
    config = _sections(trail, file, found)
    trail.look_at(file, situation.uid, holds_logins=any(login.secret for login in config.logins.values()))
    return config


def _sections(trail: Trail, file: FileRead, found: Mapping[str, object]) -> _Config:
    if any(found.get(name) for name in _SECTIONS):
        auths = found.get("auths")
        logins = _logins(auths, strict=True) if auths else {}
        return _Config(logins, found.get("credsStore") or None, found.get("credHelpers") or None)
    logins = _logins(found, strict=False)
    if logins:
        trail.find(
            "sdk-sections-as-registries",
            f"{file.shown} has none of auths, credsStore and credHelpers, so the docker SDK takes"
            f" {', '.join(logins)} for registries",
            "Put an entry for some .invalid host into auths.",
        )
    return _Config(logins)


def _legacy(trail: Trail, file: FileRead) -> _Config:
    """Read the oldest form, two lines `auth = …` and `email = …`; anything else is an empty config."""
    trail.add(file.shown, Reason.BROKEN_FILE, "it is not JSON")
    trail.find(
        "file-broken",
        f"{file.shown} is not JSON; the docker SDK ignores that without a warning",
        "Correct it there.",
    )
    try:
        lines = file.raw.decode("utf-8").splitlines()
        values = [line.strip().split(" = ")[1] for line in lines]
        return _Config({HUB: _decoded(values[0])}) if len(values) > 1 else _EMPTY
    except (ValueError, IndexError, _Stops):
        return _EMPTY


def _logins(entries: object, *, strict: bool) -> dict[str, _Login]:
    if not isinstance(entries, dict):
        raise _Stops("auths is not an object")
    logins: dict[str, _Login] = {}
    for key, entry in entries.items():
        if not isinstance(entry, dict):
            if strict:
                raise _Stops(f"the entry {shown_key(key)} is not an object")
            return {}
        if "identitytoken" in entry:
            token = entry["identitytoken"]
            logins[key] = _Login("", Secret(token if isinstance(token, str) else ""), True)
        elif "auth" in entry:
            try:
                logins[key] = _decoded(entry["auth"])
            except _Stops as error:
                raise _Stops(f"the entry {shown_key(key)}: {error}") from None
        else:
            ignored = any(entry.get(name) for name in ("username", "password", "registrytoken"))
            logins[key] = _Login(fields_ignored=ignored)
    return logins


def _decoded(auth: object) -> _Login:
    """Decode an `auth` as the SDK does: what is no base64 in it is left out, and nothing is trimmed."""
    if not isinstance(auth, str) or not auth.isascii():
        raise _Stops("its auth is not ASCII text")
    try:
        user, colon, password = base64.b64decode(auth).partition(b":")
        if not colon:
            raise _Stops("its auth holds no colon")
        return _Login(user.decode("utf-8"), Secret(password.decode("utf-8")))
    except ValueError:
        raise _Stops("its auth is not base64 of text") from None


def _resolve(trail: Trail, situation: Situation, shown: str, config: _Config, host: str) -> None:
    if config.creds_store or config.cred_helpers:
        if config.cred_helpers is not None and not isinstance(config.cred_helpers, dict):
            raise _Stops("credHelpers is not an object")
        asked = HUB_KEY if host == HUB else host
        own = (config.cred_helpers or {}).get(asked)
        helper = own or config.creds_store
        if helper:
            _ask(trail, situation, "credHelpers" if own else "credsStore", helper, asked)
    _entries(trail, shown, config, host)


def _ask(trail: Trail, situation: Situation, section: str, helper: object, key: str) -> None:
    if not isinstance(helper, str):
        raise _Stops(f"{section} is not text")
    login = sdk_login(situation, helper, key)
    trail.helper(f"{section} {helper}", key, login)
    if login.state is HelperState.NOT_ASKED:
        trail.decide(Verdict.UNDECIDED)
    elif login.state is HelperState.FAILED:
        trail.decide(Verdict.FAILS)
    elif login.state is HelperState.FOUND:
        trail.decide(Verdict.LOGIN if login.user or login.secret else Verdict.ANONYMOUS)


def _entries(trail: Trail, shown: str, config: _Config, host: str) -> None:
    keys = [host] if host in config.logins else []
    keys += [key for key in config.logins if key != host and sdk_host(key) == host]
    if not keys and not trail.decided:
        trail.add(shown, Reason.NO_ENTRY, f"no key for {host}")
    for key in keys:
        login = config.logins[key]
        seen = f"auths › {key}"
        if login.fields_ignored and not trail.decided:
            trail.add(shown, Reason.FIELDS_NOT_READ, f"{seen}: it has no auth and no identitytoken", key=key)
            trail.decide(Verdict.ANONYMOUS)
            continue
        reason = Reason.EXACT_KEY if key == host else Reason.HOST_OF_KEY
        trail.take(shown, key, login.entry, reason, seen)


def _tell_what_a_build_sends(trail: Trail, situation: Situation, config: _Config) -> None:
    """A build by the SDK asks every helper and sends every login, whatever it pulls."""
    helpers = config.cred_helpers if isinstance(config.cred_helpers, dict) else {}
    named = [*helpers.values(), *([config.creds_store] if config.creds_store else [])]
    missing = [
        str(name) for name in dict.fromkeys(named) if not situation.installed(f"docker-credential-{name}")
    ]
    if missing:
        trail.find(
            "sdk-build-stops",
            f"a build by the docker SDK asks all helpers, and docker-credential-{missing[0]} is not found",
            "Install it, or take it out of the config.",
        )
    logins = [key for key, login in config.logins.items() if login.secret]
    if len(logins) > 1:
        trail.find(
            "sdk-build-sends-all",
            f"a build by the docker SDK sends all {len(logins)} logins of the config to the engine",
            "Build with a config that holds only what the build needs.",
        )
