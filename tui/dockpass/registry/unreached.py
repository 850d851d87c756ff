"""Errors for requests that got no answer, or none that is accepted."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

import aiohttp

from dockpass.errors import DockpassError
from dockpass.text import clean

# What OpenSSL says of a server that answers a TLS greeting with something else, or hangs up.
_NOT_TLS = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "UNEXPECTED_EOF_WHILE_READING",
    }
)


def not_reached(url: str, error: BaseException, proxy: str = "") -> DockpassError:
    """Return the error for a request that got no answer."""
    host = clean(urlsplit(url).netloc)
    words = clean(str(error) or type(error).__name__, 300)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return by_proxy(url, proxy, error.status, error.message)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return DockpassError(
            "proxy-unreachable",
            f"The proxy {_named(proxy)} on the way to {host} cannot be reached: {words}.",
            "Check the address of the proxy, and whether this registry needs one.",
        )
    if isinstance(error, TimeoutError):
        return DockpassError(
            "timeout", f"{host} did not answer in time.", "Try again, and look at the network to it."
        )
    if url.startswith("https:") and _hangs_up_on_tls(error):
        return DockpassError(
            "not-tls",
            f"{host} does not speak TLS.",
            "A registry needs https; dockpass speaks plain http only with this machine itself, and with"
            " a registry that --insecure-registry names.",
        )
    if isinstance(
        error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError | ssl.SSLError
    ):
        return DockpassError(
            "tls",
            f"No safe connection to {host}: {words}.",
            "Its certificate has to be valid for this name and signed by a CA that this machine trusts;"
            " --ca-file adds one.",
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


def by_proxy(url: str, proxy: str, status: int, words: str) -> DockpassError:
    """Return the error for an answer that a proxy gave, and not the host behind it."""
    said = f"{status} {clean(words, 200)}".strip()
    return DockpassError(
        "proxy-refused",
        f"The proxy {_named(proxy)} on the way to {clean(urlsplit(url).netloc)} answered itself: {said}.",
        "The registry was not reached; whoever runs the proxy can tell what it wants.",
    )


def refused(url: str, why: str) -> DockpassError:
    """Return the error for an answer that came and is not used."""
    return DockpassError(
        "answer-refused",
        f"The answer of {clean(urlsplit(url).netloc)} is not accepted: {why}.",
        "A registry behind a proxy may be set up wrongly; its operator can tell.",
    )


def _named(proxy: str) -> str:
    """Return host and port of a proxy; its address may hold a password."""
    return clean(urlsplit(proxy).netloc.rpartition("@")[2], 100) or "(no name)"


def _hangs_up_on_tls(error: BaseException) -> bool:
    """Tell whether the server took the connection, and then did not know what a TLS greeting is."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return False
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return getattr(error.os_error, "reason", "") in _NOT_TLS
    return isinstance(error, aiohttp.ClientConnectorError) and isinstance(
        error.os_error, ConnectionResetError
    )
