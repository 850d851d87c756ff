"""Recognises what an engine's error text means. The HTTP status is 500 for refusals and DNS errors alike.

The texts are those of dockerd and podman; responses and streams carry the same ones. What a registry's
refusal means is in `registry/meanings.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from dockpass.registry.forms import in_short
from dockpass.registry.judgement import Judgement
from dockpass.registry.meanings import (
    ABSENT,
    CHECK_ADDRESS,
    FORBIDDEN_BY_OTHER,
    NO_TOKEN,
    RATE_LIMITED,
    REGISTRY_OFF,
    SERVER_FAILED,
    TOO_LARGE,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A kind of failure: how it is recognised, what it usually means, what to do next.

    `beside` is the same of a program that does the work here and not in an engine; `PROGRAM` stands for it.
    """

    id: str
    pattern: re.Pattern[str]
    meaning: str
    hint: str
    beside: tuple[str, str] = ("", "")

    def of_program(self, program: str) -> Failure:
        """Return what it means and what to do where this program does the work; itself for an engine."""
        if not program:
            return self
        meaning, hint = (
            own.replace("PROGRAM", program) or text
            for own, text in zip(self.beside, (self.meaning, self.hint), strict=True)
        )
        return replace(self, meaning=meaning, hint=hint)


def _failure(
    failure_id: str, pattern: str, meaning: str, hint: str, *, beside: tuple[str, str] = ("", "")
) -> Failure:
    return Failure(failure_id, re.compile(pattern, re.IGNORECASE), meaning, hint, beside)


def _refusal(judgement: Judgement, pattern: str) -> Failure:
    return _failure(judgement.error, pattern, judgement.meaning, judgement.hint)


