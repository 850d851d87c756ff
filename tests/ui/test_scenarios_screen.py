"""Scenarios on the screen: listed and checked, opened, saved and compared; each as the command line does it."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from screens import press, shown
from textual.pilot import Pilot
from textual.widgets import Input, Static

import scenarioworlds
from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.facts import Edit, EditKind
from dockpass.secrets import Secret
from dockpass.session.checkup import checkup
from dockpass.session.importing import draft_of
from dockpass.session.scenario_check import check_file
from dockpass.session.scenario_entering import enter_scenario
from dockpass.session.scenario_files import Recent, scenarios_of
from dockpass.session.scenarios import open_file, try_scenario
from dockpass.session.session import Session
from dockpass.ui.palette import Everything
from dockpass.ui.screens.compare import CompareScreen
from dockpass.ui.screens.dialogs import Confirm, EditValue
from dockpass.ui.screens.overview import Overview
from dockpass.ui.screens.scenarios import ScenariosScreen
from dockpass.ui.screens.variables import VariablesScreen
from dockpass.ui.widgets.panel import Panel, Rows
from scenes import with_scenarios

TOKEN = "gldt-Canary-4f7Kq2wE"
MAIN = "scenarios/publish-protected.toml"


@pytest.fixture
def made(tmp_path: Path) -> Session:
    """A session in a project with scenarios, which may write."""
    (tmp_path / "shop").mkdir()
    found = with_scenarios(scenarioworlds.make(tmp_path / "shop"))
    found.services = replace(found.services, state=tmp_path / "state")
    return found


async def do(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await press(pilot, key)
        for _ in range(2):
            if take := getattr(pilot.app.screen, "pump", None):
                take()
        await pilot.pause()


def text(pilot: Pilot[int], selector: str = "#scenario") -> str:
    return str(pilot.app.screen.query_one(f"{selector} Static", Static).render())


def rows(pilot: Pilot[int]) -> list[str]:
    return [str(each.prompt) for each in pilot.app.screen.query_one("#scenarios", Rows).options]


async def select(pilot: Pilot[int], name: str) -> None:
    found = pilot.app.screen.query_one("#scenarios", Rows)
    found.highlighted = next(at for at, path in enumerate(found.ids) if path and path.endswith(name))
    await do(pilot)
    await pilot.pause()


async def opened(pilot: Pilot[int], name: str) -> None:
    await do(pilot, "S")
    await select(pilot, name)
    await do(pilot, "enter")
    assert isinstance(pilot.app.screen, Overview)


async def test_each_file_is_listed_with_what_came_of_its_check(made: Session) -> None:
    async with shown(made) as pilot:
        await do(pilot, "S")
        told = {row.split()[1]: row for row in rows(pilot)}
        assert "3 of 7 not met" in told["scenarios/cleanup-scheduled.toml"]
        assert "7 of 7 met" in told[MAIN]
        assert "publish on main, protected" in told[MAIN]
        assert "cannot be read" in told["scenarios/draft.toml"]
        assert "expects nothing" in told["scenarios/shell.toml"]
        await select(pilot, "cleanup-scheduled.toml")
        found = text(pilot)
        assert "cleanup method: expected cleanup-token, found autologin" in found
        assert "WERF_IMAGES_CLEANUP_PASSWORD: expected present, found absent\n  nothing defines it" in found
        assert "muted: CI_REGISTRY_IMAGE" in found
        assert "started by a schedule" in found
        await select(pilot, "draft.toml")
        assert "context.protcted is not a known key; did you mean protected?" in text(pilot)
        assert str(pilot.app.screen.query_one("#status-right", Static).render()) == "2 met  2 not met"


async def test_what_is_shown_is_what_the_command_says(made: Session) -> None:
    async with shown(made) as pilot:
        await do(pilot, "S")
        screen = pilot.app.screen
        assert isinstance(screen, ScenariosScreen)
        for each in screen._checked or ():
            report = check_file(each.file.name, made.services)
            if report.results:
                assert each.report == report


@pytest.mark.parametrize(
    "name", ["publish-protected.toml", "cleanup-scheduled.toml", "publish-unprotected.toml"]
)
async def test_an_open_scenario_decides_as_the_command_line_does(made: Session, name: str) -> None:
    tried = try_scenario(open_file(f"scenarios/{name}", made.services), made.services)
    async with shown(made) as pilot:
        await opened(pilot, name)
        for command in Command:
            assert made.decide(command) == decide(
                command, replace(tried.facts, cwd=made.found.cwd, home=made.found.home)
            )
        status = str(pilot.app.screen.query_one("#status-left", Static).render())
        assert f"scenarios/{name}" in status
        await do(pilot, "v")
        assert isinstance(pilot.app.screen, VariablesScreen)
        await do(pilot, "y")
        assert f"--scenario scenarios/{name}" in pilot.app.clipboard


async def test_another_ref_is_told_as_a_change_and_closing_goes_back(made: Session) -> None:
    before = made.found, made.place, made.desk, made.as_job
    async with shown(made) as pilot:
        await opened(pilot, "publish-protected.toml")
        await do(pilot, "v", "t", "escape")
        status = pilot.app.screen.query_one("#status-left", Static)
        assert "publish-protected.toml, changed" in str(status.render())
        await do(pilot, "S")
        assert "open" in next(row for row in rows(pilot) if MAIN in row)
        await do(pilot, "x")
        assert made.scenario is None
        assert (made.found, made.place, made.desk, made.as_job) == before


async def test_variables_alone_take_the_place_of_the_environment(made: Session) -> None:
    async with shown(made) as pilot:
        await opened(pilot, "shell.toml")
        assert set(made.facts.variables) == {"CI_REGISTRY"}
        assert "variables of scenarios/shell.toml" in str(
            pilot.app.screen.query_one("#status-left", Static).render()
        )
        await do(pilot, "v")
        assert "scenarios/shell.toml has no job: these are its variables." in text(pilot, "#context")
        await do(pilot, "escape", "H", "escape", "S", "x", "escape")
        assert "PATH" in made.facts.variables


async def test_a_file_that_cannot_be_read_changes_nothing_and_says_why(made: Session) -> None:
    async with shown(made) as pilot:
        await do(pilot, "S")
        await select(pilot, "draft.toml")
        await do(pilot, "enter")
        assert made.scenario is None
        assert any("did you mean protected?" in str(each.message) for each in pilot.app._notifications)


async def test_what_is_looked_at_is_saved_with_its_edits_and_passes_its_own_check(made: Session) -> None:
    async with shown(made) as pilot:
        await opened(pilot, "publish-protected.toml")
        made.edit(Edit(EditKind.SET, "WERF_IMAGES_CLEANUP_PASSWORD", Secret(TOKEN)))
        made.edit(Edit(EditKind.SET, "CI_REGISTRY", "mirror.myhost.com"))
        made.edit(Edit(EditKind.UNSET, "CI_DEFAULT_BRANCH"))
        await do(pilot, "S", "s")
        assert isinstance(pilot.app.screen, EditValue)
        pilot.app.screen.query_one(Input).value = "setups/mine.toml"
        await do(pilot, "enter")
        assert isinstance(pilot.app.screen, ScenariosScreen)
        file = made.services.cwd / "setups/mine.toml"
        written = file.read_text()
        assert TOKEN not in written
        found = tomllib.loads(written)
        assert (found["job"], found["context"]["ref"], found["context"]["unset"]) == (
            *("publish", "main"),
            ["CI_DEFAULT_BRANCH"],
        )
        assert found["source"] == [{"kind": "gitlab-yaml", "path": "../.gitlab-ci.yml"}]
        given = {each["key"]: each for each in found["variable"] if each.get("level") is None}
        assert given["WERF_IMAGES_CLEANUP_PASSWORD"]["secret"] == {"env": "WERF_IMAGES_CLEANUP_PASSWORD"}
        assert given["CI_REGISTRY"]["value"] == "mirror.myhost.com"
        report = check_file("setups/mine.toml", made.services)
        assert report.passed
        now = {command: made.decide(command) for command in Command}
        tried = try_scenario(open_file("setups/mine.toml", made.services), made.services)
        for command, decided in now.items():
            again = decide(command, tried.facts)
            assert getattr(again, "method", None) == getattr(decided, "method", None)
            assert getattr(again, "login", None) == getattr(decided, "login", None)


async def test_a_job_is_saved_without_any_scenario_open(made: Session) -> None:
    async with shown(made) as pilot:
        await do(pilot, "v", "J", *"clean", "enter", "S", "s", "enter")
        found = tomllib.loads((made.services.cwd / "scenarios/cleanup.toml").read_text())
        assert (found["job"], found["command"], found["expect"]) == (
            *("cleanup", "cleanup"),
            {"jobs_absent": ["cleanup"]},
        )
        assert any("cleanup.toml" in row for row in rows(pilot))
        assert check_file("scenarios/cleanup.toml", made.services).passed


@pytest.mark.parametrize(
    ("keys", "name"),
    [((), "cleanup.toml"), (("t",), "cleanup-unprotected.toml"), (("t", "t"), "cleanup-protected.toml")],
    ids=["not known", "unprotected", "protected"],
)
async def test_the_name_says_whether_the_ref_is_protected_if_that_is_known(
    made: Session, keys: tuple[str, ...], name: str
) -> None:
    async with shown(made) as pilot:
        await do(pilot, "v", "J", *"clean", "enter", *keys, "S", "s")
        assert pilot.app.screen.query_one(Input).value == f"scenarios/{name}"


async def test_a_file_is_replaced_only_after_a_question(made: Session) -> None:
    file = made.services.cwd / MAIN
    before = file.read_text()
    async with shown(made) as pilot:
        await opened(pilot, "publish-protected.toml")
        await do(pilot, "S", "s", "enter")
        assert isinstance(pilot.app.screen, Confirm)
        await do(pilot, "n")
        assert file.read_text() == before
        await do(pilot, "s", "enter", "y")
        assert file.read_text() != before
        assert file.stat().st_mode & 0o777 == 0o644
        assert check_file(MAIN, made.services).passed


@pytest.mark.parametrize(
    "to", ["~nobody-here/x.toml", "x" * 5000, "circle.toml", "Dockerfile/x.toml"], ids=lambda text: text[:8]
)
async def test_a_path_that_leads_nowhere_is_told(made: Session, to: str) -> None:
    cwd = made.services.cwd
    (cwd / "circle.toml").symlink_to("circle.toml")
    (cwd / "Dockerfile").write_text("FROM scratch\n")
    async with shown(made) as pilot:
        await opened(pilot, "publish-protected.toml")
        await do(pilot, "S", "s")
        pilot.app.screen.query_one(Input).value = to
        await do(pilot, "enter")
        if isinstance(pilot.app.screen, Confirm):
            await do(pilot, "y")
        told = " ".join(str(each.message) for each in pilot.app._notifications)
        assert ("saved: ~nobody-here/x.toml" if to.startswith("~") else "cannot be written") in told


@pytest.mark.parametrize("secret", [f"job {TOKEN}", TOKEN])
async def test_a_name_that_holds_a_secret_is_refused(made: Session, secret: str) -> None:
    (made.services.cwd / ".gitlab-ci.yml").write_text(f'"{secret}": {{script: [docker push x]}}\n')
    made.services.redactor.learn(Secret(TOKEN))
    async with shown(made) as pilot:
        await do(pilot, "v")
        made.desk.choose(secret)
        await do(pilot, "S", "s")
        pilot.app.screen.query_one(Input).value = "new.toml"
        await do(pilot, "enter")
        assert not (made.services.cwd / "new.toml").exists()
        assert any("holds a secret" in str(each.message) for each in pilot.app._notifications)


async def test_two_scenarios_are_compared_and_one_with_what_is_looked_at(made: Session) -> None:
    async with shown(made) as pilot:
        await do(pilot, "S")
        await select(pilot, "publish-protected.toml")
        await do(pilot, "space")
        await select(pilot, "cleanup-scheduled.toml")
        await do(pilot, "d")
        assert isinstance(pilot.app.screen, CompareScreen)
        await pilot.pause()
        assert [str(each.id) for each in pilot.app.screen.query_one("#differences", Rows).options] == [
            *("CI_JOB_GROUP_NAME", "CI_JOB_NAME", "CI_JOB_NAME_SLUG", "CI_PIPELINE_SCHEDULE_DESCRIPTION"),
            *("CI_PIPELINE_SOURCE", "SONAR_TOKEN"),
        ]
        await do(pilot, "y")
        assert pilot.app.clipboard == (
            "dockpass vars diff scenario:scenarios/publish-protected.toml scenario:scenarios/cleanup-scheduled.toml"
        )
        await do(pilot, "escape")
        await select(pilot, "publish-protected.toml")
        await do(pilot, "d")
        status = str(pilot.app.screen.query_one("#status-left", Static).render())
        assert f"feature/login with {MAIN}" in status


async def test_the_compare_screen_offers_scenarios_as_sides(made: Session) -> None:
    async with shown(made) as pilot:
        await do(pilot, "d", "greater_than_sign", *"shell.toml", "enter")
        status = str(pilot.app.screen.query_one("#status-left", Static).render())
        assert "scenarios/shell.toml" in status


async def test_recent_ones_are_in_the_palette_and_listed_from_elsewhere(
    made: Session, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "away.toml"
    elsewhere.write_text('schema = 1\nplatform = "generic"\n')
    Recent(made.services.state).remember(elsewhere, made.services.redactor)
    async with shown(made) as pilot:
        await do(pilot, "S")
        assert "Opened recently, from elsewhere" in "\n".join(rows(pilot))
        assert "../away.toml" in rows(pilot)[-1]
        await do(pilot, "escape")
        await opened(pilot, "publish-unprotected.toml")
        palette = Everything(pilot.app.screen)
        titles = {each.title: each for each in palette._entries() if each.title.startswith("scenario ")}
        assert list(titles) == ["scenario scenarios/publish-unprotected.toml", "scenario ../away.toml"]
        titles["scenario ../away.toml"].do()
        await do(pilot)
        await pilot.pause()
        assert made.scenario is not None
        assert made.scenario.name == "../away.toml"


def test_no_path_with_a_secret_is_remembered(made: Session, tmp_path: Path) -> None:
    recent = Recent(tmp_path / "state")
    made.services.redactor.learn(Secret(TOKEN))
    for name in (f"{TOKEN}.toml", "a\nb.toml", "good.toml"):
        (tmp_path / name).write_text("")
        recent.remember(tmp_path / name, made.services.redactor)
    assert recent.paths() == (tmp_path / "good.toml",)
    (tmp_path / "good.toml").unlink()
    assert recent.paths() == ()


async def test_what_a_scenario_mutes_is_muted_on_the_doctors_screen_and_stays_there(made: Session) -> None:
    async with shown(made) as pilot:
        await opened(pilot, "cleanup-scheduled.toml")
        muted = checkup(made.as_of_now()).muted
        assert [(each.check.id, mute.because) for each, mute in muted] == [
            ("DP-PRE-001", "all our projects push to one repository")
        ]
        await do(pilot, "H")
        found = pilot.app.screen.query_one("#findings", Rows)
        found.highlighted = next(at for at, key in enumerate(found.ids) if key and "DP-PRE-001" in key)
        await do(pilot, "m")
        assert any("remove it from [[muted]]" in str(each.message) for each in pilot.app._notifications)
        assert made.loaded.settings.muted == ()


async def test_names_from_outside_are_plain_content(made: Session) -> None:
    hostile = "\x1b]0;owned\x07[@click=app.quit]x"
    (made.services.cwd / f"scenarios/{hostile}.toml").write_text(
        'schema = 1\nname = "[red]\\u001b[31mx"\nplatform = "generic"\n'
    )
    async with shown(made) as pilot:
        await do(pilot, "S")
        await select(pilot, f"{hostile}.toml")
        seen = "\n".join(
            [*rows(pilot), text(pilot), str(pilot.app.screen.query_one("#scenario", Panel).border_title)]
        )
        assert "\x1b" not in seen
        assert "[@click=app.quit]x" in seen
        await do(pilot, "enter")
        assert "\x1b" not in str(pilot.app.screen.query_one("#status-left", Static).render())


async def test_sources_and_pastes_are_saved_with_paths_that_lead_there_and_no_secret(made: Session) -> None:
    root = made.services.cwd
    (root / "ci").mkdir()
    (root / "ci/settings.json").write_text(
        json.dumps([{"key": "DEPLOY_TOKEN", "value": TOKEN, "masked": True, "protected": True}])
    )
    text = (root / MAIN).read_text()
    source = '[[source]]\nkind = "gitlab-api-json"\npath = "../ci/settings.json"\n\n[[variable]]'
    (root / MAIN).write_text(text.replace("[[variable]]", source, 1))
    pasted = draft_of(f"PLAIN=a b\nMY_TOKEN={TOKEN}\n", "the paste", {}).imported()
    async with shown(made) as pilot:
        await opened(pilot, "publish-protected.toml")
        made.desk.imported = (*made.desk.imported, pasted)
        await do(pilot, "S", "s")
        pilot.app.screen.query_one(Input).value = "deep/er/mine.toml"
        await do(pilot, "enter")
    written = (root / "deep/er/mine.toml").read_text()
    assert TOKEN not in written
    found = tomllib.loads(written)
    assert [each["path"] for each in found["source"]] == ["../../.gitlab-ci.yml", "../../ci/settings.json"]
    given = {each["key"]: each for each in found["variable"]}
    assert given["PLAIN"]["value"] == "a b"
    assert given["MY_TOKEN"]["secret"] == {"env": "MY_TOKEN"}
    assert "DEPLOY_TOKEN" not in given
    tried = try_scenario(open_file("deep/er/mine.toml", made.services), made.services)
    assert {"PLAIN", "MY_TOKEN", "DEPLOY_TOKEN"} <= tried.facts.variables.keys()
    assert check_file("deep/er/mine.toml", made.services).passed


def test_what_is_listed_is_bounded_and_nothing_but_files_that_begin_as_scenarios(made: Session) -> None:
    root = made.services.cwd
    os.mkfifo(root / "scenarios/pipe.toml")
    (root / "scenarios/directory.toml").mkdir()
    (root / "scenarios/gone.toml").symlink_to(root / "nowhere")
    (root / "pyproject.toml").write_text("[project]\nschema = 1\n")
    (root / "away").mkdir()
    (root / "away/mine.toml").write_text("# mine\n\nschema = 1\n")
    (root / "away/binary.toml").write_bytes(b"\xff\xfe schema = 1")
    names = [each.name for each in scenarios_of(made)]
    assert {name for name in names if not name.startswith("scenarios/")} == {"away/mine.toml"}
    assert not {"scenarios/pipe.toml", "scenarios/directory.toml", "scenarios/gone.toml"} & set(names)
    for number in range(300):
        (root / f"scenarios/many-{number:03}.toml").write_text("schema = 1\n")
    assert len(scenarios_of(made)) == 200


async def test_the_open_scenario_is_read_again_after_the_editor(
    made: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edited(_screen: object, _session: object, path: Path, line: int, changed: Callable[[], None]) -> None:
        assert line == 1
        path.write_text(path.read_text().replace('ref = "main"', 'ref = "release"'))
        changed()

    monkeypatch.setattr("dockpass.ui.screens.scenarios.edit_file", edited)
    async with shown(made) as pilot:
        await opened(pilot, "publish-protected.toml")
        await do(pilot, "S", "e")
        assert isinstance(pilot.app.screen, ScenariosScreen)
        assert made.desk.looking.ref.name == "release"
        assert "not in the pipeline" in text(pilot)
        await do(pilot, "x")
        assert made.scenario is None


async def test_a_repository_without_a_configuration_lists_its_scenarios_and_the_open_one(
    made: Session, tmp_path: Path
) -> None:
    root = made.services.cwd
    (root / ".gitlab-ci.yml").rename(root / "scenarios/.gitlab-ci.yml")
    away = tmp_path / "away.toml"
    away.write_text('schema = 1\nplatform = "generic"\n')
    enter_scenario(
        made, try_scenario(open_file(str(away), made.services), made.services), away, "../away.toml"
    )
    names = [each.name for each in scenarios_of(made)]
    assert MAIN in names
    assert names[-1] == "../away.toml"


@pytest.mark.parametrize(("name", "command"), [("publish-protected.toml", "pull"), ("shell.toml", "build")])
async def test_y_names_the_scenario_that_is_open_and_nothing_else(
    made: Session, name: str, command: str
) -> None:
    async with shown(made) as pilot:
        await opened(pilot, name)
        await do(pilot, {"pull": "3", "build": "1"}[command], "y")
        assert pilot.app.clipboard == f"dockpass {command} --scenario scenarios/{name}"
        made.edit(Edit(EditKind.SET, "MINE", "a b"))
        request = made.request(Command(command), with_values=False)
        assert " ".join(made.plan(request).command_line) == (  # type: ignore[arg-type]
            f"dockpass {command} --scenario scenarios/{name} --set 'MINE=a b'"
        )
