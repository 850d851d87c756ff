"""What is sent to a registry."""

from __future__ import annotations

from dataclasses import dataclass

from dockpass.secrets import Secret


@dataclass(frozen=True, slots=True)
class Credential:
    """A user name with a password, or an identity token (docker's OAuth refresh token).

    With an identity token the password is not used, as in docker's `config.json`.
    """

    username: str
    password: Secret
    identity_token: Secret | None = None
