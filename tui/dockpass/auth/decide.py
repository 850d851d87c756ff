"""Decide which login a command uses. Total: every environment gets a decision or a refusal."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from itertools import combinations
from typing import assert_never

from dockpass.auth.command import Command, Method
from dockpass.auth.decision import VALUE_UNKNOWN, Decision, Outcome, Refusal, RuleId, Step
from dockpass.auth.facts import Facts
from dockpass.auth.login import ConfigEntries, GivenLogin, TokenLogin
from dockpass.auth.rules import (
    CI_RULES,
    JOB_TOKEN,
    READ_BY_RULES,
    REGISTRY,
    REGISTRY_IMAGE,
    RULES,
    WERF_REPOSITORIES,
    Case,
    Rule,
    login_of,
)
from dockpass.auth.sentence import config_words, sentence
from dockpass.auth.warnings import warnings
from dockpass.errors import UsageError
from dockpass.references.address import is_docker_hub, login_key
from dockpass.references.reference import parse_repository
from dockpass.secrets import Secret
from dockpass.unknown import Unknown

VALUE_HINT = (
    "Export the {values} and add {sets}, or pipe NAME=value to --env-file -; in the terminal UI press `e`."
)
"""What to do about a value that is not known here."""


def decide(command: Command, facts: Facts) -> Decision | Refusal:
    """Return the login of `command`, with every rule's outcome; a refusal where no repo is known."""
    if not command.needs_repo:
        return _decided(Case(command, facts, ""), "")
    if not facts.repo and facts.unknown(REGISTRY_IMAGE):
        return _decided(Case(command, facts, ""), "")
    if not facts.repo:
        return Refusal(
            command,
            "repo-required",
            f"{command} needs a repository, and none is given.",
            _ways_to_a_repository(facts),
        )
    try:
        repository = parse_repository(facts.repo)
    except UsageError as error:
        origin = "--repo" if facts.options.repo else REGISTRY_IMAGE
        return Refusal(command, "repo-invalid", f"{origin}: {error.message}", error.hint)
    return _decided(Case(command, facts, repository.host), facts.repo)


def _ways_to_a_repository(facts: Facts) -> str:
    """Name every way to give a repository; a variable of werf's that is set is none of them."""
    ways = (
        f"Give --repo, set {REGISTRY_IMAGE} (also by --set or --env-file), or use that of a job: --job JOB."
    )
    unread = next((name for name in WERF_REPOSITORIES if facts.is_set(name)), "")
    return f'{ways} {unread} is not read here: give it as --repo "${unread}".' if unread else ways


def _decided(case: Case, repo: str) -> Decision:
    trace, method = _walk(case)
    username, secret, secret_from = _credentials(method, case.facts)
    login = _login(method, case)
    config_dir = _config_dir(method, case.facts)
    unknown = _unknown(case, method, trace)
    elsewhere, of_runner = case.facts.elsewhere, _is_of_runner(method, case.facts)
    config = config_words(method, config_dir, elsewhere=elsewhere, of_runner=of_runner)
    return Decision(
        command=case.command,
        repo=repo,
        method=method,
        username=username,
        secret=secret,
        secret_from=secret_from,
        config_dir=config_dir,
        login=login,
        warnings=warnings(case, method, login, trace),
        trace=trace,
        sentence=sentence(case, method, username, secret_from, config, login, trace, unknown),
        unknown=unknown,
        config=config,
        elsewhere=elsewhere,
        config_of_runner=of_runner,
    )


def decide_to_run(command: Command, facts: Facts) -> Decision | Refusal:
    """Return the login of `command` to run it with; a refusal too if a value that it needs is not known.

    A run happens on this machine, with this machine's files, also with the variables of a job.
    """
    decided = decide(command, replace(facts, elsewhere=False))
    return decided if isinstance(decided, Refusal) else why_not_usable(decided) or decided


def value_unknown(name: str, so: str) -> UsageError:
    """Return the error for a variable whose value is needed and not known; `so` says what that prevents."""
    message = f"The value of {name} is not known here{so}."
    return UsageError("value-unknown", message, VALUE_HINT.format(sets=f"--set {name}", values="value"))


def why_not_usable(decided: Decision) -> Refusal | None:
    """Return why nothing can be run with a decision; None if every value that it needs is known."""
    if not decided.unknown:
        return None
    names = " and ".join(decided.unknown)
    values, are = ("value", "is") if len(decided.unknown) == 1 else ("values", "are")
    sets = " ".join(f"--set {name}" for name in decided.unknown)
    return Refusal(
        decided.command,
        VALUE_UNKNOWN,
        f"{decided.command} needs the {values} of {names}, which {are} not known here.",
        VALUE_HINT.format(values=values, sets=sets),
        decided.unknown[0],
    )


