"""What an engine's error text means. Its HTTP status tells nothing: refusals and DNS are all 500.

The texts are those of dockerd and podman; both channels (answer and stream) carry the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from dockpass.errors import DockpassError, LoginRefused
from dockpass.registry.failures import (
    BANNED,
    NOT_FROM_REGISTRY,
    REGISTRY_OFF,
    SIZE_SETTINGS,
    SWITCH_ON,
    TOO_LARGE,
)
from dockpass.registry.forms import in_short
from dockpass.text import clean

LONGEST_WORDS = 600


class Proof(Enum):
    """What is known of the credentials that went with a piece of work."""

    NONE_SENT = "none sent"
    SENT = "sent"
    ACCEPTED = "accepted at the login"


@dataclass(frozen=True, slots=True)
class Failure:
    """A kind of failure: how it is recognised, what it usually means, what to do next."""

    id: str
    pattern: re.Pattern[str]
    meaning: str
    hint: str


def _failure(failure_id: str, pattern: str, meaning: str, hint: str) -> Failure:
    return Failure(failure_id, re.compile(pattern, re.IGNORECASE), meaning, hint)


# The first that matches counts: a build's own words come before what its commands may have said, and a
# cause before what it led to.
FAILURES: tuple[Failure, ...] = (
    _failure(
        "needs-buildkit",
        r"requires BuildKit|unknown flag: (mount|network|security|link|chmod|checksum|parents|exclude)\b",
        "The Dockerfile uses what only BuildKit can do, and this is the engine's classic builder.",
        "Build it with `docker buildx build`, then push it with `dockpass push --image`.",
    ),
    _failure(
        "command-failed",
        r"returned a non-zero code: \d+|error while running runtime: exit status \d+",
        "A command of the Dockerfile failed; the lines above are its own.",
        "Correct the command, or run it in a container of the step before.",
    ),
    _failure(
        "copy-failed",
        r"^(COPY|ADD) failed|not found in build context|checking on sources under",
        "The Dockerfile copies what is not in the build context.",
        "Check the path, which counts from the context, and what .dockerignore excludes.",
    ),
    _failure(
        "target-unknown",
        r"failed to reach build target|target stage .* could not be found|invalid (build )?target",
        "The Dockerfile has no such stage.",
        "Check --target: it names what stands behind `AS`.",
    ),
    _failure(
        "dockerfile-invalid",
        r"dockerfile parse error|failed to parse Dockerfile|syntax error - can't process"
        r"|unknown instruction|no build stage|Dockerfile \(.*\) cannot be empty"
        r"|cannot locate specified Dockerfile|no source image provided"
        r"|provide a source image",
        "The engine does not understand the Dockerfile.",
        "Correct the line that it names.",
    ),
    _failure(
        "no-space",
        r"no space left on device|disk quota exceeded",
        "A disk is full, the engine's or the registry's.",
        "Free some space there: on the engine's side, `docker system df` or `podman system df` shows it.",
    ),
    _failure(
        "too-large",
        r"\b413\b|request entity too large|payload too large",
        TOO_LARGE,
        SIZE_SETTINGS,
    ),
    _failure(
        "registry-off",
        r"registry (is )?not enabled",
        REGISTRY_OFF,
        SWITCH_ON,
    ),
    _failure(
        "proxy-login",
        r"\b407\b|proxy authentication required",
        "A proxy on the engine's way there wants a login, or the address itself answers as a proxy.",
        "The engine's proxy is set up at the engine (`docker info` names it), not here.",
    ),
    _failure(
        "rate-limited",
        r"toomanyrequests|\b429\b|too many requests|rate limit",
        "The registry has had too many requests from this account or address.",
        "Wait, or log in: most registries allow more to a known user.",
    ),
    _failure(
        "socket-permission",
        r"permission denied.*(connect|socket)|dial unix .*permission denied",
        "The engine is there, but you may not use its socket.",
        "Join the docker group (`sudo usermod -aG docker $USER`, then log in again), or use rootless docker.",
    ),
    _failure(
        "plain-http",
        r"server gave HTTP response to HTTPS client|first record does not look like a TLS handshake",
        "The registry speaks plain http, and the engine expects https.",
        "Give the registry TLS, or allow plain http: insecure-registries in Docker's daemon.json,"
        " insecure = true for the registry in Podman's registries.conf.",
    ),
    _failure(
        "wants-https",
        r"HTTP request to an HTTPS server",
        "The registry speaks https, and the engine was told to use plain http.",
        "Take it out of insecure-registries in Docker's daemon.json, or out of Podman's registries.conf.",
    ),
    _failure(
        "name-unresolved",
        r"no such host|name or service not known|server misbehaving|name resolution",
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
        "unreachable",
        r"no route to host|network is unreachable|host is down",
        "The engine cannot reach the registry's network.",
        "Check the engine's network, VPN and firewall.",
    ),
    _failure(
        "timeout",
        r"timed? ?out\b|timeout exceeded|handshake timeout|deadline exceeded|awaiting headers",
        "The registry did not answer in time.",
        "Try again; if it stays, look at the network between engine and registry.",
    ),
    _failure(
        "tls",
        r"x509: certificate has expired|is not yet valid",
        "The registry's certificate is out of date, or the engine's clock is wrong.",
        "Renew the certificate, or set the clock of the engine's machine.",
    ),
    _failure(
        "tls",
        r"x509: .*(not valid for any names|is valid for .* not |cannot validate certificate for)",
        "The registry's certificate is for another name.",
        "Use the name that the certificate is for.",
    ),
    _failure(
        "tls",
        r"x509:|\btls: ",
        "The registry's certificate is not trusted by the engine.",
        "Put the CA into /etc/docker/certs.d/HOST/ca.crt on the engine's machine.",
    ),
    _failure(
        "platform-missing",
        r"no matching manifest for|no image found in (manifest list|image index)",
        "The image is there, but not for the engine's platform.",
        "Look with `dockpass deploy` which platforms it has.",
    ),
    _failure(
        "not-found",
        r"manifest unknown|name unknown|manifest_unknown|name_unknown|repository name not known to registry",
        "The repository or the tag is not there.",
        "Check the name; a private repository is often shown as absent to those who may not see it.",
    ),
    _failure(
        "absent-or-private",
        r"repository does not exist or may require",
        "The repository is not there, or is not shown to this login, or without one.",
        "Check the name first, then the login: `dockpass explain` shows it.",
    ),
    _failure(
        "forbidden-by-other",
        r"not in a registry's form \(403\)(?!: nothing)",
        NOT_FROM_REGISTRY,
        BANNED,
    ),
    _failure(
        "forbidden",
        r"not in a registry's form \(403\): nothing|failed with status: 403",
        "It refused without a reason: the registry did, or a proxy or a firewall before it.",
        "`dockpass probe` asks step by step, and tells which of them it was.",
    ),
    _failure(
        "no-token",
        r"unable to decode token response",
        "The token server gave neither a token nor a refusal.",
        "Try again; if it happens again, ask the registry's administrator.",
    ),
    _failure(
        "not-a-registry",
        r"not in a registry's form \(404\)|unmarshalling content: invalid character '<'"
        r"|unexpected HTTP status: 200|failed with status: 404",
        "What answers there is no registry.",
        "Check host and port: a registry often has a port of its own.",
    ),
    _failure(
        "unauthorized",
        r"\bunauthorized\b|no basic auth credentials|\b401\b|authentication required"
        r"|HTTP Basic: Access denied|(incorrect|invalid) username( or |/)password",
        "The registry does not know this user with this password.",
        "Check user and secret; `dockpass explain` shows where they come from.",
    ),
    _failure(
        "denied",
        r"\bdenied\b|\bforbidden\b|insufficient_scope|insufficient scope|\b403\b",
        "The registry does not allow this.",
        "Check that the repository is the right one and that this login may do this there.",
    ),
    _failure(
        "reference-invalid",
        r"invalid reference format|must be lowercase|invalid tag format|invalid repository name",
        "The name is not a valid reference.",
        "Use lower case, and a form like host/path:tag.",
    ),
    _failure(
        "not-found",
        r"not found|does not exist|no such (image|id|manifest)|image not known",
        "The repository, the tag or the image is not there.",
        "Check the name; `docker images` or `podman images` lists the local ones.",
    ),
    _failure(
        "registry-failed",
        r"received unexpected HTTP status|internal server error|bad gateway|service unavailable|\b50[0234]\b",
        "The registry itself failed.",
        "Try again later; its own log says more.",
    ),
)

_OTHER = Failure("engine-failed", re.compile(""), "", "The engine's own log may say more.")

# Names and addresses in an error are somebody's choice, and may hold any word and number.
_NAMES = re.compile(r'"[^"]*"|\w+://\S+|sha256:[0-9a-f]+|(?<= for )\S+')

# dockerd quotes such a body whole, as Go writes strings.
_UNREAD = re.compile(
    r'error parsing HTTP (?P<status>\d{3}) response body: [^"]{1,200}: "(?P<body>(?:[^"\\]|\\.)*)"?',
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}

_WANTS_LOGIN = "The registry wants a login, and none was sent."
_WHY_NONE = "`dockpass explain` says which login would be used, and why none is."
_NOT_ALLOWED = "The login itself was accepted, so this user may not do that there."


def classify(words: str, names: Iterable[str] = ()) -> Failure:
    """Return the kind of failure that the engine's words speak of.

    `names` are references that the words may hold, which say nothing about the failure.
    """
    for name in sorted(filter(None, names), key=len, reverse=True):
        words = words.replace(name, "NAME")
    words = _NAMES.sub("NAME", _UNREAD.sub(_in_short, words))
    return next((failure for failure in FAILURES if failure.pattern.search(words)), _OTHER)


def failed(what: str, words: str, proof: Proof = Proof.NONE_SENT, names: Iterable[str] = ()) -> DockpassError:
    """Return the error for a failed piece of work; `what` names it (`push of R:T`).

    Credentials that were sent and are not known to be good make it a `LoginRefused`.
    """
    said = _said(words)
    failure = classify(said, names)
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
            return DockpassError(failure.id, f"{opening} {_WANTS_LOGIN}", _WHY_NONE)
        case "unauthorized" | "denied", Proof.ACCEPTED:
            return DockpassError("denied", f"{opening} {_NOT_ALLOWED}", _find("denied").hint)
    return DockpassError(failure.id, f"{opening} {failure.meaning}".rstrip(), failure.hint)


def login_failed(key: str, username: str, words: str) -> DockpassError:
    """Return the error for a failed login: a refusal, or what kept it from being tried."""
    said = _said(words)
    failure = classify(said, (key,))
    if failure.id in {"unauthorized", "denied"}:
        meaning = _find("unauthorized").meaning
        return LoginRefused(
            "login-refused",
            f"{clean(key)} refused the login of {clean(username)}: {said}.",
            failure.hint,
            words=said,
            meaning=meaning,
        )
    return failed(f"login at {clean(key)}", said, Proof.SENT, (key,))


def _said(words: str) -> str:
    """Return the engine's words for people: of an answer that it could not read, what it says in short."""
    return clean(_UNREAD.sub(_in_short, words), LONGEST_WORDS).strip().rstrip(".") or "nothing was said"


def _in_short(found: re.Match[str]) -> str:
    body = _ESCAPED.sub(lambda escaped: _ESCAPES.get(escaped[1], escaped[1]), found["body"])
    said = in_short(body.encode("utf-8", "replace")) or "nothing"
    return f"an answer that is not in a registry's form ({found['status']}): {said}"


def _find(failure_id: str) -> Failure:
    return next(failure for failure in reversed(FAILURES) if failure.id == failure_id)
