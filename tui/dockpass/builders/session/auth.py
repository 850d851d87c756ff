"""The logins that BuildKit asks a session for: a token where the registry takes tokens, else the password.

The messages are those of session/auth/auth.proto of moby/buildkit. Where a registry takes tokens, BuildKit
asks who vouches for them (`GetTokenAuthority`) and then for each token (`FetchToken`); without an authority,
and for Basic authentication, it asks for user name and password (`Credentials`). With a password that is
refused it would ask many times over, and an account may be locked for that: what was refused once is not
sent again.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING

from dockpass.builders.base import Contact
from dockpass.builders.session.channel import Call, CallFailed, Method, Status
from dockpass.builders.session.wire import all_bytes, decode, encode, text
from dockpass.dockerconfig.runconfig import RunConfig
from dockpass.errors import DockpassError, LoginRefused, UsageError
from dockpass.references.address import host_of_reference, login_key, normalise_host
from dockpass.references.credential import Credential
from dockpass.references.reference import parse_reference
from dockpass.text import clean

if TYPE_CHECKING:
    from dockpass.registry.client import RegistryClient

SERVICE = "/moby.filesync.v1.Auth/"
MOST_TIMES = 32
"""How often a password is given for one host; what asks for it more often goes round in circles."""
MOST_SCOPES = 32
_ANY = "*"  # in place of a scope


class SessionAuth:
    """Answers for one build with the logins in the run's config.

    `accepted` are docker's keys of the registries that have accepted this run's login already. `given_logins`
    are the hosts that got a token or a password. `tell` gets a line for each token and each login that the
    engine is given. `exported` are the images to which the engine exports a cache: only for those it gets a
    token for push.
    """

    def __init__(
        self,
        config: RunConfig,
        contact: Contact,
        accepted: frozenset[str],
        tell: Callable[[str], None],
        exported: Iterable[str] = (),
    ) -> None:
        self._exported = frozenset(filter(None, map(_place_of, exported)))
        self._tell = tell
        self._config = config
        self._contact = contact
        self._accepted = set(accepted)
        self._clients: dict[str, RegistryClient] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._times: dict[str, int] = {}
        self._opened = AsyncExitStack()
        # Nobody has the key to this one: a token of this build is never used for another one.
        self._authority = secrets.token_bytes(32)
        self.given_logins: set[str] = set()
        self._problems: dict[tuple[str, str], DockpassError] = {}

    def methods(self) -> dict[str, Method]:
        """Return the methods by their paths."""
        return {
            f"{SERVICE}Credentials": self._credentials,
            f"{SERVICE}GetTokenAuthority": self._token_authority,
            f"{SERVICE}VerifyTokenAuthority": self._verify,
            f"{SERVICE}FetchToken": self._fetch_token,
        }

    def problem_of(self, reference: str) -> DockpassError | None:
        """Return why an image (`host/path:tag`) got neither token nor login; None where nothing failed."""
        host = normalise_host(host_of_reference(reference))
        path = parse_reference(reference).repository.path
        found = (self._problems.get((host, scope)) for scope in (_ANY, f"repository:{path}:pull"))
        return next(filter(None, found), None)

    async def close(self) -> None:
        """Close the connections to registries."""
        await self._opened.aclose()

    async def _token_authority(self, call: Call) -> None:
        """Vouch for the tokens of a host, unless there is no login: then BuildKit itself asks anonymously."""
        host = normalise_host(text(decode(await call.receive() or b""), 1))
        if self._login(host) is None:
            raise _no_login(host)
        await call.send(encode((1, self._authority)))

    async def _verify(self, _call: Call) -> None:
        """Never prove to be the authority of another build, so that its tokens are not used for this one."""
        raise CallFailed(Status.UNIMPLEMENTED, "tokens are not shared between builds")

    async def _fetch_token(self, call: Call) -> None:
        """Ask the token server that the registry names to dockpass itself, for what the build needs."""
        fields = decode(await call.receive() or b"")
        host = normalise_host(text(fields, 2))
        if self._login(host) is None:
            raise _no_login(host)
        asked = [each.decode("utf-8", "replace") for each in all_bytes(fields, 5)]
        scopes = needed_scopes(asked, frozenset(path for place, path in self._exported if place == host))
        async with self._locks.setdefault(host, asyncio.Lock()):
            with self._noting(host):
                client = await self._client(host)
                client.check_realm(text(fields, 3), text(fields, 4))
            with self._noting(host, scopes):
                granted = await client.token(scopes)
        if granted is None:
            raise CallFailed(Status.FAILED_PRECONDITION, f"{clean(host, 200)} takes no tokens")
        token, seconds = granted
        if self._config.redactor is not None:
            self._config.redactor.learn(token)
        self.given_logins.add(host)
        what = f" ({clean(scopes, 400)})" if scopes else ""
        self._tell(f"gave the engine a token for {clean(host, 200)}{what}")
        await call.send(encode((1, token.reveal()), (2, max(int(seconds), 1)), (3, int(time.time()))))

    async def _credentials(self, call: Call) -> None:
        """Give user name and password to BuildKit for a registry without tokens, once that accepts them."""
        host = normalise_host(text(decode(await call.receive() or b""), 1))
        login = self._login(host)
        if login is None:
            return await call.send(b"")
        async with self._locks.setdefault(host, asyncio.Lock()):
            with self._noting(host):
                client = await self._client(host)
                if not client.uses_tokens and login_key(host) not in self._accepted:
                    await client.login()
                    self._accepted.add(login_key(host))
        if client.uses_tokens:
            # Not an empty answer: BuildKit would take this build for another one that has no login.
            raise CallFailed(Status.FAILED_PRECONDITION, f"{clean(host, 200)} takes tokens")
        self._times[host] = self._times.get(host, 0) + 1
        if self._times[host] > MOST_TIMES:
            raise CallFailed(Status.RESOURCE_EXHAUSTED, f"{clean(host, 200)} was given the login too often")
        if host not in self.given_logins:
            self._tell(f"gave the engine the login for {clean(host, 200)}, which takes no tokens")
        self.given_logins.add(host)
        return await call.send(_spelled(login))

    def _login(self, host: str) -> Credential | None:
        with self._noting(host):
            return self._config.login_for(host)

    async def _client(self, host: str) -> RegistryClient:
        if host not in self._clients:
            self._clients[host] = await self._opened.enter_async_context(self._contact(host))
        return self._clients[host]

    @contextmanager
    def _noting(self, host: str, scope: str = "") -> Iterator[None]:
        """Do what needs a registry, unless that has failed before: what it refused is not sent to it again.

        A refused login is one for the whole host, another error of a token is one for its scope.
        """
        for known in ((host, _ANY), (host, scope)):
            if known in self._problems:
                raise _refusal(self._problems[known])
        try:
            yield
        except DockpassError as error:
            self._problems[host, _ANY if isinstance(error, LoginRefused) else scope or _ANY] = error
            raise _refusal(error) from error


def needed_scopes(asked: Iterable[str], exported: Set[str] = frozenset()) -> str:
    """Return the scopes, apart by blanks, that let a build pull what was asked for, and nothing else.

    `exported` are the paths of the repositories in which it may leave a cache, and so push too.
    """
    scopes = [each for words in asked for each in words.split()]
    found = (_needed_scope(scope, exported) for scope in scopes[:MOST_SCOPES])
    return " ".join(dict.fromkeys(filter(None, found)))


def _needed_scope(scope: str, exported: Set[str]) -> str:
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    asked = set(actions.split(","))
    if kind != "repository" or not name or not asked & {"pull", "*"}:
        return ""
    pushes = name in exported and asked & {"push", "*"}
    return f"repository:{name}:pull,push" if pushes else f"repository:{name}:pull"


def _place_of(image: str) -> tuple[str, str] | None:
    """Return the host and the path of an image; None for what is no image."""
    try:
        repository = parse_reference(image).repository
    except UsageError:
        return None
    return normalise_host(host_of_reference(image)), repository.path


def _no_login(host: str) -> CallFailed:
    return CallFailed(Status.UNAVAILABLE, f"there is no login for {clean(host, 200)}")


def _refusal(error: DockpassError) -> CallFailed:
    return CallFailed(Status.FAILED_PRECONDITION, clean(error.message, 400))


def _spelled(login: Credential) -> bytes:
    """Return a login as BuildKit takes it: an identity token is a secret without a user name."""
    if login.identity_token:
        return encode((2, login.identity_token.reveal()))
    return encode((1, login.username), (2, login.password.reveal()))
