"""What is to be run, with which login, and what a person wants of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockpass.auth.decision import Decision
from dockpass.errors import UsageError
from dockpass.runs.request import RunRequest, hosts_of_run


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A program with the login of `request`; without a request it has those of `also` alone.

    `path` is the program's file and `argv` its words. `also` are hosts for which the person's own login is
    put into the config too. `job` are the variables of a job for the program, None without a job. `keep` are
    variables that stay as they are, though a program may take another login from them.
    """

    request: RunRequest | None
    argv: tuple[str, ...]
    path: str
    also: tuple[str, ...] = ()
    job: Mapping[str, str] | None = field(default=None, repr=False)
    keep: frozenset[str] = frozenset()

    @property
    def decision(self) -> Decision | None:
        """Which login it is, by the table of rules."""
        return None if self.request is None else self.request.decision

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registry hosts of the request."""
        return () if self.request is None else hosts_of_run(self.request)

    @property
    def host(self) -> str:
        """The first host that the program has a login for, or might have."""
        return next(iter((*self.hosts, *self.also)), "")


def check_hosts(task: Task) -> None:
    """Raise `UsageError` where nothing says which registry the program needs a login for."""
    decision = task.decision
    if task.host or (decision is not None and decision.login):
        return
    uses = "" if decision is None else f" {decision.command} uses {decision.config or 'no login'}, and"
    raise UsageError(
        "no-host",
        f"No registry is known to need a login:{uses} nothing names a registry.",
        "Give --repo REPO, or --also HOST for a login of your own.",
    )
