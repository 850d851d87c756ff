"""What a token server gave: a token with what can be read of it, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dockpass.probe.model import ACTIONS, TokenFacts
from dockpass.registry.claims import Claims
from dockpass.registry.judgement import Judgement
from dockpass.registry.strictjson import NotJson, strict_object
from dockpass.secrets import Secret
from dockpass.text import clean


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """A token with what can be read of it, or why there is none. `words` say what came back."""

    words: str
    token: Secret | None = None
    claims: Claims | None = None
    scope: str | None = None
    judgement: Judgement | None = None

    def actions(self, path: str) -> frozenset[str] | None:
        """Return the actions that are visible for the repository; None where none can be seen."""
        if self.claims is not None:
            return self.claims.actions(path)
        if self.scope is None:
            return None
        found: set[str] = set()
        for entry in self.scope.split():
            kind, _, rest = entry.partition(":")
            name, _, actions = rest.rpartition(":")
            if (kind, name) == ("repository", path):
                found.update(clean(action, 40) for action in actions.split(","))
        return frozenset(found)


def facts_of(answers: Sequence[TokenAnswer], path: str) -> TokenFacts:
    """Return what the tokens say of themselves."""
    given = [answer for answer in answers if answer.token is not None]
    if not given:
        return TokenFacts()
    readable = [answer.claims for answer in given if answer.claims is not None]
    if not readable:
        return TokenFacts("opaque")
    claims = readable[0]
    entries = [entry for each in readable for entry in each.of(path)]
    return TokenFacts(
        "JWT",
        claims.subject,
        claims.life,
        claims.auth_type,
        claims.audience,
        tuple(dict.fromkeys(pattern for entry in entries for pattern in entry.deny_push)),
        tuple(dict.fromkeys(pattern for entry in entries for pattern in entry.deny_delete)),
    )


def listed(actions: Iterable[str]) -> str:
    """Return actions in the order in which they are shown; `nothing` where there are none."""
    known = {action: number for number, action in enumerate(ACTIONS)}
    return ", ".join(sorted(actions, key=lambda action: (known.get(action, len(known)), action))) or "nothing"


def scope_in(body: bytes) -> str | None:
    """Return the scope that an OAuth2 answer repeats."""
    try:
        scope = strict_object(body).get("scope")
    except NotJson:
        return None
    return clean(scope, 2000) if isinstance(scope, str) else None
