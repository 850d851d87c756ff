"""The config as the Go programs decode it: docker's own, GitLab Runner by its code, and podman's family."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dockpass.dockerconfig.readers import gojson
from dockpass.dockerconfig.readers.cliversions import NEWEST, Version, knows
from dockpass.dockerconfig.readers.gojson import Faults
from dockpass.dockerconfig.readers.model import SecretKind
from dockpass.secrets import Secret

_ENTRY = frozenset(
    {"username", "password", "auth", "serveraddress", "identitytoken", "registrytoken", "email"}
)
_TEXTS = frozenset(
    [
        "psformat",
        "imagesformat",
        "networksformat",
        "pluginsformat",
        "volumesformat",
        "statsformat",
        "detachkeys",
        "credsstore",
        "serviceinspectformat",
        "servicesformat",
        "tasksformat",
        "secretformat",
        "configformat",
        "nodesformat",
        "currentcontext",
        "experimental",
    ]
)
_MAPS_OF_TEXTS = frozenset({"httpheaders", "credhelpers", "aliases", "features"})
_LISTS = frozenset({"prunefilters", "clipluginsextradirs"})
_CONFIG = _TEXTS | _MAPS_OF_TEXTS | _LISTS | {"auths", "proxies", "plugins"}
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]")
_PROXY = frozenset({"httpproxy", "httpsproxy", "noproxy", "ftpproxy", "allproxy"})


class BrokenAuth(ValueError):
    """An `auth` that cannot be decoded; the message repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class GoEntry:
    """An entry of `auths`. `auth` is what stands there as long as it was not decoded."""

    auth: Secret = field(default_factory=lambda: Secret(""))
    username: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))
    identity_token: Secret = field(default_factory=lambda: Secret(""))
    registry_token: Secret = field(default_factory=lambda: Secret(""))

    @property
    def kind(self) -> SecretKind:
        """What the engine uses of it: it takes a registry token first, then an identity token."""
        if self.registry_token:
            return SecretKind.REGISTRY_TOKEN
        if self.identity_token:
            return SecretKind.IDENTITY_TOKEN
        return SecretKind.PASSWORD if self.username or self.password else SecretKind.NONE

    @property
    def secret(self) -> Secret:
        """The secret of that kind."""
        return self.registry_token or self.identity_token or self.password


@dataclass(frozen=True, slots=True)
class GoConfig:
    """The sections that bear on a login. `faults` are the names of fields that have a wrong type."""

    entries: Mapping[str, GoEntry]
    creds_store: str = ""
    cred_helpers: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def names_logins(self) -> bool:
        """Whether there is an entry, a store or a helper at all."""
        return bool(self.entries or self.creds_store or self.cred_helpers)


def docker_config(raw: bytes, version: Version = NEWEST) -> GoConfig:
    """Decode `config.json` as a version of docker does, without decoding any `auth`.

    Raises `BrokenJson` or `TooDeep`; what has a wrong type is left out and named.
    """
    faults = Faults()
    entries: dict[str, GoEntry] = {}
    store = ""
    helpers: dict[str, str] = {}
    for name, value in gojson.fields(
        gojson.parse(raw, whole=False), "the config", _known(_CONFIG, version), faults
    ):
        if name == "auths":
            entries = _entries(value, entries, faults, _known(_ENTRY, version))
        elif name == "credsstore":
            store = gojson.text(value, name, store, faults)
        elif name == "credhelpers":
            helpers = gojson.texts(value, name, helpers, faults)
        else:
            _check_type(name, value, faults)
    return GoConfig(entries, store, helpers, tuple(faults.types), tuple(faults.unknown))


def _known(names: frozenset[str], version: Version) -> frozenset[str]:
    return frozenset(name for name in names if knows(name, version))


def _entries(
    value: object, before: Mapping[str, GoEntry], faults: Faults, known: frozenset[str]
) -> dict[str, GoEntry]:
    found = gojson.members(value, "auths", faults)
    if found is None:
        return {}
    entries = dict(before)
    for key, each in found:
        entries[key] = _entry(each, f"auths.{key}", faults, known)
    return entries


def _entry(value: object, where: str, faults: Faults, known: frozenset[str]) -> GoEntry:
    values = dict.fromkeys(known, "")
    for name, each in gojson.fields(value, where, known, faults):
        values[name] = gojson.text(each, f"{where}.{name}", values[name], faults)
    return GoEntry(
        Secret(values["auth"]),
        values["username"],
        Secret(values["password"]),
        Secret(values["identitytoken"]),
        Secret(values["registrytoken"]),
    )


def _check_type(name: str, value: object, faults: Faults) -> None:
    """Remember a wrong type in a section that does not bear on logins: it spoils the logins too."""
    if name in _TEXTS:
        gojson.text(value, name, "", faults)
    elif name in _MAPS_OF_TEXTS:
        gojson.texts(value, name, {}, faults)
    elif name in _LISTS:
        if isinstance(value, list):
            for each in value:
                gojson.text(each, name, "", faults)
        elif value is not None:
            faults.types.append(name)
    else:
        for inner, each in gojson.members(value, name, faults) or ():
            if name == "plugins":
                gojson.texts(each, f"{name}.{inner}", {}, faults)
            else:
                _check_texts(each, f"{name}.{inner}", _PROXY, faults)


