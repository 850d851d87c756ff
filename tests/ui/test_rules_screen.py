"""The screen of rules, and the overview as a job would see it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from screens import painted, press, shown
from textual.pilot import Pilot
from textual.widgets import Static

from dockpass.auth.command import Command, Method
from dockpass.auth.decision import Decision
from dockpass.secrets import Secret
from dockpass.ui.screens.access import AccessScreen
from dockpass.ui.screens.dialogs import Confirm, EditValue
from dockpass.ui.screens.overview import Overview
from dockpass.ui.screens.rules import RulesScreen
from dockpass.ui.screens.variables import VariablesScreen
from dockpass.ui.widgets.panel import Rows
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Definition, Level
from scenes import JOB, session, with_project


async def opened(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await press(pilot, key)
        pump = getattr(pilot.app.screen, "pump", None)
        if pump is not None:
            pump()
            await pilot.pause()


def words(pilot: Pilot[int], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector, Static).render())


def jobs(pilot: Pilot[int]) -> dict[str, str]:
    rows = pilot.app.screen.query_one("#jobs", Rows)
    return {each: str(rows.get_option(each).prompt) for each in rows._ids if each}


async def test_each_job_says_why_it_is_in_the_pipeline_or_not() -> None:
    async with shown(with_project(job="publish")) as pilot:
        await opened(pilot, "w")
        found = jobs(pilot)
        assert found["publish"].startswith("✗")
        assert "no rule matches" in found["publish"]
        assert found["cleanup"].startswith("✗")
        assert "rule 1: never" in found["cleanup"]
        assert found["deploy"].startswith("▶")
        assert "manual, rule 2" in found["deploy"]
        assert found["test"].startswith("✓")
        assert "always" in found["test"]
        trace = words(pilot, "#trace Static")
        assert "none of its 3 rules matches on feature/login" in trace
        assert "set only in tag pipelines" in trace
        assert "run it for the branch main" in trace
        assert "RELEASE_KEY" in trace
        assert "absent" in trace
        assert "rule 2 matches: a pipeline is created" in words(pilot, "#pipeline Static")


async def test_another_ref_judges_every_job_anew() -> None:
    async with shown(with_project(job="publish")) as pilot:
        await opened(pilot, "w", "b", *"main", "enter", "s", *"sched", "enter")
        found = jobs(pilot)
        assert found["publish"].startswith("✓")
        assert "rule 2" in found["publish"]
        assert found["cleanup"].startswith("✓")
        assert "is in the pipeline on main: rule 2 matches" in words(pilot, "#trace Static")


async def test_the_variables_of_the_selected_job_are_a_key_away_and_back() -> None:
    made = with_project(job="publish")
    async with shown(made) as pilot:
        await opened(pilot, "w", "up", "v")
        assert isinstance(pilot.app.screen, VariablesScreen)
        assert made.desk.looking.job == "cleanup"
        await opened(pilot, "w")
        assert isinstance(pilot.app.screen, RulesScreen)
        await opened(pilot, "escape")
        assert isinstance(pilot.app.screen, Overview)


async def test_without_a_project_it_says_how_to_see_rules() -> None:
    async with shown(session(JOB)) as pilot:
        await opened(pilot, "w")
        assert "No .gitlab-ci.yml here" in words(pilot, "#rules-notice Static")
        await opened(pilot, "v", "escape", "escape")


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (200, 60)])
async def test_hostile_rules_stay_text(size: tuple[int, int]) -> None:
    yaml = (
        '"[red]job[/x]\\e[2J":\n  script: x\n  rules:\n'
        '    - if: $A == "[@click=app.quit]\\u202e"\n    - changes: ["[b]\\e[1m"]\n'
        '    - exists: ["[/b]"]\n      variables: {"[b]": x}\n'
    )
    async with shown(with_project(files={".gitlab-ci.yml": yaml}), size) as pilot:
        await opened(pilot, "w", "enter", "slash", *"[/b", "escape")
        shot = painted(pilot.app)
        assert "\x1b" not in shot
        assert "\u202e" not in shot


async def test_once_a_job_is_chosen_the_overview_shows_its_logins_and_a_key_goes_back() -> None:
    made = with_project()
    async with shown(made) as pilot:
        await opened(pilot, "v", "J", *"publ", "enter", "escape")
        assert "as publish on feature/login" in words(pilot, "#status-left")
        assert isinstance(made.decide(Command.PUSH), Decision)
        assert "not known here" in str(pilot.app.screen.query_one("#why Static", Static).render())
        await opened(pilot, "o")
        assert "shell" in words(pilot, "#status-left")
        assert not isinstance(made.decide(Command.PUSH), Decision)
        await opened(pilot, "o")
        assert "as publish on feature/login" in words(pilot, "#status-left")


async def test_a_run_with_an_unknown_value_asks_for_it_and_keeps_it_in_memory() -> None:
    made = with_project(job="test")
    async with shown(made) as pilot:
        await opened(pilot, "v", "J", *"test", "enter", "escape", "2", "enter")
        assert isinstance(pilot.app.screen, EditValue)
        assert "CI_JOB_TOKEN" in painted(pilot.app)
        await opened(pilot, *"glcbt-64_typed", "enter")
        assert isinstance(pilot.app.screen, Overview)
        assert [each.name for each in made.edits] == ["CI_JOB_TOKEN"]
        await opened(pilot, "2", "enter")
        assert isinstance(pilot.app.screen, Confirm)
        assert "glcbt-64_typed" not in painted(pilot.app)


@pytest.mark.parametrize("reference", ["env:MY_TOKEN", "file:token", "file:~/token"])
@pytest.mark.parametrize("asks", [("enter",), ("a", "enter")])
async def test_a_run_and_a_probe_take_a_reference_to_the_value_too(
    reference: str, asks: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("glcbt-64_canary\n")
    made = with_project(job="test")
    environ = {"MY_TOKEN": "glcbt-64_canary"}
    made.services = replace(made.services, environ=environ, home=tmp_path, cwd=tmp_path)
    async with shown(made) as pilot:
        await opened(pilot, "v", "J", *"test", "enter", "escape", "2", *asks)
        assert isinstance(pilot.app.screen, EditValue)
        await opened(pilot, *reference, "enter")
        value = made.edits[-1].value
        assert isinstance(value, Secret)
        assert value.reveal() == "glcbt-64_canary"
        screen = pilot.app.screen
        assert isinstance(screen, Overview if len(asks) == 1 else AccessScreen)
        if isinstance(screen, AccessScreen):
            await pilot.app.workers.wait_for_complete()
            screen.pump()
            assert Method.AUTOLOGIN in screen.probes
        assert "canary" not in painted(pilot.app)


async def test_a_reference_that_gives_nothing_is_told_and_asked_for_again(tmp_path: Path) -> None:
    made = with_project(job="test")
    made.services = replace(made.services, home=tmp_path, cwd=tmp_path)
    async with shown(made) as pilot:
        await opened(pilot, "v", "J", *"test", "enter", "escape", "2", "a", "enter")
        for reference in ("env:NOT_SET", "file:none", "file:."):
            await opened(pilot, *reference, "enter")
            assert isinstance(pilot.app.screen, EditValue)
        told = " ".join(each.message for each in pilot.app._notifications)
        assert "The variable NOT_SET is not set." in told
        assert "does not exist" in told
        await opened(pilot, "escape")
        assert isinstance(pilot.app.screen, AccessScreen)
        assert pilot.app.screen.probes == {}
        assert made.edits == []


async def test_access_asks_for_the_repository_that_is_not_known() -> None:
    image = Definition(key="CI_REGISTRY_IMAGE", value=Unknown("hidden", is_set=True), level=Level.PROJECT)
    made = with_project(job="test", settings=(image,))
    async with shown(made) as pilot:
        await opened(pilot, "v", "J", *"test", "enter", "escape", "2", "a")
        assert isinstance(pilot.app.screen, EditValue)
        await opened(pilot, *"registry.myhost.com/web/backend", "enter")
        assert isinstance(pilot.app.screen, AccessScreen)


async def test_as_a_job_docker_s_own_config_is_not_the_one_of_this_machine() -> None:
    yaml = {".gitlab-ci.yml": "variables: {CI_REGISTRY: ''}\ntest: {script: x}\n"}
    made = with_project(job="test", files=yaml, settings=())
    async with shown(made, (200, 60)) as pilot:
        await opened(pilot, "v")
        assert "docker's own of its runner or image, not known here" in words(pilot, "#context Static")
        await opened(pilot, "J", *"test", "enter", "escape", "2")
        assert "runner or image (not known here)" in words(pilot, "#why Static")
        screen = pilot.app.screen
        assert isinstance(screen, Overview)
        rows = screen.query_one("#commands", Rows)
        assert "of its runner or image, not known here" in str(rows.get_option("push").prompt)
        assert "/home/dev/.docker" not in painted(pilot.app)
        await opened(pilot, "o")
        assert not made.facts.elsewhere


GONE = {".gitlab-ci.yml": "other: {script: x}\n"}
BROKEN = {".gitlab-ci.yml": "a:\n  script: [\nb: }\n"}


@pytest.mark.parametrize(
    ("files", "why"),
    [(GONE, "The configuration has no job publish."), (BROKEN, "refuse the configuration: .gitlab-ci.yml:3")],
)
async def test_a_job_that_cannot_be_shown_any_more_is_told_with_the_reason(
    files: dict[str, str], why: str
) -> None:
    made, broken = with_project(), with_project(files=files)
    async with shown(made) as pilot:
        await opened(pilot, "v", "J", *"publ", "enter", "escape")
        whole, made.desk = made.desk, replace(broken.desk, looking=made.desk.looking)
        await opened(pilot, "3")
        told = " ".join(words(pilot, "#why Static").split())
        assert "this process's logins, not those of publish" in told
        assert why in told
        assert "shell" in words(pilot, "#status-left")
        await opened(pilot, "o")
        assert why in " ".join(words(pilot, "#why Static").split())
        assert not any("as publish" in each.message for each in pilot.app._notifications)
        made.desk = whole
        await opened(pilot, "o")
        assert "this process's" not in words(pilot, "#why Static")
        assert "as publish on feature/login" in words(pilot, "#status-left")
