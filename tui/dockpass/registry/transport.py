"""The one way by which requests leave: no netrc, no cookies, no proxy but the policy's.

Redirects and bodies are bounded, and hosts that a server names are checked before they are connected to.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from dockpass import __version__
from dockpass.references.address import is_loopback
from dockpass.registry.addresses import CheckedResolver, Guard, KindOf, in_ascii, kind_of
from dockpass.registry.connection_errors import not_reached, refused
from dockpass.registry.policy import Policy
from dockpass.registry.request_log import Logged
from dockpass.registry.retry import MOST_WAITS, Retries, Retry, Sleep, pause_after
from dockpass.registry.slow_body import Body, Pace
from dockpass.registry.way import Ways, require_usable, tracing
from dockpass.secrets import Redactor, Secret
from dockpass.text import clean

MOST_REDIRECTS = 3
TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10, sock_read=30)
TRANSFER_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=120)
"""Of blobs, which may be of any size: only silence ends them, and a trickle (`Pace`)."""

CHUNK = 1 << 20

_PACE = Pace()
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request held of secrets; called with a text, it masks them. Made only where that is needed."""

    authorization: Secret
    refresh_token: Secret

    def __call__(self, text: str) -> str:
        """Return the text with what was sent masked: an answer may mirror it, and people read refusals."""
        redact = Redactor([self.refresh_token])
        scheme, _, sent = self.authorization.reveal().partition(" ")
        redact.learn(Secret(sent))
        if scheme == "Basic":
            user, _, password = base64.b64decode(sent).decode("utf-8", "surrogateescape").partition(":")
            redact.learn(Secret(password), user)
        return redact(text)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with its whole body, bounded by what the request allowed.

    `redact` masks what the request held of secrets; bodies of refusals are masked already.
    """

    status: int
    headers: Mapping[str, str]
    challenges: tuple[str, ...]
    body: bytes
    url: str
    reason: str
    redact: Sent


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer whose body is still to come; open only inside the `with` that gave it."""

    status: int
    headers: Mapping[str, str]
    challenges: tuple[str, ...]
    url: str
    reason: str
    redact: Sent
    _answer: aiohttp.ClientResponse
    _pace: Pace

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body, at most 1 MiB at a time.

        Raises `DockpassError` where the connection breaks, behind everything that came before, and for a
        body that comes too slowly to be meant.
        """
        pace, received, waited = self._pace, 0, 0.0
        while True:
            asked = pace.clock()
            try:
                async with asyncio.timeout(pace.silence):
                    chunk = await self._answer.content.read(CHUNK)
            except (aiohttp.ClientError, OSError, ssl.SSLError, ValueError) as error:
                if rest := _rest(self._answer.content):
                    yield rest
                raise not_reached(self.url, error) from error
            if not chunk:
                return
            received += len(chunk)
            waited += pace.clock() - asked
            if pace.is_trickle(received, waited):
                raise refused(self.url, f"it arrives at less than {pace.slowest} bytes a second")
            yield chunk

    async def whole(self, limit: int) -> Response:
        """Read the body to its end and return the answer; raises for more than `limit` bytes."""
        body, content = bytearray(), self._answer.content
        if content.is_eof() and content.exception() is None:
            body += content.read_nowait()  # all of it came with the headers: there is nothing to wait for
        else:
            async for chunk in self.chunks():
                body += chunk
                if len(body) > limit:
                    break
        if len(body) > limit:
            raise refused(self.url, f"it has more than {limit >> 10} KiB")
        raw = bytes(body) if self.status < 400 else _masked(bytes(body), self.redact)
        return Response(self.status, self.headers, self.challenges, raw, self.url, self.reason, self.redact)


class Transport:
    """One session for one registry; an async context manager.

    `lookup` resolves names in place of the system's own resolver; `kind` tells the kinds of addresses;
    `pace` says how slow answers may be.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        connections: int = 64,
        lookup: AbstractResolver | None = None,
        kind: KindOf = kind_of,
        pace: Pace = _PACE,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.retries = Retries(sleep)
        self._pace = pace
        self.policy = policy or Policy()
        self._connections = connections
        self._lookup = lookup
        self._guard = Guard(kind)
        self._ways = Ways(self.policy, self._guard)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        resolver = CheckedResolver(self._guard, self._lookup or aiohttp.ThreadedResolver())
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, resolver=resolver),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"dockpass/{__version__}", "Accept-Encoding": "identity"},
            trust_env=False,
            timeout=TIMEOUT,
            read_bufsize=CHUNK,
            auto_decompress=False,
            trace_configs=[tracing()],
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: Mapping[str, str] | Body | None = None,
        limit: int,
        leaves_origin: bool = False,
        foreign: bool = False,
        follows: bool = True,
        retry: Retry = Retry.NEVER,
        on_sent: Callable[[], None] | None = None,
    ) -> Response:
        """Send one request and return the answer with its body; the rest as in `stream`."""
        async with self.stream(
            method,
            url,
            headers=headers,
            data=data,
            leaves_origin=leaves_origin,
            foreign=foreign,
            follows=follows,
            timeout=TIMEOUT,
            retry=retry,
            on_sent=on_sent,
        ) as stream:
            return await stream.whole(limit)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: Mapping[str, str] | Body | None = None,
        leaves_origin: bool = False,
        foreign: bool = False,
        follows: bool = True,
        timeout: aiohttp.ClientTimeout = TRANSFER_TIMEOUT,
        retry: Retry = Retry.NEVER,
        on_sent: Callable[[], None] | None = None,
    ) -> AsyncIterator[Stream]:
        """Send one request and follow at most three redirects; `retry` says what a 429 means for it.

        Without `follows` a redirect is an answer like any other.

        `Authorization` goes to the first origin only. Another origin is followed only where
        `leaves_origin` allows it (blobs). `foreign` says that a server named `url`, not the person: it has
        to be a public address then, as every redirect to another origin. `on_sent` is called once the
        connection stands and the request leaves. Raises `DockpassError` for what keeps an answer from coming.
        """
        for number in range(1, MOST_WAITS + 2):
            if retry is not Retry.NEVER:
                await self.retries.turn(url)
            async with self._followed(
                method,
                url,
                headers,
                data,
                timeout,
                leaves_origin=leaves_origin,
                foreign=foreign,
                follows=follows,
                on_sent=on_sent,
            ) as stream:
                pause = pause_after(stream) if retry is Retry.WHEN_BUSY and number <= MOST_WAITS else None
                if pause is None:
                    yield stream
                    return
            await self.retries.wait(stream.url, pause, number)

    @asynccontextmanager
    async def _followed(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        data: Mapping[str, str] | Body | None,
        timeout: aiohttp.ClientTimeout,
        *,
        leaves_origin: bool,
        foreign: bool,
        follows: bool,
        on_sent: Callable[[], None] | None,
    ) -> AsyncIterator[Stream]:
        sent, has_left = dict(headers or {}), False
        for _ in range(MOST_REDIRECTS + 1):
            request = self._once(method, url, sent, data, timeout, foreign=foreign, on_sent=on_sent)
            async with Logged(method, url, request, path=not has_left) as stream:
                location = stream.headers.get("Location", "")
                moves = stream.status in _REDIRECTS and method in {"GET", "HEAD"} and bool(location)
                if not (moves and follows):
                    yield stream
                    return
            target = resolve(url, location)
            if target is None:
                shown = clean(stream.redact(location), 200)
                raise refused(url, f"it redirects to {shown}, which is not an address")
            if origin(target) != origin(url):
                if not (leaves_origin and may_leave(url, target)):
                    raise refused(
                        url, f"it redirects to {clean(in_ascii(origin(target)))}, which is another origin"
                    )
                sent.pop("Authorization", None)
                foreign = has_left = True
            url = target
        raise refused(url, f"it redirects more than {MOST_REDIRECTS} times")

    @asynccontextmanager
    async def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        data: Mapping[str, str] | Body | None,
        timeout: aiohttp.ClientTimeout,
        *,
        foreign: bool,
        on_sent: Callable[[], None] | None,
    ) -> AsyncIterator[Stream]:
        if self._session is None:
            raise RuntimeError("the transport is not open")
        if " " in url or not (url.isascii() and url.isprintable()):
            raise refused(url, "the address has invalid characters")
        way = self._ways.to(url, foreign=foreign)
        ask = partial(
            self._session.request,
            method,
            URL(url, encoded=True),
            headers={**headers, **way.hop},
            allow_redirects=False,
            timeout=timeout,
            proxy=way.address,
            proxy_headers=None if way.hop else way.headers or None,
            ssl=way.tls,
            trace_request_ctx=on_sent,
        )
        try:
            if callable(data) or timeout.total is None or timeout.total > self._pace.answer:
                async with self._pace.until_answered(data if callable(data) else None) as body:
                    answer = await ask(data=body if callable(data) else data)
            else:
                answer = await ask(data=data)  # the time for the whole answer is over earlier
        except (aiohttp.ClientError, OSError, ssl.SSLError, ValueError) as error:
            raise not_reached(url, error, way.proxy) from error
        async with answer:
            require_usable(url, answer, way.proxy)
            challenges = tuple(answer.headers.getall("WWW-Authenticate", ()))
            redact, reason = _sent(headers, data), answer.reason or ""
            reason = clean(redact(reason) if answer.status >= 400 else reason, 100)
            yield Stream(answer.status, answer.headers, challenges, url, reason, redact, answer, self._pace)


