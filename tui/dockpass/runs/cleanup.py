"""Cleanup: list the tags, plan what goes, ask, delete."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from dockpass.auth.command import Method
from dockpass.cleanup.execute import TagResult, execute, tags_lost
from dockpass.cleanup.inventory import can_delete_single_tags, survey
from dockpass.cleanup.plan import DeletionPlan, Policy, TagRow, needs_single_tags, plan_deletion
from dockpass.cleanup.rules import check_patterns
from dockpass.cleanup.slow import check_speed
from dockpass.cleanup.tagrules import rules_of
from dockpass.errors import Cancelled, DockpassError, NotAllowed, needs_yes
from dockpass.registry.client import RegistryClient
from dockpass.registry.failures import RegistryError
from dockpass.runs.contact import contact
from dockpass.runs.events import LogKind, Phase, TagDeleted, TagPlanned
from dockpass.runs.job import Job
from dockpass.text import clean, plural

MOST_DOUBTS = 8

_NO_RULE = (
    "No rule was given, and without one nothing is deleted; for example --keep-last 10, --older-than 30d or"
    " --match 'feature-.*'"
)
_WORDS = {"gone": "gone already", "unknown": "not known"}


def cleanup(job: Job) -> Callable[[], str]:
    """Prepare a cleanup; raises `UsageError` for a pattern that is none."""
    options = job.request.cleanup
    check_patterns(options)
    policy = Policy(job.services.now(), options)
    return partial(_run, job, policy)


def _run(job: Job, policy: Policy) -> str:
    return job.run_async(_cleanup(job, policy))


async def _cleanup(job: Job, policy: Policy) -> str:
    repository = job.repository
    try:
        async with contact(job, repository.host) as client:
            plan = await _plan(job, client, repository.path, policy)
            going = [row for row in plan.rows if row.deletes]
            if not going:
                rules = "" if policy.rules.has_rule else f". {_NO_RULE}"
                return f"nothing to delete: {plural(len(plan.rows), 'tag')}, all kept{rules}"
            if job.request.cleanup.dry_run:
                return f"dry run: {plural(len(going), 'tag')} of {len(plan.rows):,} would be deleted"
            await _confirm(job, going)
            return await _delete(job, client, repository.path, plan)
    except asyncio.CancelledError:
        raise Cancelled("Cancelled. Nothing was deleted.") from None
    except RegistryError as error:
        raise _with_remedy(job, error) from error


async def _plan(job: Job, client: RegistryClient, path: str, policy: Policy) -> DeletionPlan:
    with job.phase(Phase.LIST, str(job.repository)) as report:
        tags = await survey(client, path, lambda done, total: job.count(done, total, "tags read"))
        check_speed(policy.rules, [info.tag for info in tags])
        policy = await _with_tag_rules(job, client, path, policy, [info.tag for info in tags])
        job.services.tags_read(tags, policy)
        single = None
        if not job.request.cleanup.dry_run and needs_single_tags(tags, policy):
            single = await can_delete_single_tags(client, path)
        plan = plan_deletion(tags, policy, single_tags=single)
        for row in plan.rows:
            _report(job, row)
        _warn_of_doubts(job, plan)
        going = sum(row.deletes for row in plan.rows)
        report.detail = (
            f"{plural(len(plan.rows), 'tag')}: {going:,} to delete, {len(plan.rows) - going:,} kept"
        )
    return plan


def _warn_of_doubts(job: Job, plan: DeletionPlan) -> None:
    """Say which kept tags keep everything else, and why."""
    for tag, why in list(plan.doubts.items())[:MOST_DOUBTS]:
        job.log(f"{tag} cannot be read ({why}), so it may need any image here", LogKind.WARNING)
    if len(plan.doubts) > MOST_DOUBTS:
        job.log(f"the same applies to {plural(len(plan.doubts) - MOST_DOUBTS, 'more tag')}", LogKind.WARNING)
    if plan.doubts:
        job.log(
            "No image is deleted until then: remove or repair the tag, then run the cleanup again.",
            LogKind.WARNING,
        )


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
        job.log(
            f"this login may not delete tags that match {', '.join(map(clean, rules.patterns))}", LogKind.NOTE
        )
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
        if not job.request.confirmed:
            if not job.request.can_ask:
                raise needs_yes(
                    f"{plural(len(going), 'tag')} would be deleted",
                    "Give --yes to delete, or --dry-run to see what would be deleted.",
                )
            if not await asyncio.to_thread(job.ask, question, names):
                raise NotAllowed("not-confirmed", "Declined: nothing was deleted.")
        report.detail = "confirmed"


async def _delete(job: Job, client: RegistryClient, path: str, plan: DeletionPlan) -> str:
    total = sum(len(deletion.tags) for deletion in plan.deletions)
    outcomes: Counter[str] = Counter()

    def told(result: TagResult) -> None:
        outcomes[result.outcome] += 1
        job.put(lambda at: TagDeleted(at, result.tag, result.digest, result.outcome, result.detail))
        job.count(outcomes.total() - outcomes["lost"], total, "tags deleted")
        detail = f", {result.detail}" if result.detail else ""
        job.log(f"{result.tag}: {_WORDS.get(result.outcome, result.outcome)}{detail}", LogKind.REGISTRY)

    def until_then() -> str:
        left = total - outcomes.total() + outcomes["lost"]
        return f"Until then: {_in_words(outcomes)}; {plural(left, 'tag')} untouched."

    with job.phase(Phase.DELETE, f"{total:,} tags") as report:
        try:
            await execute(client, path, plan, told)
        except asyncio.CancelledError:
            raise Cancelled(f"Cancelled. {until_then()}") from None
        except RegistryError as error:
            message = f"{error.message} {until_then()}"
            raise RegistryError(error.id, message, error.hint, error.answer) from error
        except DockpassError as error:
            raise DockpassError(error.id, f"{error.message} {until_then()}", error.hint) from error
        report.detail = _in_words(outcomes)
    if outcomes["lost"]:
        raise tags_lost(
            f"Tags that should have been kept are missing: {_in_words(outcomes)}.",
            "The list names them, with their digests. Somebody else may have removed them meanwhile.",
        )
    if outcomes["failed"] or outcomes["unknown"]:
        raise DockpassError(
            "cleanup-incomplete",
            f"Not everything could be deleted: {_in_words(outcomes)}.",
            "The list says why for each tag; the same cleanup can be run again.",
        )
    return _in_words(outcomes)


def _in_words(outcomes: Counter[str]) -> str:
    said = [f"{count:,} {_WORDS.get(outcome, outcome)}" for outcome, count in sorted(outcomes.items())]
    return ", ".join(said) or "nothing deleted"


def _with_remedy(job: Job, error: RegistryError) -> DockpassError:
    """Add what gives a cleanup the right to delete, where the login has not got it."""
    if error.answer.status not in {401, 403}:
        return error
    if job.request.decision.method is Method.CLEANUP_TOKEN:
        hint = (
            "The token in WERF_IMAGES_CLEANUP_PASSWORD may have expired, or may not delete images here: its"
            " scopes and its role decide that."
        )
    else:
        hint = (
            "Set WERF_IMAGES_CLEANUP_PASSWORD to a token that may delete images, or give"
            " --registry-username and --registry-password."
        )
    return RegistryError(error.id, error.message, f"{hint} {error.hint}".strip(), error.answer)
