"""The first contact with a registry: where it wants the credentials, and whether they may go there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from dockpass.auth.rules import sends_token
from dockpass.engines.base import EMBEDDED
from dockpass.errors import Cancelled, DockpassError, NotAllowed
from dockpass.registry.policy import Policy, RealmNotAgreed, RealmRule
from dockpass.runs.events import LogKind
from dockpass.runs.job import Job
from dockpass.variables.servers import servers_of

if TYPE_CHECKING:
    from dockpass.registry.client import RegistryClient


@asynccontextmanager
async def contact(job: Job, host: str) -> AsyncIterator[RegistryClient]:
    """Open a client that is connected; the person is asked about a realm that is not plainly the registry's.

    Raises `RealmNotAgreed` where the person does not agree or cannot be asked, with nothing sent.
    """
    while True:
        async with job.services.open_registry(host, job.config, policy_of(job)) as client:
            try:
                await client.connect()
            except RealmNotAgreed as found:
                unknown = found
            else:
                yield client
                return
        from asyncio import to_thread

        await to_thread(_ask, job, unknown)


def check_realm_for_engine(job: Job, host: str) -> None:
    """Look where the engine will be sent with a CI token; it checks nothing of that kind itself.

    The embedded engine is sent nowhere else than dockpass would go itself, so it is looked at always.
    """
    if _servers(job) or job.engine().info().name == EMBEDDED:
        job.run_async(_check_realm(job, host))


async def _check_realm(job: Job, host: str) -> None:
    try:
        async with contact(job, host):
            pass
    except (NotAllowed, Cancelled):
        raise
    except DockpassError as error:
        job.log(f"where {host} wants its token was not looked at: {error.message}", LogKind.WARNING)


def policy_of(job: Job) -> Policy:
    """Return the policy of a run: what the person allows, and what the CI server says of its token."""
    policy = job.services.policy
    rule = policy.realm_rule or RealmRule()
    return replace(
        policy,
        realm_rule=RealmRule(rule.agreed | job.agreed_realms, rule.servers | _servers(job)),
        realm_guard=job.check_realm,
    )


def _servers(job: Job) -> frozenset[str]:
    request = job.request
    is_token = sends_token(request.decision.method) and not request.foreign_allowed
    return servers_of(job.facts) if is_token else frozenset()


def _ask(job: Job, unknown: RealmNotAgreed) -> None:
    question = f"Send the login to {unknown.realm_host}?"
    if not job.ask(question, unknown.message):
        raise unknown
    job.agreed_realms |= {unknown.realm_host}
