"""Access: the logins at hand for a registry, and what each of them may do there.

Planning sends nothing and starts nothing; probing sends what the plan says, for the logins that are named.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, assert_never

from dockpass.auth.command import Command, Method
from dockpass.auth.decide import decide, decide_to_run, value_unknown
from dockpass.auth.decision import Decision, Refusal
from dockpass.auth.facts import Facts
from dockpass.auth.login import ConfigEntries, GivenLogin, TokenLogin
from dockpass.auth.rules import REGISTRY, Case, login_of, sends_token
from dockpass.auth.warnings import foreign_refused, why_foreign
from dockpass.dockerconfig.resolve import Resolution
from dockpass.errors import DockpassError, UsageError
from dockpass.probe.model import (
    Probe,
)
from dockpass.probe.requirements import Requirement, requirement_of
from dockpass.references.address import host_name, is_google, login_key
from dockpass.references.credential import Credential
from dockpass.references.reference import Repository, parse_reference, parse_repository
from dockpass.registry.policy import Policy, RealmRule
from dockpass.secrets import Redactor
from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.servers import servers_of

if TYPE_CHECKING:
    from dockpass.probe.question import ProbeContext
    from dockpass.registry.realms import RealmChanged


class Services(Protocol):
    """What a probe takes from outside: the policy, the directory of its memory, and how entries are found."""

    @property
    def policy(self) -> Policy:
        """How registries are reached."""
        ...

    @property
    def state(self) -> Path:
        """The directory that holds the realms seen so far."""
        ...

    @property
    def redactor(self) -> Redactor:
        """Masks every secret known so far, and learns the tokens of this probe."""
        ...

    @property
    def resolve_entries(self) -> Callable[[Path, Sequence[str], Mapping[str, str]], Resolution]:
        """Finds the logins for hosts in a docker config directory, given an environment."""
        ...

    def run_environ(self, facts: Facts) -> dict[str, str]:
        """Return the environment in which credential helpers run."""
        ...


@dataclass(frozen=True, slots=True)
class CandidateLogin:
    """A login that could be used. `absent` says why it is missing, or not used for this host.

    `unknown` names the variable that would have to be known to use it; `absent` then says so too.

    `directory` is set for the logins of a docker config, which are looked up only when they are probed;
    `foreign` is the question to ask before a token goes to a registry that is not plainly its own.
    """

    method: Method
    username: str = ""
    source: str = ""
    credential: Credential | None = None
    directory: str = ""
    absent: str = ""
    foreign: str = ""
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class AccessPlan:
    """What would be probed: `candidates` in a fixed order, `chosen` is the login of `command`."""

    command: Command
    repository: Repository
    chosen: Method
    candidates: tuple[CandidateLogin, ...]
    decided: tuple[Decision | Refusal, ...]
    images: tuple[str, ...] | None = None

    def login(self, method: Method) -> CandidateLogin:
        """Return the login of a method."""
        return next(found for found in self.candidates if found.method is method)

    @property
    def comparable(self) -> tuple[Method, ...]:
        """The logins that are there, the chosen one first."""
        there = [found.method for found in self.candidates if not found.absent]
        return tuple(sorted(there, key=lambda method: method is not self.chosen))

    def foreign(self, methods: Sequence[Method]) -> str:
        """Return the question about tokens that would leave for a foreign registry."""
        asked = [found.foreign for found in self.candidates if found.method in methods and found.foreign]
        return " ".join(asked)


@dataclass(frozen=True, slots=True)
class AccessReport:
    """What was found out: a probe for each login that was asked for, notes on where each came from.

    `changed` is a realm that is not the one remembered, and that got no credentials.
    """

    plan: AccessPlan
    probes: Mapping[Method, Probe]
    needs: tuple[Requirement, ...]
    notes: tuple[str, ...] = ()
    changed: RealmChanged | None = None

    @property
    def unagreed(self) -> str:
        """A host that got no credentials because nobody agreed to it yet; empty where there is none."""
        for probe in self.probes.values():
            if any(finding.id == "realm-not-agreed" for finding in probe.findings):
                return host_name(probe.challenge.realm) or host_name(probe.host)
        return ""

    @property
    def requests(self) -> int:
        """How many requests were made."""
        return sum(len(probe.requests) for probe in self.probes.values())


def plan_access(command: Command, facts: Facts) -> AccessPlan:
    """Say which logins there are for the command's registry; raises `UsageError` where it has none."""
    decided = decide(command, facts)
    if isinstance(decided, Decision) and command.needs_repo and not decided.repo:
        decided = decide_to_run(command, facts)
    if isinstance(decided, Refusal):
        raise UsageError(decided.id, decided.message, decided.hint)
    repository, images = _target(decided, facts)
    return AccessPlan(
        command,
        repository,
        decided.method,
        tuple(_at_hand(method, facts, repository.host, decided) for method in _ORDER),
        tuple(decide(each, facts) for each in Command),
        images,
    )


