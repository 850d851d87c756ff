"""Docker's `config.json` as data. Nothing in it makes reading fail or hang: what is wrong is said."""

from __future__ import annotations

import base64
import binascii
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from dockpass.auth.credential import Credential
from dockpass.secrets import Secret
from dockpass.text import clean

LARGEST_FILE = 1 << 20


class FileState(StrEnum):
    """What was found where the file should be."""

    READ = "read"
    NO_DIRECTORY = "no-directory"
    NOT_A_DIRECTORY = "not-a-directory"
    NO_FILE = "no-file"
    UNREADABLE = "unreadable"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """`entries` by key as written; an entry without credentials is None (a helper's marker).

    `problem` says what is wrong with the file, `broken_entries` what is wrong with single entries.
    """

    path: Path
    state: FileState
    problem: str = ""
    entries: Mapping[str, Credential | None] = field(default_factory=dict)
    broken_entries: Mapping[str, str] = field(default_factory=dict)
    creds_store: str = ""
    cred_helpers: Mapping[str, str] = field(default_factory=dict)
    current_context: str = ""


def read_config(directory: Path) -> ConfigFile:
    """Read `directory/config.json`; a missing file is an empty config, as for docker."""
    path = directory / "config.json"
    shown = clean(str(directory))
    if not directory.exists():
        return ConfigFile(path, FileState.NO_DIRECTORY, f"{shown} does not exist")
    if not directory.is_dir():
        return ConfigFile(path, FileState.NOT_A_DIRECTORY, f"{shown} is a file; a directory is meant")
    try:
        raw = _read_regular_file(path)
    except FileNotFoundError:
        return ConfigFile(path, FileState.NO_FILE, f"there is no config.json in {shown}")
    except OSError as error:
        why = clean(error.strerror or str(error))
        return ConfigFile(path, FileState.UNREADABLE, f"{clean(str(path))} cannot be read: {why}")
    return _parse(path, raw)


def _read_regular_file(path: Path) -> bytes:
    # Without O_NONBLOCK, opening a FIFO would wait for a writer for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "it is not a regular file")
        if status.st_size > LARGEST_FILE:
            raise OSError(0, "it is larger than 1 MiB")
        return file.read(LARGEST_FILE + 1)


def _parse(path: Path, raw: bytes) -> ConfigFile:
    try:
        found = json.loads(raw.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        return _broken(path, f"is not JSON: {clean(error.msg)} at {where}")
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        return _broken(path, f"is not JSON: {clean(type(error).__name__)}")
    if not isinstance(found, dict):
        return _broken(path, "is not a JSON object")
    sections = {str(key).lower(): value for key, value in found.items()}  # as Go reads JSON
    entries, broken = _entries(sections.get("auths"))
    return ConfigFile(
        path,
        FileState.READ,
        entries=entries,
        broken_entries=broken,
        creds_store=_text(sections.get("credsstore")),
        cred_helpers=_texts(sections.get("credhelpers")),
        current_context=_text(sections.get("currentcontext")),
    )


def _broken(path: Path, why: str) -> ConfigFile:
    return ConfigFile(path, FileState.BROKEN, f"{clean(str(path))} {why}")


def _entries(section: object) -> tuple[dict[str, Credential | None], dict[str, str]]:
    entries: dict[str, Credential | None] = {}
    broken: dict[str, str] = {}
    for key, value in section.items() if isinstance(section, dict) else ():
        try:
            entries[str(key)] = _entry(value)
        except ValueError as error:
            broken[str(key)] = str(error)
    return entries, broken


def _entry(value: object) -> Credential | None:
    """Return the entry's credential; raises `ValueError` with the reason, which holds no secret."""
    if not isinstance(value, dict):
        raise ValueError("the entry is not an object")
    fields = {str(name).lower(): field for name, field in value.items()}
    username, password = _text(fields.get("username")), _text(fields.get("password"))
    if encoded := _text(fields.get("auth")):
        username, password = _decoded(encoded)
    token = _text(fields.get("identitytoken"))
    if token:
        return Credential(username, Secret(password), Secret(token))
    if _text(fields.get("registrytoken")):
        raise ValueError("the entry holds a registry token, which dockpass does not send")
    if username and password:
        return Credential(username, Secret(password))
    return None


def _decoded(encoded: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise ValueError("its auth is not base64 of text") from None
    username, colon, password = text.partition(":")
    if not colon or not username:
        raise ValueError("its auth is not user:password")
    return username, password.strip("\0")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(key): name for key, name in value.items() if isinstance(name, str)}
