"""What is known of the login of a build that a registry refused."""

from __future__ import annotations

from collections.abc import Mapping

from dockpass.engines.base import BuildRequest
from dockpass.engines.failures import Proof


def proof_of(key: str, logins: Mapping[str, object], request: BuildRequest) -> Proof:
    """Return what is known of the login at the registry that refused; an empty key stands for any."""
    sent = logins.keys() & {key} if key else logins.keys()
    if not sent:
        return Proof.NONE_SENT
    return Proof.ACCEPTED if sent <= request.accepted else Proof.SENT
