"""The screen of variables: what a job would get, why not the rest, and what each key changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from screens import painted, press, shown
from textual.pilot import Pilot
from textual.widgets import Static

import ciworlds
from dockpass.auth.command import Command
from dockpass.auth.facts import Edit, EditKind, Source, SourceKind
from dockpass.secrets import Secret
from dockpass.ui.screens.dialogs import Confirm, EditValue
from dockpass.ui.screens.overview import Overview
from dockpass.ui.screens.pick import Pick
from dockpass.ui.screens.variables import VariablesScreen
from dockpass.ui.views.variables import Listed
from dockpass.ui.widgets.panel import Panel, Rows
from dockpass.variables.gather import variable
from dockpass.variables.gitlab.model import Level, Ref, RefType
from scenes import JOB, session, with_project

CLEANUP = "WERF_IMAGES_CLEANUP_PASSWORD"
HOSTILE = "\x1b]0;owned\x07\u202e[@click=app.quit]x[/foo]"


def screen(pilot: Pilot[int]) -> VariablesScreen:
    found = pilot.app.screen
    assert isinstance(found, VariablesScreen)
    return found


async def open_variables(pilot: Pilot[int], *keys: str) -> VariablesScreen:
    await press(pilot, "v")
    found = screen(pilot)
    found.pump()
    await pilot.pause()
    await press(pilot, *keys)
    return found


def listed(found: VariablesScreen, name: str) -> Listed:
    return next(each for each in found._listed if each.name == name)


def texts(found: VariablesScreen, selector: str) -> str:
    return str(found.query_one(f"{selector} Static", Static).render())


def row(found: VariablesScreen, name: str) -> str:
    rows = found.query_one("#variables", Rows)
    return str(rows.get_option(name).prompt)


def select(found: VariablesScreen, name: str) -> None:
    rows = found.query_one("#variables", Rows)
    rows.highlighted = rows.get_option_index(name)


async def test_every_variable_is_listed_and_trouble_comes_first() -> None:
    async with shown(with_project(job="publish")) as pilot:
        found = await open_variables(pilot)
        names = [each.name for each in found._listed]
        assert set(names[:3]) >= {"CI_REGISTRY", CLEANUP}
        assert listed(found, CLEANUP).found is None
        assert "absent  protected" in row(found, CLEANUP)
        assert ".gitlab-ci.yml:18" in row(found, "CI_REGISTRY")
        assert "hides GitLab's own" in row(found, "CI_REGISTRY")
        assert "6 of 12 characters" in row(found, "HARBOR_PASSWORD")
        assert "present, value unknown" in row(found, "CI_JOB_TOKEN")
        assert "feature-login" in row(found, "IMAGE_TAG")
        assert "not set" in row(found, "WERF_DOCKER_CONFIG")


async def test_protection_is_a_key_and_says_what_it_does_to_the_logins() -> None:
    async with shown(with_project(job="cleanup")) as pilot:
        found = await open_variables(pilot)
        assert "→" not in texts(found, "#context")
        await press(pilot, "t")
        assert listed(found, CLEANUP).found is not None
        assert "cleanup autologin → cleanup token" in texts(found, "#context")
        assert "canary" not in painted(pilot.app)
        await press(pilot, "t")
        assert listed(found, CLEANUP).found is None
        assert "cleanup cleanup token → autologin ▲ may not delete" in texts(found, "#context")


async def test_a_key_that_changes_no_login_says_so() -> None:
    async with shown(with_project(job="publish")) as pilot:
        found = await open_variables(pilot, "s")
        await press(pilot, *"sched", "enter")
        assert found.desk.looking.source == "schedule"
        assert "no change" in texts(found, "#context")
        assert listed(found, "CI_PIPELINE_SOURCE").found is not None


async def test_the_job_is_chosen_by_typing_a_part_of_its_name() -> None:
    async with shown(with_project()) as pilot:
        found = await open_variables(pilot)
        assert listed(found, "CI_REGISTRY").remark == ""
        await press(pilot, "J", *"publ", "enter")
        assert found.desk.looking.job == "publish"
        assert listed(found, "CI_REGISTRY").remark == "hides GitLab's own"
        await press(pilot, "J", "up", "up", "up", "up", "up", "enter")
        assert found.desk.looking.job == ""


async def test_the_ref_decides_what_is_protected_and_any_name_can_be_typed() -> None:
    async with shown(with_project(job="publish")) as pilot:
        found = await open_variables(pilot, "b")
        await press(pilot, *"main", "enter")
        assert found.desk.looking.ref == Ref(name="main", protected=True)
        assert listed(found, CLEANUP).found is not None
        assert "latest" in row(found, "IMAGE_TAG")
        await press(pilot, "b", *"hotfix", "enter")
        assert found.desk.looking.ref == Ref(name="hotfix", protected=None)
        assert "if protected" in row(found, CLEANUP)
        await press(pilot, "b", *"v1.4.0", "enter")
        assert found.desk.looking.ref.type is RefType.TAG
        await press(pilot, "b", *"feature/login", "down", "enter")


async def test_a_merge_request_is_started_by_one_and_a_branch_is_not() -> None:
    async with shown(with_project(job="publish")) as pilot:
        found = await open_variables(pilot, "b", *"merge", "enter")
        assert found.desk.looking.ref.type is RefType.MERGE_REQUEST
        assert found.desk.looking.source == "merge_request_event"
        await press(pilot, "b", *"search", "enter")
        assert found.desk.looking.source == "push"


async def test_the_environment_brings_what_is_scoped_to_it() -> None:
    async with shown(with_project(job="publish")) as pilot:
        found = await open_variables(pilot)
        assert "absent  only production" in row(found, "DATABASE_URL")
        await press(pilot, "n", *"produ", "enter")
        assert listed(found, "DATABASE_URL").found is not None
        assert "canary" not in painted(pilot.app)
        await press(pilot, "n", *"none", "enter")
        assert listed(found, "DATABASE_URL").found is None


async def test_a_password_that_is_cut_is_whole_as_an_edit() -> None:
    async with shown(with_project(job="publish")) as pilot:
        assert listed(await open_variables(pilot), "HARBOR_PASSWORD").remark == "cut by $"
    edit = Edit(EditKind.SET, "HARBOR_PASSWORD", Secret("pa$sword-9432"))
    async with shown(with_project(job="publish", edits=(edit,))) as pilot:
        found = listed(await open_variables(pilot), "HARBOR_PASSWORD")
        assert (found.remark, found.found and found.found.value) == ("", "pa$sword-9432")


async def test_edits_are_the_top_layer_and_are_undone() -> None:
    made = with_project(job="publish")
    async with shown(made) as pilot:
        found = await open_variables(pilot, "e")
        assert isinstance(pilot.app.screen, EditValue)
        await press(pilot, "home", *"x", "enter")
        assert listed(found, "CI_REGISTRY").edited
        assert "edit" in row(found, "CI_REGISTRY")
        assert row(found, "CI_REGISTRY").startswith("~")
        assert len(made.edits) == 1
        await press(pilot, "backspace")
        assert made.edits == []
        assert ".gitlab-ci.yml:18" in row(found, "CI_REGISTRY")
        await press(pilot, "u")
        assert "absent  unset by you" in row(found, "CI_REGISTRY")
        await press(pilot, "backspace")


async def test_a_value_that_is_not_known_is_not_in_the_field() -> None:
    async with shown(with_project(job="publish")) as pilot:
        found = await open_variables(pilot)
        select(found, "CI_JOB_TOKEN")
        await press(pilot, "e")
        assert "unchanged" not in painted(pilot.app)
        await press(pilot, *"glcbt-64_mine", "enter")
        assert listed(found, "CI_JOB_TOKEN").edited
        assert "glcbt-64_mine" not in painted(pilot.app)


async def test_a_secret_is_shown_only_after_a_question() -> None:
    async with shown(with_project(job="publish")) as pilot:
        found = await open_variables(pilot)
        select(found, "HARBOR_PASSWORD")
        await press(pilot, "r")
        assert isinstance(pilot.app.screen, Confirm)
        assert "canary" not in painted(pilot.app)
        await press(pilot, "y", "y")
        assert "canary" in painted(pilot.app)
        assert pilot.app.clipboard == ""
        await press(pilot, "c")
        assert pilot.app.clipboard.startswith("canary")
        await press(pilot, "escape")
        assert "canary" not in painted(pilot.app)


async def test_filter_and_problems_only() -> None:
    async with shown(with_project(job="publish")) as pilot:
        found = await open_variables(pilot, "p")
        rows = found.query_one("#variables", Rows)
        assert {each for each in rows._ids if each} == {each.name for each in found._listed if each.remark}
        await press(pilot, "p", "slash", *"sentry", "enter")
        assert [each for each in rows._ids if each] == ["SENTRY_ENVIRONMENT"]
        await press(pilot, "escape")
        assert len(rows._ids) > 30
        await press(pilot, "slash", *"canary")
        assert not any(rows._ids)
        await press(pilot, "escape", "escape")
        assert isinstance(pilot.app.screen, Overview)


async def test_without_a_project_this_process_is_shown_and_how_to_get_more() -> None:
    async with shown(session(JOB)) as pilot:
        found = await open_variables(pilot)
        assert "No .gitlab-ci.yml here" in texts(found, "#context")
        assert "registry.myhost.com" in row(found, "CI_REGISTRY")
        assert "environment" in row(found, "CI_REGISTRY")
        assert found.check_action("job", ()) is False
        await press(pilot, "J", "b", "t", "n", "s")
        assert pilot.app.screen is found
        await press(pilot, "u")
        assert "canary" not in painted(pilot.app)


async def test_broken_yaml_is_told_with_its_line_and_nothing_is_lost() -> None:
    made = with_project(files={".gitlab-ci.yml": "a:\n  script: [\nb: }\n"})
    async with shown(made) as pilot:
        found = await open_variables(pilot)
        assert ".gitlab-ci.yml:3" in texts(found, "#variables-notice")
        await press(pilot, "e", "u", "J", "t", "escape")
        assert isinstance(pilot.app.screen, Overview)
        assert found.is_attached is False


SIZES = [(60, 16), (80, 24), (120, 36), (200, 60), (50, 10)]


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_text_stays_text(size: tuple[int, int]) -> None:
    yaml = (
        'variables:\n  "[red]A[/red]": "[@click=app.quit]x"\n  "B\\e]0;x\\a": "\\u202e\\e[2J"\n'
        '"job [bold]\\e[31m":\n  stage: "[link]s"\n  script: x\n'
    )
    settings = (
        ciworlds._setting(HOSTILE, HOSTILE),
        ciworlds._setting("SCOPED", "x", scope=HOSTILE),
        ciworlds._setting("GROUP", "x", Level.GROUP, origin=HOSTILE),
        ciworlds._setting("HIDDEN", None, origin=HOSTILE, hidden=True),
    )
    made = with_project(
        files={".gitlab-ci.yml": yaml}, settings=settings, ref=Ref(name=HOSTILE, protected=None)
    )
    async with shown(made, size) as pilot:
        found = await open_variables(pilot)
        if size[0] < 60:
            return
        for _ in range(12):
            await press(pilot, "down")
            for hostile in ("\x1b", "\u202e", "\x07"):
                assert hostile not in painted(pilot.app)
        await press(pilot, "J")
        assert isinstance(pilot.app.screen, Pick)
        await press(pilot, "down", "enter")
        assert found.desk.looking.job.startswith("job [bold]")
        await press(pilot, "b", "escape", "n", "escape")
        assert "\x1b" not in painted(pilot.app)


@pytest.mark.parametrize("size", SIZES[:4])
async def test_every_panel_is_seen_at_every_size(size: tuple[int, int]) -> None:
    async with shown(with_project(job="publish"), size) as pilot:
        found = await open_variables(pilot)
        await pilot.pause()
        for selector in ("#variables", "#variable", "#context"):
            widget = found.query_one(selector)
            assert found.region.contains_region(widget.region)
            assert widget.content_size.height > 0
        await press(pilot, "enter")
        assert isinstance(pilot.app.focused, Panel)


@pytest.mark.parametrize("width", [100, 120])
async def test_long_names_leave_room_for_the_logins(width: int) -> None:
    ref = Ref(name="feature/" + "pay-" * 40, protected=None)
    made = with_project(job="publish")
    made.desk.looking = replace(made.desk.looking, ref=ref)
    async with shown(made, (width, 36)) as pilot:
        found = await open_variables(pilot)
        await pilot.pause()
        panel = found.query_one("#context", Panel)
        assert panel.virtual_size.height == panel.content_size.height == 2


async def test_what_takes_long_is_done_in_the_background_and_the_list_stays() -> None:
    waiting = []
    made = with_project(job="publish")
    async with shown(made) as pilot:
        found = await open_variables(pilot)
        made.in_background = waiting.append  # type: ignore[assignment]
        found._background._start = waiting.append  # type: ignore[assignment]
        found.desk.took = 1.0
        await press(pilot, "t")
        assert "resolving" in str(found.query_one("#status-right", Static).render())
        assert listed(found, CLEANUP).found is None
        waiting.pop()()
        found.pump()
        await pilot.pause()
        assert listed(found, CLEANUP).found is not None
        assert "resolving" not in str(found.query_one("#status-right", Static).render())


async def test_copy_is_the_command_that_says_the_same() -> None:
    async with shown(with_project(job="publish")) as pilot:
        await open_variables(pilot, "y")
        assert pilot.app.clipboard == (
            "dockpass vars explain CI_REGISTRY --job publish --ref feature/login --unprotected"
        )


async def test_what_set_gave_is_on_top_of_a_job_too() -> None:
    made = with_project({"PATH": "/usr/bin"}, job="publish")
    variables = dict(made.found.variables)
    variables["IMAGE_TAG"] = variable("IMAGE_TAG", "mine", Source(SourceKind.SET))
    made.found = replace(made.found, variables=variables)
    async with shown(made) as pilot:
        found = await open_variables(pilot)
        assert "mine" in row(found, "IMAGE_TAG")
        assert found.lens.decide(Command.PUSH) != made.decide(Command.PUSH)


LOGIN = """
  script:
    - echo "$PUSH_TOKEN" | docker login -u bot --password-stdin $CI_REGISTRY
    - 'echo glpat-canary0123456789abcd | helm registry login -u "\\e]0;x" --password-stdin a.example.com'
    - docker push $CI_REGISTRY_IMAGE:$IMAGE_TAG
