"""Tokens as GitLab makes them: JSON Web Tokens for five minutes, with no more actions than are granted.

GitLab signs with a private key, because its registry is another program. Here one process issues and checks
the tokens, so a shared secret (HS256) does the same.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dockpass.sandbox.access import ALL, DELETE, PULL, PUSH, REGISTRY, REPOSITORY, Caller, Scope
from dockpass.sandbox.accounts import Account, AccountKind
from dockpass.sandbox.flavours import Profile

ISSUER = "dockpass-sandbox"
ALGORITHM = "HS256"
LIFETIME_SECONDS = 300
LEEWAY_SECONDS = 60
"""How far clocks may be apart, as in Distribution."""


class InvalidToken(Exception):
    """A token that this registry does not take: another key's, expired, or no token at all."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Makes tokens and checks them."""

    profile: Profile
    signer: Signer
    opaque: dict[str, tuple[float, Caller]]
    clock: Callable[[], float]
    protected_tags: Sequence[str] = ()

    def make(self, account: Account | None, grants: Sequence[Scope], *, expired: bool) -> Mapping[str, Any]:
        """Return the token server's answer for these grants."""
        now = int(self.clock()) - (2 * LIFETIME_SECONDS if expired else 0)
        if self.profile.opaque_tokens:
            token = self._opaque(account, grants, now + LIFETIME_SECONDS)
        else:
            token = self.signer.sign(self._claims(account, grants, now))
        if not self.profile.tells_expiry:
            return {"token": token}
        issued = datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z")
        return {
            "token": token,
            "access_token": token,
            "expires_in": LIFETIME_SECONDS,
            "issued_at": issued,
        }

    def read(self, token: str) -> Caller:
        """Return who a token was made for; raises `InvalidToken`."""
        if self.profile.opaque_tokens:
            expires, caller = self.opaque.get(token, (0.0, Caller()))
            self._require_time(expires)
            return caller
        claims = self.signer.verify(token)
        if (claims.get("iss"), claims.get("aud")) != (ISSUER, self.profile.service):
            raise InvalidToken("it is another service's")
        self._require_time(claims.get("exp"))
        not_before = claims.get("nbf")
        if not isinstance(not_before, int) or not_before - LEEWAY_SECONDS > self.clock():
            raise InvalidToken("it is not valid yet")
        return _caller(claims)

    def caller(self, account: Account | None, grants: Sequence[Scope] | None) -> Caller:
        """Return the caller that a token with these grants would tell of."""
        patterns = tuple(self.protected_tags)
        denied = {PUSH: patterns, DELETE: patterns} if patterns else {}
        subject = account.subject if account else ""
        return Caller(subject, None if grants is None else tuple(grants), denied)

    def _require_time(self, expires: object) -> None:
        if not isinstance(expires, int | float) or expires + LEEWAY_SECONDS <= self.clock():
            raise InvalidToken("it has expired")

    def _opaque(self, account: Account | None, grants: Sequence[Scope], expires: float) -> str:
        now = self.clock()
        for old in [token for token, (until, _) in self.opaque.items() if until + LEEWAY_SECONDS <= now]:
            del self.opaque[old]
        token = secrets.token_urlsafe(32)
        self.opaque[token] = (expires, self.caller(account, grants))
        return token

    def _claims(self, account: Account | None, grants: Sequence[Scope], now: int) -> Mapping[str, object]:
        claims: dict[str, object] = {
            "iss": ISSUER,
            "sub": account.subject if account else "",
            "aud": self.profile.service,
            "exp": now + LIFETIME_SECONDS,
            "nbf": now - 5,
            "iat": now,
            "jti": str(uuid.uuid4()),
            "access": [self._entry(grant) for grant in grants],
        }
        if account:
            claims["auth_type"] = account.kind.value
        return claims

    def _entry(self, grant: Scope) -> Mapping[str, object]:
        entry: dict[str, object] = {"type": grant.type, "name": grant.name, "actions": list(grant.actions)}
        if grant.type == REPOSITORY:
            entry["meta"] = self._meta(grant.name)
        return entry

    def _meta(self, repository: str) -> Mapping[str, object]:
        """Tell of the project, the first two parts of a name, as GitLab does."""
        project = "/".join(repository.split("/")[:2])
        meta: dict[str, object] = {
            "project_path": project,
            "project_id": number_of(project),
            "root_namespace_id": number_of(project.partition("/")[0]),
        }
        if self.protected_tags:
            patterns = list(self.protected_tags)
            meta["tag_deny_access_patterns"] = {PUSH: patterns, DELETE: patterns}
        return meta


