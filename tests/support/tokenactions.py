"""The actions that a token lists for a repository, as the product reads them."""

from __future__ import annotations

from dockpass.registry.claims import read_claims
from dockpass.secrets import Secret


def granted_actions(token: Secret, repository: str) -> frozenset[str] | None:
    """Return the actions of exactly this repository; None if the token is opaque."""
    claims = read_claims(token)
    return None if claims is None else claims.actions(repository)
