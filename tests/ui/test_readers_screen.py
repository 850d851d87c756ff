"""The screen of the readers: what it shows, and that it asks no helper unasked."""

from __future__ import annotations

from readerworld import CONFIG, World, basic
from screens import painted, press, shown
from textual.pilot import Pilot

from dockpass.auth.facts import Edit, EditKind
from dockpass.dockerconfig.readers.words import OF_A_JOB
from dockpass.secrets import Secret
from dockpass.ui.screens.overview import Overview
from dockpass.ui.screens.readers import ReadersScreen
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Definition, Level
from scenes import JOB, session, with_project

HOST = JOB["CI_REGISTRY"]
HOSTILE = "\x1b]0;owned\x07\u202e[@click=app.quit]x[/foo]"


def screen(pilot: Pilot[int]) -> ReadersScreen:
    found = pilot.app.screen
    assert isinstance(found, ReadersScreen)
    return found


def stored() -> World:
    return World({CONFIG: {"credsStore": "pass"}}, helpers={"pass": {HOST: ("kept", "canary")}})


async def test_helpers_are_asked_by_a_key_only() -> None:
    world = stored()
    async with shown(session(JOB, world=world)) as pilot:
        await press(pilot, "c", "down", "tab", "tab", "tab")
        assert world.asked == []
        assert "not decided" in painted(pilot.app)
        await press(pilot, "a")
        screen(pilot).pump()
        await pilot.pause()
        shot = painted(pilot.app)
        assert ("pass", "get", HOST) in world.asked
        assert "kept" in shot
        assert "canary" not in shot
        asked = list(world.asked)
        await press(pilot, "a")  # nothing waits for a helper any more
        assert world.asked == asked


async def test_edits_count() -> None:
    made = session(JOB, world=World({CONFIG: {"auths": {HOST: basic("alice")}}}))
    value = '{"auths":{"' + HOST + '":' + '{"auth":"' + basic("edited")["auth"] + '"}}}'
    made.edit(Edit(EditKind.SET, "DOCKER_AUTH_CONFIG", Secret(value)))
    async with shown(made) as pilot:
        await press(pilot, "c")
        assert "edited" in painted(pilot.app)


async def test_it_says_whose_configs_and_variables_are_read() -> None:
    """Of a job, only the variables are known here; what GitLab hides is read as not set, and it says so."""
    hidden = Definition(key="DOCKER_AUTH_CONFIG", value=Unknown("hidden", is_set=True), level=Level.PROJECT)
    async with shown(with_project(job="publish", settings=(hidden,)), (60, 16)) as pilot:
        await press(pilot, "c")
        assert screen(pilot).query_one("#disagreements").border_subtitle == ""
        assert "not known" not in painted(pilot.app)
        await press(pilot, "escape", "o")
        await pilot.app.workers.wait_for_complete()
        await press(pilot, "c")
        shot = painted(pilot.app)
        assert OF_A_JOB in shot
        assert "The value of DOCKER_AUTH_CONFIG is not known here" in shot


async def test_escape_goes_back() -> None:
    async with shown(session(JOB)) as pilot:
        await press(pilot, "c", "escape")
        assert isinstance(pilot.app.screen, Overview)


async def test_the_repository_comes_first_and_others_follow() -> None:
    world = World({CONFIG: {"auths": {"quay.io": basic("bot"), HOST: basic("alice")}}})
    async with shown(session(JOB, world=world)) as pilot:
        await press(pilot, "c")
        names = [found.target.shown for found in screen(pilot)._registries]
        assert names == [JOB["CI_REGISTRY_IMAGE"], "quay.io"]


async def test_without_any_registry_the_hub_is_shown() -> None:
    async with shown(session({}, base=None)) as pilot:
        await press(pilot, "c")
        assert [found.target.host for found in screen(pilot)._registries] == ["docker.io"]


async def test_hostile_text_stays_text() -> None:
    config = {"auths": {HOST: basic(HOSTILE), f"https://{HOST}/{HOSTILE}": basic("x"), HOSTILE: {}}}
    for size in ((120, 36), (80, 24), (60, 16), (50, 10)):
        async with shown(session(JOB, world=World({CONFIG: config})), size) as pilot:
            await press(pilot, "c", "down", "down", "tab", "tab")
            shot = painted(pilot.app)
            assert "\x1b" not in shot
            assert "\u202e" not in shot