_TOKENS = tuple(method for method in reversed(Method) if sends_token(method))
_ORDER = (*_TOKENS, Method.OPTIONS, Method.EXTERNAL, Method.AMBIENT)


def _target(decided: Decision, facts: Facts) -> tuple[Repository, tuple[str, ...] | None]:
    """Return the repository to ask about, and the repositories of base images on its host, if known."""
    pulled = []
    for image in facts.base_images or ():
        try:
            pulled.append(parse_reference(image.reference).repository)
        except UsageError:
            continue  # what is no reference is pulled from nowhere; the decision leaves it out too
    if decided.command is not Command.BUILD:
        repository = parse_repository(decided.repo)
    elif pulled:
        keys = [key for key in decided.login if any(login_key(found.host) == key for found in pulled)]
        repository = next((found for found in pulled if login_key(found.host) in keys), pulled[0])
    else:
        raise UsageError(
            "nothing-to-probe",
            "The build pulls nothing from a registry, so there is nothing to ask about.",
            "Name another command, for example `dockpass probe push --repo REPO`.",
        )
    images = dict.fromkeys(found.path for found in pulled if found.host == repository.host)
    return repository, None if facts.base_images is None else tuple(images)


def _at_hand(method: Method, facts: Facts, host: str, decided: Decision) -> CandidateLogin:
    match login_of(method):
        case TokenLogin() as token:
            return _token(method, facts, host, decided, token)
        case GivenLogin():
            options = facts.options
            if not (options.registry_username and options.registry_password):
                return CandidateLogin(method, absent="not given")
            credential = Credential(options.registry_username, options.registry_password)
            return CandidateLogin(method, options.registry_username, "the given password", credential)
        case ConfigEntries(variable, below_home):
            if facts.unknown(variable):
                return _unknown(CandidateLogin(method), facts, variable)
            if not facts.is_set(variable) and not below_home:
                return CandidateLogin(method, absent="not set")
            return _config(method, facts, facts.text(variable) or str(Path(facts.home, below_home)))
        case other:
            assert_never(other)


def _config(method: Method, facts: Facts, directory: str) -> CandidateLogin:
    path = str(Path(facts.cwd, directory))
    whose = ", of this machine and not of the job" if facts.elsewhere else ""
    return CandidateLogin(method, source=f"{clean(path)}{whose}", directory=path)


def _unknown(login: CandidateLogin, facts: Facts, name: str) -> CandidateLogin:
    value = facts.unknown(name) or Unknown()
    return replace(login, absent=f"{name} is {clean(value.in_words(), 200)}", unknown=name)


def _token(method: Method, facts: Facts, host: str, decided: Decision, token: TokenLogin) -> CandidateLogin:
    variable, user = token.variable, token.user
    secret = facts.secret(variable)
    if isinstance(secret, Unknown):
        return _unknown(CandidateLogin(method, user, variable), facts, variable)
    if not secret:
        return CandidateLogin(method, user, variable, absent="not set")
    if method is Method.AUTOLOGIN and not facts.is_set(REGISTRY):
        return CandidateLogin(method, user, variable, absent=f"{REGISTRY} is not set")
    if is_google(host):
        return CandidateLogin(method, user, variable, absent="not used at Google")
    credential = Credential(user, secret)
    why = why_foreign(Case(decided.command, facts, host), token)
    foreign = f"{variable} would go to {clean(host)}, {why}." if why else ""
    return CandidateLogin(method, user, variable, credential, foreign=foreign)


