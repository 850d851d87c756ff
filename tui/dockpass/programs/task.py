"""What is to be run, with which login, and what a person wants of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from dockpass.auth.decision import Decision
from dockpass.auth.facts import Facts
from dockpass.auth.rules import READ_BY_RULES
from dockpass.errors import UsageError
from dockpass.programs.outputs import Mask
from dockpass.runs.asked import hosts_of_run
from dockpass.runs.request import RunRequest
from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.variables.names import is_predefined

_MOST_NAMES = 12


class Outliving(StrEnum):
    """What is done about processes that outlive the program."""

    LEAVE = "leave"
    WAIT = "wait"
    KILL = "kill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A program with the login of `request`; without a request it has those of `also` alone.

    `path` is the program's file and `argv` its words. `also` are hosts for which the person's own login is
    put into the config too. `job` are the variables of a job for the program, None without a job. `keep` are
    variables that stay as they are, though a program may take another login from them.

    `left_out` are variables of the job whose values are not known here, and which the program does not get;
    `secrets` those values of the job that are masked in its output. `is_shell` says that the program is an
    interactive shell, which gets its environment after its own start-up files.
    """

    request: RunRequest | None
    argv: tuple[str, ...]
    path: str
    also: tuple[str, ...] = ()
    job: Mapping[str, str] | None = field(default=None, repr=False)
    keep: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    mask: Mask = Mask.AUTO
    outliving: Outliving = Outliving.LEAVE
    is_shell: bool = False

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


def with_job(task: Task, facts: Facts) -> Task:
    """Return a task whose program gets the variables of `facts`, which are those of a job.

    Those whose values are not known are left out: `unknown_values` says what that means. Those that a login
    reads or a person defines come first among them.
    """
    names = (name for name in facts.variables if facts.unknown(name))
    unknown = tuple(sorted(names, key=lambda name: (is_predefined(name) and name not in READ_BY_RULES, name)))
    secrets = tuple(each.value for each in facts.variables.values() if isinstance(each.value, Secret))
    return replace(task, job=facts.known_values(), left_out=unknown, secrets=secrets)


def names_in_words(names: Sequence[str]) -> str:
    """Return the first names of variables, clean, and how many more there are."""
    shown = ", ".join(clean(name, 80) for name in names[:_MOST_NAMES])
    return f"{shown} and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else shown


def unknown_values(task: Task) -> UsageError | None:
    """Return the refusal to run without variables of the job; None if all their values are known."""
    if not task.left_out:
        return None
    return UsageError(
        "job-values-unknown",
        "The program would not get all variables of the job. Not known here:"
        f" {names_in_words(task.left_out)}.",
        "Give them with --set NAME=VALUE, or add --allow-unknown to run without them.",
    )
