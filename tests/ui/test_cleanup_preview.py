"""The rules of a cleanup, with a preview of what goes, once the tags are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from screens import press, shown
from textual.pilot import Pilot
from textual.widgets import Input, Static

from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.plan import Policy, TagInfo
from dockpass.errors import ExitCode, UsageError
from dockpass.runs import events as ev
from dockpass.runs.events import Status
from dockpass.runs.feed import Feed
from dockpass.runs.request import RunRequest
from dockpass.runs.services import Services
from dockpass.session import preview
from dockpass.session.preview import Inventory
from dockpass.session.session import Session
from dockpass.ui.screens.cleaning import AskRules
from dockpass.ui.screens.plan import PlanDialog
from scenes import FOREIGN, JOB, ScriptedRun, session

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TAGS = [
    TagInfo(f"feature-{number}", f"sha256:{number:064x}", NOW - timedelta(days=40 + number), 1)
    for number in range(5)
]
SHARED = TagInfo("release", TAGS[3].digest, TAGS[3].created, 1)
"""A tag on the image of another one."""
POLICY = Policy(NOW, protected={"feature-4": "^feature-4$"})


def reading(*, fails: str = "", **more: object) -> tuple[Session, list[RunRequest], list[ScriptedRun]]:
    """A session whose dry run reads these tags when its feed is looked at."""
    made = session(JOB, **more)  # type: ignore[arg-type]
    requests: list[RunRequest] = []
    runs: list[ScriptedRun] = []

    def start(request: RunRequest, services: Services) -> ScriptedRun:
        requests.append(request)
        run = ScriptedRun(request, Feed(services.redactor))
        runs.append(run)
        run.feed.put(ev.Count(0.1, 2, 5, "tags read"))
        if fails:
            run.feed.put(ev.Ended(0.2, Status.FAILED, ExitCode.FAILED, "denied", fails, ""))
        return run

    made.start = start  # type: ignore[assignment]
    return made, requests, runs


def ends(run: ScriptedRun, services: Services) -> None:
    """Let the dry run end, with the tags read."""
    services.tags_read(TAGS, POLICY)
    run.feed.put(ev.Ended(0.3, Status.DONE, ExitCode.DONE, "", "dry run", ""))


def test_what_a_registry_that_deletes_single_tags_would_delete_more_is_counted() -> None:
    found = preview.Inventory((*TAGS, SHARED), POLICY)
    rules = CleanupOptions(match="feature-.*")
    assert [row.tag for row in found.planned(rules) if row.action == "delete"] == [
        f"feature-{number}" for number in range(3)
    ]
    assert found.more_by_single_tags(rules) == 1
    assert found.more_by_single_tags(CleanupOptions(match=".*")) == 0


def body(pilot: Pilot[int]) -> str:
    return " ".join(str(pilot.app.screen.query_one("#body Static", Static).render()).split())


async def typed(pilot: Pilot[int], text: str) -> None:
    pilot.app.screen.query_one("#value", Input).value = text
    await pilot.pause()


async def pumped(pilot: Pilot[int]) -> None:
    dialog = pilot.app.screen
    assert isinstance(dialog, AskRules)
    dialog.pump()
    await pilot.pause()


def slow_about(sought: str) -> Callable[[CleanupOptions, Sequence[str]], None]:
    def check(options: CleanupOptions, tags: Sequence[str]) -> None:
        if sought in options.patterns:
            raise UsageError("pattern-slow", f"{sought} takes too long to compare with {len(tags)} tags.", "")

    return check


async def test_what_goes_follows_the_rules_while_they_are_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "check_speed", slow_about("(a+)+$"))
    made, requests, runs = reading()
    kept: list[Services] = []
    start = made.start
    made.start = lambda request, services: (kept.append(services), start(request, services))[1]
    async with shown(made) as pilot:
        await press(pilot, "4", "enter")
        await press(pilot, "ctrl+t")
        assert "reading the tags: 2 of 5 tags read" in body(pilot)
        assert requests[0].cleanup == CleanupOptions(dry_run=True)
        ends(runs[0], kept[0])
        await pumped(pilot)
        assert "0 to delete · 5 to keep" in body(pilot)  # the newest 10 stay
        await typed(pilot, "keep-last=2")
        await press(pilot, "pagedown", "down", "up", "pageup")
        assert "2 to delete · 3 to keep" in body(pilot)
        assert "delete feature-2" in body(pilot)
        assert "keep feature-4" in body(pilot)
        await typed(pilot, "match=(")
        assert "delete ·" not in body(pilot)
        await typed(pilot, "match=(a+)+$")
        assert "(a+)+$ takes too long to compare with 5 tags." in body(pilot)
        await typed(pilot, "older-than=1d")
        assert "4 to delete · 1 to keep" in body(pilot)
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, PlanDialog)
    assert len(requests) == 1


async def test_tags_that_cannot_be_read_are_told_and_can_be_read_again() -> None:
    made, requests, _ = reading(fails="The registry refused.")
    async with shown(made) as pilot:
        await press(pilot, "4", "enter", "ctrl+t")
        await pumped(pilot)
        assert "The tags could not be read: The registry refused." in body(pilot)
        await press(pilot, "ctrl+t")
        assert len(requests) == 2


async def test_reading_ends_with_the_dialog() -> None:
    made, _, runs = reading()
    async with shown(made) as pilot:
        await press(pilot, "4", "enter", "ctrl+t", "ctrl+t")
        assert len(runs) == 1
        await press(pilot, "escape")
        assert runs[0].cancelled


async def test_a_foreign_registry_is_asked_about_first() -> None:
    made, requests, _ = reading(edits=(FOREIGN,))
    async with shown(made) as pilot:
        await press(pilot, "4", "enter", "ctrl+t", "n")
        assert requests == []
        await press(pilot, "ctrl+t", "s")
    assert requests[0].foreign_allowed


async def test_it_only_reads_in_read_only_mode_too() -> None:
    made, requests, _ = reading(read_only=True)
    async with shown(made) as pilot:
        await press(pilot, "4", "enter", "ctrl+t")
        assert not requests[0].acts


@pytest.mark.parametrize("rules", [CleanupOptions(), CleanupOptions(keep_last=0, keep=("feature-1",))])
def test_the_preview_says_what_a_dry_run_says(rules: CleanupOptions) -> None:
    planned = {row.tag: row.action for row in Inventory(TAGS, POLICY).planned(rules)}
    going = {tag for tag, action in planned.items() if action == "delete"}
    assert going == ({"feature-0", "feature-2", "feature-3"} if rules.keep_last == 0 else set())
