"""Which registry the sandbox behaves like, as a table of differences from GitLab's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

WINDOW_SECONDS = 21_600
GITLAB_REALM = "/jwt/auth"

ACCESS_DENIED = (
    "HTTP Basic: Access denied. If a password was provided for Git authentication, the password was"
    " incorrect or you're required to use a token instead of a password. If a token was provided, it was"
    " either incorrect, expired, or improperly scoped."
)


class Flavour(Enum):
    """A registry to behave like."""

    GITLAB = "gitlab"
    DISTRIBUTION = "distribution"
    DISTRIBUTION_TOKEN = "distribution-token"  # noqa: S105 - a name
    ANONYMOUS = "anonymous"
    NO_DELETE = "no-delete"
    DOCKERHUB = "dockerhub"
    GHCR = "ghcr"
    ECR = "ecr"


class OverAsking(Enum):
    """What the realm does when more is asked for than the account may do."""

    CUT = "fewer actions are granted"
    UNAUTHORIZED = "401 for the whole request"
    PUSH_FORBIDDEN = "403 for the whole request, if push was asked for"


@dataclass(frozen=True, slots=True)
class Profile:
    """How a flavour behaves; the defaults are GitLab's.

    `realm_path` is empty where Basic is used. `basic_user` is the only user name of a Basic flavour that
    has accounts' rights. `pulls` are how many manifests anybody and an account may read in six hours.
    """

    realm_path: str = GITLAB_REALM
    service: str = "container_registry"
    anonymous_pull: bool = False
    anonymous_login: bool = False
    deletes: bool = True
    deletes_by_tag_path: bool = True
    opaque_tokens: bool = False
    tells_expiry: bool = False
    names_nothing_granted: bool = False
    over_asking: OverAsking = OverAsking.CUT
    everybody_may: bool = False
    basic_user: str = ""
    pulls: tuple[int, int] | None = None
    refusal: tuple[int, str, str] = (401, "UNAUTHORIZED", ACCESS_DENIED)

    @property
    def is_gitlab(self) -> bool:
        """Whether it is a GitLab, which has projects and an API."""
        return self.realm_path == GITLAB_REALM


_OPEN_REFUSAL = (401, "UNAUTHORIZED", "authentication required")

PROFILES: Mapping[Flavour, Profile] = {
    Flavour.GITLAB: Profile(),
    Flavour.DISTRIBUTION: Profile(
        realm_path="", everybody_may=True, deletes_by_tag_path=False, refusal=_OPEN_REFUSAL
    ),
    Flavour.DISTRIBUTION_TOKEN: Profile(
        realm_path="/token",
        anonymous_login=True,
        deletes_by_tag_path=False,
        tells_expiry=True,
        names_nothing_granted=True,
        refusal=_OPEN_REFUSAL,
    ),
    Flavour.ANONYMOUS: Profile(anonymous_pull=True, anonymous_login=True),
    Flavour.NO_DELETE: Profile(deletes=False),
    Flavour.DOCKERHUB: Profile(
        realm_path="/token",
        service="registry.docker.io",
        anonymous_pull=True,
        anonymous_login=True,
        deletes=False,
        deletes_by_tag_path=False,
        tells_expiry=True,
        names_nothing_granted=True,
        over_asking=OverAsking.UNAUTHORIZED,
        pulls=(100, 200),
        refusal=(401, "", "incorrect username or password"),
    ),
    Flavour.GHCR: Profile(
        realm_path="/token",
        service="ghcr.io",
        deletes=False,
        deletes_by_tag_path=False,
        opaque_tokens=True,
        over_asking=OverAsking.PUSH_FORBIDDEN,
        refusal=(403, "DENIED", "denied"),
    ),
    Flavour.ECR: Profile(
        realm_path="",
        service="ecr.amazonaws.com",
        deletes=False,
        deletes_by_tag_path=False,
        basic_user="AWS",
        refusal=(401, "", "Not Authorized"),
    ),
}


class PullLimit:
    """Counts manifests read, by account or address, in windows of six hours."""

    def __init__(self, pulls: tuple[int, int], clock: Callable[[], float]) -> None:
        self._anybody, self._account = pulls
        self._clock = clock
        self._used: dict[str, tuple[float, int]] = {}

    def take(self, user: str, address: str, *, counts: bool) -> tuple[bool, Mapping[str, str]]:
        """Return whether one more may be read, and the headers that say what is left."""
        source, limit = (user, self._account) if user else (address, self._anybody)
        now = self._clock()
        since, used = self._used.get(source, (now, 0))
        if now - since >= WINDOW_SECONDS:
            since, used = now, 0
        allowed = not counts or used < limit
        if counts and allowed:
            used += 1
        self._used[source] = (since, used)
        return allowed, {
            "ratelimit-limit": f"{limit};w={WINDOW_SECONDS}",
            "ratelimit-remaining": f"{limit - used};w={WINDOW_SECONDS}",
            "docker-ratelimit-source": source,
        }
