"""Bearer tokens: asked from the realm that the registry names (distribution token specification)."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from dockpass.errors import DockpassError
from dockpass.references.address import is_loopback
from dockpass.references.credential import Credential
from dockpass.registry.addresses import in_ascii
from dockpass.registry.answer import Where, read_answer
from dockpass.registry.failures import error_of, login_refused, refuses_login
from dockpass.registry.forms import is_page
from dockpass.registry.policy import Policy
from dockpass.registry.retry import Retry
from dockpass.registry.strictjson import NotJson, strict_object
from dockpass.registry.transport import Transport, origin
from dockpass.secrets import Secret
from dockpass.text import clean, masked

LARGEST_ANSWER = 64 << 10
SHORTEST_LIFE = 60.0
LONGEST_LIFE = 3600.0
LONGEST_SHOWN = 400
EARLY = 5.0
CLIENT_ID = "dockpass"

_ORDINARY = Policy()

_TOKEN = re.compile("[!-~]+")  # what can stand in a header, without a blank
# Parameters of the client (distribution token specification); `service` is the registry's to say.
_OURS = frozenset({"account", "client_id", "grant_type", "offline_token", "refresh_token", "scope"})


@dataclass(frozen=True, slots=True)
class Realm:
    """Where a registry sends its clients for tokens, and the name of its service."""

    url: str
    service: str


def basic(credential: Credential) -> str:
    """Return the Basic authorization; never of an empty user or password.

    Raises `DockpassError` for credentials with line ends or NUL, which never belong to one.
    """
    plain = f"{credential.username}:{credential.password.reveal()}"
    if any(character in plain for character in "\r\n\0"):
        raise _unusable(credential, "a line end or a NUL")
    try:
        # Values of the environment may hold bytes that are no UTF-8; they are sent as they were.
        raw = plain.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise _unusable(credential, "characters that are not text") from None
    return f"Basic {base64.b64encode(raw).decode('ascii')}"


def _unusable(credential: Credential, what: str) -> DockpassError:
    return DockpassError(
        "credential-unusable",
        f"The user name or the password of {clean(credential.username, 80)} holds {what}. It was not sent.",
        "A value read from a file often ends with a newline; remove it.",
    )


def check_realm(host: str, scheme: str, parameters: Mapping[str, str], policy: Policy = _ORDINARY) -> Realm:
    """Return the realm of a challenge; raises `DockpassError` for one that must not get credentials.

    Plain http is taken from a registry that speaks it: on this machine, or where the policy names the
    realm's own host and port.
    """
    url = parameters.get("realm", "")
    parts = _split(url)
    why = ""
    if parts is None or not parts.hostname:
        why = "is no address"
    elif not parts.hostname.isascii():
        why = "uses letters of another alphabet in its host name to imitate another one"
    elif parts.username is not None or parts.password is not None or parts.fragment:
        why = "holds a user name or a fragment"
    elif parts.scheme == "http" and not (scheme == "http" and _may_be_plain(host, parts.netloc, policy)):
        why = "is not https"
    elif parts.scheme not in {"http", "https"}:
        why = f"has the scheme {clean(parts.scheme, 20)}"
    if why:
        shown = clean(in_ascii(masked(url)[:LONGEST_SHOWN]), 200)
        raise DockpassError(
            "realm-refused",
            f"{clean(host)} names the token server {shown}, which {why}. No credentials were sent.",
            "It has to be an https address; ask the registry's administrator.",
        )
    return named_realm(parameters)


def named_realm(parameters: Mapping[str, str]) -> Realm:
    """Return the realm that a challenge names, unchecked."""
    # Bytes that are no UTF-8 arrive as lone surrogates, which no request can hold.
    service = parameters.get("service", "").encode("utf-8", "replace").decode()
    return Realm(parameters.get("realm", ""), service)


def _may_be_plain(host: str, realm: str, policy: Policy) -> bool:
    return (is_loopback(host) and is_loopback(realm)) or policy.allows_plain(realm)


class _Kept(NamedTuple):
    """A token, and until when it is used."""

    token: Secret
    until: float


class Tokens:
    """Asks for tokens and keeps them as long as they live, by scope."""

    def __init__(
        self,
        transport: Transport,
        host: str,
        credential: Credential | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._host = host
        self._credential = credential
        self._clock = clock
        self._kept: dict[tuple[str, ...], _Kept] = {}
        self._locks: dict[tuple[str, ...], asyncio.Lock] = {}

    async def get(self, realm: Realm, scopes: tuple[str, ...], *, refused: Secret | None = None) -> Secret:
        """Return a token for the scopes, never the one that the registry has just refused."""
        # Many requests that find no token wait for the one that asks.
        async with self._locks.setdefault(scopes, asyncio.Lock()):
            kept = self._kept.get(scopes)
            if kept and self._clock() < kept.until and kept.token != refused:
                return kept.token
            token, life = await self._ask(realm, scopes)
            self._kept[scopes] = _Kept(token, self._clock() + life - EARLY)
            return token

    def seconds_left(self, scopes: tuple[str, ...]) -> float:
        """Return for how long the token for the scopes is still used; 0 where there is none."""
        kept = self._kept.get(scopes)
        return max(kept.until - self._clock(), 0.0) if kept else 0.0

    async def _ask(self, realm: Realm, scopes: tuple[str, ...]) -> tuple[Secret, float]:
        if self._credential and self._credential.identity_token:
            found = await self._refresh(realm, scopes, self._credential.identity_token)
            if found is not None:
                return found
        headers = {}
        query = [("service", realm.service), *(("scope", scope) for scope in scopes)]
        if self._credential and self._credential.username and self._credential.password:
            headers["Authorization"] = basic(self._credential)
            query.append(("account", self._credential.username))
        url = with_query(realm.url, query)
        response = await self._transport.request(
            "GET",
            url,
            headers=headers,
            limit=LARGEST_ANSWER,
            foreign=is_foreign(url, self._host),
            retry=Retry.WHEN_BUSY,
        )
        if response.status != 200:
            where = Where.TOKEN if headers else Where.ANONYMOUS
            answer = read_answer(
                where, response.status, response.body, response.reason, headers=response.headers
            )
            if response.status == 401 and headers and self._credential and refuses_login(answer):
                raise login_refused(self._host, self._credential.username, answer)
            raise error_of("request for a token", self._host, answer)
        return read_token(self._host, response.body)

    async def _refresh(
        self, realm: Realm, scopes: tuple[str, ...], token: Secret
    ) -> tuple[Secret, float] | None:
        """Exchange an identity token; None where the realm has no OAuth2."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": token.reveal(),
            "service": realm.service,
            "client_id": CLIENT_ID,
            "scope": " ".join(scopes),
        }
        url = with_query(realm.url, [])
        response = await self._transport.request(
            "POST",
            url,
            data=form,
            limit=LARGEST_ANSWER,
            foreign=is_foreign(url, self._host),
            retry=Retry.WHEN_BUSY,
        )
        if response.status in {404, 405}:
            return None
        if response.status != 200:
            answer = read_answer(
                Where.TOKEN, response.status, response.body, response.reason, headers=response.headers
            )
            if response.status == 400 or refuses_login(answer):
                raise login_refused(self._host, "the identity token", answer)
            raise error_of("request for a token", self._host, answer)
        return read_token(self._host, response.body)


