"""The first contact with a registry: how it is reached, what it asks for, and who may get the credentials.

Runs (`Session.connect`) and probes both go through here, so that a check cannot be missing in one of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from dockpass.errors import DockpassError
from dockpass.references.address import DOCKER_HUB_HOST, host_name, is_loopback
from dockpass.registry.challenge import Challenge, choose, parse_challenges, unusable_challenge
from dockpass.registry.forms import is_page
from dockpass.registry.policy import Guard, Policy, RealmNotAgreed, RealmRule
from dockpass.registry.token import Realm, check_realm, named_realm
from dockpass.text import clean

Response = TypeVar("Response")

_HUB_API = "registry-1.docker.io"


def api_host(host: str) -> str:
    """Return the host that serves a registry's API, which Docker Hub has elsewhere."""
    return _HUB_API if host == DOCKER_HUB_HOST else host


async def reach(
    host: str,
    policy: Policy,
    ask: Callable[[str], Awaitable[Response]],
    on_plain: Callable[[], None] = lambda: None,
) -> tuple[str, Response]:
    """Ask a registry's `/v2/` by https, then by plain http where that is allowed; return base and response.

    `ask` sends the request to an address; `on_plain` is called before it is repeated in plain http.
    """
    base = f"https://{api_host(host)}"
    try:
        return base, await ask(f"{base}/v2/")
    except DockpassError as error:
        if not _may_be_plain(error, api_host(host), policy):
            raise
    on_plain()
    base = f"http://{api_host(host)}"
    return base, await ask(f"{base}/v2/")


def _may_be_plain(error: DockpassError, api: str, policy: Policy) -> bool:
    """Tell whether plain http is tried: with this machine, as docker does it, or where it is allowed.

    A registry that speaks TLS with a wrong certificate is never asked without it.
    """
    if policy.allows_plain(api):
        return error.id in {"not-tls", "connection-refused"}
    return error.id == "not-tls" and is_loopback(api)


def is_registry(status: int, body: bytes) -> bool:
    """Tell whether the response to `/v2/` may be a registry's: 200 or 401, and no web page with 200."""
    return status == 401 or (status == 200 and not is_page(body))


def challenge_of(host: str, status: int, headers: Sequence[str]) -> Challenge | None:
    """Return the challenge to answer, None if no login is required; raises for a 401 without a usable one."""
    challenge = choose(parse_challenges(headers))
    if challenge is None and status == 401:
        raise unusable_challenge(host, headers)
    return challenge


def accept_challenge(
    host: str,
    base: str,
    challenge: Challenge,
    policy: Policy,
    *,
    rule: RealmRule | None,
    guard: Guard | None,
) -> tuple[Realm | None, str]:
    """Return the token server that a challenge names (None for Basic), and what is new about it.

    Every check happens here, before credentials are sent: the address itself, `rule` (which hosts may get
    them), `guard` (whether it is the one remembered). Without credentials, rule and guard are None. Raises
    `DockpassError` with the id `realm-refused`, `realm-not-agreed` or `realm-changed`.
    """
    api, realm = api_host(host), None
    if challenge.scheme == "bearer":
        realm = check_realm(api, urlsplit(base).scheme, challenge.parameters, policy)
    if rule is not None:
        receiver = host_name(realm.url if realm else api)
        if why := rule.why_not(host_name(api), receiver):
            raise RealmNotAgreed(host, receiver, why)
    return realm, guard(host, realm.url) if guard and realm else ""


def realm_differs(host: str, known: Realm, challenge: Challenge) -> DockpassError | None:
    """Return the error if a later challenge names another token server than the first one; else None."""
    named = named_realm(challenge.parameters)
    if named == known:
        return None
    return DockpassError(
        "realm-differs",
        f"{clean(host)} first named the token server {clean(known.url, 200)} (service"
        f" “{clean(known.service, 80)}”), and now {clean(named.url, 200)} (service"
        f" “{clean(named.service, 80)}”). No credentials were sent there.",
        "Ask the registry's administrator which one is right.",
    )
