"""What would have to change for another login method: found by searching the decision itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from dockpass.auth.address import is_docker_hub
from dockpass.auth.command import Command, Method
from dockpass.auth.decide import decide
from dockpass.auth.decision import Decision, Refusal
from dockpass.auth.facts import Edit, EditKind, Facts
from dockpass.auth.reference import parse_repository
from dockpass.auth.rules import (
    CLEANUP_PASSWORD,
    EXTERNAL_CONFIG,
    IGNORE_AUTOLOGIN,
    JOB_TOKEN,
    REGISTRY,
    RULES,
    Case,
)
from dockpass.secrets import Secret

MOST_EDITS = 4

_EXAMPLE_SECRET = Secret("example")
_EXAMPLE_REGISTRY = "registry.example"


@dataclass(frozen=True, slots=True)
class WhyNot:
    """The fewest edits that would make `method` the method; none, and the reason, if impossible."""

    method: Method
    changes: tuple[Edit, ...]
    because: str

    @property
    def possible(self) -> bool:
        """Whether some edits lead there."""
        return bool(self.changes)


def why_not(command: Command, facts: Facts) -> tuple[WhyNot, ...]:
    """Return one entry for each method other than the chosen one, in the order of the rules.

    The repository is never edited: with another one it would be another question. Without a
    decision there is nothing to compare with, and the result is empty.
    """
    decided = decide(command, facts)
    if isinstance(decided, Refusal):
        return ()
    edits = tuple(_edits(command, facts))
    others = [rule.method for rule in RULES if rule.method not in {None, decided.method}]
    return tuple(_search(command, facts, method, edits) for method in others if method)


def applied(facts: Facts, edits: tuple[Edit, ...]) -> Facts:
    """Return the facts with every edit made."""
    for edit in edits:
        facts = facts.edited(edit)
    return facts


def _search(command: Command, facts: Facts, method: Method, edits: tuple[Edit, ...]) -> WhyNot:
    for count in range(1, MOST_EDITS + 1):
        for chosen in combinations(edits, count):
            if len({edit.name for edit in chosen}) < count:
                continue
            decided = decide(command, applied(facts, chosen))
            if isinstance(decided, Decision) and decided.method is method:
                return WhyNot(method, chosen, decided.chosen.because)
    return WhyNot(method, (), f"impossible here: {_why_impossible(command, facts, method)}")


def _edits(command: Command, facts: Facts) -> Iterator[Edit]:
    """Yield single edits, those that a person would rather make first."""
    yield from _edits_of_variables(command, facts)
    options = facts.options
    if options.registry_username:
        yield Edit(EditKind.DROP, "registry-username")
    else:
        yield Edit(EditKind.GIVE, "registry-username", "USER", example=True)
    if options.registry_password:
        yield Edit(EditKind.DROP, "registry-password")
    else:
        yield Edit(EditKind.GIVE, "registry-password", _EXAMPLE_SECRET, example=True)
    if command is Command.BUILD:
        registry = Case(command, facts, "").registry_host or _registry_for(command, facts)
        yield Edit(EditKind.GIVE, "from", f"{registry}/base:latest", example=True)


def _edits_of_variables(command: Command, facts: Facts) -> Iterator[Edit]:
    unset = [name for name in (EXTERNAL_CONFIG, IGNORE_AUTOLOGIN, CLEANUP_PASSWORD) if facts.is_set(name)]
    yield from (Edit(EditKind.UNSET, name) for name in unset)
    if not facts.is_set(REGISTRY):
        yield Edit(EditKind.SET, REGISTRY, _registry_for(command, facts))
    if not facts.is_set(JOB_TOKEN):
        yield Edit(EditKind.SET, JOB_TOKEN, _EXAMPLE_SECRET, example=True)
    if not facts.is_set(CLEANUP_PASSWORD) and command is Command.CLEANUP:
        yield Edit(EditKind.SET, CLEANUP_PASSWORD, _EXAMPLE_SECRET, example=True)
    if not facts.is_set(EXTERNAL_CONFIG):
        yield Edit(EditKind.SET, EXTERNAL_CONFIG, "./.docker", example=True)
    if not facts.is_set(IGNORE_AUTOLOGIN):
        yield Edit(EditKind.SET, IGNORE_AUTOLOGIN, "1")


def _registry_for(command: Command, facts: Facts) -> str:
    """Return the host that CI_REGISTRY would have to be; never Docker Hub, whose token it is not."""
    if command.needs_repo:
        hosts = [parse_repository(facts.repo).host]
    else:
        hosts = list(Case(command, facts, "").base_hosts)
    return next((host for host in hosts if not is_docker_hub(host)), _EXAMPLE_REGISTRY)


def _why_impossible(command: Command, facts: Facts, method: Method) -> str:
    rule = next(rule for rule in RULES if rule.method is method)
    if method is Method.CLEANUP_TOKEN and command is not Command.CLEANUP:
        return "only cleanup uses the cleanup token"
    host = "" if command is Command.BUILD else parse_repository(facts.repo).host
    case = Case(command, facts, host)
    for switch in (rule for rule in RULES if rule.method is None):
        verdict = switch.check(case)
        if verdict.holds:
            return f"{verdict.because}; another repository would be another question"
    return rule.check(case).because
