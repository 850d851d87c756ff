"""What a job's variables mean for the logins: facts made of a job's view, as far as its values are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from dockpass.auth.command import Command, Method
from dockpass.auth.decide import decide
from dockpass.auth.decision import Refusal
from dockpass.auth.facts import Facts, Options, Source, SourceKind, Variable
from dockpass.secret_names import is_secret_name
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Resolved
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.token_kind import looks_secret
from dockpass.variables.variable import variable

FILE_PATH = Unknown("it is the path of a file, because the variable is of type File", is_set=True)
"""What a program in the job sees of a variable of type File."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLogin:
    """The login of one command in a job.

    `unknown` names the variables that it depends on and whose value is not known here: method and user hold
    as long as those are set, and the address may be missing. `config` says in clean words whose docker config
    is used where no login is made.
    """

    command: Command
    method: Method | None
    username: str | None = None
    address: str | None = None
    secret_from: str | None = None
    unknown: tuple[str, ...] = ()
    refusal: str = ""
    config: str = ""


def is_secret(name: str, found: Resolved) -> bool:
    """Tell whether a variable's value is kept from view: by its flags, its name, or its form."""
    definition = found.winner
    value = found.content if found.content is not None else found.value
    return (
        definition.masked
        or definition.hidden
        or is_secret_name(name)
        or (isinstance(value, str) and looks_secret(value))
    )


def facts_of(view: JobView, home: str, cwd: str, options: Options | None = None) -> Facts:
    """Return the facts that a program in the job would see; a value that is not known is `Unknown`."""
    return Facts(_variables_of(view), options or Options(), None, home, cwd, elsewhere=True)


@lru_cache(maxsize=4)  # a screen asks for the facts of one view with each panel
def _variables_of(view: JobView) -> Mapping[str, Variable]:
    variables: dict[str, Variable] = {}
    for name, found in view.variables.items():
        source = Source(SourceKind.JOB, f"{found.winner.source} {found.winner.place}".rstrip())
        value = FILE_PATH if found.winner.file else found.value
        variables[name] = variable(name, value, source, secret=is_secret(name, found))
    return MappingProxyType(variables)


def logins_of(view: JobView, home: str, cwd: str, options: Options | None = None) -> Iterator[JobLogin]:
    """Yield the login of each command in the job."""
    return logins_in(facts_of(view, home, cwd, options))


def logins_in(facts: Facts) -> Iterator[JobLogin]:
    """Yield the login of each command with these facts."""
    unknown = {name for name in facts.variables if facts.unknown(name)}
    for command in Command:
        decided = decide(command, facts)
        if isinstance(decided, Refusal):
            yield JobLogin(command=command, method=None, refusal=decided.message)
            continue
        reads = {name for step in decided.trace for name in step.looked_at}
        yield JobLogin(
            command=command,
            method=decided.method,
            username=decided.username,
            address=decided.login[0] if decided.login else None,
            secret_from=decided.secret_from,
            unknown=tuple(sorted(reads & unknown)),
            config=decided.config,
        )


def changed_logins(
    before: Mapping[Command, JobLogin], after: Mapping[Command, JobLogin]
) -> tuple[tuple[JobLogin, JobLogin], ...]:
    """Return the logins that differ in method, user or address."""
    return tuple(
        (before[command], after[command])
        for command in Command
        if _shape(before[command]) != _shape(after[command])
    )


def login_effects(
    before: JobView, after: JobView, home: str, cwd: str, options: Options | None = None
) -> tuple[tuple[JobLogin, JobLogin], ...]:
    """Return the logins of a job that become others with another view of it, each before and after."""
    one, two = (
        {login.command: login for login in logins_of(view, home, cwd, options)} for view in (before, after)
    )
    return changed_logins(one, two)


def _shape(login: JobLogin) -> tuple[Method | None, str | None, str | None]:
    return login.method, login.username, login.address