# The first that matches counts: a build's own words come before what its commands may have printed, and a
# cause before what it led to.
FAILURES: tuple[Failure, ...] = (
    _failure(
        "needs-buildkit",
        r"requires BuildKit|unknown flag: (mount|network|security|link|chmod|checksum|parents|exclude)\b",
        "The Dockerfile needs BuildKit, but the engine used its classic builder.",
        "Build with `docker buildx build`, then push with `dockpass push --image NAME`.",
        beside=(
            "The Dockerfile needs BuildKit, and PROGRAM has none.",
            "Build with --builder buildx or --builder buildkit.",
        ),
    ),
    _failure(
        "command-failed",
        r"returned a non-zero code: \d+|while running runtime: exit status \d+"
        r"|did not complete successfully: exit code|executor failed running",
        "A command in the Dockerfile failed; its output is above.",
        "Fix the command, or try it in a container of the previous step.",
    ),
    _failure(
        "copy-failed",
        r"^(COPY|ADD) failed|not found in build context|checking on sources under"
        r"|failed to (compute cache key|calculate checksum)",
        "The Dockerfile copies a file that is not in the build context.",
        "Check the path, which is relative to the context, and the patterns in .dockerignore.",
    ),
    _failure(
        "secret-missing",
        r"secret \S+ not found|no secret with id|secret required but no secret",
        "A RUN mounts a secret that the build was not given.",
        "Give it with --secret id=NAME,env=VARIABLE or --secret id=NAME,src=FILE.",
    ),
    _failure(
        "ssh-missing",
        r"no SSH key \S+ forwarded from the client|unset ssh forward key",
        "A RUN mounts an SSH agent that the build was not given.",
        "Give it with --ssh default, or with --ssh ID=SOCKET.",
    ),
    _failure(
        "cache-unsupported",
        r"cache export (feature )?is (currently )?not supported|exporter is not supported",
        "The engine's BuildKit cannot store a cache of this kind.",
        "Use --cache-to type=inline, or an engine with the containerd image store.",
        beside=(
            "PROGRAM cannot store a cache of this kind.",
            "Give the name of a repository.",
        ),
    ),
    _failure(
        "engine-failed",
        r"network bridge not found",
        "The engine has no network for the commands of a build.",
        "Build with --network host, or give the engine a bridge.",
        beside=(
            "PROGRAM has no network for the commands of a build.",
            "Build with --network host.",
        ),
    ),
    _failure(
        "target-unknown",
        r"failed to reach build target|target stage .* could not be found|invalid (build )?target",
        "The Dockerfile has no such stage.",
        "Check --target: it takes the name after `AS`.",
    ),
    _failure(
        "dockerfile-invalid",
        r"dockerfile parse error|failed to parse Dockerfile|syntax error - can't process"
        r"|unknown instruction|no build stage|Dockerfile \(.*\) cannot be empty"
        r"|cannot locate specified Dockerfile|no source image provided"
        r"|provide a source image",
        "The engine cannot parse the Dockerfile.",
        "Fix the line that it names.",
        beside=(
            "PROGRAM cannot parse the Dockerfile.",
            "",
        ),
    ),
    _failure(
        "no-space",
        r"no space left on device|disk quota exceeded",
        "A disk is full, the engine's or the registry's.",
        "Free some space: `docker system df` or `podman system df` shows what uses the engine's disk.",
        beside=(
            "A disk is full, of this machine or of the registry.",
            "Free some space: `PROGRAM images --all` lists the images that are kept here.",
        ),
    ),
    _refusal(TOO_LARGE, r"\b413\b|request entity too large|payload too large"),
    _refusal(REGISTRY_OFF, r"registry (is )?not enabled"),
    _failure(
        "proxy-login",
        r"\b407\b|proxy authentication required",
        "A proxy on the engine's way to the registry requires a login, or the server answers like one.",
        "The engine uses its own proxy settings (`docker info` shows them), not those of dockpass.",
        beside=(
            "A proxy on the way to the registry requires a login, or the server answers like one.",
            "Check HTTPS_PROXY and NO_PROXY: PROGRAM uses the proxy of the environment.",
        ),
    ),
    _refusal(RATE_LIMITED, r"toomanyrequests|\b429\b|too many requests|rate limit"),
    _failure(
        "socket-permission",
        r"permission denied.*(connect|socket)|dial unix .*permission denied",
        "The engine is running, but you are not allowed to use its socket.",
        "Join the docker group (`sudo usermod -aG docker $USER`, then log in again), or use rootless Docker.",
        beside=(
            "PROGRAM is not allowed to use a socket that it needs.",
            "Check who may use the socket that it names.",
        ),
    ),
    _failure(
        "plain-http",
        r"server gave HTTP response to HTTPS client|first record does not look like a TLS handshake",
        "The registry speaks plain http, but the engine expects https.",
        "Set up TLS for the registry, or allow plain http: insecure-registries in Docker's daemon.json,"
        " insecure = true for the registry in Podman's registries.conf.",
        beside=(
            "The registry speaks plain http, but PROGRAM expects https.",
            "Set up TLS for the registry, or allow plain http: insecure = true for it in registries.conf.",
        ),
    ),
    _failure(
        "wants-https",
        r"HTTP request to an HTTPS server",
        "The registry speaks https, but the engine is configured to use plain http.",
        "Remove it from insecure-registries in Docker's daemon.json, or from Podman's registries.conf.",
        beside=(
            "The registry speaks https, but PROGRAM is configured to use plain http.",
            "Remove its insecure = true from registries.conf.",
        ),
    ),
    _failure(
        "name-unresolved",
        r"no such host|name or service not known|server misbehaving|name resolution",
        "The engine cannot resolve the registry's name.",
        "Check the spelling and the engine's DNS: the engine may run on another machine or network.",
        beside=(
            "PROGRAM cannot resolve the registry's name.",
            "Check the spelling and this machine's DNS.",
        ),
    ),
    _failure(
        "connection-refused",
        r"connection refused",
        "Nothing listens at that address.",
        "Check host and port, and that the registry is running.",
    ),
    _failure(
        "unreachable",
        r"no route to host|network is unreachable|host is down",
        "The engine cannot reach the registry's network.",
        "Check the engine's network, VPN and firewall.",
        beside=(
            "PROGRAM cannot reach the registry's network.",
            "Check network, VPN and firewall.",
        ),
    ),
    _failure(
        "timeout",
        r"timed? ?out\b|timeout exceeded|handshake timeout|deadline exceeded|awaiting headers",
        "The registry did not answer in time.",
        "Try again; if it happens again, check the network between engine and registry.",
        beside=(
            "",
            "Try again; if it happens again, check the network between this machine and the registry.",
        ),
    ),
    _failure(
        "tls",
        r"x509: certificate has expired|is not yet valid",
        "The registry's certificate has expired or is not valid yet, or the engine's clock is wrong.",
        "Renew the certificate, or set the clock of the engine's machine.",
        beside=(
            "The registry's certificate has expired or is not valid yet, or the clock is wrong.",
            "Renew the certificate, or set the clock of this machine.",
        ),
    ),
    _failure(
        "tls",
        r"x509: .*(not valid for any names|is valid for .* not |cannot validate certificate for)",
        "The registry's certificate is for another name.",
        "Use a name that the certificate is for.",
    ),
    _failure(
        "tls",
        r"x509:|\btls: ",
        "The engine does not trust the registry's certificate.",
        "Copy the CA to /etc/docker/certs.d/HOST/ca.crt on the engine's machine.",
        beside=(
            "PROGRAM does not trust the registry's certificate.",
            "Copy the CA to /etc/containers/certs.d/HOST/ca.crt.",
        ),
    ),
    _failure(
        "platform-missing",
        r"no matching manifest for|no image found in (manifest list|image index)",
        "The image exists, but not for the engine's platform.",
        "`dockpass deploy` shows which platforms it has.",
        beside=("The image exists, but not for the platform that is built for.", ""),
    ),
    _refusal(
        ABSENT,
        r"manifest unknown|name unknown|manifest_unknown|name_unknown|repository name not known to registry",
    ),
    _failure(
        "absent-or-private",
        r"repository does not exist or may require",
        "The repository does not exist, or this login (or an anonymous client) cannot see it.",
        "Check the name first, then the login: `dockpass explain` shows it.",
    ),
    _refusal(FORBIDDEN_BY_OTHER, r"not in registry format \(403\)(?!: nothing)"),
    _failure(
        "forbidden",
        r"not in registry format \(403\): nothing|failed with status: 403",
        "Refused without a reason, by the registry or by a proxy or firewall in front of it.",
        "`dockpass probe` asks step by step and shows which of them it was.",
    ),
    _refusal(NO_TOKEN, r"unable to decode token response"),
    _failure(
        "not-a-registry",
        r"not in registry format \(404\)|unmarshalling content: invalid character '<'"
        r"|unexpected HTTP status: 200|failed with status: 404",
        "The server at this address is not a registry.",
        CHECK_ADDRESS,
    ),
    _failure(
        "unauthorized",
        r"\bunauthorized\b|no basic auth credentials|\b401\b|authentication required"
        r"|HTTP Basic: Access denied|(incorrect|invalid) username( or |/)password",
        "The registry did not accept user name and password.",
        "Check both; `dockpass explain` shows where they come from.",
    ),
    _failure(
        "denied",
        r"\bdenied\b|\bforbidden\b|insufficient_scope|insufficient scope|\b403\b",
        "The registry does not allow this.",
        "Check that it is the right repository, and what this login may do there (`dockpass probe`).",
    ),
    _failure(
        "reference-invalid",
        r"invalid reference format|must be lowercase|invalid tag format|invalid repository name",
        "The name is not a valid reference.",
        "Use lower case, in the form host/path:tag.",
    ),
    _failure(
        "not-found",
        r"not found|does not exist|no such (image|id|manifest)|image not known",
        "The repository, tag or image does not exist.",
        "Check the name; `docker images` or `podman images` lists the local ones.",
        beside=("", "Check the name; `PROGRAM images` lists the local ones."),
    ),
    _refusal(
        SERVER_FAILED,
        r"received unexpected HTTP status|internal server error|bad gateway|service unavailable|\b50[0234]\b",
    ),
)

