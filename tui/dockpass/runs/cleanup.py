"""Cleanup: list the tags, plan what goes, ask, delete."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from dockpass.errors import DockpassError, NotAllowed, UsageError
from dockpass.registry.client import RegistryClient
from dockpass.registry.deletion import DeletionPlan, Policy, TagRow, needs_single_tags, plan_deletion
from dockpass.registry.survey import TagResult, can_delete_single_tags, execute, survey
from dockpass.registry.tagrules import rules_of
from dockpass.runs.contact import contact
from dockpass.runs.events import LogKind, Phase, TagDeleted, TagPlanned
from dockpass.runs.job import Job
from dockpass.runs.login import credential_for
from dockpass.text import clean, plural


def cleanup(job: Job) -> Callable[[], str]:
    """Prepare a cleanup; raises `UsageError` for a pattern that is none."""
    options = job.request.cleanup
    for pattern in (*options.keep, *([] if options.match is None else [options.match])):
        try:
            re.compile(pattern)
        except re.error as error:
            raise UsageError(
                "pattern-invalid",
                f"{clean(pattern)} is no regular expression: {error.msg} at {error.pos}.",
                "A dot is any character, and `.*` anything: for example `feature-.*`.",
            ) from error
    policy = Policy(
        job.services.now(),
        options.keep_last,
        None if options.older_than is None else timedelta(seconds=options.older_than),
        options.match,
        options.keep,
    )
    return partial(_run, job, policy)


def _run(job: Job, policy: Policy) -> str:
    return job.run_async(_cleanup(job, policy))


async def _cleanup(job: Job, policy: Policy) -> str:
    repository = job.repository
    credential = credential_for(job, str(repository))
    async with contact(job, repository.host, credential) as client:
        plan = await _plan(job, client, repository.path, policy)
        going = [row for row in plan.rows if row.deletes]
        if not going:
            return f"nothing to delete: {plural(len(plan.rows), 'tag')}, all kept"
        planned = f"{plural(len(going), 'tag')} of {len(plan.rows):,} would go"
        if job.request.cleanup.dry_run:
            return f"dry run: {planned}"
        await _confirm(job, going)
        return await _delete(job, client, repository.path, plan)


async def _plan(job: Job, client: RegistryClient, path: str, policy: Policy) -> DeletionPlan:
    with job.phase(Phase.LIST, str(job.repository)) as report:
        tags = await survey(client, path, lambda done, total: job.count(done, total, "tags read"))
        policy = await _with_tag_rules(job, client, path, policy, [info.tag for info in tags])
        single = None
        if not job.request.cleanup.dry_run and needs_single_tags(tags, policy):
            single = await can_delete_single_tags(client, path)
        plan = plan_deletion(tags, policy, single_tags=single)
        for row in plan.rows:
            _report(job, row)
        going = sum(row.deletes for row in plan.rows)
        report.detail = (
            f"{plural(len(plan.rows), 'tag')}: {going:,} to delete, {len(plan.rows) - going:,} kept"
        )
    return plan


async def _with_tag_rules(
    job: Job, client: RegistryClient, path: str, policy: Policy, tags: list[str]
) -> Policy:
    """Add the tags that the token itself excludes; what cannot be told of them is logged."""
    if not tags:
        return policy
    try:
        rules = await rules_of(client, path)
    except DockpassError as error:
        job.log(f"whether the registry protects tags is not known: {error.message}", LogKind.WARNING)
        return policy
    for problem in rules.problems:
        job.log(problem, LogKind.WARNING)
    if not (rules.patterns or rules.problems):
        return policy
    if rules.patterns:
        job.log(f"this login may not delete tags like {', '.join(map(clean, rules.patterns))}", LogKind.NOTE)
    protected, complete = rules.protecting(tags)
    if not complete:
        job.log("not all tags could be compared with the registry's tag rules in time", LogKind.WARNING)
    return replace(policy, protected=protected, by_tag=True)


def _report(job: Job, row: TagRow) -> None:
    info = row.info
    created = info.created.isoformat() if info.created else ""
    action = "delete" if row.deletes else "keep"
    job.put(lambda at: TagPlanned(at, info.tag, info.digest, created, info.size, action, row.reason))


async def _confirm(job: Job, going: list[TagRow]) -> None:
    with job.phase(Phase.CONFIRM) as report:
        names = ", ".join(row.info.tag for row in going[:8]) + (", …" if len(going) > 8 else "")
        question = f"Delete {plural(len(going), 'tag')} of {job.repository}?"
        if not job.request.confirmed and not await asyncio.to_thread(job.ask, question, names):
            raise NotAllowed("not-confirmed", "Nothing was deleted: the plan was not confirmed.")
        report.detail = "confirmed"


async def _delete(job: Job, client: RegistryClient, path: str, plan: DeletionPlan) -> str:
    total = sum(len(deletion.tags) for deletion in plan.deletions)
    outcomes: Counter[str] = Counter()

    def told(result: TagResult) -> None:
        outcomes[result.outcome] += 1
        job.put(lambda at: TagDeleted(at, result.tag, result.digest, result.outcome, result.detail))
        job.count(outcomes.total(), total, "tags deleted")
        job.log(
            f"{result.tag}: {result.outcome}{f', {result.detail}' if result.detail else ''}", LogKind.REGISTRY
        )

    with job.phase(Phase.DELETE, f"{total:,} tags") as report:
        try:
            await execute(client, path, plan, told)
        except DockpassError as error:
            left = total - outcomes.total()
            raise DockpassError(
                error.id,
                f"{error.message} Until then: {_in_words(outcomes)}; {plural(left, 'tag')} untouched.",
                error.hint,
            ) from error
        report.detail = _in_words(outcomes)
    if outcomes["failed"]:
        raise DockpassError(
            "cleanup-incomplete",
            f"Not everything could be deleted: {_in_words(outcomes)}.",
            "The list says why for each tag; the same cleanup can be run again.",
        )
    return _in_words(outcomes)


def _in_words(outcomes: Counter[str]) -> str:
    said = [f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items())]
    return ", ".join(said) or "nothing deleted"
