"""Where a name leads, checked before anything connects: no server sends dockpass into a private network.

The address that was checked is the one that is connected to, for the connector asks this resolver and
nobody else. A registry that itself lies in a private range may name others of the same kind.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable

from aiohttp.abc import AbstractResolver, ResolveResult

from dockpass.errors import DockpassError
from dockpass.text import clean, masked

KindOf = Callable[[str], str]
"""Tells what kind of address that is; the empty string for a public one."""

_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII | re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?", re.IGNORECASE)
_PART = re.compile(r"[^/:@?#\[\]\s\"•]+")  # a mask stays one
_LONGEST_NAME = 254

_V6_FORMS = {
    "an IPv4-mapped": ("::ffff:0:0/96",),
    "a 6to4": ("2002::/16",),
    "a Teredo": ("2001::/32",),
    "a NAT64": ("64:ff9b::/96", "64:ff9b:1::/48"),
    "a site-local": ("fec0::/10",),
}
_V4_RANGES = {"an unspecified": "0.0.0.0/8", "a shared (CGNAT)": "100.64.0.0/10"}
_V6_NETWORKS = {
    kind: tuple(ipaddress.IPv6Network(network) for network in networks)
    for kind, networks in _V6_FORMS.items()
}
_V4_NETWORKS = {kind: ipaddress.IPv4Network(network) for kind, network in _V4_RANGES.items()}


def kind_of(address: str) -> str:
    """Return `a private`, `a link-local`, `a NAT64`, …; the empty string for a public address.

    Forms of IPv6 that hold an IPv4 address count as a kind of their own, whatever is in them.
    Raises `ValueError` for what is no address.
    """
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        kind = next((kind for kind, nets in _V6_NETWORKS.items() if any(found in net for net in nets)), "")
    else:
        kind = next((kind for kind, network in _V4_NETWORKS.items() if found in network), "")
    if kind:
        return kind
    for kind, holds in (
        ("an unspecified", found.is_unspecified),
        ("a loopback", found.is_loopback),
        ("a link-local", found.is_link_local),
        ("a multicast", found.is_multicast),
        ("a private", found.is_private),
        ("a reserved", found.is_reserved or not found.is_global),
    ):
        if holds:
            return kind
    return ""


def is_literal(host: str) -> bool:
    """Tell whether `host` is an address in its one canonical form, without brackets."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def why_no_host(host: str) -> str:
    """Return why a host that a server named is neither a name nor a canonical address, or nothing.

    The C library reads `2852039166`, `0xa9fea9fe` and `0251.0376.1` as addresses too.
    """
    if is_literal(host):
        return ""
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return "it writes an IP address as a number"
    if len(host) > _LONGEST_NAME or not _NAME.fullmatch(host):
        return "it is not a host name"
    return ""


def in_ascii(address: str) -> str:
    """Return an address, or a host, with the letters of other alphabets as punycode, for display.

    A name that looks like another one does not look so any more. What has no punycode is escaped.
    """
    return _PART.sub(_punycode, masked(address))


def _punycode(name: re.Match[str]) -> str:
    if name[0].isascii():
        return name[0]
    try:
        return name[0].encode("idna").decode()
    except UnicodeError:
        return name[0].encode("ascii", "backslashreplace").decode()


class Guard:
    """Knows the registry's own hosts, and admits others only where they are public or of the same kind."""

    def __init__(self, kind: KindOf = kind_of) -> None:
        self._kind = kind
        self._own: set[tuple[str, int]] = set()
        self._ways: set[tuple[str, int]] = set()
        self._kinds: frozenset[str] | None = None

    def own(self, host: str, port: int) -> None:
        """Let `host:port` lead anywhere: the person named it."""
        self._own.add(_key(host, port))

    def way(self, host: str, port: int) -> None:
        """Let a proxy lie anywhere: the person named it. Of where the registry lies it says nothing."""
        self._ways.add(_key(host, port))

    def check(self, host: str, port: int) -> None:
        """Check a host before anything is asked of it; raises `DockpassError` (`address-refused`)."""
        if _key(host, port) in self._own:
            if is_literal(host):
                self._learn([host])
            return
        if why := why_no_host(host):
            raise _refused(host, port, why)
        if is_literal(host):
            self._admit(host, port, host)

    def admit(self, host: str, port: int, addresses: Iterable[str]) -> None:
        """Check the addresses of a name; one that is refused refuses the name."""
        found = list(addresses)
        if _key(host, port) in self._ways:
            return
        if _key(host, port) in self._own:
            self._learn(found)
            return
        for address in found:
            self._admit(host, port, address)

    def _admit(self, host: str, port: int, address: str) -> None:
        kind = self._kind(address)
        if kind and kind not in (self._kinds or ()):
            leads = "it is" if host == address else f"it leads to {clean(address, 60)},"
            raise _refused(
                host, port, f"{leads} {kind} address, and the registry itself has none of that kind"
            )

    def _learn(self, addresses: list[str]) -> None:
        """Remember the registry's kinds, from its first look-up only; one public address makes it public."""
        if self._kinds is None and addresses:
            kinds = frozenset(self._kind(address) for address in addresses)
            self._kinds = frozenset() if "" in kinds else kinds


class CheckedResolver(AbstractResolver):
    """Looks names up with `lookup`, and gives out what the guard admits."""

    def __init__(self, guard: Guard, lookup: AbstractResolver) -> None:
        self._guard = guard
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve and check; raises `DockpassError` for an address that is refused."""
        found = await self._lookup.resolve(host, port, family)
        self._guard.admit(host, port, [result["host"] for result in found])
        return found

    async def close(self) -> None:
        """Release what the look-ups use."""
        await self._lookup.close()


def _key(host: str, port: int) -> tuple[str, int]:
    return host.lower().rstrip("."), port


def _refused(host: str, port: int, why: str) -> DockpassError:
    shown = f"[{host}]" if ":" in host else host
    return DockpassError(
        "address-refused",
        f"{clean(shown, 200)}:{port} is not contacted: {why}. Nothing was sent there.",
        "The registry named it; ask its administrator whether that is intended.",
    )
