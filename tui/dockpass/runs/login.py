"""The credentials of a run: those of the one login, or the entries found in an existing config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dockpass.auth.address import DOCKER_HUB_HOST, DOCKER_HUB_KEY, host_of_reference, login_key
from dockpass.auth.command import Command, Method
from dockpass.auth.credential import Credential
from dockpass.dockerconfig.configfile import read_config
from dockpass.engines.base import EMBEDDED, Engine
from dockpass.errors import LoginRefused, UsageError
from dockpass.runs.contact import check_realm_for_engine, contact
from dockpass.runs.events import LoginRefused as LoginWasRefused
from dockpass.runs.events import (
    LoginSkipped,
    LoginStarted,
    LoginSucceeded,
    LogKind,
    Phase,
    Status,
)
from dockpass.runs.job import Job
from dockpass.runs.request import RunRequest

ENGINE_COMMANDS = frozenset({Command.BUILD, Command.PUSH, Command.PULL})
"""Commands whose work, and so whose login, the engine does; dockpass itself does the others."""


@dataclass(frozen=True, slots=True)
class Entries:
    """`credentials` by docker's config key; `notes` say how each was found, or why it was not."""

    credentials: Mapping[str, Credential]
    notes: tuple[str, ...] = ()


def hosts_of_run(request: RunRequest) -> tuple[str, ...]:
    """Return the registry hosts that a run talks to."""
    if request.command.needs_repo:
        return (host_of_reference(request.decision.repo),)
    images = request.facts.base_images or ()
    return tuple(sorted({host_of_reference(image.reference) for image in images}))


def entries_of_run(job: Job) -> Entries:
    """Return exactly the entries that the run needs."""
    decision, services = job.request.decision, job.services
    if decision.username is not None and decision.secret is not None:
        credential = Credential(decision.username, decision.secret)
        services.redactor.learn(decision.secret, decision.username)
        return Entries(dict.fromkeys(decision.login, credential))
    directory = Path(decision.config_dir or "")
    if decision.method is Method.EXTERNAL:
        _check_external(directory)
    environ = services.run_environ(job.facts)
    resolution = services.resolve_entries(directory, hosts_of_run(job.request), environ)
    for credential in resolution.credentials.values():
        for secret in (credential.password, credential.identity_token):
            if secret:
                services.redactor.learn(secret, credential.username)
    notes = tuple(f"{step.host}: {step.because}" for step in resolution.trace)
    return Entries(resolution.credentials, notes)


def _check_external(directory: Path) -> None:
    """A config that a person names has to be there; docker would go on without any login."""
    if problem := read_config(directory).problem:
        raise UsageError(
            "external-config-unusable",
            f"WERF_DOCKER_CONFIG cannot be used: {problem}.",
            "Name a directory with a config.json, or unset the variable.",
        )


def credential_for(job: Job, reference: str) -> Credential | None:
    """Return the run's credential for the registry of `reference`, if there is one."""
    return job.credentials.get(login_key(host_of_reference(reference)))


def connect(job: Job) -> Engine:
    """Open the engine and say which one answered."""
    services = job.services
    engine = services.open_engine(services.run_environ(job.facts), services.home)
    info = engine.info()
    job.log(f"{info.name} {info.version} at {info.endpoint} ({info.how})", LogKind.NOTE)
    if own := engine.own_proxy():
        job.log(f"{info.name} reaches registries by a proxy of its own: {own}", LogKind.NOTE)
    return engine


def log_in(job: Job, entries: Entries) -> None:
    """Log in with the one login of the run, or say why none is made.

    Whoever does the work does the login. Raises `LoginRefused` before any work is done.
    """
    if job.request.command in ENGINE_COMMANDS:
        job.engine(lambda: connect(job))
    for note in entries.notes:
        job.log(note, LogKind.NOTE)
    for host in hosts_of_run(job.request):
        for warning in job.services.policy.warnings(host):
            job.log(warning, LogKind.WARNING)
        if way := job.services.policy.way_to(host):
            job.log(f"{_who(job)} {host} {way}", LogKind.NOTE)
    for problem in job.services.policy.proxies.problems:
        job.log(problem, LogKind.WARNING)
    with job.phase(Phase.LOGIN) as report:
        if not job.request.decision.login:
            because = _why_no_login(job, entries)
            job.put(lambda at: LoginSkipped(at, because))
            report.status, report.detail = Status.SKIPPED, because
            return
        for key, credential in entries.credentials.items():
            _log_in_at(job, key, credential)
        user = job.request.decision.username
        by = "the engine" if job.request.command in ENGINE_COMMANDS else "dockpass"
        report.detail = f"{user} at {', '.join(entries.credentials)}, by {by}"


def _who(job: Job) -> str:
    """Say who follows the proxy variables; an engine's daemon has an environment of its own."""
    if job.request.command not in ENGINE_COMMANDS or job.engine().info().name == EMBEDDED:
        return "dockpass asks"
    return "dockpass, but not the engine, asks"


def _log_in_at(job: Job, key: str, credential: Credential) -> None:
    by_engine = job.request.command in ENGINE_COMMANDS
    user = credential.username
    job.put(lambda at: LoginStarted(at, key, user, "engine" if by_engine else "dockpass"))
    try:
        if by_engine:
            host = DOCKER_HUB_HOST if key == DOCKER_HUB_KEY else key
            job.run_async(check_realm_for_engine(job, host, credential))
            words = job.engine().login(key, credential)
        else:
            words = job.run_async(_log_in_ourselves(job, credential))
    except LoginRefused as refused:
        said, meaning, hint = refused.words, refused.meaning, refused.hint
        job.put(lambda at: LoginWasRefused(at, key, user, said, meaning, hint))
        raise
    job.put(lambda at: LoginSucceeded(at, key, user, words))


async def _log_in_ourselves(job: Job, credential: Credential) -> str:
    async with contact(job, job.repository.host, credential) as client:
        return (await client.login()).words


def _why_no_login(job: Job, entries: Entries) -> str:
    source = job.request.decision.config_dir
    if not hosts_of_run(job.request):
        return "no login: nothing is pulled"
    if entries.credentials:
        return f"no login: the entry for {', '.join(entries.credentials)} comes from {source}"
    return f"no login, and no entry in {source}: the registry is asked anonymously"
