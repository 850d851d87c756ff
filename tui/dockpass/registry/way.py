"""The way of one request: directly to the host, or by a proxy, and which of the two gave the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from urllib.parse import urlsplit

import aiohttp

from dockpass.errors import UsageError
from dockpass.registry.connection_errors import by_proxy, refused
from dockpass.registry.proxies import Proxy
from dockpass.text import clean

_SCHEMES = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class Way:
    """How a request goes: directly, or by a proxy, and what that one gets of its login."""

    address: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def way_by(proxy: Proxy | None, url: str, *, skips: bool) -> Way:
    """Return the way by a proxy; raises `UsageError` for one that cannot be spoken to."""
    if proxy is None:
        return Way()
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
    return Way(proxy.address, proxy.headers)


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