def _unknown(case: Case, method: Method, trace: tuple[Step, ...]) -> tuple[str, ...]:
    """Return the variables whose value must be known before anything can be run, sorted."""
    facts = case.facts
    match login_of(method):
        case TokenLogin(variable=variable) | ConfigEntries(variable=variable):
            used = {variable}
        case GivenLogin():
            used = set()
        case other:
            assert_never(other)
    if case.command.needs_repo and not case.host:
        used.add(REGISTRY_IMAGE)
    if case.command is Command.BUILD and case.base_hosts and _asks_for_registry(case, method, trace):
        used.add(REGISTRY)
    return tuple(sorted({name for name in used if facts.unknown(name)} | _that_would_change(case, method)))


def _asks_for_registry(case: Case, method: Method, trace: tuple[Step, ...]) -> bool:
    """Tell whether the login of a build depends on which host `CI_REGISTRY` is."""
    tried = any(step.rule is RuleId.AUTOLOGIN and step.outcome is Outcome.NOT_MET for step in trace)
    has_token = case.facts.is_set(JOB_TOKEN) or case.facts.unknown(JOB_TOKEN) is not None
    return method is Method.OPTIONS or (tried and has_token)


def _that_would_change(case: Case, method: Method) -> set[str]:
    """Return the variables that may be empty for all that is known, and change the method if they are not."""
    doubtful = {
        name: replace(case.facts.variables[name], value=Unknown(is_set=True))
        for name in READ_BY_RULES
        if case.facts.unknown(name) and not case.facts.is_set(name)
    }
    changing = set[str]()
    for count in range(1, len(doubtful) + 1):
        for names in combinations(sorted(doubtful), count):
            if changing & set(names):
                continue
            assumed = {**case.facts.variables, **{name: doubtful[name] for name in names}}
            if _walk(replace(case, facts=replace(case.facts, variables=assumed)))[1] is not method:
                changing |= set(names)
    return changing


def _walk(case: Case) -> tuple[tuple[Step, ...], Method]:
    steps: list[Step] = []
    switch: Rule | None = None
    chosen: Method | None = None
    for rule in RULES:
        if chosen is not None:
            steps.append(Step(rule.id, Outcome.NOT_REACHED, "not reached", rule.reads))
        elif switch is not None and rule.id in CI_RULES:
            because = f"turned off, because {steps[_index(switch.id)].because}"
            steps.append(Step(rule.id, Outcome.OFF, because, rule.reads))
        else:
            verdict = rule.check(case)
            outcome = Outcome.NOT_MET
            if verdict.holds:
                chosen = rule.method
                outcome = Outcome.HOLDS if rule.method is None else Outcome.CHOSEN
                switch = switch or (rule if rule.method is None else None)
            steps.append(Step(rule.id, outcome, verdict.because, rule.reads, verdict.known))
    return tuple(steps), chosen or Method.AMBIENT


def _index(rule_id: RuleId) -> int:
    return next(index for index, rule in enumerate(RULES) if rule.id is rule_id)


def _credentials(method: Method, facts: Facts) -> tuple[str | None, Secret | Unknown | None, str | None]:
    match login_of(method):
        case GivenLogin():
            return facts.options.registry_username, facts.options.registry_password, "option"
        case TokenLogin(user, variable, _):
            return user, facts.secret(variable), variable
        case ConfigEntries():
            return None, None, None
        case other:
            assert_never(other)


def _login(method: Method, case: Case) -> tuple[str, ...]:
    """Return docker's keys for the hosts to log in to."""
    if not method.logs_in:
        return ()
    if case.command is not Command.BUILD:
        return (login_key(case.host),) if case.host else ()
    if case.base_in_registry:
        return (login_key(case.registry_host),)
    private = tuple(host for host in case.base_hosts if not is_docker_hub(host))
    return tuple(login_key(host) for host in private or case.base_hosts)


def _config_dir(method: Method, facts: Facts) -> str | None:
    """Return the directory whose entries are used; None if a login is made, or if it is not known here."""
    match login_of(method):
        case ConfigEntries(variable, below_home):
            if facts.unknown(variable) or _is_of_runner(method, facts):
                return None
            return _absolute(facts, facts.text(variable) or posixpath.join(facts.home, below_home))
        case GivenLogin() | TokenLogin():
            return None
        case other:
            assert_never(other)


def _is_of_runner(method: Method, facts: Facts) -> bool:
    """Tell whether the entries are those of the config below a home directory that is not on this machine."""
    source = login_of(method)
    return (
        facts.elsewhere
        and isinstance(source, ConfigEntries)
        and bool(source.below_home)
        and not facts.is_set(source.variable)
        and not facts.unknown(source.variable)
    )


def _absolute(facts: Facts, path: str) -> str:
    if facts.elsewhere:
        return posixpath.normpath(path)
    return posixpath.normpath(posixpath.join(facts.cwd, path))