def _rest(content: aiohttp.StreamReader) -> bytes:
    """Return what waits in a stream that broke: its reads raise for the break, whatever came before it."""
    broken = content.exception()
    if broken is None:
        return b""
    try:
        content.set_exception(None)  # type: ignore[arg-type]
        return content.read_nowait()
    except TimeoutError:
        return b""  # the time for the whole answer is over, and reads are refused for that
    finally:
        content.set_exception(broken)


def _sent(headers: Mapping[str, str], data: Mapping[str, str] | Body | None) -> Sent:
    form = data if isinstance(data, Mapping) else {}
    return Sent(Secret(headers.get("Authorization", "")), Secret(form.get("refresh_token", "")))


def _masked(body: bytes, redact: Sent) -> bytes:
    return redact(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def origin(url: str) -> str:
    """Return `scheme://host:port`, the default port written out; for addresses that `resolve` accepts."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}:{parts.port or _PORTS.get(parts.scheme, 0)}"


def resolve(url: str, location: str) -> str | None:
    """Return the address that `location` means in an answer from `url`; None if it means none."""
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        usable = parts.scheme in _PORTS and parts.hostname and parts.port != 0 and parts.username is None
    except ValueError:
        return None
    return target if usable else None


def may_leave(url: str, target: str) -> bool:
    """Tell whether a blob may come from another origin: by https, or from this machine to itself."""
    if urlsplit(target).scheme == "https":
        return True
    return (
        urlsplit(url).scheme == "http"
        and is_loopback(urlsplit(url).netloc)
        and is_loopback(urlsplit(target).netloc)
    )
