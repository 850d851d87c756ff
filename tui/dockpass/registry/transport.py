"""The one way by which requests leave: no netrc, no proxy, no cookies, bounded redirects and bodies."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from dockpass import __version__
from dockpass.errors import DockpassError
from dockpass.secrets import MASK
from dockpass.text import clean

MOST_REDIRECTS = 3
TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10, sock_read=30)
TRANSFER_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=120)
"""Of blobs, which may be of any size: only silence ends them."""

CHUNK = 1 << 20

Body = Callable[[], AsyncIterator[bytes]]
"""Makes the bytes of a request, once for each time that it is sent."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"https": 443, "http": 80}
# What OpenSSL says of a server that answers a TLS greeting with something else, or hangs up.
_NOT_TLS = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "UNEXPECTED_EOF_WHILE_READING",
    }
)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with its whole body, bounded by what the request allowed."""

    status: int
    headers: Mapping[str, str]
    challenges: tuple[str, ...]
    body: bytes
    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer whose body is still to come; open only inside the `with` that gave it."""

    status: int
    headers: Mapping[str, str]
    challenges: tuple[str, ...]
    url: str
    reason: str
    _answer: aiohttp.ClientResponse
    _sent: Mapping[str, str]

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body, at most 1 MiB at a time; raises `DockpassError` where the connection breaks."""
        try:
            async for chunk in self._answer.content.iter_chunked(CHUNK):
                yield chunk
        except (aiohttp.ClientError, OSError, ssl.SSLError, ValueError) as error:
            raise not_reached(self.url, error) from error

    async def whole(self, limit: int) -> Response:
        """Read the body to its end and return the answer; raises for more than `limit` bytes."""
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) > limit:
                raise _refused(self.url, f"it answers with more than {limit >> 10} KiB")
        raw = bytes(body) if self.status < 400 else _without_echo(bytes(body), self._sent)
        return Response(self.status, self.headers, self.challenges, raw, self.url, self.reason)


class Transport:
    """One session for one registry; an async context manager."""

    def __init__(self, connections: int = 64) -> None:
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"dockpass/{__version__}", "Accept-Encoding": "identity"},
            trust_env=False,
            timeout=TIMEOUT,
            auto_decompress=False,
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
    ) -> Response:
        """Send one request and return the answer with its body; redirects as in `stream`."""
        async with self.stream(
            method, url, headers=headers, data=data, leaves_origin=leaves_origin, timeout=TIMEOUT
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
        timeout: aiohttp.ClientTimeout = TRANSFER_TIMEOUT,
    ) -> AsyncIterator[Stream]:
        """Send one request and follow at most three redirects.

        `Authorization` goes to the first origin only. Another origin is followed only where
        `leaves_origin` allows it (blobs). Raises `DockpassError` for what keeps an answer from coming.
        """
        sent = dict(headers or {})
        for _ in range(MOST_REDIRECTS + 1):
            async with self._once(method, url, sent, data, timeout) as stream:
                location = stream.headers.get("Location", "")
                if stream.status not in _REDIRECTS or method not in {"GET", "HEAD"} or not location:
                    yield stream
                    return
            target = resolve(url, location)
            if target is None:
                raise _refused(url, f"it redirects to {clean(location, 200)}, which is no address")
            if origin(target) != origin(url):
                if not (leaves_origin and may_leave(url, target)):
                    raise _refused(url, f"it redirects to {clean(origin(target))}, which is another origin")
                sent.pop("Authorization", None)
            url = target
        raise _refused(url, f"it redirects more than {MOST_REDIRECTS} times")

    @asynccontextmanager
    async def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        data: Mapping[str, str] | Body | None,
        timeout: aiohttp.ClientTimeout,
    ) -> AsyncIterator[Stream]:
        if self._session is None:
            raise RuntimeError("the transport is not open")
        if " " in url or not (url.isascii() and url.isprintable()):
            raise _refused(url, "it sends to an address with characters that no address has")
        try:
            answer = await self._session.request(
                method,
                URL(url, encoded=True),
                headers=headers,
                data=data() if callable(data) else data,
                allow_redirects=False,
                timeout=timeout,
            )
        except (aiohttp.ClientError, OSError, ssl.SSLError, ValueError) as error:
            raise not_reached(url, error) from error
        async with answer:
            challenges = tuple(answer.headers.getall("WWW-Authenticate", ()))
            reason = clean(answer.reason or "", 100)
            yield Stream(answer.status, answer.headers, challenges, url, reason, answer, headers)


def _without_echo(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Mask what was sent as authorization in a refusal that mirrors the request: people read refusals."""
    sent = headers.get("Authorization", "").partition(" ")[2].encode()
    return body.replace(sent, MASK.encode()) if sent else body


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


def is_loopback(host: str) -> bool:
    """Tell whether `host[:port]` is this machine: only there plain http is tried."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def not_reached(url: str, error: BaseException) -> DockpassError:
    """Return the error for a request that got no answer."""
    host = clean(urlsplit(url).netloc)
    words = clean(str(error) or type(error).__name__, 300)
    if isinstance(error, TimeoutError):
        return DockpassError(
            "timeout", f"{host} did not answer in time.", "Try again, and look at the network to it."
        )
    if url.startswith("https:") and _hangs_up_on_tls(error):
        return DockpassError(
            "not-tls",
            f"{host} does not speak TLS.",
            "A registry needs https; dockpass speaks plain http only with this machine itself.",
        )
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return DockpassError(
            "tls",
            f"No safe connection to {host}: {words}.",
            "Its certificate has to be valid for this name and signed by a CA that this machine trusts.",
        )
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, socket.gaierror):
        return DockpassError(
            "name-unresolved", f"The name {host} cannot be resolved.", "Check its spelling and your DNS."
        )
    if isinstance(error, aiohttp.ClientConnectorError | ConnectionError):
        return DockpassError(
            "connection-refused", f"{host} cannot be reached: {words}.", "Check host, port and network."
        )
    return DockpassError(
        "registry-unreadable", f"{host} did not answer as a registry: {words}.", "Check host and port."
    )


def _hangs_up_on_tls(error: BaseException) -> bool:
    """Tell whether the server took the connection, and then did not know what a TLS greeting is."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return False
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return getattr(error.os_error, "reason", "") in _NOT_TLS
    return isinstance(error, aiohttp.ClientConnectorError) and isinstance(
        error.os_error, ConnectionResetError
    )


def _refused(url: str, why: str) -> DockpassError:
    return DockpassError(
        "answer-refused",
        f"The answer of {clean(urlsplit(url).netloc)} is not accepted: {why}.",
        "A registry behind a proxy may be set up wrongly; its operator can tell.",
    )
