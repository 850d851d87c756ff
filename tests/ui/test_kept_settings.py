"""What an earlier import keeps of a project's settings, on the screens: its age, its gaps, what it tells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from screens import painted, press, shown
from textual.pilot import Pilot
from textual.widgets import Static

from dockpass.session.desk import Desk, Looking, find_kept, open_desk
from dockpass.session.session import Session
from dockpass.ui.screens.variables import VariablesScreen
from dockpass.ui.widgets.panel import Panel, Rows
from dockpass.variables.gitlab.model import Definition, Level, Ref
from dockpass.variables.gitlabplace import GitlabPlace
from dockpass.variables.projectsettings import ProjectSettings, kept_settings
from dockpass.variables.snapshot import NOT_KEPT, Extent, Reach, Snapshot
from dockpass.variables.snapshotfile import keep_snapshot, snapshot_path
from scenes import with_project

PLACE = GitlabPlace("https://gitlab.myhost.com", "web/backend", "")
DAY = 86400.0
TAKEN = 1_790_000_000.0
SNAPSHOT = Snapshot(
    server=PLACE.url,
    project="web/backend",
    taken=TAKEN,
    ref=Ref(name="feature/login"),
    levels=(
        Reach(Level.GROUP, "web", Extent.NOTHING, "403 Forbidden"),
        Reach(Level.PROJECT, "", Extent.WHOLE),
    ),
    definitions=(Definition(key="DEPLOY_KEY", value=NOT_KEPT, level=Level.PROJECT, protected=True),),
    protected_branches=("main",),
    protected_tags=(),
    default_branch="trunk",
    registry="images.myhost.com:5005",
)
KEPT = ProjectSettings(snapshot=SNAPSHOT, age=3 * DAY)


def with_kept(kept: ProjectSettings) -> Session:
    made = with_project(job="publish", settings=())
    made.find_kept = lambda: kept
    return made


async def opened(pilot: Pilot[int]) -> VariablesScreen:
    await press(pilot, "v")
    found = pilot.app.screen
    assert isinstance(found, VariablesScreen)
    found.pump()
    await pilot.pause()
    return found


def words(found: VariablesScreen, selector: str) -> str:
    return " ".join(str(found.query_one(f"{selector} Static", Static).render()).split())


async def test_the_screen_says_how_old_the_settings_are_and_uses_what_they_know() -> None:
    async with shown(with_kept(KEPT), (160, 40)) as pilot:
        found = await opened(pilot)
        told = str(found.query_one("#context", Panel).border_subtitle)
        assert "settings of web/backend at https://gitlab.myhost.com, read 3 days ago" in told
        assert "names and flags, no values" in told
        assert found.seen is not None
        variables = found.seen.view.variables
        assert variables["CI_DEFAULT_BRANCH"].value == "trunk"
        assert variables["CI_REGISTRY"].losers[0].definition.value == "images.myhost.com:5005"
        rows = found.query_one("#variables", Rows)
        assert "absent  protected" in str(rows.get_option("DEPLOY_KEY").prompt)
        rows.highlighted = rows.get_option_index("WERF_IMAGES_CLEANUP_PASSWORD")
        await pilot.pause()
        assert "may not read the variables of the group web (403 Forbidden)" in words(found, "#variable")
        assert "are not loaded" not in words(found, "#variable")


@pytest.mark.parametrize("text", ["{", "[]", "\x1b[2J\u202e{}", '{"version": 99}'])
async def test_what_is_damaged_or_foreign_is_told_and_not_used(text: str, tmp_path: Path) -> None:
    path = keep_snapshot(tmp_path, PLACE, SNAPSHOT)
    path.write_text(text)
    kept = kept_settings(tmp_path, PLACE, TAKEN)
    async with shown(with_kept(kept), (160, 40)) as pilot:
        found = await opened(pilot)
        told = str(found.query_one("#context", Panel).border_subtitle)
        assert told.startswith("▲ ")
        assert path.name[:12] in told
        notices = [each.message for each in pilot.app._notifications]
        assert [each for each in notices if "is not used" in each and "vars import gitlab" in each]
        assert "\x1b" not in painted(pilot.app)
        assert found.seen is not None
        assert "DEPLOY_KEY" not in {*found.seen.view.variables, *found.seen.view.absent}


def test_another_projects_file_is_foreign(tmp_path: Path) -> None:
    other = GitlabPlace(PLACE.url, "web/other", "")
    keep_snapshot(tmp_path, other, replace(SNAPSHOT, project="web/other"))
    snapshot_path(tmp_path, other).rename(snapshot_path(tmp_path, PLACE))
    assert "is not used" in kept_settings(tmp_path, PLACE, TAKEN).problem


def test_a_ref_is_protected_as_far_as_the_settings_or_the_clone_know() -> None:
    made = with_project()
    before = Desk(looking=Looking())
    desk = open_desk(made.find_clone(), KEPT, made.services.redactor, before)
    assert {each.name: each.protected for each in desk.refs()} == {
        "main": True,
        "feature/login": False,
        "feature/search": False,
        "v1.4.0": False,
    }
    assert desk.looking.ref.protected is False


def test_without_a_remote_nothing_is_kept(tmp_path: Path) -> None:
    assert find_kept(tmp_path, {}, tmp_path, lambda: TAKEN).snapshot is None
