"""What is known of the login of a build that a registry refused."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from dockpass.engines.base import BuildRequest
from dockpass.engines.failures import Proof
from dockpass.references.address import host_of_reference, login_key
from dockpass.references.imagenames import normalised


def proof_of(reference: str, logins: Mapping[str, object], request: BuildRequest) -> Proof:
    """Return what is known of the login at the registry that refused `reference`.

    Where that is not the name of an image, any registry may have refused.
    """
    sent: AbstractSet[str] = logins.keys()
    if normalised(reference):
        sent &= {login_key(host_of_reference(reference))}
    if not sent:
        return Proof.NONE_SENT
    return Proof.ACCEPTED if sent <= request.accepted else Proof.SENT