def new_tokens(profile: Profile, clock: Callable[[], float], protected_tags: Sequence[str]) -> Tokens:
    """Return a maker of tokens with a key of its own."""
    return Tokens(profile, Signer(), {}, clock, protected_tags)


class Signer:
    """Signs tokens with a random key that never leaves this process."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def sign(self, claims: Mapping[str, object]) -> str:
        """Return the claims as a JSON Web Token."""
        signed = f"{_encoded({'typ': 'JWT', 'alg': ALGORITHM})}.{_encoded(claims)}"
        signature = base64.urlsafe_b64encode(self._signature(signed)).decode().rstrip("=")
        return f"{signed}.{signature}"

    def verify(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token that this key has signed; raises `InvalidToken`."""
        signed, _, signature = token.rpartition(".")
        header, _, claims = signed.partition(".")
        try:
            # The header does not choose how the token is checked: `none` and other algorithms are refused.
            if json.loads(_decoded(header)).get("alg") != ALGORITHM:
                raise InvalidToken(f"it is not signed with {ALGORITHM}")
            if not hmac.compare_digest(_decoded(signature), self._signature(signed)):
                raise InvalidToken("it was not signed here")
            found = json.loads(_decoded(claims))
        except (ValueError, AttributeError, RecursionError) as error:
            raise InvalidToken("it was not signed here") from error
        if not isinstance(found, dict):
            raise InvalidToken("it holds no claims")
        return found

    def _signature(self, signed: str) -> bytes:
        return hmac.digest(self._key, signed.encode(), "sha256")


def grants_of(
    account: Account | None, asked: Sequence[Scope], profile: Profile, *, job_token_may_delete: bool
) -> tuple[Scope, ...]:
    """Return what is granted of what was asked for, in the same order, without a word on the rest."""
    found = [_cut(account, scope, profile, job_token_may_delete) for scope in asked]
    return tuple(scope for scope in found if scope.actions or profile.names_nothing_granted)


def _cut(account: Account | None, asked: Scope, profile: Profile, may_delete: bool) -> Scope:
    allowed: set[str] = set()
    if asked.type == REPOSITORY:
        if profile.anonymous_pull:
            allowed.add(PULL)
        if account and account.only_pulls(asked.name):
            allowed.add(PULL)
        if account and account.reaches(asked.name):
            allowed |= account.actions
            if may_delete and account.kind is AccountKind.JOB:
                allowed.add(DELETE)
    elif asked[:2] == (REGISTRY, "catalog") and account and not account.projects:
        allowed |= account.actions & {ALL}
    return asked._replace(actions=tuple(action for action in asked.actions if action in allowed))


def _caller(claims: Mapping[str, Any]) -> Caller:
    grants, denied = [], {}
    for entry in claims["access"]:
        grants.append(Scope(entry["type"], entry["name"], tuple(entry["actions"])))
        patterns = entry.get("meta", {}).get("tag_deny_access_patterns", {})
        denied.update({action: tuple(found) for action, found in patterns.items()})
    return Caller(claims["sub"], tuple(grants), denied)


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def number_of(name: str) -> int:
    """Return a number that stands for a name, the same at every start."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:3], "big") + 1
