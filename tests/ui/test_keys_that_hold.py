"""A person's own keys work, and are the ones that are shown. The palette finds everything by name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from screens import press, shown
from textual.command import CommandList
from textual.events import Key
from textual.widgets import Static

from dockpass.actions import ACTIONS, PLACES
from dockpass.auth.command import Command
from dockpass.session.session import Session
from dockpass.settings import LoadedSettings, Settings
from dockpass.ui.app import DockpassApp
from dockpass.ui.palette import Everything, Palette
from dockpass.ui.recent import recent, remember
from dockpass.ui.screens.access import AccessScreen
from dockpass.ui.screens.dialogs import Confirm, EditValue
from dockpass.ui.screens.overview import Overview
from dockpass.ui.screens.plan import PlanDialog
from dockpass.ui.widgets.keys import Keys
from scenes import JOB, SANDBOX, SANDBOX_JOB, session

NOWHERE = Path("/proc/none")


def with_keys(keys: Mapping[str, str], **more: object) -> Session:
    made = session(JOB, **more)  # type: ignore[arg-type]
    made.loaded = LoadedSettings(Settings(keys=keys), {}, (), NOWHERE)
    return made


async def test_own_keys_work_and_are_shown_in_their_place() -> None:
    async with shown(with_keys({"edit": "f7", "quit": "ctrl+q", "help": "f1"})) as pilot:
        await press(pilot, "tab", "e")
        assert isinstance(pilot.app.screen, Overview)
        foot = [(key.display, key.words) for _, key in pilot.app.screen.query_one(Keys).shown]
        assert ("f7", "edit") in foot
        assert ("ctrl+q", "quit") in foot
        assert foot.index(("f7", "edit")) < foot.index(("a", "access"))
        await press(pilot, "f7")
        assert isinstance(pilot.app.screen, EditValue)
        await press(pilot, "escape", "f1")
        text = str(pilot.app.screen.query_one("#body Static", Static).render())
        assert "f7          Edit the selected variable" in text
        assert "ctrl+q      Quit" in text
        await press(pilot, "escape", "ctrl+q")
    assert pilot.app.return_code == 0


@pytest.mark.parametrize(
    ("keys", "headings", "first"),
    [
        ((), ["PANEL COMMANDS", "OVERVIEW"], "enter       Show the plan"),
        (("6",), ["PANEL ENVIRONMENT", "OVERVIEW"], "enter       Edit the selected"),
        (("6", "slash", *"ci_", "enter"), ["PANEL ENVIRONMENT", "OVERVIEW"], "f7          Edit the selected"),
        (("7",), ["PANEL WHY PUSH", "OVERVIEW"], "j, k"),
        (("4", "a"), ["PANEL ASKED AND GRANTED", "ACCESS"], "j, k"),
        (("i",), ["PANEL IMAGES", "IMAGES"], "j, k"),
    ],
)
async def test_help_begins_with_the_panel_that_has_the_keys_then_the_screen(
    keys: tuple[str, ...], headings: list[str], first: str
) -> None:
    async with shown(with_keys({"edit": "f7"})) as pilot:
        await press(pilot, *keys, "question_mark")
        lines = str(pilot.app.screen.query_one("#body Static", Static).render()).splitlines()
        found = [line for line in lines if line and line == line.upper() and line[:1].isalpha()]
        assert found[: len(headings)] == headings
        assert found.index("EVERYWHERE") < len(PLACES["overview"]) + 1
        section = lines[lines.index(headings[0]) + 1 : lines.index(headings[1])]
        assert any(line.startswith(first) for line in section)
        assert lines.count("EVERYWHERE") == 1


async def test_the_tour_names_the_keys_that_hold() -> None:
    made = session(SANDBOX_JOB, sandbox=SANDBOX)
    made.loaded = LoadedSettings(Settings(keys={"tour_next": "f3"}), {}, (), NOWHERE)
    async with shown(made) as pilot:
        assert "f3 next" in str(pilot.app.screen.query_one("#tour").border_subtitle)


@pytest.mark.parametrize("keys", [{}, {"quit": "f10"}])
async def test_ctrl_c_says_in_plain_words_how_to_quit(keys: Mapping[str, str]) -> None:
    async with shown(with_keys(keys)) as pilot:
        await press(pilot, "ctrl+c")
        (told,) = [notice.message for notice in pilot.app._notifications]
        assert told == f"{keys.get('quit', 'q')} quits."


async def titles(app: DockpassApp) -> list[str]:
    return [entry.title for entry in Everything(app.screen)._entries()]


async def test_the_palette_finds_every_action_command_variable_and_theme() -> None:
    made = session(JOB)
    async with shown(made) as pilot:
        app = pilot.app
        assert isinstance(app, DockpassApp)
        found = await titles(app)
        for command in Command:
            assert {f"run {command}", f"access of {command}", f"why {command}"} <= set(found)
        for action in ACTIONS:
            assert any(title.endswith(action.title) for title in found), action
        assert {
            "edit CI_REGISTRY",
            "edit repo",
            "edit password",
            "theme nord",
            "theme dockpass-light",
        } <= set(found)
        assert len(found) == len(set(found))


async def test_the_palette_finds_the_repositories_of_earlier_runs(tmp_path: Path) -> None:
    made = session(JOB)
    made.services = replace(made.services, state=tmp_path)
    async with shown(made) as pilot:
        await press(pilot, "2", "enter", "r", "escape", "y")
    again = session(JOB)
    again.services = replace(again.services, state=tmp_path)
    async with shown(again) as pilot:
        app = pilot.app
        assert isinstance(app, DockpassApp)
        found = {each.title: each for each in Everything(app.screen)._entries()}
        title = "repository registry.myhost.com/web/backend"
        assert title in found
        found[title].do()
        await pilot.pause()
        assert [edit.in_words() for edit in again.edits] == ["give --repo registry.myhost.com/web/backend"]
    assert (tmp_path / "repositories").stat().st_mode & 0o777 == 0o600


def test_a_repository_that_may_hold_a_secret_is_not_kept(tmp_path: Path) -> None:
    for name in ("glpat-0123456789abcdefghij.example/app", "canary.example/app"):
        remember(tmp_path, name, lambda text: text.replace("canary", "••••"))
    assert recent(tmp_path) == ()


@pytest.mark.parametrize("name", ["a[/b]", "[bold]", "x[", "[@click=quit]y", "字"])
async def test_a_name_in_the_palette_is_no_markup(tmp_path: Path, name: str) -> None:
    made = session(JOB)
    made.services = replace(made.services, state=tmp_path, cwd=tmp_path)
    file = tmp_path / name / "x.toml"
    file.parent.mkdir(parents=True)
    file.write_text("")
    (tmp_path / "scenarios").write_text(f"{file}\n")
    async with shown(made) as pilot:
        await press(pilot, "ctrl+p", *"x.toml")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        found = [str(option.prompt) for option in pilot.app.screen.query_one(CommandList).options]
        assert any(each.startswith(f"scenario {name}/x.toml") for each in found), found


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (60, 16)])
async def test_the_palette_has_its_keys_in_every_terminal(size: tuple[int, int]) -> None:
    async with shown(session(JOB), size) as pilot:
        await press(pilot, "ctrl+p", "pageup", "pagedown", "down", "up", "home", "end", "escape")
        assert isinstance(pilot.app.screen, Overview)


async def test_the_palette_may_be_closed_while_it_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, closed = asyncio.Event(), asyncio.Event()
    async with shown(session(JOB)) as pilot:
        await press(pilot, "ctrl+p")
        palette = pilot.app.screen
        assert isinstance(palette, Palette)

        async def search() -> None:
            begun.set()
            await closed.wait()
            palette.query_one(CommandList)

        monkeypatch.setattr(pilot.app.workers, "cancel_node", lambda _: [])  # as where that comes too late
        palette.run_worker(search)
        await begun.wait()
        await pilot.app.pop_screen()
        assert not palette.query(CommandList)
        closed.set()
        await press(pilot, "down")
        assert isinstance(pilot.app.screen, Overview)


async def test_the_palette_opens_again_while_the_last_one_still_closes() -> None:
    async with shown(session(JOB)) as pilot:
        await press(pilot, "ctrl+p")
        pilot.app.pop_screen()
        pilot.app.action_command_palette()
        await pilot.pause()
        assert isinstance(pilot.app.screen, Palette)


@pytest.mark.parametrize(
    ("query", "screen"),
    [
        ("run push", Confirm),
        ("access of cleanup", AccessScreen),
        ("edit DOCKER_HOST", EditValue),
        ("configs", Static),
    ],
)
async def test_what_the_palette_finds_is_done(query: str, screen: type) -> None:
    async with shown(session(JOB)) as pilot:
        app = pilot.app
        assert isinstance(app, DockpassApp)
        provider = Everything(app.screen)
        hits = [hit async for hit in provider.search(query)]
        best = max(hits, key=lambda hit: hit.score)
        assert query in str(best.text)
        best.command()  # type: ignore[misc]
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, screen) or (screen is Static and not isinstance(app.screen, Overview))


async def test_the_palette_changes_the_theme_and_leaves_another_screen_for_a_command() -> None:
    async with shown(session(JOB)) as pilot:
        app = pilot.app
        assert isinstance(app, DockpassApp)
        entries = {entry.title: entry for entry in Everything(app.screen)._entries()}
        entries["theme nord"].do()
        assert app.theme == "nord"
        await press(pilot, "4", "a")
        entries["run push"].do()
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, Confirm)


async def test_a_typed_word_in_the_palette_opens_the_plan() -> None:
    async with shown(session(JOB)) as pilot:
        await press(pilot, "ctrl+p", *"run push")
        await pilot.pause(0.5)
        await press(pilot, "enter")
        await pilot.pause(0.2)
        assert isinstance(pilot.app.screen, Confirm)


def test_the_terminals_own_colours_are_not_taken_where_there_are_none() -> None:
    made = session(JOB)
    made.services = replace(made.services, environ={"NO_COLOR": "1"})
    made.loaded = LoadedSettings(Settings(theme="ansi-dark"), {}, (), NOWHERE)
    app = DockpassApp(made)
    assert app.theme == "dockpass-dark"
    assert "ansi-dark" not in app.usable_themes


async def test_enter_right_behind_the_number_of_a_command_is_about_that_command() -> None:
    async with shown(session(JOB)) as pilot:
        await press(pilot, "tab")
        for key in ("2", "enter"):
            pilot.app.post_message(Key(key, None))
        await pilot.pause()
        await pilot.pause()
        assert isinstance(pilot.app.screen, PlanDialog)
