"""Which token server each registry names, remembered: credentials go to a new one only after a yes.

A registry may well name a realm on another host; that it suddenly names a different one is what an attack
on it, or on the way to it, looks like.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dockpass.errors import NotAllowed
from dockpass.keeping import keep
from dockpass.references.address import is_loopback
from dockpass.registry.strictjson import NotJson, strict_json
from dockpass.registry.transport import origin
from dockpass.system import reason
from dockpass.text import clean

FILE = "realms.json"
LARGEST_FILE = 1 << 20
LONGEST_ADDRESS = 2000

Allow = Callable[[str, str, str], bool]
"""Asks the person: host, the realm as it was, the realm as it is now."""


def deny(host: str, before: str, now: str) -> bool:  # noqa: ARG001 - every answer is asked the same way
    """Allow no change; for where nobody can be asked."""
    return False


@dataclass(frozen=True, slots=True)
class RealmChanged:
    """What a person is asked about."""

    host: str
    before: str
    now: str


class Realms:
    """The memory, a file of mode 0600. `changed` is the last change that was not allowed.

    A file that cannot be read is told in `problem`, and every realm then counts as new; `unwritable` says why
    what is new could not be remembered.
    """

    def __init__(self, path: Path, allow: Allow = deny) -> None:
        self.problem = ""
        self.unwritable = ""
        self.changed: RealmChanged | None = None
        self._path = path
        self._allow = allow

    def check(self, host: str, realm: str) -> str:
        """Return what is new about the realm of a host, or nothing; called before credentials are sent.

        Raises `NotAllowed` with the id `realm-changed` for one that is not the one remembered.
        """
        known = self._read()
        before = known.get(host, "")
        if not before and is_loopback(host) and is_loopback(urlsplit(realm).netloc):
            return ""  # both are this machine, where ports come and go
        if before and origin(before) == origin(realm):
            return ""
        if before and not self._allow(host, before, realm):
            self.changed = RealmChanged(host, before, realm)
            raise NotAllowed(
                "realm-changed",
                f"{clean(host)} used the token server {clean(before, 200)} until now, and names"
                f" {clean(realm, 200)}. No credentials were sent there.",
                "If the administrator confirms it, accept it with `dockpass probe --accept-realm`.",
            )
        self.accept(host, realm)
        if before:
            return f"{clean(host)} now uses the token server {clean(realm, 200)}; you accepted that."
        kept = "this is not remembered" if self.unwritable else "this is remembered from now on"
        return f"{clean(host)} uses the token server {clean(realm, 200)}; {kept}."

    def accept(self, host: str, realm: str) -> None:
        """Remember the realm of a host; the file is replaced as a whole."""
        if len(realm) > LONGEST_ADDRESS:
            return
        found = {**self._read(), host: realm}
        content = json.dumps({"version": 1, "realms": found}, indent=1, sort_keys=True)
        try:
            keep(self._path, content.encode())
        except OSError as error:
            self.unwritable = f"{clean(str(self._path))} cannot be written: {reason(error)}"

    def _read(self) -> dict[str, str]:
        try:
            # Not through a link and not from a pipe: the memory is a plain file or there is none.
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                found = strict_json(file.read(LARGEST_FILE + 1))
        except FileNotFoundError:
            return {}
        except (OSError, NotJson) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not in dockpass's format"
            self.problem = f"{clean(str(self._path))} cannot be read: {why}; every realm counts as new"
            return {}
        realms = found.get("realms") if isinstance(found, dict) else None
        if not isinstance(realms, dict):
            self.problem = f"{clean(str(self._path))} cannot be read; every realm counts as new"
            return {}
        return {str(host): realm for host, realm in realms.items() if _is_address(realm)}


def _is_address(found: object) -> bool:
    try:
        return isinstance(found, str) and len(found) <= LONGEST_ADDRESS and bool(origin(found))
    except ValueError:
        return False
