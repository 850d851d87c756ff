"""The login step: the engine, or dockpass itself, asks the registry whether it accepts the login."""

from __future__ import annotations

from collections.abc import Sequence

from dockpass.auth.command import Command
from dockpass.engines.base import EMBEDDED, Engine
from dockpass.errors import LoginRefused
from dockpass.references.address import host_of_registry
from dockpass.runs.asked import hosts_of_run
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

ENGINE_COMMANDS = frozenset({Command.BUILD, Command.PUSH, Command.PULL})
"""Commands whose work, and so whose login, the engine does; dockpass itself does the others."""


def by_engine(job: Job) -> bool:
    """Tell whether the engine logs in; for a builder that asks registries by itself, dockpass does."""
    itself = job.builder is not None and job.builder.info.asks_itself
    return job.request.command in ENGINE_COMMANDS and not itself


def opened_engine(job: Job) -> Engine:
    """Return the run's engine; the first call opens it and says which one answered."""
    return job.engine(lambda: _connect(job))


def _connect(job: Job) -> Engine:
    services = job.services
    engine = services.open_engine(services.run_environ(job.facts), services.home)
    info = engine.info()
    job.log(f"{info.name} {info.version} at {info.endpoint} ({info.how})", LogKind.NOTE)
    if own := engine.own_proxy():
        job.log(f"{info.name} uses its own proxy for registries: {own}", LogKind.NOTE)
    return engine


def log_in(job: Job, hosts: Sequence[str], notes: Sequence[str]) -> None:
    """Log in with the login in the run's config, or say why no login is made.

    `hosts` are docker's keys in the config, `notes` say where they come from. Whoever does the work does
    the login. Raises `LoginRefused` before any work is done.
    """
    if job.request.command in ENGINE_COMMANDS:
        opened_engine(job)
    for note in notes:
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
            because = _why_no_login(job, hosts)
            job.put(lambda at: LoginSkipped(at, because))
            report.status, report.detail = Status.SKIPPED, because
            return
        for key in hosts:
            _log_in_at(job, key)
        user = job.request.decision.username
        by = "the engine" if by_engine(job) else "dockpass"
        report.detail = f"{user} at {', '.join(hosts)}, by {by}"


def _who(job: Job) -> str:
    """Say who follows the proxy variables; an engine's daemon has an environment of its own."""
    if job.request.command not in ENGINE_COMMANDS or job.engine().info().name == EMBEDDED:
        return "dockpass asks"
    return "dockpass, but not the engine, asks"


def _log_in_at(job: Job, key: str) -> None:
    engine = by_engine(job)
    host = host_of_registry(key)
    user = job.config.user_for(host)
    job.put(lambda at: LoginStarted(at, key, user, "engine" if engine else "dockpass"))
    try:
        if engine:
            check_realm_for_engine(job, host)
            words = job.engine().login(key, job.config)
        else:
            words = job.run_async(_log_in_ourselves(job, host))
    except LoginRefused as refused:
        said, meaning, hint = refused.words, refused.meaning, refused.hint
        job.put(lambda at: LoginWasRefused(at, key, user, said, meaning, hint))
        raise
    job.put(lambda at: LoginSucceeded(at, key, user, words))


async def _log_in_ourselves(job: Job, host: str) -> str:
    async with contact(job, host) as client:
        return (await client.login()).words


def _why_no_login(job: Job, hosts: Sequence[str]) -> str:
    source = job.request.decision.config_dir
    if not hosts_of_run(job.request):
        return "no login: nothing is pulled"
    if hosts:
        return f"no login: the entry for {', '.join(hosts)} comes from {source}"
    return f"no login, and no entry in {source}: the registry is asked anonymously"
