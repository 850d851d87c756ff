"""Who comes in: the token server, and the check of what clients bring to the registry."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from aiohttp import web

from dockpass.references.reference import is_repository_path
from dockpass.sandbox.access import (
    ALL,
    DELETE,
    PULL,
    PUSH,
    REPOSITORY,
    Caller,
    Scope,
    needs,
    parse_scope,
)
from dockpass.sandbox.accounts import Account, Accounts
from dockpass.sandbox.answers import Refused
from dockpass.sandbox.flavours import OverAsking, Profile, PullLimit
from dockpass.sandbox.registry import unsupported
from dockpass.sandbox.routes import Kind, Route
from dockpass.sandbox.tokens import InvalidToken, Tokens, grants_of

USER = web.RequestKey("user", str)
LIMITS = web.RequestKey("limits", dict[str, str])

_DELETABLE = frozenset({Kind.BLOB, Kind.MANIFEST, Kind.TAG})


@dataclass(slots=True)
class Gate:
    """One flavour's way of letting people in. `base` gives the sandbox's own address, once it is bound.

    `job_token_may_delete` may be switched at any time; tokens made before keep what they have.
    """

    profile: Profile
    accounts: Accounts
    tokens: Tokens
    clock: Callable[[], float]
    base: Callable[[], str]
    job_token_may_delete: bool = False
    limit: PullLimit | None = None

    def __post_init__(self) -> None:
        if self.profile.pulls:
            self.limit = PullLimit(self.profile.pulls, self.clock)

    @property
    def realm_path(self) -> str:
        """The token server's path; empty where Basic is used."""
        return self.profile.realm_path

    @property
    def realm(self) -> str:
        """The token server's address."""
        return self.base() + self.realm_path

    # The token server

    def token(self, request: web.Request, expires: Callable[[], bool]) -> web.StreamResponse:
        """Answer a request for a token; `expires` tells whether it is to be made expired."""
        if request.method != "GET":
            return web.Response(status=404, text="404 Not Found\n")
        if request.query.get("service") != self.profile.service:
            return web.Response(status=404)  # GitLab's JwtController says no more than that
        account = self._account(request)
        asked = [scope for text in request.query.getall("scope", ()) for scope in _scopes(text)]
        grants = self._grants(account, asked)
        if account is None:
            self._refuse_anonymous(asked, grants)
        else:
            self._refuse_over_asking(asked, grants)
        return web.json_response(self.tokens.make(account, grants, expired=expires()))

    def _account(self, request: web.Request) -> Account | None:
        """Return who logs in; None where nobody tries to."""
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        username, password = _basic(header)
        request[USER] = username
        found = self._find(username, password)
        if found is None:
            status, code, words = self.profile.refusal
            raise _Plain(status, words) if not code else Refused(status, code, words)
        return found

    def _find(self, username: str, password: str) -> Account | None:
        if not self.profile.basic_user:
            return self.accounts.find(username, password)
        if username != self.profile.basic_user:
            return None
        return next((found for found in self.accounts if found.accepts(found.username, password)), None)

    def _grants(self, account: Account | None, asked: Sequence[Scope]) -> tuple[Scope, ...]:
        return grants_of(account, asked, self.profile, job_token_may_delete=self.job_token_may_delete)

    def _refuse_anonymous(self, asked: Sequence[Scope], grants: Sequence[Scope]) -> None:
        profile = self.profile
        if profile.anonymous_login or any(grant.actions for grant in grants):
            return
        if profile.over_asking is OverAsking.PUSH_FORBIDDEN:
            if not any(PUSH in scope.actions for scope in asked):
                raise Refused(401, "UNAUTHORIZED")
            raise Refused(403, "DENIED")
        raise Refused(403, "DENIED", "access forbidden")

    def _refuse_over_asking(self, asked: Sequence[Scope], grants: Sequence[Scope]) -> None:
        granted = {(grant.type, grant.name, action) for grant in grants for action in grant.actions}
        missing = [
            action
            for scope in asked
            for action in scope.actions
            if (scope.type, scope.name, action) not in granted
        ]
        if missing and self.profile.over_asking is OverAsking.UNAUTHORIZED:
            raise _Plain(401, "access token has insufficient scopes")
        if PUSH in missing and self.profile.over_asking is OverAsking.PUSH_FORBIDDEN:
            raise Refused(403, "DENIED")

    # The registry

    def has(self, route: Route) -> bool:
        """Tell whether this flavour knows such a path at all."""
        return route.kind is not Kind.TAG or self.profile.deletes_by_tag_path

    def admit(self, request: web.Request, route: Route, source: str) -> Caller:
        """Return who asks, once it is sure that they may; raises `Refused`."""
        needed = needs(request.method, route, source)
        caller = self._bearer(request, needed) if self.realm_path else self._by_password(request, needed)
        request[USER] = caller.user
        if not all(map(caller.may, needed)):
            self._refuse_scope(caller, needed)
        if request.method == "DELETE" and route.kind in _DELETABLE and not self.profile.deletes:
            raise unsupported(route.kind, without="DELETE")
        self._count(request, route, caller)
        return caller

    def _bearer(self, request: web.Request, needed: Sequence[Scope]) -> Caller:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise self._challenge(needed)
        try:
            return self.tokens.read(token.strip())
        except InvalidToken as error:
            raise self._challenge(needed, "invalid_token") from error

    def _by_password(self, request: web.Request, needed: Sequence[Scope]) -> Caller:
        username, password = _basic(request.headers.get("Authorization", ""))
        request[USER] = username
        account = self._find(username, password)
        if account is None:
            raise self._challenge(needed)
        if self.profile.everybody_may:
            return self.tokens.caller(account, None)
        every = [scope._replace(actions=(PULL, PUSH, DELETE, ALL)) for scope in needed]
        return self.tokens.caller(account, self._grants(account, every))

    def _refuse_scope(self, caller: Caller, needed: Sequence[Scope]) -> NoReturn:
        if self.realm_path:
            raise self._challenge(needed, "insufficient_scope")
        wanted = ", ".join(map(str, needed))
        raise Refused(403, "DENIED", f"{caller.user} is not authorized to perform {wanted}")

    def _challenge(self, needed: Sequence[Scope], error: str = "") -> Refused:
        if not self.realm_path:
            service = f',service="{self.profile.service}"' if self.profile.basic_user else ""
            header = f'Basic realm="{self.base()}/"{service}'
            status, code, words = self.profile.refusal
            headers = {"WWW-Authenticate": header}
            return _Plain(status, words, headers) if not code else Refused(status, code, words, None, headers)
        header = f'Bearer realm="{self.realm}",service="{self.profile.service}"'
        if needed:
            header += f',scope="{" ".join(map(str, needed))}"'
        if error:
            header += f',error="{error}"'
        detail = [
            {"Type": scope.type, "Class": "", "Name": scope.name, "Action": action}
            for scope in needed
            for action in scope.actions
        ]
        return Refused(401, "UNAUTHORIZED", "", detail or None, {"WWW-Authenticate": header})

    def _count(self, request: web.Request, route: Route, caller: Caller) -> None:
        """Count a manifest that is read; HEAD tells the same and costs nothing."""
        if self.limit is None or route.kind is not Kind.MANIFEST or request.method not in {"GET", "HEAD"}:
            return
        allowed, headers = self.limit.take(caller.user, request.remote or "", counts=request.method == "GET")
        request[LIMITS] = dict(headers)
        if not allowed:
            message = "the limit of pulls is reached; it is higher with a login"
            raise Refused(429, "TOOMANYREQUESTS", message, None, {**headers, "Retry-After": "60"})

    def sign(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add what this flavour says with every answer."""
        if not response.prepared:
            response.headers.update(request.get(LIMITS, {}))


class _Plain(Refused):
    """A refusal that does not follow the specification's form."""

    def __init__(self, status: int, words: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, "UNAUTHORIZED", words, None, headers)

    def as_response(self) -> web.Response:
        return web.json_response({"details": self.message}, status=self.status, headers=self.headers)


def _scopes(text: str) -> list[Scope]:
    """Return the scopes in one parameter; what does not fit the grammar is granted nothing."""
    found = filter(None, map(parse_scope, text.split()))
    return [scope for scope in found if scope.type != REPOSITORY or is_repository_path(scope.name)]


def _basic(header: str) -> tuple[str, str]:
    """Return user name and password of a Basic authorization, both empty for anything else."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        username, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return username, password
