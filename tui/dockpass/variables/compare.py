"""Two sets of variables beside each other: what differs, what of it changes a login, and what always differs.

Secrets are compared and never shown. A value that is not known on one side is no difference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.decision import Decision
from dockpass.auth.facts import Facts, Source, SourceKind, Variable
from dockpass.auth.rules import READ_BY_RULES
from dockpass.secret_names import is_secret_name
from dockpass.unknown import Unknown
from dockpass.variables.formats.reading import Reading
from dockpass.variables.gitlab import scope
from dockpass.variables.gitlab.model import Value
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.inwords import source_words
from dockpass.variables.logins import is_secret
from dockpass.variables.token_kind import looks_secret
from dockpass.variables.variable import variable

_EVERY_RUN = re.compile(
    r"CI_JOB_(ID|URL|STARTED_AT|TIMEOUT|TOKEN|JWT(_V[12])?)|CI_PIPELINE_(ID|IID|URL|CREATED_AT)"
    r"|CI_COMMIT_(SHA|SHORT_SHA|BEFORE_SHA|TIMESTAMP|MESSAGE|TITLE|DESCRIPTION|AUTHOR|MESSAGE_IS_TRUNCATED)"
    r"|CI_(REGISTRY|DEPENDENCY_PROXY)_PASSWORD|CI_REPOSITORY_URL|CI_RUNNER_\w+|CI_CONCURRENT\w*"
    r"|CI_BUILD_\w+|CI_BUILDS_DIR|CI_SERVER_TLS_\w+|GITLAB_USER_\w+|GITHUB_(RUN_\w+|SHA|TOKEN)"
    r"|HOSTNAME|PWD|OLDPWD|SHLVL|_|RANDOM|SECONDS|EPOCH\w+|PS4|TERM_SESSION_ID|WINDOWID"
)


class State(StrEnum):
    """How a variable stands on both sides."""

    SAME = "same"
    DIFFERENT = "different"
    ALMOST = "almost"
    ONLY_LEFT = "only-left"
    ONLY_RIGHT = "only-right"
    UNKNOWN = "unknown"

    @property
    def is_difference(self) -> bool:
        """Whether the sides differ for certain."""
        return self in {State.DIFFERENT, State.ALMOST, State.ONLY_LEFT, State.ONLY_RIGHT}


@dataclass(frozen=True, slots=True)
class Seen:
    """A variable on one side: its value, whether that is a secret, and where it comes from (clean).

    `place` says the last in the words that a person reads everywhere; the same as `source` where it is empty.
    """

    value: Value = field(repr=False)
    secret: bool
    source: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One set of variables, with a clean title such as `publish on main` or `build.log`."""

    title: str
    variables: Mapping[str, Seen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A variable that is not the same on both sides for all that is known.

    `logins` are the commands whose login is another one with the other side's value alone; of a variable that
    a side may or may not have, those whose login depends on it. `every_run` tells that it differs from run to
    run. `how` says in clean words what differs, without any secret.
    """

    name: str
    state: State
    left: Seen | None
    right: Seen | None
    logins: tuple[Command, ...] = ()
    every_run: bool = False
    how: str = ""

    @property
    def secret(self) -> bool:
        """Whether its values are kept from view."""
        return any(each is not None and each.secret for each in (self.left, self.right))

    @property
    def is_open(self) -> bool:
        """Whether it is not known of a side whether it has the variable at all."""
        return any(each is not None and _may_be_missing(each) for each in (self.left, self.right))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides: differences (those that change a login first), what is not known, and how many are same."""

    left: str
    right: str
    differences: tuple[Difference, ...]
    unknown: tuple[Difference, ...]
    same: int

    @property
    def unknown_on_one_side(self) -> tuple[Difference, ...]:
        """What one side knows and the other does not."""
        return tuple(each for each in self.unknown if _is_known(each.left) or _is_known(each.right))

    @property
    def open_logins(self) -> tuple[Difference, ...]:
        """What may change a login: a side may or may not have it."""
        return tuple(each for each in self.unknown if each.is_open and each.logins)

    @property
    def of_logins(self) -> tuple[Difference, ...]:
        """The differences that change a login."""
        return tuple(each for each in self.differences if each.logins)

    @property
    def plain(self) -> tuple[Difference, ...]:
        """The differences that change no login, without those of every run."""
        return tuple(each for each in self.differences if not each.logins and not each.every_run)

    @property
    def every_run(self) -> tuple[Difference, ...]:
        """What differs in every run, and changes no login."""
        return tuple(each for each in self.differences if not each.logins and each.every_run)


def side_of_view(title: str, view: JobView) -> Side:
    """Return a job's variables as its script sees them; of one of type File its content."""
    return Side(
        title,
        {
            name: Seen(
                found.value if found.content is None else found.content,
                is_secret(name, found),
                f"{found.winner.source} {found.winner.place}".rstrip(),
                source_words(found.winner),
            )
            for name, found in view.variables.items()
        },
    )


def side_of_reading(title: str, reading: Reading, environment: str = "") -> Side:
    """Return the variables of a text; of several scopes the one that fits the environment best counts."""
    fitting = [each for each in reading.entries if scope.matches(each.scope, environment)]
    ranked = sorted(fitting, key=lambda each: scope.rank(each.scope, environment))
    return Side(
        title,
        {
            each.key: Seen(
                each.value,
                each.masked or each.hidden or _looks_secret(each.key, each.value),
                f"line {each.line}",
            )
            for each in ranked
        },
    )


def side_of_environ(title: str, environ: Mapping[str, str]) -> Side:
    """Return the variables of a process."""
    return Side(
        title,
        {name: Seen(value, _looks_secret(name, value), "environment") for name, value in environ.items()},
    )


def _looks_secret(name: str, value: Value) -> bool:
    return is_secret_name(name) or (isinstance(value, str) and looks_secret(value))


def compare(left: Side, right: Side) -> Comparison:
    """Compare two sides."""
    one, two = _facts(left), _facts(right)
    found: list[Difference] = []
    same = 0
    for name in sorted({*left.variables, *right.variables}):
        difference = _difference(name, left.variables.get(name), right.variables.get(name))
        if difference.state is State.SAME:
            same += 1
        else:
            logins = _open_logins(name, one, two) if difference.is_open else _logins(name, one, two)
            found.append(replace(difference, logins=logins))
    found.sort(key=lambda each: (not each.logins, each.every_run))
    return Comparison(
        left.title,
        right.title,
        tuple(each for each in found if each.state.is_difference),
        tuple(each for each in found if not each.state.is_difference),
        same,
    )


def _difference(name: str, left: Seen | None, right: Seen | None) -> Difference:
    state = _state(left, right)
    every_run = left is not None and right is not None and bool(_EVERY_RUN.fullmatch(name))
    if left is None or right is None:
        every_run = name in _OF_A_SHELL
    difference = Difference(name=name, state=state, left=left, right=right, every_run=every_run)
    return replace(difference, how=_how(difference))


_OF_A_SHELL = frozenset({"PWD", "OLDPWD", "SHLVL", "_", "HOSTNAME"})


def _state(left: Seen | None, right: Seen | None) -> State:
    if left is None:
        return State.UNKNOWN if right is not None and _may_be_missing(right) else State.ONLY_RIGHT
    if right is None:
        return State.UNKNOWN if _may_be_missing(left) else State.ONLY_LEFT
    if isinstance(left.value, Unknown) or isinstance(right.value, Unknown):
        return State.UNKNOWN
    if left.value == right.value:
        return State.SAME
    return State.ALMOST if _plain(left.value) == _plain(right.value) else State.DIFFERENT


def _is_known(seen: Seen | None) -> bool:
    return seen is not None and isinstance(seen.value, str)


def _may_be_missing(seen: Seen) -> bool:
    return isinstance(seen.value, Unknown) and seen.value.may_be_missing


def _plain(value: str) -> str:
    """Return a value without what people overlook: blanks and quotes around it, line ends, case."""
    return value.strip().strip("\"'").strip().replace("\r\n", "\n").casefold()


def _how(found: Difference) -> str:
    left, right = found.left, found.right
    if left is None or right is None or not found.state.is_difference:
        return ""
    one, two = left.value, right.value
    if isinstance(one, Unknown) or isinstance(two, Unknown):
        return ""
    if found.state is State.ALMOST:
        return _almost(one, two)
    if found.secret:
        if not one or not two:
            return "empty on one side"
        if len(one) == len(two):
            return f"different secrets, both {len(one)} characters"
        return f"different secrets, {len(one)} and {len(two)} characters"
    return ""


def _almost(one: str, two: str) -> str:
    if one.strip() == two.strip():
        return "only blanks or line ends around the value differ"
    if one.casefold() == two.casefold():
        return "only upper and lower case differ"
    if one.replace("\r\n", "\n") == two.replace("\r\n", "\n"):
        return "only the kind of line ends differs"
    return "only quotes, blanks or case around the value differ"


def _facts(side: Side) -> Facts:
    source = Source(SourceKind.JOB)
    return Facts(
        {
            name: variable(name, seen.value, source, secret=seen.secret)
            for name, seen in side.variables.items()
        }
    )


def _logins(name: str, left: Facts, right: Facts) -> tuple[Command, ...]:
    """Return the commands that log in otherwise if this variable alone were as on the other side."""
    if name not in READ_BY_RULES:
        return ()
    return tuple(
        command
        for command in Command
        if _login(command, left) != _login(command, _taken(left, right, name))
        or _login(command, right) != _login(command, _taken(right, left, name))
    )


def _open_logins(name: str, left: Facts, right: Facts) -> tuple[Command, ...]:
    """Return the commands whose login on either side depends on whether a variable is there."""
    if name not in READ_BY_RULES:
        return ()
    there = Facts({name: variable(name, Unknown(is_set=True), Source(SourceKind.JOB), secret=True)})
    return tuple(
        command
        for command in Command
        if any(
            _login(command, _taken(each, there, name)) != _login(command, _taken(each, Facts({}), name))
            for each in (left, right)
        )
    )


def _taken(facts: Facts, other: Facts, name: str) -> Facts:
    """Return facts with one variable as the others have it."""
    variables: dict[str, Variable] = {key: each for key, each in facts.variables.items() if key != name}
    if name in other.variables:
        variables[name] = other.variables[name]
    return replace(facts, variables=variables)


def _login(command: Command, facts: Facts) -> object:
    """Return what makes a login another one: method, user, address, config, and the secret itself.

    Secrets of the job's own token differ from run to run, and are the same login.
    """
    decided = decide(command, facts)
    if not isinstance(decided, Decision):
        return decided.id
    secret = decided.secret if not _EVERY_RUN.fullmatch(decided.secret_from or "") else None
    known = secret if not isinstance(secret, Unknown) else None
    return decided.method, decided.username, decided.login, decided.config_dir, decided.repo, known