def is_foreign(url: str, host: str) -> bool:
    """Tell whether a realm lies elsewhere than on the registry's own host and port."""
    return origin(url) != origin(f"{urlsplit(url).scheme}://{host}")


def _split(url: str) -> SplitResult | None:
    """Split an address that a server named; None if it is none."""
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def with_query(url: str, query: list[tuple[str, str]]) -> str:
    """Return the address with the pairs behind those that it has; pairs without a value are left out.

    What a registry wrote there of the client's own parameters is dropped: a realm does not choose the scope.
    """
    parts = urlsplit(url)
    given = [pair for pair in query if pair[1]]
    ours = _OURS | {name for name, _ in given}
    pairs = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0].lower() not in ours]
    pairs += given
    return urlunsplit(parts._replace(query=urlencode(pairs)))


def read_token(host: str, body: bytes) -> tuple[Secret, float]:
    """Return the token of an answer and its life in seconds; raises `DockpassError` where there is none."""
    found: dict[str, Any] = {}
    why = ""
    try:
        found = strict_object(body)
    except NotJson as error:
        why = ": it sent a web page" if is_page(body) else f": {error}"
    token = found.get("access_token") or found.get("token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise DockpassError(
            "token-unreadable",
            f"The token server of {clean(host)} did not answer with a token{why}.",
            "Try again; if it happens again, ask the registry's administrator.",
        )
    return Secret(token), _life(found.get("expires_in"))


def _life(given: object) -> float:
    """Return the seconds that a token is kept; whatever number a server says is bounded before it is used."""
    if isinstance(given, bool) or not isinstance(given, int | float) or given != given:
        return SHORTEST_LIFE
    return float(min(max(given, SHORTEST_LIFE), LONGEST_LIFE))
