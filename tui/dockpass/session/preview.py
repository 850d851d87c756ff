"""What the rules of a cleanup would delete, while they are typed: a dry run reads the tags once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dockpass.auth.decision import WarningId
from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.plan import Policy, TagInfo, plan_deletion
from dockpass.cleanup.slow import check_speed
from dockpass.runs.events import Count, Ended, Status, TagPlanned
from dockpass.runs.request import RunRequest
from dockpass.runs.run import Run
from dockpass.session.session import Session


@dataclass(frozen=True, slots=True)
class Inventory:
    """The tags of a repository, and what the registry's own rules protect."""

    tags: Sequence[TagInfo]
    policy: Policy

    def planned(self, rules: CleanupOptions) -> list[TagPlanned]:
        """Return what becomes of each tag by these rules, as `cleanup --dry-run` tells it.

        Raises `UsageError` for a pattern that takes too long.
        """
        check_speed(rules, [info.tag for info in self.tags])
        plan = plan_deletion(self.tags, replace(self.policy, rules=rules), single_tags=None)
        return [
            TagPlanned(
                0.0,
                row.info.tag,
                row.info.digest,
                row.info.created.isoformat() if row.info.created else "",
                row.info.size,
                "delete" if row.deletes else "keep",
                row.reason,
            )
            for row in plan.rows
        ]

    def more_by_single_tags(self, rules: CleanupOptions) -> int:
        """Return how many more tags go if the registry can delete a single tag, which only a run asks it."""
        if len({info.digest for info in self.tags}) == len(self.tags):
            return 0
        policy = replace(self.policy, rules=rules)
        least, most = (
            sum(row.deletes for row in plan_deletion(self.tags, policy, single_tags=single).rows)
            for single in (None, True)
        )
        return most - least


class Reading:
    """A dry run that reads the tags, beside the screen. `look` takes what came from it.

    `found` are the tags once they are read, `failed` says why they could not be, `progress` how far it is.
    """

    def __init__(self, session: Session, request: RunRequest) -> None:
        self.found: Inventory | None = None
        self.failed = ""
        self.progress = ""
        self._cursor = 0
        dry = replace(
            request,
            cleanup=CleanupOptions(dry_run=True),
            foreign_allowed=request.decision.warns(WarningId.FOREIGN_REGISTRY),
        )
        services = replace(session.services, tags_read=self._take)
        self.run: Run = session.start(dry, services)
        session.reading = self.run

    def _take(self, tags: Sequence[TagInfo], policy: Policy) -> None:
        self.found = Inventory(tuple(tags), policy)

    @property
    def ended(self) -> bool:
        """Whether the run has ended, its config removed."""
        return self.run.ended

    def look(self) -> None:
        """Take what came since the last look."""
        batch = self.run.feed.since(self._cursor)
        self._cursor = batch.cursor
        for event in batch.events:
            if isinstance(event, Count):
                self.progress = f"{event.done:,} of {event.total:,} {event.what}"
            elif isinstance(event, Ended) and event.status is not Status.DONE:
                self.failed = f"{event.message} {event.hint}".strip()
