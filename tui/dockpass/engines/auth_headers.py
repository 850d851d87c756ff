"""The headers in which the engine's API takes logins: for one registry, or for a whole build."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from docker.auth import encode_header

from dockpass.references.credential import Credential


def auth_fields(credential: Credential) -> dict[str, str]:
    """Return the fields of one login as the API names them."""
    if credential.identity_token:
        return {"identitytoken": credential.identity_token.reveal()}
    return {"username": credential.username, "password": credential.password.reveal()}


def auth_header(credential: Credential | None) -> dict[str, Any]:
    """Return the header of one request; an empty object asks the engine to pull anonymously."""
    return {"X-Registry-Auth": encode_header(auth_fields(credential) if credential else {})}


def registry_config(credentials: Mapping[str, Credential]) -> dict[str, str]:
    """Return the header of a build, with the logins by docker's key of their registry."""
    auths = {key: auth_fields(credential) for key, credential in credentials.items()}
    raw = json.dumps(auths).encode("ascii")
    return {"X-Registry-Config": base64.urlsafe_b64encode(raw).decode("ascii")}
