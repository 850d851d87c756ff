"""What a probe finds out: which actions a registry grants to a login, and by which requests that was seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from dockpass.findings import Finding
from dockpass.registry.meanings import NOT_A_REGISTRY

PULL, PUSH, DELETE, EVERYTHING = "pull", "push", "delete", "*"
ACTIONS = (PULL, PUSH, DELETE, EVERYTHING)
"""In the order in which they are asked for and shown."""

SCOPES = {PULL: "pull", PUSH: "pull,push", DELETE: "delete", EVERYTHING: "*"}
"""What is asked for in one token request for each action; nothing can push that may not pull."""

NO_USABLE_ANSWER = "sent; no usable answer"


class Verdict(StrEnum):
    """What is known of one action."""

    GRANTED = "granted"
    REFUSED = "refused"
    NOT_VISIBLE = "not-visible"
    NOT_PROBED = "not-probed"
    UNKNOWN = "unknown"


class LoginState(StrEnum):
    """What became of the credentials."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ANONYMOUS = "anonymous"  # none are known, and none were sent
    NOT_NEEDED = "not-needed"
    WITHHELD = "withheld"  # not sent until the person says so, and the finding says why
    UNSENT = "unsent"  # there was nowhere to send them
    NOT_PROBED = "not-probed"
    UNKNOWN = "unknown"  # sent, and no answer told whether they are accepted


_JUDGED = frozenset({LoginState.ACCEPTED, LoginState.REJECTED, LoginState.ANONYMOUS, LoginState.NOT_NEEDED})


def only_when_done(asked: str) -> str:
    """Return what would show an action that no answer shows."""
    done = {PULL: "read", PUSH: "push"}.get(asked, "deletion")
    return f"only a real {done} shows it"


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """One request that was sent. `took` in seconds; `status` 0 where no answer came.

    `url` has no query but `n`; `scope` is what a token was asked for; `carried` is `nothing`, `login` or
    `token`; `words` say what came back.
    """

    method: str
    url: str
    status: int
    took: float
    words: str
    scope: str = ""
    carried: str = "nothing"


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What is known of one action on one repository, and by what it is known."""

    asked: str
    verdict: Verdict
    evidence: str
    repository: str = ""


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What the token says of itself. `kind` is `JWT`, `opaque` or `none`; `life` in seconds.

    `deny_push` and `deny_delete` are patterns of tags that the token itself excludes.
    """

    kind: str = "none"
    subject: str = ""
    life: float | None = None
    auth_type: str = ""
    audience: str = ""
    deny_push: tuple[str, ...] = ()
    deny_delete: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Challenge:
    """How the registry wants a login: `scheme` is `Bearer`, `Basic`, `none`, or empty if not known."""

    scheme: str = ""
    realm: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """What became of the credentials, in a word and in words."""

    state: LoginState
    words: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """One login at one repository. `reached` tells whether something answered as only a registry does.

    `exists` is None where it could not be seen whether the repository is there; `others` are reads of
    other repositories with the same login; `way` says which proxy was asked, if any. Every text is clean,
    and no secret is in any.
    """

    host: str
    repository: str
    credential_name: str
    username: str
    reached: bool
    flavour: str
    ping: str
    challenge: Challenge
    login: Login
    actions: tuple[ActionResult, ...]
    token: TokenFacts = field(default_factory=TokenFacts)
    requests: tuple[ProbeRequest, ...] = ()
    findings: tuple[Finding, ...] = ()
    exists: bool | None = None
    others: tuple[ActionResult, ...] = ()
    way: str = ""

    def verdict(self, action: str) -> Verdict:
        """Return what is known of an action."""
        return next((found.verdict for found in self.actions if found.asked == action), Verdict.UNKNOWN)

    def result(self, action: str) -> ActionResult:
        """Return what is known of an action, with its evidence."""
        return next(
            (found for found in self.actions if found.asked == action),
            ActionResult(action, Verdict.UNKNOWN, "it was not asked for", self.repository),
        )

    @property
    def was_asked(self) -> bool:
        """Whether the registry was asked what the login may do."""
        return self.reached and any(found.verdict is not Verdict.NOT_PROBED for found in self.actions)

    @property
    def was_judged(self) -> bool:
        """Whether an answer told if the login is accepted, or that none was needed."""
        return self.reached and self.login.state in _JUDGED

    @property
    def is_login_unused(self) -> bool:
        """Whether there is a login and the registry never asked for one, so that nothing is known of it."""
        return self.login.state is LoginState.NOT_NEEDED and bool(self.username)

    @property
    def unreached(self) -> str:
        """Return in two words what stands at the address if no registry does; empty where one does."""
        if self.reached:
            return ""
        if any(found.id == NOT_A_REGISTRY for found in self.findings):
            return "not a registry"
        came = any(request.status for request in self.requests)
        refused = any(found.id == "answer-refused" for found in self.findings)
        return "no usable answer" if came or refused else "no answer"

    @property
    def has_side_effects(self) -> bool:
        """Whether a request may have changed something: a push scope for a repository that does not exist."""
        return self.exists is not True and any("push" in request.scope for request in self.requests)
