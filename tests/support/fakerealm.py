"""A registry and its realm on one loopback port, whose answers a test writes as functions."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fakeregistry import Asked, FakeRegistry, Said, refusal

PATH = "web/backend"
Answer = Callable[[Asked], Said]


def jwt(claims: object, header: object = None) -> str:
    """Return an unsigned token of these claims."""
    parts = ({"alg": "RS256"} if header is None else header, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2ln"])


def entry(*actions: str, name: str = PATH, **more: Any) -> dict[str, Any]:
    """Return one entry of an access list."""
    return {"type": "repository", "name": name, "actions": list(actions), **more}


def basic_of(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass
class FakeRealm(FakeRegistry):
    """`token` answers the realm, `listing` the tags; `realm` is its path, `basic` wants Basic instead."""

    token: Answer = lambda _: Said(200, {"token": "opaque-canary-token"})
    listing: Answer = lambda asked: Said(200, {"name": asked.path[4:-10], "tags": ["main"]})
    ping: Answer | None = None
    realm: str = "/auth"
    service: str = "fake"
    scheme: str = "bearer"
    bodies: list[bytes] = field(default_factory=list)

    @property
    def challenge(self) -> tuple[str, str]:
        if self.scheme == "basic":
            return "WWW-Authenticate", 'Basic realm="fake"'
        return "WWW-Authenticate", f'Bearer realm="{self.url}{self.realm}",service="{self.service}"'

    def _stored(self, asked: Asked) -> Said:
        if asked.path == self.realm:
            self.bodies.append(asked.body)
            return self.token(asked)
        if asked.path == "/v2/":
            if self.ping is not None:
                return self.ping(asked)
            return refusal(401, "UNAUTHORIZED", "authentication required", self.challenge)
        if asked.path.endswith("/tags/list"):
            return self.listing(asked)
        return Said(404, b"404 page not found")


def scopes_of(asked: Asked) -> list[str]:
    """Return the scopes of a token request."""
    from urllib.parse import parse_qs

    return parse_qs(asked.query).get("scope", [])


def grants(*allowed: str, **claims: Any) -> Answer:
    """A realm that lists of what was asked what is allowed."""

    def answer(asked: Asked) -> Said:
        access = []
        for scope in scopes_of(asked):
            _, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append(entry(*(one for one in actions.split(",") if one in allowed), name=name))
        return Said(200, {"token": jwt({"sub": "someone", "access": access, **claims})})

    return answer
