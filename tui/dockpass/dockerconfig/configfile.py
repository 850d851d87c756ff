"""Docker's `config.json` as data. Nothing in it makes reading fail or hang: what is wrong is said."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

from dockpass.dockerconfig.entry import Entry, read_entry
from dockpass.dockerconfig.keys import shown_key
from dockpass.findings import Finding
from dockpass.text import clean

LARGEST_FILE = 1 << 20

MISSPELLED = {
    "auth": "auths",
    "credstore": "credsStore",
    "credentialsstore": "credsStore",
    "credhelper": "credHelpers",
    "credentialhelpers": "credHelpers",
}


class FileState(StrEnum):
    """What was found where the file should be."""

    READ = "read"
    NO_DIRECTORY = "no-directory"
    NOT_A_DIRECTORY = "not-a-directory"
    NO_FILE = "no-file"
    UNREADABLE = "unreadable"
    BROKEN = "broken"

    @property
    def is_empty_config(self) -> bool:
        """Docker takes a missing file for an empty config, without a word."""
        return self in {FileState.NO_DIRECTORY, FileState.NO_FILE}


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """`entries` by key as written, in the order of the file.

    Unless `state` is `READ`, the first finding says why, and everything else is empty.
    """

    path: Path
    state: FileState
    findings: tuple[Finding, ...] = ()
    entries: Mapping[str, Entry] = field(default_factory=dict)
    creds_store: str = ""
    cred_helpers: Mapping[str, str] = field(default_factory=dict)
    current_context: str = ""
    proxies: Mapping[str, object] = field(default_factory=dict)
    sections: Mapping[str, object] = field(default_factory=dict, repr=False)
    """Every section as it was read, by its name in small letters."""

    @property
    def problem(self) -> str:
        """Why the file was not read; empty where it was."""
        return "" if self.state is FileState.READ else self.findings[0].message


def read_config(directory: Path) -> ConfigFile:
    """Read `directory/config.json`. Never raises, and never waits for a pipe's writer."""
    path = directory / "config.json"
    try:
        if not stat.S_ISDIR(directory.stat().st_mode):
            return _without(
                path, FileState.NOT_A_DIRECTORY, f"{_shown(directory)} is a file, not a directory"
            )
    except FileNotFoundError:
        return _without(path, FileState.NO_DIRECTORY, f"{_shown(directory)} does not exist")
    except NotADirectoryError:
        return _without(path, FileState.NOT_A_DIRECTORY, f"a parent of {_shown(directory)} is a file")
    except (OSError, ValueError) as error:
        return _without(path, FileState.UNREADABLE, f"{_shown(directory)} cannot be read: {_reason(error)}")
    try:
        raw, status = _read_regular_file(path)
    except FileNotFoundError:
        return _without(path, FileState.NO_FILE, f"there is no config.json in {_shown(directory)}")
    except OSError as error:
        return _without(path, FileState.UNREADABLE, f"{_shown(path)} cannot be read: {_reason(error)}")
    return _parse(path, raw, status)


_HINTS = {
    FileState.NO_DIRECTORY: "Without it docker has no logins; `docker login` creates it.",
    FileState.NOT_A_DIRECTORY: "Name the directory that holds config.json, not the file itself.",
    FileState.NO_FILE: "Without it docker has no logins; `docker login` creates it.",
    FileState.UNREADABLE: "Make it a regular file of at most 1 MiB that you may read.",
    FileState.BROKEN: "Correct it there, or move it away and log in again.",
}


def _without(path: Path, state: FileState, message: str) -> ConfigFile:
    return ConfigFile(path, state, (Finding(f"config-{state}", "", message, hint=_HINTS[state]),))


def _read_regular_file(path: Path) -> tuple[bytes, os.stat_result]:
    # Without O_NONBLOCK, opening a FIFO would wait for a writer for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb", buffering=0) as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "it is not a regular file")
        raw = bytearray()
        while chunk := file.read(LARGEST_FILE + 1 - len(raw)):  # it may grow while it is read
            raw += chunk
        if len(raw) > LARGEST_FILE:
            raise OSError(0, "it is larger than 1 MiB")
        return bytes(raw), status


