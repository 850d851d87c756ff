"""What a person allows beyond the ordinary: proxies, a CA, plain http or unchecked TLS for single hosts.

Each of these is for exactly the `host:port` that is named, and never for a host that a server names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dockpass.errors import NotAllowed, UsageError
from dockpass.references.address import DOCKER_HUB_HOST, normalise_host
from dockpass.references.reference import is_host, quoted
from dockpass.registry.proxies import NONE, Proxies, Proxy
from dockpass.registry.site import same_site
from dockpass.text import clean

Guard = Callable[[str, str], str]
"""Given a host and the realm that it names, returns what is new about that; raises for a changed one."""

_PORTS = {"https": 443, "http": 80}


class RealmNotAgreed(NotAllowed):
    """Credentials are withheld from `realm_host`, until the person agrees to it."""

    def __init__(self, registry: str, realm_host: str, why: str) -> None:
        super().__init__(
            "realm-not-agreed",
            f"{clean(registry)} uses {clean(realm_host, 200)} as its token server: {why}."
            " No credentials were sent.",
            f"If that is intended, allow it with --allow-realm {clean(realm_host, 200)}.",
        )
        self.realm_host = realm_host
        self.why = why


@dataclass(frozen=True, slots=True)
class RealmRule:
    """Which hosts may get the credentials for a registry; all hosts are without ports.

    `agreed` are those that the person named. `servers` holds the CI server that made the token, which goes
    nowhere else if it is known, and to no server unasked if the CI's variables name several. One whose name
    is not known is empty.
    """

    agreed: frozenset[str] = frozenset()
    servers: frozenset[str] = frozenset()

    def why_not(self, registry: str, realm: str) -> str:
        """Return why the credentials need the person's word to go to `realm`; empty where they do not.

        A registry that wants them itself, without any realm, is its own realm.
        """
        if realm in self.agreed:
            return ""
        if not self.servers:
            return "" if same_site(registry, realm) else "it is on a different domain"
        names = clean(", ".join(sorted(filter(None, self.servers))), 200)
        if len(self.servers) > 1:
            unknown = ", and one that is not known" if "" in self.servers else ""
            return f"the CI's variables name different servers ({names}{unknown})"
        own = realm == registry and any(same_site(registry, server) for server in self.servers)
        if realm in self.servers or own:
            return ""
        if not names:
            return "it is not known which CI server made the token"
        return f"the CI server that made the token is {names}"


@dataclass(frozen=True, slots=True)
class Policy:
    """Hosts are `host[:port]` in lower case, as `checked_host` returns them.

    `proxies` are those of the environment, as Go's programs read it; none are used where they are not handed
    in. `ca_file` is trusted beside the machine's own CAs. `certificate_directories` are
    docker's `certs.d`. Without a `realm_rule` credentials go to whatever public realm a registry
    names. `realm_guard` is asked before they do.
    """

    proxies: Proxies = NONE
    ca_file: Path | None = None
    insecure_registries: frozenset[str] = frozenset()
    skip_tls_verify: frozenset[str] = frozenset()
    certificate_directories: tuple[Path, ...] = ()
    realm_rule: RealmRule | None = None
    realm_guard: Guard | None = None

    def allows_plain(self, host: str) -> bool:
        """Tell whether plain http is allowed with exactly this `host[:port]`."""
        return _listed(host, self.insecure_registries, "http")

    def skips_verification(self, host: str) -> bool:
        """Tell whether the certificate of exactly this `host[:port]` is not checked."""
        return _listed(host, self.skip_tls_verify, "https")

    def proxy_for(self, url: str) -> Proxy | None:
        """Return the proxy for a request, None where it goes directly; raises as `Proxies.of`."""
        return self.proxies.of(url)

    def way_to(self, host: str) -> str:
        """Say by which proxy requests to `host[:port]` go, if by any; raises nothing."""
        try:
            found = self.proxy_for(f"{'http' if self.allows_plain(host) else 'https'}://{host}/")
        except UsageError as error:
            return error.message
        return "" if found is None else f"through the proxy {found} ({found.variable})"

    def warnings(self, host: str) -> Iterator[str]:
        """Say what is unsafe about requests to `host` because the person wants it so."""
        if self.allows_plain(host):
            yield (
                f"{clean(host)} may speak plain http (--insecure-registry):"
                " anyone on the network can read and change what is sent, including the password"
            )
        if self.skips_verification(host):
            yield (
                f"the certificate of {clean(host)} is not verified (--skip-tls-verify-registry):"
                " anyone on the network can impersonate it"
            )


def certificate_directories(home: Path) -> tuple[Path, ...]:
    """Return docker's own directories of certificates by registry."""
    return Path("/etc/docker/certs.d"), home / ".docker" / "certs.d"


def checked_host(option: str, text: str, *, hub: bool = False) -> str:
    """Return `host[:port]` in lower case; raises `UsageError` for an address, a path, or no host.

    Docker Hub is one only where `hub` says so.
    """
    host = text.lower()
    if not is_host(host):
        raise UsageError(
            "host-invalid",
            f"{option}: {quoted(text)} is not a host name with an optional port.",
            f"It should look like {option} registry.myhost.com:5000; each host has an option of its own.",
        )
    if not hub and normalise_host(host) == DOCKER_HUB_HOST:
        raise UsageError("host-invalid", f"{option}: Docker Hub is never asked like that.", "Leave it out.")
    return host


def _listed(host: str, listed: frozenset[str], scheme: str) -> bool:
    """Compare hosts with their ports; one without a port stands for the scheme's own port."""
    wanted = _with_port(host, scheme)
    return any(_with_port(each, scheme) == wanted for each in listed)


def _with_port(host: str, scheme: str) -> str:
    try:
        parts = urlsplit(f"//{host}")
        return f"{parts.hostname}:{parts.port or _PORTS[scheme]}"
    except ValueError:
        return host