def _check_texts(value: object, where: str, known: frozenset[str], faults: Faults) -> None:
    """Remember what is no text among the known fields of an object; its other names are nobody's matter."""
    found = Faults()
    for name, each in gojson.fields(value, where, known, found):
        gojson.text(each, f"{where}.{name}", "", found)
    faults.types += found.types


def with_auth(entry: GoEntry) -> GoEntry:
    """Return the entry with its `auth` decoded into user name and password. Raises `BrokenAuth`.

    An empty user name is a fault.
    """
    if not entry.auth:
        return entry
    username, colon, password = _decoded(entry.auth).partition(":")
    if not colon or not username:
        raise BrokenAuth("its auth is not base64 of user:password")
    return replace(entry, auth=Secret(""), username=username, password=Secret(password.strip("\0")))


def variable_config(raw: bytes) -> dict[str, GoEntry]:
    """Decode `DOCKER_AUTH_CONFIG` as docker since 28.3 does: `auths` with `auth` each, and nothing else.

    Raises `BrokenJson`, `TooDeep` or `BrokenAuth`, whose message says what it is refused for.
    """
    faults = Faults()
    entries: dict[str, GoEntry] = {}
    first, rest = gojson.parse_first(raw)
    for _, value in gojson.fields(first, "it", frozenset({"auths"}), faults):
        found = gojson.members(value, "auths", faults)
        entries = {} if found is None else entries
        for key, each in found or ():
            auth = ""
            for _, text in gojson.fields(each, f"auths.{key}", frozenset({"auth"}), faults):
                auth = gojson.text(text, f"auths.{key}.auth", auth, faults)
            entries[key] = GoEntry(Secret(auth))
    if rest and rest[0] not in "]}":
        raise BrokenAuth("something follows the object")
    if faults.unknown:
        raise BrokenAuth(f"it holds {faults.unknown[0]}, and only auths with auth may be in it")
    if faults.types:
        raise BrokenAuth(f"{faults.types[0]} has a wrong type")
    for key, entry in entries.items():
        if not entry.auth:
            raise BrokenAuth(f"the entry {key} has no auth")
        entries[key] = with_auth(entry)
    return entries


def podman_config(raw: bytes, *, legacy: bool) -> GoConfig:
    """Decode an auth file as podman's family does. Raises `BrokenJson`, `TooDeep` or `BrokenAuth`.

    The whole file has to be one JSON value without a fault of type; a `legacy` file has no sections.
    """
    faults = Faults()
    value = gojson.parse(raw, whole=True)
    if legacy:
        entries = _podman_entries(value, {}, faults)
        helpers: dict[str, str] = {}
    else:
        entries, helpers = {}, {}
        known = frozenset({"auths", "credhelpers"})
        for name, each in gojson.fields(value, "the file", known, faults):
            if name == "auths":
                entries = _podman_entries(each, entries, faults)
            else:
                helpers = gojson.texts(each, name, helpers, faults)
    if faults.types:
        raise BrokenAuth(f"{faults.types[0]} has a wrong type")
    return GoConfig(entries, "", helpers, (), tuple(faults.unknown))


def _podman_entries(value: object, before: Mapping[str, GoEntry], faults: Faults) -> dict[str, GoEntry]:
    found = gojson.members(value, "auths", faults)
    if found is None:
        return {}
    entries = dict(before)
    for key, each in found:
        values = {"auth": "", "identitytoken": ""}
        for name, text in gojson.fields(each, f"auths.{key}", frozenset(values), faults):
            values[name] = gojson.text(text, f"auths.{key}.{name}", values[name], faults)
        entries[key] = GoEntry(Secret(values["auth"]), identity_token=Secret(values["identitytoken"]))
    return entries


def podman_login(entry: GoEntry) -> GoEntry | None:
    """Return the login of an entry; None where its `auth` holds no colon. Raises `BrokenAuth`."""
    username, colon, password = _decoded(entry.auth).partition(":")
    if not colon:
        return None
    found = replace(entry, auth=Secret(""), username=username, password=Secret(password.strip("\0")))
    return found if username or found.password or found.identity_token else None


def _decoded(auth: Secret) -> str:
    """Decode base64 as Go does: strictly, but for line ends, and byte by byte where it is no UTF-8."""
    encoded = auth.reveal().replace("\r", "").replace("\n", "")
    try:
        if _NOT_BASE64.search(encoded) or len(encoded) % 4:
            raise BrokenAuth("its auth is not base64")
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise BrokenAuth("its auth is not base64") from None
    text = raw.decode("utf-8", "surrogateescape")
    return re.sub("[\ud800-\udfff]", "\ufffd", text)
