"""The error that failed work of an engine or a builder becomes: its words, what they mean, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from dockpass.engines.failurekinds import classify, kind_of, shortened
from dockpass.errors import DockpassError, LoginRefused
from dockpass.registry.failures import refused_login
from dockpass.registry.meanings import NEEDS_LOGIN
from dockpass.text import clean

LONGEST_WORDS = 600
_WHY_NONE = "`dockpass explain` shows which login would be used, or why none is."
_NOT_ALLOWED = "The login was accepted, so this user is not allowed to do that there."


class Proof(Enum):
    """What is known of the credentials that went with a piece of work."""

    NONE_SENT = "none sent"
    SENT = "sent"
    ACCEPTED = "accepted at the login"


def failed(
    what: str,
    words: str,
    proof: Proof = Proof.NONE_SENT,
    names: Iterable[str] = (),
    *,
    program: str = "",
) -> DockpassError:
    """Return the error for a failed piece of work; `what` names it (`push of R:T`).

    A refusal of credentials that have not been accepted before is a `LoginRefused`. `program` did the work,
    where that was not an engine.
    """
    said = _said(words)
    failure = classify(said, names).of_program(program)
    opening = f"The {what} failed: {said}."
    match failure.id, proof:
        case "unauthorized", Proof.SENT:
            return LoginRefused(
                failure.id,
                f"{opening} {failure.meaning}",
                failure.hint,
                words=said,
                meaning=failure.meaning,
            )
        case "unauthorized" | "denied", Proof.NONE_SENT:
            return DockpassError(failure.id, f"{opening} {NEEDS_LOGIN.meaning}", _WHY_NONE)
        case "unauthorized" | "denied", Proof.ACCEPTED:
            return DockpassError("denied", f"{opening} {_NOT_ALLOWED}", kind_of("denied").hint)
    return DockpassError(failure.id, f"{opening} {failure.meaning}".rstrip(), failure.hint)


def login_failed(key: str, username: str, words: str) -> DockpassError:
    """Return the error for a failed login: `LoginRefused`, or why the registry was not asked."""
    said = _said(words)
    failure = classify(said, (key,))
    if failure.id in {"unauthorized", "denied"}:
        meaning = kind_of("unauthorized").meaning
        return refused_login(key, username, said, meaning, failure.hint)
    return failed(f"login at {clean(key)}", said, Proof.SENT, (key,))


def _said(words: str) -> str:
    """Return the engine's text for people, with a response body that it quotes in short."""
    return clean(shortened(words), LONGEST_WORDS).strip().rstrip(".") or "no reason given"
