"""What an answer means, by (where it came from) x status x code and words: one table, read from the top.

The words are about what was seen. Where an answer can have several causes, all of them are named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from dockpass.references.address import is_docker_hub, is_google
from dockpass.registry.failures import (
    BANNED,
    PROXY_LOGIN,
    REGISTRY_OFF,
    SIZE_SETTINGS,
    SWITCH_ON,
    TOKEN_PAGE,
    TOO_LARGE,
    Answer,
    too_many,
)
from dockpass.registry.forms import Form

NOT_A_REGISTRY = "not-a-registry"
"""The id for an address where something else answers."""


class Where(StrEnum):
    """Who answered, and to what."""

    PING = "ping"
    LOGIN = "login"  # the realm, before it has accepted these credentials
    SCOPE = "scope"  # the realm, after it has accepted them
    ANONYMOUS = "anonymous"  # the realm, asked without credentials
    REGISTRY = "registry"


class Flavour(StrEnum):
    """Kinds of registry whose answers are known; the value is the name that a person reads."""

    GITLAB = "GitLab"
    HUB = "Docker Hub"
    GHCR = "GitHub's registry"
    GOOGLE = "Google's registry"
    ECR = "Amazon ECR"
    OTHER = "the token server"


class Outcome(StrEnum):
    """What the answer says about what was asked."""

    CREDENTIALS = "credentials"  # they were not accepted
    REFUSED = "refused"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A stable id, the outcome, what it means and what to do next."""

    id: str
    outcome: Outcome
    meaning: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; what is empty fits everything. `words` is a regular expression."""

    judgement: Judgement
    where: frozenset[Where] = frozenset()
    statuses: frozenset[int] = frozenset()
    codes: frozenset[str] = frozenset()
    words: str = ""
    flavours: frozenset[Flavour] = frozenset()
    in_form: bool | None = None
    form: Form | None = None

    def fits(self, where: Where, answer: Answer, flavour: Flavour, *, in_form: bool) -> bool:
        """Tell whether the row is about this answer."""
        return (
            (not self.where or where in self.where)
            and (not self.statuses or answer.status in self.statuses)
            and (not self.codes or answer.code in self.codes)
            and (not self.flavours or flavour in self.flavours)
            and (self.in_form is None or self.in_form is in_form)
            and (self.form is None or self.form is answer.form)
            and re.search(self.words, answer.words, re.IGNORECASE) is not None
        )


def judge(where: Where, answer: Answer, flavour: Flavour, *, in_form: bool) -> Judgement:
    """Return the first row's judgement that fits; `in_form` tells whether the body was a JSON object."""
    found = next(row.judgement for row in ROWS if row.fits(where, answer, flavour, in_form=in_form))
    if found.id != RATE_LIMITED:
        return found
    meaning, hint = too_many(answer.wait)
    return replace(found, meaning=meaning, hint=hint)


def flavour_of(host: str, realm: str = "", service: str = "") -> Flavour:
    """Return the kind of registry, by its host, and by what it names as its token service."""
    name = host.partition(":")[0].lower()
    if is_docker_hub(host):
        return Flavour.HUB
    if service == "container_registry" and urlsplit(realm).path.endswith("/jwt/auth"):
        return Flavour.GITLAB
    if name == "ghcr.io":
        return Flavour.GHCR
    if is_google(host):
        return Flavour.GOOGLE
    if re.fullmatch(r"\d+\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?", name):
        return Flavour.ECR
    return Flavour.OTHER


def _row(
    judgement: Judgement,
    *where: Where,
    statuses: tuple[int, ...] = (),
    codes: tuple[str, ...] = (),
    words: str = "",
    flavours: tuple[Flavour, ...] = (),
    in_form: bool | None = None,
) -> Row:
    return Row(
        judgement,
        frozenset(where),
        frozenset(statuses),
        frozenset(codes),
        words,
        frozenset(flavours),
        in_form,
    )


_REALM = (Where.LOGIN, Where.SCOPE, Where.ANONYMOUS)
RATE_LIMITED = "rate-limited"
CHECK_ADDRESS = "Check host and port: a registry often has a port of its own."
_WHERE_FROM = "`dockpass explain` shows where user name and secret come from."

