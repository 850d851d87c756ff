"""What an engine's error text means. Its HTTP status tells nothing: refusals and DNS are all 500.

The texts are those of dockerd and podman; both channels (answer and stream) carry the same ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockpass.errors import DockpassError, LoginRefused
from dockpass.text import clean


@dataclass(frozen=True, slots=True)
class Failure:
    """A kind of failure: how it is recognised, what it usually means, what to do next."""

    id: str
    pattern: re.Pattern[str]
    meaning: str
    hint: str


def _failure(failure_id: str, pattern: str, meaning: str, hint: str) -> Failure:
    return Failure(failure_id, re.compile(pattern, re.IGNORECASE), meaning, hint)


FAILURES: tuple[Failure, ...] = (
    _failure(
        "rate-limited",
        r"toomanyrequests|too many requests|rate limit",
        "The registry has had too many requests from this account or address.",
        "Wait, or log in: most registries allow more to a known user.",
    ),
    _failure(
        "socket-permission",
        r"permission denied.*(docker\.sock|podman\.sock|connect)|PermissionError",
        "The engine is there, but you may not use its socket.",
        "Join the docker group (`sudo usermod -aG docker $USER`, then log in again), or use rootless docker.",
    ),
    _failure(
        "plain-http",
        r"server gave HTTP response to HTTPS client",
        "The registry speaks plain http, and the engine expects https.",
        "Give the registry TLS, or add it to the engine's insecure-registries.",
    ),
    _failure(
        "name-unresolved",
        r"no such host|name or service not known|server misbehaving|temporary failure in name resolution",
        "The engine cannot resolve the registry's name.",
        "Check the spelling and the engine's DNS: the engine may be on another machine or network.",
    ),
    _failure(
        "connection-refused",
        r"connection refused",
        "Nothing listens at that address.",
        "Check host and port, and that the registry runs.",
    ),
    _failure(
        "tls",
        r"x509:|tls:|certificate|ssl",
        "The registry's certificate is not trusted by the engine.",
        "Put the CA into /etc/docker/certs.d/HOST/ca.crt on the engine's machine.",
    ),
    _failure(
        "unauthorized",
        r"unauthorized|no basic auth credentials|401|incorrect username or password|access denied"
        r"|authentication required|invalid username/password",
        "The registry does not know this user with this password, or wants a login where none was sent.",
        "Check user and secret; `dockpass explain` shows where they come from.",
    ),
    _failure(
        "denied",
        r"denied|forbidden|insufficient_scope|403",
        "The registry knows who asks, and does not allow this.",
        "Check that the repository is the right one and that this login may do this there.",
    ),
    _failure(
        "not-found",
        r"manifest unknown|not found|name unknown|does not exist|no such image|manifest_unknown|name_unknown",
        "The repository, the tag or the image is not there.",
        "Check the name; a private repository is often shown as absent to those who may not see it.",
    ),
    _failure(
        "reference-invalid",
        r"invalid reference format|must be lowercase|invalid tag",
        "The name is not a valid reference.",
        "Use lower case, and a form like host/path:tag.",
    ),
    _failure(
        "no-space",
        r"no space left on device",
        "The engine's disk is full.",
        "Free some space there: `docker system df` shows what takes it.",
    ),
    _failure(
        "timeout",
        r"timed? ?out|deadline exceeded|awaiting headers",
        "The registry did not answer in time.",
        "Try again; if it stays, look at the network between engine and registry.",
    ),
)

_OTHER = Failure("engine-failed", re.compile(""), "", "The engine's own log may say more.")


def classify(words: str) -> Failure:
    """Return the kind of failure that the engine's words speak of."""
    return next((failure for failure in FAILURES if failure.pattern.search(words)), _OTHER)


def failed(what: str, words: str) -> DockpassError:
    """Return the error for a failed piece of work; `what` names it (`push of R:T`)."""
    said = clean(words, 600).strip() or "nothing"
    failure = classify(said)
    meaning = f" {failure.meaning}" if failure.meaning else ""
    return DockpassError(failure.id, f"The {what} failed: {said}.{meaning}", failure.hint)


def login_failed(key: str, username: str, words: str) -> DockpassError:
    """Return the error for a failed login: a refusal, or what kept it from being tried."""
    said = clean(words, 600).strip()
    failure = classify(said)
    if failure.id in {"unauthorized", "denied"}:
        return LoginRefused(
            "login-refused",
            f"{clean(key)} refused the login of {clean(username)}: {said}.",
            failure.hint,
            words=said,
            meaning=failure.meaning,
        )
    return failed(f"login at {clean(key)}", said)
