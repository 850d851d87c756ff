"""One entry of `auths` in docker's `config.json`: read and written by docker's rules.

`auth` is base64 of `user:password` and beats the fields `username` and `password`; an
`identitytoken` makes the password unused (docker/cli, cli/config/configfile).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from dockpass.errors import DockpassError
from dockpass.references.credential import Credential
from dockpass.secrets import Secret
from dockpass.text import clean

_NO_REGISTRY_TOKEN = "dockpass does not send the registry token in it"  # noqa: S105 - a sentence
_FIELDS = ("auth", "username", "password", "identitytoken", "registrytoken")


@dataclass(frozen=True, slots=True)
class Entry:
    """`note` says what cannot be used of it; without a credential and a note it is a helper's marker."""

    credential: Credential | None
    note: str = ""


def read_entry(value: object) -> Entry:
    """Return what an entry holds. Never raises; the note repeats no value."""
    if value is None:
        return Entry(None)
    if not isinstance(value, dict):
        return Entry(None, "it is not an object")
    fields = {str(name).lower(): field for name, field in value.items()}  # as Go reads JSON
    try:
        texts = {name: _text(name, fields.get(name)) for name in _FIELDS}
        credential = _credential(texts)
    except ValueError as error:
        return Entry(None, str(error))
    return Entry(credential, _NO_REGISTRY_TOKEN if texts["registrytoken"] else "")


def written_entry(key: str, credential: Credential) -> dict[str, str]:
    """Return the entry of `credential` as it stands in `config.json`.

    Raises `DockpassError` for what docker could not read back as it is.
    """
    token, username = credential.identity_token, credential.username
    if ":" in username or not (username or token):
        raise _not_written(key, f"its user name {'holds a colon' if username else 'is empty'}")
    if token:
        entry = {"username": username} if username else {}
        return {**entry, "identitytoken": _bytes(key, token.reveal(), "strict").decode()}
    # Values of the environment may hold bytes that are no UTF-8; they are written as they were.
    plain = _bytes(key, f"{username}:{credential.password.reveal()}", "surrogateescape")
    return {"auth": base64.b64encode(plain).decode("ascii")}


def _bytes(key: str, text: str, errors: str) -> bytes:
    try:
        return text.encode("utf-8", errors)
    except UnicodeEncodeError:
        raise _not_written(key, "it contains characters that are not text") from None


def _not_written(key: str, why: str) -> DockpassError:
    return DockpassError(
        "credential-not-written",
        f"Docker cannot store the login for {clean(key)}: {why}.",
        "Give the user name and password that the registry knows.",
    )


def _credential(texts: Mapping[str, str]) -> Credential | None:
    username, password = texts["username"], texts["password"]
    if texts["auth"]:
        username, password = _decoded(texts["auth"])
    if token := texts["identitytoken"]:
        return Credential(username, Secret(password), Secret(token))
    return Credential(username, Secret(password)) if username else None


def _decoded(encoded: str) -> tuple[str, str]:
    try:
        # Go's decoder is strict, but skips line ends.
        raw = base64.b64decode(encoded.replace("\r", "").replace("\n", ""), validate=True)
        username, colon, password = raw.decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        raise ValueError("its auth is not base64 of text") from None
    if not colon or not username:
        raise ValueError("its auth is not base64 of user:password")
    return username, password.strip("\0")


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"its {name} is not text")
    return value
