"""Looks for tokens that cannot log in: by kind, age, user and registry."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator

from dockpass.auth.ci import GITLAB
from dockpass.auth.rules import CLEANUP_PASSWORD
from dockpass.doctor.check import Patient
from dockpass.doctor.pairs import Pair, pairs
from dockpass.findings import Finding, Severity
from dockpass.references.address import is_docker_hub, is_google
from dockpass.secrets import TOKEN_PREFIXES, Secret
from dockpass.text import clean
from dockpass.variables.token_findings import claimed_time, span_in_words
from dockpass.variables.token_kind import RegistryUse, TokenKind, kind_of
from dockpass.variables.unread_findings import service_of

_LEEWAY = 300.0
_SHORTEST_BODY = 16
_OF_GITLAB = frozenset({RegistryUse.GITLAB, RegistryUse.DEPLOY, RegistryUse.JOB})
_ACR_USER = "00000000-0000-0000-0000-000000000000"


def in_tokens(patient: Patient) -> Iterator[Finding]:
    """Yield what is wrong with the tokens among the logins."""
    for pair in pairs(patient.facts):
        kind = kind_of(Secret(pair.secret))
        yield from _about_kind(pair, kind)
        yield from _about_user(pair, patient)
        yield from _about_host(pair, kind)
        if not _loses_at_a_dollar(pair, patient):
            yield from _about_length(pair)
        if patient.here is not None:
            yield from _about_time(pair, patient.here.now())


def _about_kind(pair: Pair, kind: TokenKind) -> Iterator[Finding]:
    if kind.registry_login is RegistryUse.NO:
        yield Finding(
            "token-cannot-log-in",
            pair.about,
            f"is a {kind.name}, which no registry accepts as a password",
            hint="Use a deploy token, or a personal or project access token with read_registry.",
            severity=Severity.ERROR,
        )


def _about_user(pair: Pair, patient: Patient) -> Iterator[Finding]:
    if pair.secret.startswith("gldt-") and pair.user == GITLAB.user:
        yield Finding(
            "deploy-token-user",
            pair.about,
            f"is a deploy token, and its user name is {GITLAB.user}: GitLab accepts it under its own user"
            " name only",
            hint="Use CI_DEPLOY_USER, or the user name that GitLab showed with the token.",
            severity=Severity.ERROR,
        )
    is_job_token = pair.secret.startswith("glcbt-") or pair.secret == patient.facts.text(GITLAB.token)
    own = {"", GITLAB.user}
    if is_job_token and pair.user not in own and pair.about != CLEANUP_PASSWORD:
        yield Finding(
            "job-token-user",
            pair.about,
            f"is a job token, and its user name is {clean(pair.user, 100)}: GitLab accepts it as"
            f" {GITLAB.user} only",
            hint=f"Use the user name {GITLAB.user}.",
        )
    wanted = _special_user(pair)
    if wanted and pair.user and pair.user != wanted:
        yield Finding(
            "special-user",
            pair.about,
            f"needs the user name {wanted}, and it is {clean(pair.user, 100)}",
            hint=f"Use the user name {wanted}.",
            severity=Severity.ERROR,
        )


def _special_user(pair: Pair) -> str:
    """Return the one user name with which a secret of this form is accepted; empty where any may do."""
    use = kind_of(Secret(pair.secret)).registry_login
    if use is RegistryUse.GOOGLE:
        return "oauth2accesstoken"
    if use is RegistryUse.GOOGLE_KEY:
        return "_json_key"
    if ecr_expiry(pair.secret):
        return "AWS"
    is_acr = pair.host.partition(":")[0].endswith((".azurecr.io", ".azurecr.cn", ".azurecr.us"))
    return _ACR_USER if is_acr and claimed_time(pair.secret, "exp") else ""


def _about_host(pair: Pair, kind: TokenKind) -> Iterator[Finding]:
    use, host = kind.registry_login, pair.host
    fits = {
        RegistryUse.GHCR: host in {"ghcr.io", "docker.pkg.github.com"},
        RegistryUse.GHCR_JOB: host in {"ghcr.io", "docker.pkg.github.com"},
        RegistryUse.HUB: is_docker_hub(host),
        RegistryUse.GOOGLE: is_google(host),
        RegistryUse.GOOGLE_KEY: is_google(host),
        **dict.fromkeys(_OF_GITLAB, not service_of(host)),
    }
    # Of CI_JOB_TOKEN the checks of CI_REGISTRY tell more.
    if host and not fits.get(use, True) and pair.about != GITLAB.token:
        only = f", which is valid {use.partition(',')[0]}" if use not in _OF_GITLAB else ""
        yield Finding(
            "token-of-another",
            pair.about,
            f"is a {kind.name}{only}, and the registry is {clean(host, 100)}",
            hint="Use a token of that registry.",
            severity=Severity.ERROR,
        )


def _loses_at_a_dollar(pair: Pair, patient: Patient) -> bool:
    """Tell whether a $ in the token was expanded; cut-by-expansion says what that does to it."""
    found = patient.view.variables.get(pair.about) if patient.view is not None else None
    written = found.winner.value if found is not None else None
    return isinstance(written, str) and written != pair.secret and "$" in written


def _about_length(pair: Pair) -> Iterator[Finding]:
    prefix = next((each for each in TOKEN_PREFIXES if pair.secret.startswith(each)), "")
    ends_short = pair.secret.endswith(("...", "…"))
    if prefix and (ends_short or len(pair.secret) - len(prefix) < _SHORTEST_BODY):
        why = "ends with dots" if ends_short else f"has only {len(pair.secret)} characters"
        yield Finding(
            "token-cut",
            pair.about,
            f"begins with {prefix}, but {why}: it was probably cut",
            hint="Copy the whole token again, or create a new one. If it has a $, write $$ for it.",
        )


def _about_time(pair: Pair, now: float) -> Iterator[Finding]:
    if expiry := ecr_expiry(pair.secret):
        if now > expiry:
            yield Finding(
                "ecr-expired",
                pair.about,
                f"is an Amazon ECR password that expired {span_in_words(now - expiry)} ago",
                hint="Get a new one: aws ecr get-login-password",
                severity=Severity.ERROR,
            )
        return
    if pair.about == GITLAB.token:  # job-token-dead says so
        return
    bare = pair.secret.removeprefix("glcbt-")
    expiry = claimed_time(bare, "exp")
    if expiry and now > expiry:
        yield Finding(
            "token-expired",
            pair.about,
            f"expired {span_in_words(now - expiry)} ago",
            hint="Get a new token.",
            severity=Severity.ERROR,
        )
    starts = max(claimed_time(bare, "nbf"), claimed_time(bare, "iat"))
    if starts > now + _LEEWAY:
        yield Finding(
            "token-from-the-future",
            pair.about,
            f"becomes valid only in {span_in_words(starts - now)}, by this machine's clock",
            hint="Check the clock of this machine.",
        )


def ecr_expiry(secret: str) -> float:
    """Return when an Amazon ECR password expires, in seconds since the epoch; 0 for any other secret.

    It is the Base64 of a JSON object with `expiration`.
    """
    try:
        found = json.loads(base64.b64decode(secret, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return 0.0
    expiry = found.get("expiration") if isinstance(found, dict) else None
    return float(expiry) if isinstance(expiry, int) and 0 < expiry < 1e11 else 0.0
