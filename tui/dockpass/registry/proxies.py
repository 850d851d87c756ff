"""Which proxy a request takes, as Go's programs read `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.

The rules are those of golang.org/x/net/http/httpproxy, which net/http and so docker, podman and helm use.
Names in capitals come first; a loopback address never takes a proxy, and neither does `localhost`.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from dockpass.errors import UsageError
from dockpass.references.credential import Credential
from dockpass.secrets import MASK, Redactor, Secret
from dockpass.text import clean

NAMES = {"http": ("HTTP_PROXY", "http_proxy"), "https": ("HTTPS_PROXY", "https_proxy")}
NO_PROXY = ("NO_PROXY", "no_proxy")
CGI = "REQUEST_METHOD"
PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_USERINFO = re.compile(r"(?:[A-Za-z0-9\-._:~!$&'()*+,;=%@])*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_IN_HOST = re.compile(r"[\x00-\x20\x7f\"<>\\^`{|}%]")
_PORT = re.compile(r"(:[0-9]*)?")
_PREFIX = re.compile(r"[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy of the environment; `address` is `scheme://host[:port]` without any login.

    It is empty where Go makes an address of the variable that no proxy can have. `variable` is its name.
    """

    address: str
    credential: Credential | None = None
    variable: str = ""

    def __str__(self) -> str:
        """As it is shown: with a login masked, as every output masks one in an address."""
        if self.credential is None:
            return clean(self.address, 200)
        scheme, _, host = self.address.partition("://")
        return clean(f"{scheme}://{MASK}@{host}", 200)

    @property
    def scheme(self) -> str:
        """How it is spoken to."""
        return self.address.partition("://")[0]

    @property
    def host(self) -> str:
        """`host[:port]`, for people."""
        return clean(self.address.partition("://")[2], 100)

    @property
    def place(self) -> tuple[str, int]:
        """Host and port to connect to; the host is empty where the address has none."""
        parts = urlsplit(self.address)
        return parts.hostname or "", parts.port or PORTS.get(self.scheme, 0)

    @property
    def headers(self) -> dict[str, str]:
        """What the proxy alone gets of its login."""
        if self.credential is None:
            return {}
        pair = f"{self.credential.username}:{self.credential.password.reveal()}".encode(
            "utf-8", "surrogateescape"
        )
        return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def redacted(self, text: str) -> str:
        """Mask the password in a text: a proxy may mirror what it got."""
        redact = Redactor()
        self.teach(redact)
        return redact(text)

    def teach(self, redactor: Redactor) -> None:
        """Have the password masked in every output."""
        if self.credential is not None:
            redactor.learn(self.credential.password, self.credential.username)


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of an environment. `problems` say what in it is not used, and why."""

    http: Proxy | None = None
    https: Proxy | None = None
    exceptions: tuple[_Exception, ...] = ()
    is_cgi: bool = False
    problems: tuple[str, ...] = ()

    def of(self, url: str) -> Proxy | None:
        """Return the proxy for a request, None where it goes directly.

        Raises `UsageError` for an address that cannot be used, and in a CGI program for what HTTP_PROXY would
        decide: there a client's header sets it.
        """
        parts = urlsplit(url)
        proxy = {"https": self.https, "http": self.http}.get(parts.scheme)
        if proxy is None:
            return None
        if parts.scheme == "http" and self.is_cgi:
            raise UsageError(
                "proxy-cgi",
                f"{proxy.variable} is not used where {CGI} is set: in a CGI program a client can set it.",
                f"Unset {CGI}, or give --no-proxy.",
            )
        host = _ascii(unquote(parts.hostname or "")).lower()
        if not self._applies(host, str(parts.port or PORTS.get(parts.scheme) or "")):
            return None
        if not proxy.address:
            raise UsageError(
                "proxy-invalid",
                f"{proxy.variable} is not a proxy address, so {clean(host, 200)} cannot be reached.",
                "It should look like http://proxy.example:3128, with special characters in user name and"
                " password percent-encoded. --no-proxy connects directly.",
            )
        return proxy

    @property
    def all(self) -> tuple[Proxy, ...]:
        """Every proxy that is set."""
        return tuple(found for found in (self.https, self.http) if found is not None and found.address)

    def _applies(self, host: str, port: str) -> bool:
        address = _address(host)
        if host == "localhost" or (address is not None and address.is_loopback):
            return False
        return not any(each.holds(host, port, address) for each in self.exceptions)


NONE = Proxies()


@dataclass(frozen=True, slots=True)
class _Exception:
    """One entry of NO_PROXY. `network` is for addresses, `domain` (with a dot in front) for names."""

    everything: bool = False
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None
    domain: str = ""
    is_whole: bool = False
    port: str = ""

    def holds(self, host: str, port: str, address: _Address | None) -> bool:
        if self.everything:
            return True
        if self.port not in {"", port}:
            return False
        if self.network is not None:
            return address is not None and address in self.network
        if address is not None:
            return False
        return host.endswith(self.domain) or (self.is_whole and host == self.domain[1:])


def proxies_of(environ: Mapping[str, str]) -> Proxies:
    """Return the proxies that an environment names."""
    found: dict[str, Proxy | None] = {}
    problems = []
    for scheme, names in NAMES.items():
        variable, text = _first(environ, names)
        found[scheme] = _proxy(text, variable)
        if text and found[scheme] is None:
            problems.append(f"{variable} is not a proxy address: no proxy is used for {scheme}")
    _, listed = _first(environ, NO_PROXY)
    exceptions = tuple(_exceptions(listed))
    return Proxies(found["http"], found["https"], exceptions, bool(environ.get(CGI)), tuple(problems))


def proxies_for(environ: Mapping[str, str], redactor: Redactor, *, unused: bool = False) -> Proxies:
    """Return the proxies that an environment names, none where unused; have their passwords masked."""
    found = proxies_of(environ)
    for proxy in found.all:
        proxy.teach(redactor)
    return NONE if unused else found


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str]:
    return next(((name, environ[name]) for name in names if environ.get(name)), (names[0], ""))


def _proxy(text: str, variable: str) -> Proxy | None:
    """Read an address as Go does: one without scheme or host is tried once more with `http://` before it.

    What cannot be read at all is no proxy. What reads as something odd, such as a host named `http`, is one
    without an address: Go's programs fail there, and do not go directly.
    """
    if not text:
        return None
    first, second = _parsed(text), _parsed(f"http://{text}")
    for found, usable in ((first, True), (second, "//" not in text)):
        if found and found[0] and usable and _can_be_asked(found[1]):
            return Proxy(f"{found[0]}://{found[1]}", found[2], variable)
    return None if first is None and second is None else Proxy("", None, variable)


def _can_be_asked(host: str) -> bool:
    """Tell whether `host[:port]` names somebody; Go takes `:3128` for this machine."""
    try:
        parts = urlsplit(f"//{host}")
        return (
            bool(parts.hostname) and parts.port != 0 and (":" not in host.rpartition(":")[0] or "[" in host)
        )
    except ValueError:
        return False


def _parsed(text: str) -> tuple[str, str, Credential | None] | None:
    """Return scheme, host and login of an address, each empty where it is missing; None for a broken one."""
    if _CONTROL.search(text) or text.startswith(":") or _BAD_ESCAPE.search(text):
        return None
    text = text.partition("#")[0]
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    if not rest.startswith("/"):
        first = rest.partition("/")[0].partition("?")[0]
        return ("", "", None) if scheme or ":" not in first else None
    if not rest.startswith("//"):
        return (scheme[1].lower() if scheme else "", "", None)
    authority = re.split(r"[/?]", rest[2:], maxsplit=1)[0]
    userinfo, at, host = authority.rpartition("@")
    if not _is_host(host) or not _USERINFO.fullmatch(userinfo):
        return None
    user, _, password = userinfo.partition(":")
    secret = Secret(unquote(password, errors="surrogateescape"))
    credential = Credential(unquote(user, errors="surrogateescape"), secret) if at else None
    return (scheme[1].lower() if scheme else "", host, credential)


def _is_host(host: str) -> bool:
    """Tell whether Go takes this as a host with an optional port."""
    if host.startswith("["):
        inside, bracket, port = host[1:].rpartition("]")
        return bracket == "]" and _address(unquote(inside)) is not None and bool(_PORT.fullmatch(port))
    name, colon, port = host.rpartition(":")
    if not _PORT.fullmatch(colon + port if colon else ""):
        return False
    return not _BAD_IN_HOST.search(name if colon else host) and "[" not in host and "]" not in host


def _exceptions(text: str) -> Iterator[_Exception]:
    for entry in text.split(","):
        part = entry.strip().lower()
        if part == "*":
            yield _Exception(everything=True)
            return
        if found := _exception(part):
            yield found


def _exception(part: str) -> _Exception | None:
    if network := _network(part):
        return _Exception(network=network)
    host, port = _split(part)
    if not host:
        return None
    address = _address(host) if "%" not in host else None
    if address is not None:
        return _Exception(network=ipaddress.ip_network(address), port=port)
    host = host[1:] if host.startswith("*.") else host
    is_whole = not host.startswith(".")
    return _Exception(domain=_ascii(f".{host}" if is_whole else host), is_whole=is_whole, port=port)


def _split(part: str) -> tuple[str, str]:
    """Return host and port as Go's `net.SplitHostPort`; what it refuses is a host as a whole."""
    before, colon, port = part.rpartition(":")
    if not colon:
        return part, ""
    if part.startswith("["):
        inside, bracket, rest = part[1:].partition("]")
        whole = not bracket or rest != f":{port}" or "[" in inside + port or "]" in port
        return (part, "") if whole else (inside, port)
    return (part, "") if set(before + port) & set(":[]") else (before, port)


def _network(part: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    host, slash, prefix = part.partition("/")
    if not slash or not _PREFIX.fullmatch(prefix) or "%" in host:
        return None
    try:
        address, bits = ipaddress.ip_address(host), int(prefix)
        plain = _address(host)
        if plain is not None and plain.version != address.version and bits >= 96:
            address, bits = plain, bits - 96
        return ipaddress.ip_network((address, bits), strict=False)
    except ValueError:
        return None


def _address(host: str) -> _Address | None:
    """Return an address, an IPv4 one also out of its IPv6 form; None for a name."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def _ascii(name: str) -> str:
    """Return a name in punycode where it is not ASCII; what has none stays as it is."""
    if name.isascii():
        return name
    from yarl import URL  # loaded for the few who need it

    dot = "." if name.startswith(".") else ""
    try:
        return dot + (URL.build(scheme="http", host=name.removeprefix(".")).raw_host or "")
    except ValueError:
        return name
