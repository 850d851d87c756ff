"""A login, and where whoever sends one reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from dockpass.secrets import Secret


@dataclass(frozen=True, slots=True)
class Credential:
    """A user name with a password, or an identity token (docker's OAuth refresh token).

    With an identity token the password is not used, as in docker's `config.json`.
    """

    username: str
    password: Secret
    identity_token: Secret | None = None


class Logins(Protocol):
    """Where engines and registry clients read the logins that they send, each time they need one.

    Both methods raise `DockpassError` where the logins cannot be read: nothing is sent then.
    """

    def login_for(self, host: str) -> Credential | None:
        """Return the login for a registry's `host[:port]`; None means anonymous."""

    def logins(self) -> Mapping[str, Credential]:
        """Return every login, by docker's key of its registry."""
