"""Importing on the screen of variables: read, previewed without any value, then taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from screens import painted, press, shown
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Input

from dockpass.session.session import Session
from dockpass.ui.screens.importing import ImportDialog, PathOrPaste
from dockpass.ui.screens.variables import VariablesScreen
from dockpass.variables.gitlab.model import Level
from scenes import JOB, session, with_project

API = json.dumps(
    [
        {"key": "REGISTRY_TOKEN", "value": "canary-imported", "protected": True, "masked": True},
        {"key": "HIDDEN", "value": None, "hidden": True},
    ]
)


def here(made: Session, cwd: Path) -> Session:
    object.__setattr__(made.services, "cwd", cwd)
    return made


async def opened(pilot: Pilot[int]) -> ImportDialog:
    await press(pilot, "v")
    assert isinstance(pilot.app.screen, VariablesScreen)
    pilot.app.screen.pump()
    await press(pilot, "i")
    dialog = pilot.app.screen
    assert isinstance(dialog, ImportDialog)
    return dialog


async def test_a_file_is_previewed_without_its_values_and_taken_at_its_level(tmp_path: Path) -> None:
    (tmp_path / "vars.json").write_text(API, encoding="utf-8")
    made = here(with_project(job="publish", settings=()), tmp_path)
    async with shown(made) as pilot:
        await opened(pilot)
        await press(pilot, *"vars.json", "enter")
        shot = painted(pilot.app)
        assert "REGISTRY_TOKEN" in shot
        assert "15 characters" in shot
        assert "canary" not in shot
        assert made.desk.imported == ()
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, VariablesScreen)
        assert {each.level for each in made.desk.imported[0].definitions} == {Level.PROJECT}
        listed = {each.name: each for each in pilot.app.screen._listed}
        assert listed["REGISTRY_TOKEN"].remark == "protected"
        assert "canary" not in painted(pilot.app)


async def test_a_paste_is_read_and_format_and_level_can_be_changed() -> None:
    made = with_project(job="publish", settings=())
    async with shown(made) as pilot:
        dialog = await opened(pilot)
        dialog.query_one(PathOrPaste).post_message(Paste('A="x y"\nB_TOKEN=canary-pasted\n'))
        await pilot.pause()
        await pilot.pause()
        assert "canary" not in painted(pilot.app)
        assert dialog._draft is not None
        await press(pilot, "ctrl+l")
        assert dialog._draft.level is Level.DOTENV
        await press(pilot, "ctrl+f", *"python", "enter")
        assert dialog._draft.format == "python-dotenv"
        assert next(each.value for each in dialog._draft.taken) == "x y"
        await press(pilot, "enter")
        assert len(made.desk.imported) == 1
        assert "canary" not in painted(pilot.app)


@pytest.mark.parametrize("path", ["~nobody-here/vars.json", "x" * 5000], ids=["home", "long"])
async def test_a_path_that_leads_nowhere_is_told(tmp_path: Path, path: str) -> None:
    async with shown(here(with_project(job="publish", settings=()), tmp_path)) as pilot:
        dialog = await opened(pilot)
        dialog.query_one(Input).value = path
        await press(pilot, "enter")
        assert pilot.app.screen is dialog
        assert dialog._error is not None
        words = "No such file" if path.startswith("~") else "File name too long"
        assert words in str(dialog._error) or "does not exist" in str(dialog._error)


async def test_without_a_project_an_import_is_what_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "x.env").write_text("CI_REGISTRY=imported.example\n", encoding="utf-8")
    made = here(session(JOB), tmp_path)
    async with shown(made) as pilot:
        await opened(pilot)
        await press(pilot, *"x.env", "enter", "enter")
        screen = pilot.app.screen
        assert isinstance(screen, VariablesScreen)
        listed = {each.name: each for each in screen._listed}
        found = listed["CI_REGISTRY"].found
        assert found is not None
        assert found.value == "imported.example"


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36)])
async def test_what_cannot_be_read_is_told_and_nothing_is_taken(
    size: tuple[int, int], tmp_path: Path
) -> None:
    (tmp_path / "x[b]").write_text("A[/x]=\x1b[2J\nB=[/foo]\n", encoding="utf-8")
    made = here(with_project(job="publish"), tmp_path)
    async with shown(made, size) as pilot:
        before = made.desk.imported
        await opened(pilot)
        await press(pilot, *"nothing", "enter")
        assert "nothing" in painted(pilot.app)
        await press(pilot, "ctrl+f", "ctrl+l", *("backspace",) * 7, *"x[b]", "enter", "down")
        assert "\x1b" not in painted(pilot.app)
        await press(pilot, "escape")
        assert made.desk.imported == before
