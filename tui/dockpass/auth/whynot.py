"""What would have to change for another login method: found by searching the decision itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from dockpass.auth.command import Command, Method
from dockpass.auth.decide import decide
from dockpass.auth.decision import Decision, Refusal
from dockpass.auth.facts import Edit, EditKind, Facts
from dockpass.auth.login import TokenLogin
from dockpass.auth.rules import (
    EXTERNAL_CONFIG,
    IGNORE_AUTOLOGIN,
    JOB_TOKEN,
    REGISTRY,
    RULES,
    Case,
    Rule,
    host_of_image,
)
from dockpass.references.address import is_docker_hub, is_google
from dockpass.references.reference import parse_repository
from dockpass.secrets import Secret

_EXAMPLE_SECRET = Secret("example")
_EXAMPLE_REGISTRY = "registry.example"
_TOKENS = {
    row.login.variable: row
    for row in RULES
    if isinstance(row.login, TokenLogin) and row.login.variable != JOB_TOKEN
}
"""The rules of tokens beside the job's own, by their variables."""


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
    case = Case(command, facts, _host(command, facts))
    others = [rule for rule in RULES if rule.method not in {None, decided.method}]
    reachable = {rule.method for rule in others if rule.method and command in rule.commands}
    found = _search(case, reachable)
    return tuple(
        found.get(rule.method) or WhyNot(rule.method, (), f"not available: {_why_impossible(case, rule)}")
        for rule in others
        if rule.method
    )


def applied(facts: Facts, edits: tuple[Edit, ...]) -> Facts:
    """Return the facts with every edit made."""
    for edit in edits:
        facts = facts.edited(edit)
    return facts


def _search(case: Case, wanted: set[Method]) -> dict[Method, WhyNot]:
    """Try all sets of edits, the smallest first: there are few enough to leave none out."""
    edits = tuple(_edits(case))
    found: dict[Method, WhyNot] = {}
    for count in range(1, len({edit.name for edit in edits}) + 1):
        for chosen in combinations(edits, count):
            if not wanted - found.keys():
                return found
            if len({edit.name for edit in chosen}) < count:
                continue
            decided = decide(case.command, applied(case.facts, chosen))
            if isinstance(decided, Decision) and decided.method in wanted:
                found.setdefault(decided.method, WhyNot(decided.method, chosen, decided.chosen.because))
    return found


def _edits(case: Case) -> Iterator[Edit]:
    """Yield single edits, those that a person would rather make first."""
    yield from _edits_of_variables(case)
    options = case.facts.options
    if options.registry_username:
        yield Edit(EditKind.DROP, "registry-username")
    else:
        yield Edit(EditKind.GIVE, "registry-username", "USER", example=True)
    if options.registry_password:
        yield Edit(EditKind.DROP, "registry-password")
    else:
        yield Edit(EditKind.GIVE, "registry-password", _EXAMPLE_SECRET, example=True)
    if case.command is Command.BUILD:
        yield from _edits_of_build(case)


def _edits_of_variables(case: Case) -> Iterator[Edit]:
    """Yield edits of variables. What autologin needs is never unset: the ignore switch does the same."""
    facts = case.facts
    unset = (EXTERNAL_CONFIG, IGNORE_AUTOLOGIN, *_TOKENS)
    yield from (Edit(EditKind.UNSET, name) for name in unset if facts.is_set(name))
    if not facts.is_known(REGISTRY):
        yield _set_registry(case)
    if not facts.is_set(JOB_TOKEN):
        yield Edit(EditKind.SET, JOB_TOKEN, _EXAMPLE_SECRET, example=True)
    for name, row in _TOKENS.items():
        if not facts.is_set(name) and case.command in row.commands:
            yield Edit(EditKind.SET, name, _EXAMPLE_SECRET, example=True)
    if not facts.is_set(EXTERNAL_CONFIG):
        yield Edit(EditKind.SET, EXTERNAL_CONFIG, "./.docker", example=True)
    if not facts.is_set(IGNORE_AUTOLOGIN):
        yield Edit(EditKind.SET, IGNORE_AUTOLOGIN, "1")


def _edits_of_build(case: Case) -> Iterator[Edit]:
    """Yield an image of the job's registry as base, and another registry where it can have none."""
    registry = case.registry_host
    pulled = registry and host_of_image(f"{registry}/base:latest") == registry
    fits = bool(pulled) and not is_google(registry)
    host = registry if fits else _registry_for(case)
    yield Edit(EditKind.GIVE, "from", f"{host}/base:latest", example=True)
    if case.facts.is_set(REGISTRY) and not fits:
        yield _set_registry(case)


def _set_registry(case: Case) -> Edit:
    registry = _registry_for(case)
    return Edit(EditKind.SET, REGISTRY, registry, example=registry == _EXAMPLE_REGISTRY)


def _registry_for(case: Case) -> str:
    """Return the host that CI_REGISTRY would have to be: never Docker Hub or Google, whose it is not."""
    hosts = [case.host] if case.host else case.base_hosts
    fitting = (host for host in hosts if not is_docker_hub(host) and not is_google(host))
    return next(fitting, _EXAMPLE_REGISTRY)


def _host(command: Command, facts: Facts) -> str:
    return parse_repository(facts.repo).host if command.needs_repo and facts.repo else ""


def _why_impossible(case: Case, rule: Rule) -> str:
    if case.command not in rule.commands:
        return f"only {' and '.join(sorted(rule.commands))} uses the {rule.title}"
    for switch in (rule for rule in RULES if rule.method is None):
        verdict = switch.check(case)
        if verdict.holds:
            return f"{verdict.because}; only another repository would change that"
    return rule.check(case).because