async def probe_access(
    plan: AccessPlan,
    facts: Facts,
    services: Services,
    methods: Sequence[Method],
    *,
    push: bool = False,
    foreign_allowed: bool = False,
    agreed: frozenset[str] = frozenset(),
    allow: Callable[[str, str, str], bool] | None = None,
    on_probe: Callable[[Probe], None] = lambda _: None,
) -> AccessReport:
    """Probe the logins one after the other; raises `NotAllowed` before anything is sent.

    `agreed` are hosts that may get the credentials though they are not plainly the registry's; `allow` is
    asked whether credentials may go to a realm other than the one remembered.

    What keeps one login from being probed is a finding of its probe and does not keep the others.
    """
    from dockpass.probe.question import ProbeContext
    from dockpass.registry.realms import FILE, Realms, deny
    from dockpass.registry.transport import Transport

    for unknown in filter(None, (plan.login(method).unknown for method in methods)):
        raise value_unknown(unknown, ", so nothing can be asked with it. Nothing was sent")
    question = plan.foreign(methods)
    if question and not foreign_allowed:
        raise foreign_refused(question)
    probes: dict[Method, Probe] = {}
    notes = list(services.policy.proxies.problems)
    async with Transport(services.policy) as transport:
        realms = Realms(services.state / FILE, allow or deny)
        context = ProbeContext(
            transport, guard=realms.check, learn=services.redactor.learn, redact=services.redactor
        )
        for method in dict.fromkeys(methods):
            login = plan.login(method)
            if login.absent:
                notes.append(f"{method.label}: {login.absent}")
                continue
            rule = _rule(login, facts, services, agreed, foreign_allowed=foreign_allowed)
            ruled = replace(context, rule=rule)
            probes[method] = await _probe_one(plan, facts, services, login, ruled, notes, push=push)
            on_probe(probes[method])
    needs = requirements_of(plan, probes)
    notes += filter(None, (realms.problem, realms.unwritable))
    changed = realms.changed
    return AccessReport(plan, probes, needs, tuple(map(services.redactor, notes)), changed)


def requirements_of(plan: AccessPlan, probes: Mapping[Method, Probe]) -> tuple[Requirement, ...]:
    """Return what each command needs, and whether its login has it, as far as that was probed."""
    return tuple(
        requirement_of(decided, _of_host(plan, decided, probes), plan.images) for decided in plan.decided
    )


def accept_realm(services: Services, changed: RealmChanged) -> None:
    """Remember a changed realm, after the person's yes."""
    from dockpass.registry.realms import FILE, Realms

    Realms(services.state / FILE).accept(changed.host, changed.now)


def _rule(
    login: CandidateLogin, facts: Facts, services: Services, agreed: frozenset[str], *, foreign_allowed: bool
) -> RealmRule:
    """Return which hosts may get a login: a CI token's only its own server, as in a run."""
    rule = services.policy.realm_rule or RealmRule()
    servers = (
        servers_of(facts)
        if sends_token(login.method) and not (login.foreign and foreign_allowed)
        else frozenset()
    )
    return RealmRule(rule.agreed | agreed, rule.servers | servers)


async def _probe_one(
    plan: AccessPlan,
    facts: Facts,
    services: Services,
    login: CandidateLogin,
    context: ProbeContext,
    notes: list[str],
    *,
    push: bool,
) -> Probe:
    from dockpass.probe.prober import probe
    from dockpass.probe.question import Question

    credential = login.credential
    if login.directory:
        credential, said = await asyncio.to_thread(_entry, plan, facts, services, login.directory)
        notes += said
    if credential:
        for secret in (credential.password, credential.identity_token):
            if secret:
                services.redactor.learn(secret, credential.username)
    path = plan.repository.path
    others = tuple(image for image in plan.images or () if image != path)
    question = Question(plan.repository.host, path, credential, login.method.label, push, others)
    return redacted(await probe(question, context), services.redactor)


def _entry(
    plan: AccessPlan, facts: Facts, services: Services, directory: str
) -> tuple[Credential | None, list[str]]:
    host = plan.repository.host
    found = services.resolve_entries(Path(directory), [host], services.run_environ(facts))
    notes = [f"{step.host}: {step.because}" for step in found.trace]
    return found.credentials.get(login_key(host)), notes


def _of_host(
    plan: AccessPlan, decided: Decision | Refusal, probes: Mapping[Method, Probe]
) -> Mapping[Method, Probe]:
    """Return the probes that say something about a command: those at the host that it talks to."""
    if isinstance(decided, Refusal) or not decided.repo:
        return probes
    try:
        same = parse_repository(decided.repo) == plan.repository
    except DockpassError:
        same = False
    return probes if same else {}


def redacted(probe: Probe, redact: Callable[[str], str]) -> Probe:
    """Return a probe with every text in it redacted."""
    found = _redacted(probe, redact)
    assert isinstance(found, Probe)  # noqa: S101 - a value keeps its type
    return found


def _redacted(found: object, redact: Callable[[str], str]) -> object:
    if isinstance(found, StrEnum):
        return found
    if isinstance(found, str):
        return redact(found)
    if isinstance(found, tuple):
        return tuple(_redacted(each, redact) for each in found)
    if is_dataclass(found) and not isinstance(found, type):
        parts = {each.name: _redacted(getattr(found, each.name), redact) for each in fields(found)}
        return replace(found, **parts)
    return found
