"""The way of one request: directly to the host, or by a proxy, and which of the two gave the answer."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from urllib.parse import urlsplit

import aiohttp

from dockpass.errors import UsageError
from dockpass.registry.addresses import Guard
from dockpass.registry.connection_errors import by_proxy, refused
from dockpass.registry.policy import Policy
from dockpass.registry.proxies import PORTS, Proxy
from dockpass.registry.tls import Contexts
from dockpass.text import clean

_SCHEMES = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class Way:
    """How requests go to one origin: directly, or by a proxy, and what that one gets of its login.

    `hop` are its headers where it sees the request itself. `tls` is True for plain http.
    """

    proxy: Proxy | None
    address: str | None
    headers: Mapping[str, str]
    hop: Mapping[str, str]
    tls: ssl.SSLContext | bool


class Ways:
    """Checks where a request may go, and finds the way; of the registry's own origins once."""

    def __init__(self, policy: Policy, guard: Guard) -> None:
        self._policy = policy
        self._guard = guard
        self._contexts = Contexts(policy)
        self._own: dict[str, Way] = {}

    def to(self, url: str, *, foreign: bool) -> Way:
        """Return the way; `foreign` says that a server named the address, which is then looked at each time.

        Raises `DockpassError` for where no request may go, and for what cannot be used to get there.
        """
        end = url.find("/", len("https://"))
        place = url if end < 0 else url[:end]
        if not foreign and (known := self._own.get(place)):
            return known
        proxy = self._checked(url, foreign=foreign)
        address, headers = way_by(proxy, url, skips=self._policy.skips_verification(urlsplit(url).netloc))
        hop = headers if url.startswith("http:") else {}
        way = Way(proxy, address, headers, hop, self._contexts.of(url))
        if not foreign:
            self._own[place] = way
        return way

    def _checked(self, url: str, *, foreign: bool) -> Proxy | None:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
        if not foreign:
            self._guard.own(host, port)
        self._guard.check(host, port)
        proxy = self._policy.proxy_for(url)
        if proxy:
            if foreign and (host, port) == proxy.place:
                raise refused(url, "it is the proxy itself, which no registry would name")
            self._guard.way(*proxy.place)
        return proxy


def way_by(proxy: Proxy | None, url: str, *, skips: bool) -> tuple[str | None, Mapping[str, str]]:
    """Return a proxy's address and headers; raises `UsageError` for one that cannot be spoken to."""
    if proxy is None:
        return None, {}
    if proxy.scheme not in _SCHEMES:
        raise UsageError(
            "proxy-scheme",
            f"{clean(urlsplit(url).netloc)} is to be reached by {proxy} ({proxy.variable}),"
            f" and dockpass speaks no {clean(proxy.scheme, 20)} with a proxy.",
            "Use an http or https proxy, list the registry in NO_PROXY, or give --no-proxy.",
        )
    if skips and proxy.scheme == "https":
        raise UsageError(
            "proxy-unverified",
            f"The certificate of the proxy {proxy.host} would not be checked either.",
            "Leave out --skip-tls-verify-registry, use a plain http proxy, or give --no-proxy.",
        )
    return proxy.address, proxy.headers


def require_usable(url: str, answer: aiohttp.ClientResponse, proxy: Proxy | None) -> None:
    """Raise for an answer that is the proxy's own, or compressed although that was declined."""
    of_gateway = answer.status in {502, 503, 504} and answer.content_type != "application/json"
    page = of_gateway or (answer.status >= 400 and answer.content_type == "text/html")
    if proxy and url.startswith("http:") and (page or answer.status == 407):
        raise by_proxy(url, proxy, answer.status, answer.reason or "")
    if proxy and answer.status == 407:
        raise refused(url, f"it answers 407 from behind the proxy {proxy.host}, as only a proxy should")
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", ""}:
        raise refused(url, f"it is compressed ({clean(encoding, 40)}), although no compression was requested")


def tracing() -> aiohttp.TraceConfig:
    """Call a request's `on_sent` as its headers are written, which is after its connection stands."""

    async def headers_sent(_session: object, context: SimpleNamespace, _parameters: object) -> None:
        if context.trace_request_ctx is not None:
            context.trace_request_ctx()

    config = aiohttp.TraceConfig()
    config.on_request_headers_sent.append(headers_sent)
    return config
