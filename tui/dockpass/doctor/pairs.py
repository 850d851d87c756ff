"""The logins that variables and options hold: user name, secret, and the registry that they are for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dockpass.auth.ci import GITLAB
from dockpass.auth.facts import Facts
from dockpass.auth.rules import CLEANUP_PASSWORD, CLEANUP_USER
from dockpass.references.address import host_of_reference, host_of_registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One login. `about` names the variable or option of its secret; user and host are empty if not known."""

    about: str
    user: str
    secret: str = field(repr=False)
    host: str


def pairs(facts: Facts) -> Iterator[Pair]:
    """Yield every login whose secret is known."""
    registry = facts.text(GITLAB.registry)
    host = host_of_registry(registry) if registry else ""
    of_repo = host_of_reference(facts.repo) if facts.repo else ""
    options = facts.options
    if options.registry_password and options.registry_username:
        secret = options.registry_password.reveal()
        yield Pair(about="--registry-password", user=options.registry_username, secret=secret, host=of_repo)
    rows = (
        (GITLAB.token, GITLAB.user, host),
        (GITLAB.registry_password, facts.text(GITLAB.registry_user), host),
        (CLEANUP_PASSWORD, CLEANUP_USER, of_repo),
        ("CI_DEPLOY_PASSWORD", facts.text("CI_DEPLOY_USER"), host),
    )
    for name, user, where in rows:
        if facts.is_known(name):
            yield Pair(about=name, user=user, secret=facts.text(name), host=where)
