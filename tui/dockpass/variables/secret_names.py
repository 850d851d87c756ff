"""Which variables hold a secret, by their name."""

from __future__ import annotations

import re

_KNOWN = frozenset(
    {
        "CI_JOB_TOKEN",
        "CI_JOB_JWT",
        "CI_JOB_JWT_V1",
        "CI_JOB_JWT_V2",
        "CI_REGISTRY_PASSWORD",
        "CI_DEPLOY_PASSWORD",
        "CI_DEPENDENCY_PROXY_PASSWORD",
        "CI_BUILD_TOKEN",
        "CI_REPOSITORY_URL",
        "DOCKER_AUTH_CONFIG",
        "GITHUB_TOKEN",
    }
)
_NEVER = frozenset({"SSH_AUTH_SOCK", "REGISTRY_AUTH_FILE", "TOKENIZERS_PARALLELISM", "XAUTHORITY"})
_PATTERN = re.compile(
    r"TOKEN|PASSW(OR)?D|PASSPHRASE|SECRET|PRIVATE_KEY|API_?KEY|ACCESS_KEY|CREDENTIAL|(^|_)(AUTH|PAT|JWT|PWD_)($|_)"
)


def is_secret_name(name: str) -> bool:
    """Tell whether a variable of this name is treated as a secret: rather one too many."""
    upper = name.upper()
    return upper in _KNOWN or (upper not in _NEVER and bool(_PATTERN.search(upper)))
