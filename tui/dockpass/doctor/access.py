"""Checks of what a registry answered to a probe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dockpass.doctor import sources
from dockpass.doctor.check import Check, Need, Patient
from dockpass.findings import Finding, Severity
from dockpass.text import clean, plural

if TYPE_CHECKING:
    from dockpass.probe.model import Probe

_CONNECTION = (
    *("tls", "not-tls", "plain-http", "wants-https", "name-unresolved", "connection-refused", "timeout"),
    *("unreachable", "registry-unreadable", "answer-refused"),
)
_PROXY = (
    *("proxy-cgi", "proxy-invalid", "proxy-login", "proxy-refused", "proxy-scheme", "proxy-tls"),
    *("proxy-unreachable", "proxy-unverified"),
)
_SHORT = 600.0
_TO_PULL = (
    "The login needs read_registry and at least the role Reporter there; a job token also needs an entry in"
    " that project's job token allowlist."
)
_TO_PUSH = (
    "The login needs read_registry and write_registry and the role Developer; at GitHub, the permission"
    " packages: write."
)
_NO_LOGIN = "dockpass explain push shows why no login is used."


def in_answers(patient: Patient) -> Iterable[Finding]:
    """Find what the probe itself noted."""
    return patient.probe.findings if patient.probe else ()


def in_access(patient: Patient) -> Iterator[Finding]:
    """Yield what the login may not do, by what was granted."""
    probe = patient.probe
    if probe is None or not probe.reached:
        return
    from dockpass.probe.model import LoginState  # it loads what a probe needs, which a doctor mostly does not

    if probe.login.state is LoginState.REJECTED:
        user = f" as {clean(probe.username, 100)}" if probe.username else ""
        yield Finding(
            "login-rejected",
            "",
            f"{probe.host} did not accept the login{user}: {probe.login.words}",
            hint=probe.login.hint,
            severity=Severity.ERROR,
        )
        return
    yield from _refused(probe, anonymous=probe.login.state is LoginState.ANONYMOUS)
    yield from _about_token(probe)


def _refused(probe: Probe, *, anonymous: bool) -> Iterator[Finding]:
    from dockpass.probe.model import DELETE, PULL, PUSH, Verdict

    who = clean(probe.username, 100) or "The login"
    where = clean(f"{probe.host}/{probe.repository}", 200)
    no_pull, no_push = f"{who} may not pull from {where}", f"{who} may pull from {where}, but not push"
    if anonymous:
        no_pull = f"Without a login, {where} cannot be pulled"
        no_push = f"Without a login, {where} can be pulled, but not pushed to"
    pull, push, delete = (probe.verdict(action) for action in (PULL, PUSH, DELETE))
    if pull is Verdict.REFUSED:
        yield Finding(
            "may-not-pull",
            "",
            f"{no_pull}: {probe.result(PULL).evidence}",
            hint=_NO_LOGIN if anonymous else _TO_PULL,
            severity=Severity.ERROR,
        )
    elif push is Verdict.REFUSED:
        yield Finding(
            "may-not-push",
            "",
            f"{no_push}: {probe.result(PUSH).evidence}",
            hint=_NO_LOGIN if anonymous else _TO_PUSH,
        )
    elif push is Verdict.GRANTED and delete is Verdict.REFUSED:
        yield Finding(
            "may-not-delete",
            "",
            f"{who} may push to {where}, but not delete: {probe.result(DELETE).evidence}",
            hint="For a cleanup at GitLab, use a token with the scope api from a user with the role"
            " Maintainer.",
            severity=Severity.NOTE,
        )


def _about_token(probe: Probe) -> Iterator[Finding]:
    patterns = tuple(dict.fromkeys((*probe.token.deny_push, *probe.token.deny_delete)))
    if patterns:
        shown = ", ".join(clean(each, 60) for each in patterns[:3])
        yield Finding(
            "tags-protected",
            "",
            f"The token excludes tags that match {plural(len(patterns), 'pattern')}: {shown}",
            hint="The project's settings say who may push and delete protected tags.",
            severity=Severity.NOTE,
        )
    if probe.token.life is not None and 0 < probe.token.life < _SHORT:
        minutes = max(1, round(probe.token.life / 60))
        yield Finding(
            "short-token",
            "",
            f"Tokens from {probe.host} are valid for {plural(minutes, 'minute')}; pushing a large layer may"
            " take longer",
            hint="A GitLab administrator can raise it: Settings, CI/CD, Container Registry, Authorization"
            " token duration.",
            severity=Severity.NOTE,
        )


CHECKS: tuple[Check, ...] = (
    Check(
        id="DP-ACC-001",
        names=("login-rejected",),
        level=Severity.ERROR,
        need=Need.JUDGED,
        look=in_access,
        title="The registry does not accept the login.",
        matters="The user name or password is wrong, the token has expired or lacks a registry scope, or the"
        " account has two-factor authentication, and GitLab then accepts no password here.",
        fix="Create a new token with read_registry, or correct the user name.",
        source=sources.REGISTRY,
        symptoms=(
            r"unauthorized: authentication required",
            r"invalid username/password",
            r"401 Unauthorized",
            r"403 \(Forbidden\)",
            r"denied: denied",
            r"HTTP Basic: Access denied",
            r"incorrect username or password",
            r"unauthorized",
            r"access forbidden",
        ),
    ),
    Check(
        id="DP-ACC-002",
        names=("may-not-pull",),
        level=Severity.ERROR,
        need=Need.LOGIN,
        look=in_access,
        title="The login may not pull, or there is none.",
        matters="`docker login` proves only that the credentials are valid; access is checked for each"
        " repository. Without a login, only what is public can be pulled.",
        fix="Give the login access to that repository, or use another one.",
        source=sources.JOB_TOKEN,
        symptoms=(
            r"unauthorized: authentication required",
            r"403 \(Forbidden\)",
            r"from (?:HEAD|GET) request to \S{1,300} 401 Unauthorized",
            r"/manifests/[^\s\"]{1,300}\"?: unauthorized\b",
            r"access forbidden",
            r"authentication required",
            r"token.{0,300}403 Forbidden",
            r"pull access denied",
            r"insufficient_scope",
            r"requested access to the resource is denied",
            r"repository does not exist or may require 'docker login'",
        ),
    ),
    Check(
        id="DP-ACC-003",
        names=("may-not-push",),
        level=Severity.WARNING,
        need=Need.LOGIN,
        look=in_access,
        title="The login may pull, but not push.",
        matters="The push fails only after the whole build.",
        fix="Use a login with write access: at GitLab, read_registry and write_registry with the role"
        " Developer; at GitHub, packages: write.",
        source=sources.REGISTRY,
        symptoms=(
            r"checking push permission",
            r"error checking push permissions -- make sure you entered",
            r"authentication required",
            r"requested access to the resource is denied",
            r"permission_denied: write_package",
            r"installation not allowed to",
            r"access token has insufficient scopes",
            r"insufficient_scope",
            r"Pushing to protected repository path forbidden",
        ),
    ),
    Check(
        id="DP-LOG-014",
        names=("may-not-delete",),
        level=Severity.NOTE,
        need=Need.LOGIN,
        look=in_access,
        title="The login may push, but not delete.",
        matters="A cleanup with this login fails. At GitLab, a deploy token can never delete, and neither"
        " can a token with only read_registry and write_registry.",
        fix="Set WERF_IMAGES_CLEANUP_PASSWORD to a token with the scope api from a user with the role"
        " Maintainer.",
        source=sources.REGISTRY,
        symptoms=(r"insufficient_scope", r"unauthorized"),
    ),
    Check(
        id="DP-ACC-004",
        names=("tags-protected",),
        level=Severity.NOTE,
        need=Need.LOGIN,
        look=in_access,
        title="The registry's token excludes protected tags.",
        matters="Pushing or deleting such a tag is refused, whatever else the login may do.",
        fix="Use another tag, or a login that may change protected tags.",
        source="https://docs.gitlab.com/user/packages/container_registry/protected_container_tags/",
        symptoms=(
            r"immutable tag",
            r"tag.{0,80}(protected|immutable)",
        ),
    ),
    Check(
        id="DP-ACC-005",
        names=("short-token",),
        level=Severity.NOTE,
        need=Need.LOGIN,
        look=in_access,
        title="The registry's tokens expire within minutes.",
        matters="A push that takes longer fails halfway.",
        fix="Ask an administrator to raise the duration, or make the layers smaller.",
        source=sources.REGISTRY,
        symptoms=(r"unauthorized: authentication required",),
    ),
    Check(
        id="DP-ACC-006",
        names=_CONNECTION,
        level=Severity.ERROR,
        need=Need.REGISTRY,
        look=in_answers,
        title="The registry cannot be reached over a trusted connection.",
        matters="Nothing can be pulled or pushed without a trusted connection. With docker-in-docker, the"
        " daemon needs the CA certificate, not the job.",
        fix="Check host and port. Put the registry's CA certificate into the daemon's certs.d/HOST, or"
        " enable TLS on the registry.",
        source="https://docs.docker.com/engine/security/certificates/",
        symptoms=(
            r"context deadline exceeded",
            r"TLS handshake timeout",
            r"Client.Timeout exceeded",
            r"x509: (?:certificate|cannot validate certificate)",
            r"certificate signed by unknown authority",
            r"(?:http: )?server gave HTTP response to HTTPS client",
            r"client sent an HTTP request to an HTTPS server",
            r"no such host",
            r"connection refused",
            r"i/o timeout",
        ),
    ),
    Check(
        id="DP-ACC-007",
        names=("not-a-registry", "no-token-server"),
        level=Severity.ERROR,
        need=Need.REGISTRY,
        look=in_answers,
        title="Something other than a registry answers at this address.",
        matters="A registry often has a port of its own; without it the web server answers.",
        fix="Use the whole text of CI_REGISTRY, with its port.",
        source=sources.REGISTRY,
        symptoms=(r"error parsing HTTP 40\d response body", r"invalid character '<'", r"404 page not found"),
    ),
    Check(
        id="DP-ACC-008",
        names=("token-not-trusted",),
        level=Severity.ERROR,
        need=Need.REGISTRY,
        look=in_answers,
        title="The registry does not trust the tokens of its token server.",
        matters="Every login works, and every request after it is refused.",
        fix="Give GitLab and its registry the same key pair and the same issuer.",
        source="https://github.com/distribution/distribution/issues/1143",
        symptoms=(
            r"login attempt to \S+ failed with status: 401",
            r"token signed by untrusted key",
            r"invalid_token",
        ),
    ),
    Check(
        id="DP-ACC-009",
        names=_PROXY,
        level=Severity.ERROR,
        need=Need.REGISTRY,
        look=in_answers,
        title="The request fails at the proxy.",
        matters="The registry never sees the request.",
        fix="Correct HTTPS_PROXY, or name the registry in NO_PROXY.",
        source="https://docs.docker.com/engine/cli/proxy/",
        symptoms=(r"proxyconnect tcp", r"Proxy Authentication Required"),
    ),
    Check(
        id="DP-ACC-010",
        names=("clock-skew", "token-ended"),
        level=Severity.WARNING,
        need=Need.REGISTRY,
        look=in_answers,
        title="This machine's clock and the registry's differ.",
        matters="Tokens may be refused as expired, or as not yet valid.",
        fix="Synchronize this machine's clock with NTP.",
        source="https://github.com/docker/hub-feedback/issues/647",
        symptoms=(r"token is expired", r"token used before issued"),
    ),
    Check(
        id="DP-ACC-011",
        names=("forbidden-by-other", "refused-at-first", "rate-limited", "failed-logins-count"),
        level=Severity.ERROR,
        need=Need.REGISTRY,
        look=in_answers,
        title="The registry, or something in front of it, refuses requests from this address.",
        matters="GitLab.com bans an address for a while after 30 failed logins in 3 minutes; Docker Hub"
        " limits anonymous pulls per address.",
        fix="Stop whatever keeps failing, wait, or log in.",
        source="https://handbook.gitlab.com/handbook/support/workflows/ip-blocks/",
        symptoms=(
            r"error parsing HTTP 403 response body: invalid character 'F'",
            r"toomanyrequests",
            r"pull rate limit",
            r"429 Too Many Requests",
        ),
    ),
    Check(
        id="DP-ACC-012",
        names=("realm-refused", "realm-changed", "realm-differs", "realm-not-agreed", "realm-new"),
        level=Severity.ERROR,
        need=Need.REGISTRY,
        look=in_answers,
        title="The registry names a token server that may not be its own.",
        matters="Docker sends the login to the token server that the registry names, and that server may"
        " belong to somebody else.",
        fix="Ask the registry's administrator which token server is right.",
        source="docs/access.md",
    ),
    Check(
        id="DP-ACC-013",
        names=(
            *("subject-empty", "more-than-asked", "token-odd", "token-for-others", "scope-of-server"),
            *("list-odd", "challenge-unusable"),
        ),
        level=Severity.WARNING,
        need=Need.REGISTRY,
        look=in_answers,
        title="The registry or its token server answers in an unusual way.",
        matters="What the login may do is less certain than usual.",
        fix="Look at the requests: dockpass probe lists every one.",
        source="docs/access.md",
    ),
)
