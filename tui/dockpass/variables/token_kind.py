"""What kind of secret a value seems to be: a guess by its shape, which shows nothing of it."""

from __future__ import annotations

import re

from dockpass.secrets import Secret
from dockpass.text import plural

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"glcbt-", "GitLab job token"),
        (r"glpat-", "GitLab personal, project or group token"),
        (r"gldt-", "GitLab deploy token"),
        (r"glrt[r]?-", "GitLab runner token"),
        (r"glptt-", "GitLab trigger token"),
        (r"gl(ft|imt|agent|soat|ffct|oas|wt)-", "GitLab token that cannot log in to a registry"),
        (r"gh[po]_|github_pat_", "GitHub token"),
        (r"gh[us]_", "GitHub app token"),
        (r"dckr_pat_", "Docker Hub personal token"),
        (r"dckr_oat_", "Docker Hub organisation token"),
        (r"eyJ[\w-]+\.[\w-]+\.[\w-]*$", "JWT"),
        (r"ya29\.", "Google access token"),
        (r"\s*\{[^{}]*\"type\"\s*:\s*\"service_account\"", "Google service account key"),
        (r"\s*\{\s*\"auths\"", "docker config"),
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----", "private key"),
    )
)
_WITH_PASSWORD = re.compile(r"[A-Za-z][\w+.-]*://[^/\s:@]*:[^/\s@]+@")


def token_kind(secret: Secret) -> str:
    """Return what the secret seems to be, or the empty string."""
    value = secret.reveal()
    return next((kind for pattern, kind in _SHAPES if pattern.match(value)), "")


def looks_secret(value: str) -> bool:
    """Tell whether a value looks like a token, a key, or an address with a password in it."""
    return bool(token_kind(Secret(value))) or bool(_WITH_PASSWORD.match(value))


def describe_secret(secret: Secret) -> str:
    """Return length and kind, such as `26 characters, GitLab job token`."""
    kind = token_kind(secret)
    return plural(len(secret), "character") + (f", {kind}" if kind else "")