def _parse(path: Path, raw: bytes, status: os.stat_result) -> ConfigFile:
    try:
        found = _first_value(raw.decode("utf-8-sig"))
    except ValueError as error:
        return _without(path, FileState.BROKEN, f"{_shown(path)} is not JSON: {_where_broken(error)}")
    except RecursionError:
        return _without(path, FileState.BROKEN, f"{_shown(path)} is nested too deeply")
    if not isinstance(found, dict):
        return _without(path, FileState.BROKEN, f"{_shown(path)} is not a JSON object")
    sections = {str(name).lower(): value for name, value in found.items()}  # as Go reads JSON
    entries = {str(key): read_entry(value) for key, value in _object(sections.get("auths")).items()}
    return ConfigFile(
        path,
        FileState.READ,
        findings=(
            *_about_sections(path, sections),
            *_about_entries(path, entries),
            *_about_rights(path, entries, status),
        ),
        entries=entries,
        creds_store=_text(sections.get("credsstore")),
        cred_helpers={key: _text(name) for key, name in _object(sections.get("credhelpers")).items()},
        current_context=_text(sections.get("currentcontext")),
        proxies=_object(sections.get("proxies")),
        sections=sections,
    )


def _first_value(text: str) -> Any:
    """Return the first JSON value: docker reads no further, and takes an empty file for an empty config."""
    start = len(text) - len(text.lstrip())
    if start == len(text):
        return {}
    found, _ = json.JSONDecoder(parse_constant=_no_constant).raw_decode(text, start)
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a value")


def _where_broken(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{clean(error.msg)} at line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        line = bytes(error.object).count(b"\n", 0, error.start) + 1
        return f"line {line} holds bytes that are not UTF-8"
    return clean(str(error), 200)


def _about_sections(path: Path, sections: Mapping[str, Any]) -> Iterator[Finding]:
    kinds = {"auths": dict, "credhelpers": dict, "proxies": dict, "credsstore": str, "currentcontext": str}
    for name, kind in kinds.items():
        if sections.get(name) is not None and not isinstance(sections[name], kind):
            wanted = "an object" if kind is dict else "text"
            yield Finding(
                "config-section-type",
                "",
                f"{_shown(path)}: {name} is not {wanted}, so it is not used",
                hint="Docker itself warns about the whole file; correct it there.",
            )
    for written, meant in MISSPELLED.items():
        if written in sections:
            yield Finding(
                "config-key-misspelled",
                "",
                f"{_shown(path)}: nothing reads {written}; {meant} is probably meant",
                hint=f"Write {meant}, or take it out.",
            )


def _about_entries(path: Path, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    for key, entry in entries.items():
        if entry.note:
            yield Finding(
                "config-entry",
                "",
                f"{_shown(path)}: the entry {shown_key(key)}: {entry.note}",
                hint=f"Log in to it again: docker login {shown_key(key)}",
            )


def _about_rights(path: Path, entries: Mapping[str, Entry], status: os.stat_result) -> Iterator[Finding]:
    """Say who else may read or change credentials that lie in the file itself."""
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077 and any(entry.credential for entry in entries.values()):
        yield Finding(
            "config-readable-by-others",
            "",
            f"{_shown(path)} holds credentials, and its mode is {mode:04o}: others may read them",
            hint=f"chmod 600 {_shown(path)}",
        )
    if status.st_uid not in {os.getuid(), 0}:
        yield Finding(
            "config-foreign-owner",
            "",
            f"{_shown(path)} belongs to the user with the id {status.st_uid}, who can change it",
            hint="Use a config of your own if this is not intended.",
        )


def _shown(path: Path) -> str:
    return clean(str(path))


def _reason(error: OSError | ValueError) -> str:
    return clean((error.strerror if isinstance(error, OSError) else None) or str(error))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
