"""Whose certificates are trusted, for each host on its own."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from dockpass.errors import UsageError
from dockpass.registry.policy import Policy
from dockpass.text import clean


class Contexts:
    """Makes a TLS context for each host that needs one of its own, once."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._made: dict[str, ssl.SSLContext | bool] = {}

    def of(self, url: str) -> ssl.SSLContext | bool:
        """Return the context for a request; True stands for plain http.

        Raises `UsageError` for a CA file or a client certificate that cannot be used.
        """
        parts = urlsplit(url)
        host = f"{parts.hostname}:{parts.port or 443}"
        if host not in self._made:
            self._made[host] = self._make(host) if parts.scheme == "https" else True
        return self._made[host]

    def _make(self, host: str) -> ssl.SSLContext | bool:
        policy = self._policy
        directories = [found for place in policy.certificate_directories for found in _of_host(place, host)]
        skips = policy.skips_verification(host)
        if not (policy.ca_file or directories or skips):
            return _ordinary()
        context = checking_as_docker()
        if policy.ca_file:
            _trust(context, policy.ca_file)
        for directory in directories:
            _add(context, directory)
        if skips:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


@cache
def _ordinary() -> ssl.SSLContext:
    """Return the context of all hosts that need none of their own, made once: reading the CAs takes 35 ms."""
    return checking_as_docker()


def checking_as_docker() -> ssl.SSLContext:
    """Return a context with the machine's own trust that checks certificates as Go's programs do.

    Python 3.13 is stricter by default: it refuses a private CA without a key identifier or a key usage, which
    docker takes. And Go takes an intermediate CA that is trusted by itself, as Python does from 3.13 on only.
    """
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _of_host(place: Path, host: str) -> list[Path]:
    """Return docker's directories for `host:port`, of which the default port may be left out."""
    names = [host, host.removesuffix(":443")] if host.endswith(":443") else [host]
    return [place / name for name in names if (place / name).is_dir()]


def _add(context: ssl.SSLContext, directory: Path) -> None:
    """Take `*.crt` as CAs and each `NAME.cert` with its `NAME.key` as what dockpass shows of itself."""
    for path in sorted(directory.iterdir()):
        if not path.is_file():  # a pipe would be waited for
            continue
        if path.suffix == ".crt":
            _trust(context, path)
        elif path.suffix == ".cert":
            _show(context, path, path.with_suffix(".key"))


def _trust(context: ssl.SSLContext, path: Path) -> None:
    try:
        if not path.is_file():
            raise OSError("it is not a regular file")
        context.load_verify_locations(path)
    except (OSError, ValueError) as error:  # an error of ssl is an OSError
        raise UsageError(
            "ca-file",
            f"The CA file {clean(str(path))} cannot be used: {clean(str(error), 200)}.",
            "It has to hold certificates in PEM form.",
        ) from error


def _show(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:
        raise UsageError(
            "client-certificate",
            f"The client certificate {clean(str(certificate))} cannot be used: {clean(str(error), 200)}.",
            f"Its key must be beside it, named {clean(key.name)} and without a password.",
        ) from error


def _no_password() -> str:
    """Without this, OpenSSL would ask on the terminal."""
    raise ValueError("its key has a password")