_OTHER = _failure(
    "engine-failed",
    "",
    "",
    "The engine's own log may say more.",
    beside=("", "The output above may say more."),
)

# Names and addresses in an error are somebody's choice, and may hold any word and number.
_NAMES = re.compile(r'"[^"]*"|\w+://\S+|sha256:[0-9a-f]+|(?<= for )\S+')

# dockerd quotes such a body whole, as Go writes strings.
_UNREAD = re.compile(
    r'error parsing HTTP (?P<status>\d{3}) response body: [^"]{1,200}: "(?P<body>(?:[^"\\]|\\.)*)"?',
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def classify(words: str, names: Iterable[str] = ()) -> Failure:
    """Return the kind of failure that an engine's error text describes.

    `names` are references that the text may contain; a word in one says nothing about the failure.
    """
    for name in sorted(filter(None, names), key=len, reverse=True):
        words = words.replace(name, "NAME")
    words = _NAMES.sub("NAME", shortened(words))
    return next((failure for failure in FAILURES if failure.pattern.search(words)), _OTHER)


def kind_of(failure_id: str) -> Failure:
    """Return the most general failure of an id."""
    return next(failure for failure in reversed(FAILURES) if failure.id == failure_id)


def shortened(words: str) -> str:
    """Return an engine's text with a response body that it quotes in short."""
    return _UNREAD.sub(_in_short, words)


def _in_short(found: re.Match[str]) -> str:
    body = _ESCAPED.sub(lambda escaped: _ESCAPES.get(escaped[1], escaped[1]), found["body"])
    said = in_short(body.encode("utf-8", "replace")) or "nothing"
    return f"a response that is not in registry format ({found['status']}): {said}"
