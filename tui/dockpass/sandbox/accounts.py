"""Who may log in to a sandbox, with which secret, and what each may do."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from hmac import compare_digest
from typing import Self

from dockpass.references.credential import Credential
from dockpass.sandbox.access import ALL, DELETE, PULL, PUSH
from dockpass.secrets import Secret

JOB_USER = "gitlab-ci-token"
CLEANUP_USER = "werf-cleanup"

_ADMIN = frozenset({PULL, PUSH, DELETE, ALL})
_WRITER = frozenset({PULL, PUSH})


class AccountKind(Enum):
    """What GitLab takes a secret for; the value is its `auth_type`."""

    JOB = "build"
    PERSONAL = "personal_access_token"
    DEPLOY = "deploy_token"
    PASSWORD = "gitlab_or_ldap"  # noqa: S105 - GitLab's word


@dataclass(frozen=True, slots=True)
class Account:
    """A login. `subject` is whom its tokens name; `projects` limit it to repositories below them.

    From the repositories in `pulls` it may pull all the same, as by the allowlist of another project.
    """

    kind: AccountKind
    username: str
    secret: Secret
    actions: frozenset[str]
    subject: str
    projects: tuple[str, ...] = ()
    any_username: bool = False
    pulls: tuple[str, ...] = ()

    @property
    def credential(self) -> Credential:
        """What a client sends."""
        return Credential(self.username, self.secret)

    def accepts(self, username: str, password: str) -> bool:
        """Tell whether this is its secret, and its user name where that matters."""
        same = compare_digest(self.secret.reveal().encode(), password.encode())
        return same and bool(password) and (self.any_username or username == self.username)

    def reaches(self, repository: str) -> bool:
        """Tell whether its rights hold in this repository."""
        return not self.projects or any(
            repository == project or repository.startswith(f"{project}/") for project in self.projects
        )

    def only_pulls(self, repository: str) -> bool:
        """Tell whether it may pull from this repository, whatever else it may not do there."""
        return PULL in self.actions and repository in self.pulls


@dataclass(frozen=True, slots=True)
class Accounts:
    """The logins of one sandbox; only the personal token is taken with any user name."""

    job: Account
    cleanup: Account
    personal: Account
    deploy: Account
    password: Account

    def __iter__(self) -> Iterator[Account]:
        """In the order in which GitLab tries them."""
        return iter((self.job, self.cleanup, self.personal, self.deploy, self.password))

    def with_job_of(self, project: str, pulls: tuple[str, ...]) -> Self:
        """Return the same, with a job of one project: its token may push to no other project's repository."""
        return replace(self, job=replace(self.job, projects=(project,), pulls=pulls))

    def find(self, username: str, password: str) -> Account | None:
        """Return the account that these credentials belong to."""
        return next((account for account in self if account.accepts(username, password)), None)

    @classmethod
    def random(cls, person: str = "myuser") -> Self:
        """Make accounts with fresh secrets that look like GitLab's."""
        return cls.of(
            {
                "job": Secret(f"glcbt-64_{secrets.token_urlsafe(24)}"),
                "cleanup": Secret(f"glpat-{secrets.token_urlsafe(24)}"),
                "personal": Secret(f"glpat-{secrets.token_urlsafe(24)}"),
                "deploy": Secret(f"gldt-{secrets.token_urlsafe(24)}"),
                "password": Secret(secrets.token_urlsafe(24)),
            },
            person,
        )

    @classmethod
    def of(cls, known: Mapping[str, Secret], person: str = "myuser") -> Self:
        """Make accounts with the secrets named `job`, `cleanup`, `personal`, `deploy`, `password`."""
        kinds = AccountKind
        deploy = "gitlab+deploy-token-1"
        return cls(
            Account(kinds.JOB, JOB_USER, known["job"], _WRITER, person),
            Account(kinds.PERSONAL, CLEANUP_USER, known["cleanup"], _ADMIN, CLEANUP_USER),
            Account(kinds.PERSONAL, person, known["personal"], _ADMIN, person, any_username=True),
            Account(kinds.DEPLOY, deploy, known["deploy"], _WRITER, deploy),
            Account(kinds.PASSWORD, person, known["password"], _ADMIN, person),
        )
