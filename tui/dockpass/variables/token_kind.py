"""What kind of secret a value seems to be: a guess by its shape, which shows nothing of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from dockpass.auth.ci import GITLAB as GITLAB_CI
from dockpass.secrets import Secret
from dockpass.text import plural


class RegistryUse(StrEnum):
    """What a kind of token is good for as a registry's password."""

    GITLAB = "yes, with read_registry, and write_registry to push"
    DEPLOY = "yes, as its own user, with read_registry, and write_registry to push"
    JOB = f"only while the job runs, as {GITLAB_CI.user}"
    NO = "no"
    GHCR = "only at ghcr.io"
    GHCR_JOB = "only at ghcr.io, until the job ends"
    HUB = "only at docker.io"
    GOOGLE = "only at gcr.io and pkg.dev, as oauth2accesstoken, for an hour"
    GOOGLE_KEY = "only at gcr.io and pkg.dev, as _json_key"
    UNCLEAR = ""


@dataclass(frozen=True, slots=True)
class TokenKind:
    """A kind of secret, the form of it where there are several, and its use as a registry's password."""

    name: str
    registry_login: RegistryUse = RegistryUse.UNCLEAR
    form: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.form})" if self.form else self.name


UNKNOWN_KIND = TokenKind("")

_JOB = "GitLab job token"
_SHAPES: tuple[tuple[str, TokenKind], ...] = (
    (r"glcbt-eyJ[\w-]*\.[\w-]+\.[\w-]*$", TokenKind(_JOB, RegistryUse.JOB, "JWT")),
    (r"glcbt-", TokenKind(_JOB, RegistryUse.JOB, "legacy")),
    (r"glpat-", TokenKind("GitLab personal, project or group token", RegistryUse.GITLAB)),
    (r"gldt-", TokenKind("GitLab deploy token", RegistryUse.DEPLOY)),
    (r"glrt[r]?-", TokenKind("GitLab runner token", RegistryUse.NO)),
    (r"glptt-", TokenKind("GitLab trigger token", RegistryUse.NO)),
    (r"glft-", TokenKind("GitLab feed token", RegistryUse.NO)),
    (r"glimt-", TokenKind("GitLab incoming mail token", RegistryUse.NO)),
    (r"glagent-", TokenKind("GitLab agent token", RegistryUse.NO)),
    (r"glsoat-", TokenKind("GitLab SCIM token", RegistryUse.NO)),
    (r"glffct-", TokenKind("GitLab feature flag client token", RegistryUse.NO)),
    (r"gloas-", TokenKind("GitLab OAuth application secret", RegistryUse.NO)),
    (r"glwt-", TokenKind("GitLab workspace token", RegistryUse.NO)),
    (r"ghp_|github_pat_", TokenKind("GitHub personal access token", RegistryUse.GHCR)),
    (r"gho_", TokenKind("GitHub OAuth token", RegistryUse.GHCR)),
    (r"ghu_", TokenKind("GitHub app user token", RegistryUse.GHCR)),
    (r"ghs_", TokenKind("GitHub installation token", RegistryUse.GHCR_JOB, "GITHUB_TOKEN")),
    (r"ghr_", TokenKind("GitHub refresh token", RegistryUse.NO)),
    (r"dckr_pat_", TokenKind("Docker Hub personal token", RegistryUse.HUB)),
    (r"dckr_oat_", TokenKind("Docker Hub organisation token", RegistryUse.HUB)),
    (r"eyJ[\w-]+\.[\w-]+\.[\w-]*$", TokenKind("JWT")),
    (r"ya29\.", TokenKind("Google access token", RegistryUse.GOOGLE)),
    (
        r"\s*\{[^{}]*\"type\"\s*:\s*\"service_account\"",
        TokenKind("Google service account key", RegistryUse.GOOGLE_KEY),
    ),
    (r"\s*\{\s*\"auths\"", TokenKind("docker config", RegistryUse.NO)),
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----", TokenKind("private key", RegistryUse.NO)),
)
"""Each is compiled only when a value has the form of any of them, which few have."""
_ANY = re.compile("|".join(pattern for pattern, _ in _SHAPES))
_WITH_PASSWORD = re.compile(r"[A-Za-z][\w+.-]*://[^/\s:@]*:[^/\s@]+@")


def kind_of(secret: Secret) -> TokenKind:
    """Return what the secret seems to be; `UNKNOWN_KIND` where nothing tells it."""
    value = secret.reveal()
    if not _ANY.match(value):  # nearly every value is none of them
        return UNKNOWN_KIND
    return next(kind for pattern, kind in _SHAPES if re.match(pattern, value))


def token_kind(secret: Secret) -> str:
    """Return the name of what the secret seems to be, or the empty string."""
    return kind_of(secret).name


def looks_secret(value: str) -> bool:
    """Tell whether a value looks like a token, a key, or an address with a password in it."""
    return bool(token_kind(Secret(value))) or bool(_WITH_PASSWORD.match(value))


def describe_secret(secret: Secret) -> str:
    """Return length and kind, such as `26 characters, GitLab job token`."""
    kind = token_kind(secret)
    return plural(len(secret), "character") + (f", {kind}" if kind else "")
