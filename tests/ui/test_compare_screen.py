"""The screen that compares: logins first, secrets never, files and logs of any format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from screens import painted, press, shown
from textual.pilot import Pilot
from textual.widgets import Static

from dockpass.auth.facts import Edit, EditKind
from dockpass.cli.variables_diff import _context
from dockpass.session.sides import Chosen
from dockpass.ui.screens.compare import CompareScreen
from dockpass.ui.screens.overview import Overview
from dockpass.ui.widgets.panel import Rows
from dockpass.variables.gitlab.model import Ref, RefType
from scenes import JOB, session, with_project

CLEANUP = "WERF_IMAGES_CLEANUP_PASSWORD"
LOG = (
    "\x1b[0;m\x1b[32;1m$ export\x1b[0;m\n"
    "export CI_REGISTRY='other.myhost.com'\nexport CI_JOB_TOKEN='[MASKED]'\n"
    "export DEPLOY_TOKEN='canary-of-the-log'\nexport CI_JOB_ID='99'\n"
)


async def opened(pilot: Pilot[int], *keys: str) -> CompareScreen:
    await press(pilot, "d")
    found = pilot.app.screen
    assert isinstance(found, CompareScreen)
    for key in ("", *keys):
        if key:
            await press(pilot, key)
        for _ in range(2):
            found.pump()
            await pilot.pause()
    return found


async def opened_more(pilot: Pilot[int], found: CompareScreen, *keys: str) -> None:
    for key in keys:
        await press(pilot, key)
        for _ in range(2):
            found.pump()
            await pilot.pause()


def words(found: CompareScreen, selector: str) -> str:
    return str(found.query_one(selector, Static).render())


def rows(found: CompareScreen) -> dict[str, str]:
    listed = found.query_one("#differences", Rows)
    return {each: str(listed.get_option(each).prompt) for each in listed._ids if each}


async def test_main_and_this_branch_are_compared_and_logins_come_first() -> None:
    async with shown(with_project(job="publish")) as pilot:
        found = await opened(pilot)
        assert next(iter(rows(found))) == CLEANUP
        assert words(found, "#status-right") == "1 difference changes a login"
        assert "main with feature/login" in words(found, "#status-left")
        logins = words(found, "#compare-logins Static")
        assert "cleanup   cleanup token" in logins
        assert "the same" in logins
        assert "absent: protected, and feature/login is not" in words(found, "#difference Static")
        assert "canary" not in painted(pilot.app)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, Overview)


async def test_the_sides_are_swapped() -> None:
    async with shown(with_project(job="publish")) as pilot:
        found = await opened(pilot, "x")
        assert "feature/login with main" in words(found, "#status-left")
        assert rows(found)[CLEANUP].startswith("+")


async def test_another_job_is_compared_and_both_sides_name_theirs() -> None:
    async with shown(with_project(job="publish")) as pilot:
        found = await opened(pilot, "less_than_sign", *"job test", "enter")
        assert "test on feature/login with publish on feature/login" in words(found, "#status-left")
        assert rows(found)["CI_JOB_NAME"].split()[2:] == ["test", "GitLab", "publish", "GitLab"]
        assert rows(found)["CI_REGISTRY"].startswith("≠")
        await opened_more(pilot, found, "greater_than_sign", *"main", "enter")
        assert "test on feature/login with publish on main" in words(found, "#status-left")


async def test_y_copies_the_command_that_compares_the_same() -> None:
    async with shown(with_project(job="publish", settings=())) as pilot:
        await opened(pilot, "y")
        sides = ("branch:main,protected", "branch:feature/login,unprotected")
        assert pilot.app.clipboard == f"dockpass vars diff {sides[0]} {sides[1]} --job publish"
        assert "without" not in painted(pilot.app)
    edit = Edit(EditKind.SET, "CI_REGISTRY", "elsewhere.myhost.com")
    async with shown(with_project(job="publish", edits=(edit,))) as pilot:
        found = await opened(pilot, "less_than_sign", *"job test", "enter", "y")
        left = "branch:feature/login,unprotected,job:test"
        assert f"dockpass vars diff {left} branch:feature/login,unprotected" in pilot.app.clipboard
        assert pilot.app.clipboard.endswith(" --set CI_REGISTRY=elsewhere.myhost.com")
        assert "without the 1 import made here" in [each.message for each in pilot.app._notifications][-1]
        assert found.is_current


@pytest.mark.parametrize(
    ("side", "given"),
    [
        (Chosen(ref=Ref(name="a/b", protected=None)), {"ref": "a/b", "tag": None, "merge_request": False}),
        (
            Chosen(ref=Ref(type=RefType.TAG, name="v1", protected=True)),
            {"tag": "v1", "ref": None, "merge_request": False, "protected": True},
        ),
        (
            Chosen(ref=Ref(type=RefType.MERGE_REQUEST, name="b", protected=False), job=("a b", 0)),
            {"ref": "b", "tag": None, "merge_request": True, "protected": False, "job": "a b"},
        ),
    ],
)
def test_the_command_line_reads_a_side_as_it_was_chosen(side: Chosen, given: dict[str, object]) -> None:
    assert _context(side.argument) == given


async def test_a_log_and_this_shell_are_compared_without_a_secret(tmp_path: Path) -> None:
    (tmp_path / "job.log").write_text(LOG, encoding="utf-8")
    made = session(JOB)
    object.__setattr__(made.services, "cwd", tmp_path)
    async with shown(made) as pilot:
        found = await opened(pilot, "greater_than_sign", *"job.log", "enter")
        listed = rows(found)
        assert "other.myhost.com" in listed["CI_REGISTRY"]
        assert "change" in words(found, "#status-right")
        assert "CI_JOB_ID" not in listed
        await press(pilot, "t")
        assert "99" in rows(found)["CI_JOB_ID"]
        assert "value unknown" in listed["CI_JOB_TOKEN"]
        assert "canary" not in painted(pilot.app)


def _folder(path: Path) -> None:
    path.mkdir()


def _empty(path: Path) -> None:
    path.write_text("")


def _binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 16)


@pytest.mark.parametrize("side", ["less_than_sign", "greater_than_sign"])
@pytest.mark.parametrize("make", [lambda _: None, _folder, _empty, _binary])
async def test_what_cannot_be_read_is_told_in_the_panel_and_the_old_sides_and_title_stay(
    make: Callable[[Path], None], side: str, tmp_path: Path
) -> None:
    make(tmp_path / "x.env")
    made = with_project(job="publish")
    made.services = replace(made.services, cwd=tmp_path)
    async with shown(made) as pilot:
        found = await opened(pilot)
        before, verdict = rows(found), words(found, "#status-right")
        await opened_more(pilot, found, side, *"x.env", "enter")
        assert rows(found) == before
        assert words(found, "#status-right") == verdict
        assert "main with feature/login" in words(found, "#status-left")
        told = " ".join(words(found, "#compare-logins Static").split())
        assert "x.env" in told
        assert "Still compared: main with feature/login." in told
        (tmp_path / "good.env").write_text("CI_REGISTRY=other.myhost.com\n")
        await opened_more(pilot, found, side, *"good.env", "enter")
        assert "Still compared" not in words(found, "#compare-logins Static")
        assert "good.env" in words(found, "#status-left")


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (200, 60)])
async def test_hostile_text_stays_text(size: tuple[int, int], tmp_path: Path) -> None:
    hostile = "A[/x]=\x1b[2J\u202e[@click=app.quit]\nCI_REGISTRY=[/foo]\x1b]0;x\x07\n"
    (tmp_path / "x.env").write_text(hostile, encoding="utf-8")
    made = session(JOB)
    object.__setattr__(made.services, "cwd", tmp_path)
    async with shown(made, size) as pilot:
        await opened(pilot, "greater_than_sign", *"x.env", "enter", "enter", "tab", "slash", *"[/a", "escape")
        shot = painted(pilot.app)
        assert "\x1b" not in shot
        assert "\u202e" not in shot
