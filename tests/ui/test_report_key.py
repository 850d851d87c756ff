"""`R` writes a report from every screen: to a new file, and over an old one only after a yes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from screens import press, shown
from textual.pilot import Pilot
from textual.widgets import Input, Static

from dockpass.session.session import Session
from dockpass.ui.reporter import REPORT
from dockpass.ui.screens.dialogs import Confirm, EditValue
from scenes import JOB, session, with_project

TOKEN = JOB["CI_JOB_TOKEN"]


def in_directory(made: Session, cwd: Path) -> Session:
    made.services = replace(made.services, cwd=cwd)
    return made


async def report(pilot: Pilot[int], to: str = "") -> None:
    await press(pilot, "R")
    assert isinstance(pilot.app.screen, EditValue)
    if to:
        pilot.app.screen.query_one(Input).value = to
    await press(pilot, "enter")
    await settle(pilot)


async def settle(pilot: Pilot[int]) -> None:
    for _ in range(2):
        if pump := getattr(pilot.app.screen, "pump", None):
            pump()
        await pilot.pause()


def told(pilot: Pilot[int]) -> str:
    return " ".join(str(note.message) for note in pilot.app._notifications)


@pytest.mark.parametrize("place", ["", "H", "v", "w", "d", "c", "a"])
async def test_every_screen_writes_one(place: str, tmp_path: Path) -> None:
    async with shown(in_directory(session(JOB), tmp_path)) as pilot:
        await press(pilot, *filter(None, [place]))
        await settle(pilot)
        await report(pilot)
        path = tmp_path / REPORT
        text = path.read_text()
        assert text.startswith("# dockpass report")
        assert "gitlab-ci-token" in text
        assert TOKEN not in text
        assert path.stat().st_mode & 0o777 == 0o600
        assert f"The report is in {path}" in told(pilot)


async def test_the_place_is_shown_while_it_is_typed(tmp_path: Path) -> None:
    async with shown(in_directory(session(JOB), tmp_path)) as pilot:
        await press(pilot, "R")
        pilot.app.screen.query_one(Input).value = "other.md"
        await pilot.pause()
        shown_path = str(pilot.app.screen.query_one("#body Static", Static).render()).replace("\n", "")
        assert shown_path == f"{tmp_path}/other.md"
        await press(pilot, "escape")
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("yes", [True, False])
async def test_a_file_is_replaced_only_after_a_yes(yes: bool, tmp_path: Path) -> None:
    path = tmp_path / REPORT
    path.write_text("mine")
    path.chmod(0o644)
    async with shown(in_directory(session(JOB), tmp_path)) as pilot:
        await report(pilot)
        assert isinstance(pilot.app.screen, Confirm)
        assert path.read_text() == "mine"
        await press(pilot, "y" if yes else "n")
        await settle(pilot)
        assert path.read_text().startswith("# dockpass report" if yes else "mine")
        assert path.stat().st_mode & 0o777 == (0o600 if yes else 0o644)


async def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / REPORT).symlink_to(tmp_path / "precious")
    async with shown(in_directory(session(JOB), tmp_path)) as pilot:
        await report(pilot)
        await press(pilot, "y")
        await settle(pilot)
        assert (tmp_path / "precious").read_text() == "precious"
        assert not (tmp_path / REPORT).is_symlink()


@pytest.mark.parametrize(
    "to", ["nosuch/dir/report.md", ".", "~nobody-here/report.md", "x" * 5000], ids=lambda text: text[:8]
)
async def test_a_place_that_cannot_be_written_is_told(to: str, tmp_path: Path) -> None:
    async with shown(in_directory(session(JOB), tmp_path)) as pilot:
        await report(pilot, to)
        if isinstance(pilot.app.screen, Confirm):
            await press(pilot, "y")
            await settle(pilot)
        assert "Give another place." in told(pilot)
        assert list(tmp_path.iterdir()) == []


async def test_the_report_of_a_job_is_about_the_job(tmp_path: Path) -> None:
    made = in_directory(with_project(job="publish"), tmp_path)
    made.as_job = True
    async with shown(made) as pilot:
        await report(pilot)
        text = (tmp_path / REPORT).read_text()
        assert "| job | publish |" in text
        assert "not protected" in text
        assert "canary" not in text


async def test_what_the_registry_answered_the_doctor_is_in_its_report(tmp_path: Path) -> None:
    async with shown(in_directory(session(JOB), tmp_path)) as pilot:
        await press(pilot, "H")
        await settle(pilot)
        await press(pilot, "a")
        await pilot.app.workers.wait_for_complete()
        await settle(pilot)
        await report(pilot)
        assert "## What the registry answered" in (tmp_path / REPORT).read_text()