ROWS: tuple[Row, ...] = (
    _row(Judgement(RATE_LIMITED, Outcome.UNKNOWN, *too_many(None)), statuses=(429,)),
    _row(Judgement(RATE_LIMITED, Outcome.UNKNOWN, *too_many(None)), codes=("TOOMANYREQUESTS",)),
    _row(Judgement("proxy-login", Outcome.UNKNOWN, *PROXY_LOGIN), statuses=(407,)),
    _row(Judgement("too-large", Outcome.UNKNOWN, TOO_LARGE, SIZE_SETTINGS), statuses=(413,)),
    _row(
        Judgement("registry-off", Outcome.UNKNOWN, REGISTRY_OFF, SWITCH_ON),
        statuses=(404,),
        words="not enabled",
    ),
    _row(
        Judgement("server-failed", Outcome.UNKNOWN, "The server itself has a problem.", "Try again later."),
        statuses=tuple(range(500, 600)),
    ),
    _row(
        Judgement(
            "ecr-expired",
            Outcome.CREDENTIALS,
            "The password has expired.",
            "Fetch a new one (`aws ecr get-login-password`).",
        ),
        Where.REGISTRY,
        words="authorization token has expired",
    ),
    _row(
        Judgement(
            "forbidden-by-other",
            Outcome.UNKNOWN,
            "The answer has not a registry's form: a proxy, a firewall or a ban of this address gives such.",
            BANNED,
        ),
        statuses=(403,),
        in_form=False,
    ),
    _row(
        Judgement(
            "refused-at-first",
            Outcome.UNKNOWN,
            "It refuses before any login was sent: a list of allowed addresses does that.",
            "Ask from an address that it allows; its operator can tell which.",
        ),
        Where.PING,
        statuses=(403,),
    ),
    _row(
        Judgement(
            NOT_A_REGISTRY,
            Outcome.UNKNOWN,
            "A registry answers /v2/ in its own form, with 200 or 401.",
            CHECK_ADDRESS,
        ),
        Where.PING,
    ),
    Row(
        Judgement("no-token", Outcome.UNKNOWN, *TOKEN_PAGE),
        frozenset({Where.LOGIN, Where.SCOPE, Where.ANONYMOUS}),
        frozenset({401}),
        form=Form.PAGE,
    ),
    # -- the realm, asked with credentials that it has not accepted yet
    _row(
        Judgement(
            "gitlab-credentials",
            Outcome.CREDENTIALS,
            "GitLab gives this one answer to a wrong or expired secret, to a deploy token under another user"
            " name, to a job token after its job or under a user other than gitlab-ci-token, and to the"
            " password of an account with two-factor authentication.",
            _WHERE_FROM,
        ),
        Where.LOGIN,
        statuses=(401,),
        flavours=(Flavour.GITLAB,),
    ),
    _row(
        Judgement(
            "gitlab-no-registry-ability",
            Outcome.CREDENTIALS,
            "GitLab gives this answer where the token has no registry scope, and where a proxy before it"
            " took the Authorization header away.",
            "A personal, project or group token needs read_registry (and write_registry to push).",
        ),
        Where.LOGIN,
        statuses=(403,),
        codes=("DENIED",),
        flavours=(Flavour.GITLAB,),
    ),
    _row(
        Judgement(
            "limited-token",
            Outcome.REFUSED,
            "The login is accepted, and its token may not do this.",
            "Make a token with more permissions, or use another login.",
        ),
        Where.LOGIN,
        Where.SCOPE,
        statuses=(401,),
        words="insufficient scope",
    ),
    _row(
        Judgement("credentials", Outcome.CREDENTIALS, "User name and secret were not accepted.", _WHERE_FROM),
        Where.LOGIN,
        statuses=(401, 403),
    ),
    # -- the realm, after it has accepted the credentials
    _row(
        Judgement(
            "protected-repository",
            Outcome.REFUSED,
            "The repository is protected, and this login may not push to it.",
            "Who may is set in the project (protected container repositories).",
        ),
        Where.SCOPE,
        statuses=(403,),
        words="protected repository",
    ),
    _row(
        Judgement("denied-by-realm", Outcome.REFUSED, "The token server refuses this action to this login."),
        Where.SCOPE,
        statuses=(401, 403),
    ),
    # -- the realm, asked without credentials
    _row(
        Judgement(
            "needs-login",
            Outcome.REFUSED,
            "Without a login the token server gives no token for this.",
            "Give --registry-username and a password, or log in with docker; see `dockpass explain`.",
        ),
        Where.ANONYMOUS,
        statuses=(401, 403),
    ),
    _row(
        Judgement(
            "no-token-server",
            Outcome.UNKNOWN,
            "No token server answers at the address that the registry names.",
            "The registry's operator can tell whether the address is right.",
        ),
        *_REALM,
        statuses=(404, 405),
    ),
    _row(
        Judgement("scope-not-understood", Outcome.UNKNOWN, "The token server did not take the request."),
        *_REALM,
        statuses=(400, 422),
    ),
    _row(
        Judgement(
            "no-token",
            Outcome.UNKNOWN,
            "The token server gave neither a token nor a refusal.",
            "Try again; if it stays, its operator can tell.",
        ),
        *_REALM,
    ),
    # -- the registry itself
    _row(
        Judgement(
            "ecr-absent",
            Outcome.ABSENT,
            "The repository is not there.",
            "Amazon ECR usually makes no repository by a push: create it first.",
        ),
        Where.REGISTRY,
        statuses=(404,),
        flavours=(Flavour.ECR,),
    ),
    _row(
        Judgement(
            "absent",
            Outcome.ABSENT,
            "The repository is not there, or this login may not see it.",
            "Check the name; a first push makes the repository where the registry allows that.",
        ),
        Where.REGISTRY,
        statuses=(404,),
        in_form=True,
    ),
    _row(
        Judgement("no-listing", Outcome.UNKNOWN, "The registry does not list tags at this address."),
        Where.REGISTRY,
        statuses=(404, 405),
    ),
    _row(
        Judgement("not-allowed", Outcome.REFUSED, "The registry does not allow this to this login."),
        Where.REGISTRY,
        statuses=(401, 403),
    ),
    _row(Judgement("odd-answer", Outcome.UNKNOWN, "This is no answer that a registry gives.")),
)
