"""One registry host: how it is reached, what it asks for, and requests sent with just that.

Credentials go to the registry itself (Basic) or to its realm (Bearer), and to nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

from aiohttp import ClientTimeout

from dockpass.errors import DockpassError, LoginRefused
from dockpass.references.credential import Credential
from dockpass.registry.answer import Answer, Where, read_answer
from dockpass.registry.challenge import Challenge, choose, parse_challenges
from dockpass.registry.clock import skew_in_words
from dockpass.registry.contact import (
    accept_challenge,
    challenge_of,
    is_registry,
    reach,
    realm_differs,
)
from dockpass.registry.failures import RegistryError, error_of, login_refused, refuses_login
from dockpass.registry.forms import LARGEST_FIRST_ANSWER, is_page
from dockpass.registry.meanings import NOT_REGISTRY, judge
from dockpass.registry.policy import Guard
from dockpass.registry.retry import Retries, Retry
from dockpass.registry.scopes import beyond
from dockpass.registry.slow_body import Body
from dockpass.registry.token import Realm, Tokens, basic
from dockpass.registry.transport import (
    TIMEOUT,
    TRANSFER_TIMEOUT,
    Response,
    Stream,
    Transport,
    origin,
)
from dockpass.secrets import Secret
from dockpass.text import clean

LARGEST_WORDS = 64 << 10


class Session:
    """What is known of one registry.

    `base` is `scheme://host[:port]`, found by the first request. `server_asked_for` are scopes beyond
    the planned ones that its last challenge named, for display: no token is ever asked for them. `skew`
    says how far its clock is off, or nothing.
    """

    def __init__(
        self,
        host: str,
        credential: Credential | None,
        transport: Transport,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        guard: Guard | None = None,
    ) -> None:
        self.host = host
        self._guard = guard or transport.policy.realm_guard
        self.base = ""
        self.server_asked_for = ""
        self.skew = ""
        self._now = now
        self._credential = credential
        self._transport = transport
        self._tokens = Tokens(transport, host, credential)
        self._challenge: Challenge | None = None
        self._realm: Realm | None = None
        self._connecting = asyncio.Lock()

    @property
    def retries(self) -> Retries:
        """The policy for sending again, shared by all requests of the transport."""
        return self._transport.retries

    @property
    def uses_tokens(self) -> bool:
        """Whether the registry takes tokens of a realm, which are made for one repository and action."""
        return self._realm is not None

    @property
    def login_name(self) -> str:
        """The user name that requests go with; empty where they go without a login."""
        credential = self._credential
        if credential is None or self._challenge is None:
            return ""
        with_token = self._realm is not None and credential.identity_token is not None
        if not (with_token or _is_whole(credential)):
            return ""
        return clean(credential.username, 100) or "<token>"

    async def connect(self) -> None:
        """Make the first contact: find scheme, challenge and token server; no credentials are sent."""
        await self._connect()

    async def login(self) -> str:
        """Check the credentials as `docker login` does, without naming a repository; say how it went.

        Raises `LoginRefused` for credentials that are empty or not accepted.
        """
        await self._connect()
        if self._challenge is None:
            return "the registry asks for no login"
        credential = self._credential
        if credential is None or not (credential.identity_token or _is_whole(credential)):
            raise LoginRefused(
                "login-empty",
                f"{clean(self.host)} asks for a login, and the user name or the password is empty.",
                "Check where they come from with `dockpass explain`.",
            )
        try:
            headers, _ = await self._authorization("", None)
        except RegistryError as error:
            if refuses_login(error.answer):
                raise login_refused(self.host, credential.username, error.answer) from error
            raise
        response = await self._get(f"{self.base}/v2/", headers)
        if response.status == 200 and not is_page(response.body):
            return f"accepted by {self._judge()}{f'; {self.skew}' if self.skew else ''}"
        raise self._login_error(credential, response)

    def _judge(self) -> str:
        if self._realm is None:
            return "the registry"
        server = clean(urlsplit(self._realm.url).netloc)
        return server if server != self.host else "its token server"

    def _login_error(self, credential: Credential, response: Response) -> DockpassError:
        answer = _answer(Where.REGISTRY, response)
        if response.status == 200:
            return self._no_registry(response)
        if not refuses_login(answer):
            return error_of("login", self.host, answer)
        refused = login_refused(self.host, credential.username, answer)
        if self._realm and response.status == 401:
            refused.meaning = (
                "The token server accepted the login, but the registry does not trust its token."
            )
            refused.hint = "Ask the registry's administrator: the registry may lack the token server's key."
        return refused

    async def token(self, scope: str) -> Secret | None:
        """Return a token for `scope`; None where the registry takes none."""
        await self._connect()
        _, token = await self._authorization(scope, None)
        return token

    def seconds_left(self, scope: str) -> float:
        """Return for how long the token for `scope` is still used."""
        return self._tokens.seconds_left(tuple(scope.split()))

    def check_realm(self, realm: str, service: str) -> None:
        """Raise `DockpassError` where somebody else was sent to another token server than this session."""
        named = Challenge("bearer", {"realm": realm, "service": service})
        if self._realm and (error := realm_differs(self.host, self._realm, named)):
            raise error

    async def send(
        self,
        method: str,
        target: str,
        scope: str,
        *,
        limit: int,
        headers: Mapping[str, str] | None = None,
        data: Body | None = None,
        leaves_origin: bool = False,
        retry: Retry = Retry.WHEN_BUSY,
    ) -> Response:
        """Send a request as `stream` does, and return the answer with its body."""
        async with self.stream(
            method,
            target,
            scope,
            headers=headers,
            data=data,
            leaves_origin=leaves_origin,
            timeout=TIMEOUT if data is None else TRANSFER_TIMEOUT,
            retry=retry,
        ) as stream:
            return await stream.whole(limit)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        target: str,
        scope: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: Body | None = None,
        leaves_origin: bool = False,
        timeout: ClientTimeout = TRANSFER_TIMEOUT,
        retry: Retry = Retry.WHEN_BUSY,
    ) -> AsyncIterator[Stream]:
        """Send a request for `target` (path and query) with a token for `scope`, scopes apart by blanks.

        After a 401 a fresh token is asked for once, always for `scope` and never for what the challenge
        would like.
        """
        await self._connect()
        renewed, refused = False, None
        while True:
            authorization, token = await self._authorization(scope, refused)
            async with self._transport.stream(
                method,
                self.base + target,
                headers={**(headers or {}), **authorization},
                data=data,
                leaves_origin=leaves_origin,
                timeout=timeout,
                retry=retry,
            ) as stream:
                if stream.status == 401 and not renewed and self._learns_from(stream, scope):
                    renewed, refused = True, token
                else:
                    yield stream
                    return

    async def _authorization(
        self, scope: str, refused: Secret | None
    ) -> tuple[dict[str, str], Secret | None]:
        if self._realm:
            token = await self._tokens.get(self._realm, tuple(scope.split()), refused=refused)
            return {"Authorization": f"Bearer {token.reveal()}"}, token
        if self._challenge and self._credential and _is_whole(self._credential):
            return {"Authorization": basic(self._credential)}, None
        return {}, None

    def _learns_from(self, response: Response | Stream, scope: str) -> bool:
        """Take over a challenge that was not known; tell whether asking once more makes sense."""
        if origin(response.url) != origin(self.base):
            return False  # a blob's storage elsewhere has no say in where credentials go
        found = choose(parse_challenges(response.challenges))
        if found is None:
            return False
        self.server_asked_for = beyond(found.parameters.get("scope", ""), scope)
        if self._challenge is None:
            self._learn(found)
            return True
        if (
            self._realm
            and found.scheme == "bearer"
            and (error := realm_differs(self.host, self._realm, found))
        ):
            raise error
        return self._realm is not None

    def _learn(self, challenge: Challenge) -> None:
        policy = self._transport.policy
        rule, guard = (policy.realm_rule, self._guard) if self._credential else (None, None)
        realm, _ = accept_challenge(self.host, self.base, challenge, policy, rule=rule, guard=guard)
        self._realm, self._challenge = realm, challenge

    async def _connect(self) -> None:
        """Find out once how the registry speaks and what it asks for."""
        if self.base:
            return
        async with self._connecting:
            if self.base:
                return
            base, response = await reach(self.host, self._transport.policy, self._get)
            if not is_registry(response.status, response.body):
                raise self._no_registry(response)
            challenge = challenge_of(self.host, response.status, response.challenges)
            self.base, self.skew = base, skew_in_words(response.headers.get("Date", ""), self._now())
            try:
                if challenge:
                    self._learn(challenge)
            except DockpassError:
                self.base = ""  # nothing was learned, and nothing is sent without
                raise

    async def _get(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        return await self._transport.request(
            "GET", url, headers=headers, limit=LARGEST_FIRST_ANSWER, retry=Retry.WHEN_BUSY
        )

    def _no_registry(self, response: Response) -> DockpassError:
        answer = _answer(Where.PING, response)
        if judge(answer) != NOT_REGISTRY:
            return error_of("first request", self.host, answer)
        return DockpassError(
            "not-a-registry",
            f"{clean(self.host)} does not answer as a registry: {answer.in_words}.",
            "Check host and port: a registry often has a port of its own.",
        )


def _answer(where: Where, response: Response) -> Answer:
    return read_answer(where, response.status, response.body, response.reason, headers=response.headers)


def _is_whole(credential: Credential) -> bool:
    return bool(credential.username and credential.password)
