"""Which variables hold a secret, by their name."""

from __future__ import annotations

import re

_KNOWN = frozenset(
    {
        "CI_REPOSITORY_URL",  # holds the job token in clear
        "DOCKER_AUTH_CONFIG",
        "REDISCLI_AUTH",
        "DATABASE_URL",
    }
)
_NEVER = frozenset(
    {
        "SSH_AUTH_SOCK",
        "REGISTRY_AUTH_FILE",
        "XAUTHORITY",
        "TOKENIZERS_PARALLELISM",
        "GOOGLE_APPLICATION_CREDENTIALS",  # a path
        "AWS_SHARED_CREDENTIALS_FILE",
        "GIT_ASKPASS",
        "SSH_ASKPASS",
    }
)
_PATTERN = re.compile(
    r"TOKEN|PASSW(OR)?D|PASSPHRASE|SECRET|CREDENTIAL|(PRIVATE|API|ACCESS|SIGNING|ENCRYPTION)_?KEY"
    r"|(^|_)(AUTH|PAT|JWT|PASS|PSW|DSN)($|_)|_PWD$"
)


def is_secret_name(name: str) -> bool:
    """Tell whether a variable of this name is treated as a secret: rather one too many."""
    upper = name.upper()
    return upper in _KNOWN or (upper not in _NEVER and bool(_PATTERN.search(upper)))
