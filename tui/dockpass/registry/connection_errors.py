"""Errors for requests that got no answer, or none that is accepted."""

from __future__ import annotations

import os
import socket
import ssl
from urllib.parse import urlsplit

import aiohttp

from dockpass.errors import DockpassError
from dockpass.registry.proxies import Proxy
from dockpass.text import clean

_OF_TLS = (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, ssl.SSLError)
_BY_PROXY = (
    " A proxy that inspects TLS uses its own certificate: ask its administrator for the CA, or for an"
    " exception for this registry."
)

# What OpenSSL says of a server that answers a TLS greeting with something else, or hangs up.
_NOT_TLS = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "UNEXPECTED_EOF_WHILE_READING",
    }
)


def not_reached(url: str, error: BaseException, proxy: Proxy | None = None) -> DockpassError:
    """Return the error for a request that got no answer."""
    host = clean(urlsplit(url).netloc)
    words = clean(_words_of(error), 300).rstrip(".")
    through = f" through the proxy {proxy.host}" if proxy else ""
    if proxy is not None and (found := _at_proxy(url, error, proxy, words)):
        return found
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        hint = "Check host, port and network; a firewall may drop the packets."
        return timed_out(f"Connecting to {host}{through} timed out.", hint)
    if isinstance(error, TimeoutError):
        return timed_out(f"{host} did not answer in time{through}.")
    if url.startswith("https:") and _hangs_up_on_tls(error):
        return DockpassError(
            "not-tls",
            f"{host} does not speak TLS{through}.",
            "A registry needs https. dockpass uses plain http only on this machine, or where"
            " --insecure-registry names the registry." + _BY_PROXY * bool(proxy),
        )
    if isinstance(error, _OF_TLS):
        return DockpassError(
            "tls",
            f"No secure connection to {host}{through}: {words}.",
            "The certificate must be valid for this name and signed by a CA that this machine trusts;"
            " --ca-file adds a CA." + _BY_PROXY * bool(proxy),
        )
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, socket.gaierror):
        return DockpassError(
            "name-unresolved", f"Cannot resolve the host name {host}.", "Check the spelling and your DNS."
        )
    if isinstance(error, aiohttp.ClientConnectorError | ConnectionError):
        return DockpassError(
            "connection-refused", f"{host} cannot be reached: {words}.", "Check host, port and network."
        )
    return DockpassError(
        "registry-unreadable", f"{host} did not answer as a registry: {words}.", "Check host and port."
    )


def _words_of(error: BaseException) -> str:
    """Return what the system, OpenSSL or the parser says, without what aiohttp puts around it."""
    if isinstance(error, aiohttp.ClientResponseError):  # with a status 400 that nobody sent
        return f"its response is not valid HTTP ({error.message.partition(':')[0]})"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    if isinstance(cause, ConnectionError) and cause.errno:
        return os.strerror(cause.errno)
    return str(cause) or type(cause).__name__


def timed_out(
    message: str, hint: str = "Try again; if it happens again, check the network."
) -> DockpassError:
    """Return the error for a server that did not answer in time."""
    return DockpassError("timeout", message, hint)


def _at_proxy(url: str, error: BaseException, proxy: Proxy, words: str) -> DockpassError | None:
    """Return the error for what the proxy itself did, None where it did its part."""
    host = clean(urlsplit(url).netloc)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return by_proxy(url, proxy, error.status, error.message)
    # The registry's name goes to the proxy as it is, so only the proxy's own can be refused as a name.
    if isinstance(error, ValueError) and not isinstance(error, _OF_TLS):
        return DockpassError(
            "proxy-invalid",
            f"{proxy.variable} is not a usable proxy address, {proxy.host}: {words}.",
            "It should look like http://proxy.example:3128. --no-proxy connects directly.",
        )
    if not isinstance(error, aiohttp.ClientConnectorError) or not _is_elsewhere(url, error):
        return None
    if isinstance(error, _OF_TLS):
        return DockpassError(
            "proxy-tls",
            f"No secure connection to the proxy {proxy.host} for {host}: {words}.",
            f"If it speaks plain http, {proxy.variable} has to begin with http://; --ca-file adds a CA.",
        )
    if isinstance(error.os_error, socket.gaierror):
        words = "its name cannot be resolved"
    return DockpassError(
        "proxy-unreachable",
        f"The proxy {proxy.host} for {host} cannot be reached: {words}.",
        f"It comes from {proxy.variable}. Check the address, or reach this registry without a proxy:"
        " list it in NO_PROXY, or use --no-proxy.",
    )


def _is_elsewhere(url: str, error: aiohttp.ClientConnectorError) -> bool:
    """Tell whether a connection to another host than the request's failed, which is the proxy's then."""
    parts = urlsplit(url)
    own = (parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme))
    is_proxys = isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientConnectorDNSError)
    return is_proxys or (error.host, error.port) != own


def by_proxy(url: str, proxy: Proxy, status: int, words: str) -> DockpassError:
    """Return the error for an answer that a proxy gave, and not the host behind it."""
    host = clean(urlsplit(url).netloc)
    said = f"{status} {clean(proxy.redacted(words), 200)}".strip()
    if status == 407:
        given = f"It does not accept the login in {proxy.variable}"
        missing = f"Put it into {proxy.variable}, as http://USER:PASSWORD@HOST:PORT"
        return DockpassError(
            "proxy-login",
            f"The proxy {proxy.host} asks for a login: {said}. {host} was not reached.",
            f"{given if proxy.credential else missing}, with special characters percent-encoded.",
        )
    return DockpassError(
        "proxy-refused",
        f"The proxy {proxy.host} answered in place of {host}: {said}.",
        "The registry was not reached; ask the proxy's administrator.",
    )


def refused(url: str, why: str, what: str = "") -> DockpassError:
    """Return the error for an answer that came and is not used; `what` names the request, if that helps."""
    host = clean(urlsplit(url).netloc)
    rejected = f"The {clean(what)} failed: response from {host}" if what else f"Response from {host}"
    return DockpassError(
        "answer-refused",
        f"{rejected} rejected: {why}.",
        "The registry, or a proxy in front of it, may be misconfigured; ask the registry's administrator.",
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