"""


async def test_a_job_that_logs_in_itself_says_so_on_the_overview_and_at_its_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, _, after = ciworlds.FILES[".gitlab-ci.yml"].partition("\n  script:\n")
    assert after
    monkeypatch.setitem(ciworlds.FILES, ".gitlab-ci.yml", before + LOGIN)
    async with shown(with_project(job="publish"), (150, 50)) as pilot:
        found = await open_variables(pilot)
        assert "used, defined nowhere" in row(found, "PUSH_TOKEN")
        assert ".gitlab-ci.yml:26" in row(found, "PUSH_TOKEN")
        assert not listed(found, "PUSH_TOKEN").remark, "an include is not loaded, and may define it"
        select(found, "PUSH_TOKEN")
        await pilot.pause()
        assert "PUSH_TOKEN is used in script .gitlab-ci.yml:26." in texts(found, "#variable")
        select(found, "CI_REGISTRY")
        await pilot.pause()
        assert "This job logs in itself: `docker login` at .gitlab-ci.yml:26" in texts(found, "#variable")
        pilot.app.screen.session.look_as_job(True)  # type: ignore[attr-defined]
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, Overview)
        why = str(pilot.app.screen.query_one("#why Static", Static).render())
        assert "`docker login` at .gitlab-ci.yml:26" in why
        assert "`helm registry login` at .gitlab-ci.yml:27" in why
        assert "canary" not in painted(pilot.app)
        pilot.app.screen.session.look_as_job(False)
        pilot.app.screen.refresh_all()
        await pilot.pause()
        assert "logs in itself" not in str(pilot.app.screen.query_one("#why Static", Static).render())
