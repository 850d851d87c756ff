"""Logins of a test, in place of a run's config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockpass.references.address import login_key
from dockpass.references.credential import Credential


@dataclass(frozen=True)
class Given:
    """`everywhere` is the login for each host that `by_key` does not have."""

    everywhere: Credential | None = None
    by_key: Mapping[str, Credential] = field(default_factory=dict)

    def login_for(self, host: str) -> Credential | None:
        """Return the login for a host."""
        return self.by_key.get(login_key(host), self.everywhere)

    def logins(self) -> Mapping[str, Credential]:
        """Return the logins that are given by key."""
        return self.by_key


ANONYMOUS = Given()
