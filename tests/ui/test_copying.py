"""Copying on the screen: values, secrets after a question, and the truth about which way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import TimeoutExpired

import pytest
from screens import painted, press, shown
from textual.pilot import Pilot
from textual.widgets import Input

from dockpass.auth.facts import Edit, EditKind
from dockpass.secrets import Secret
from dockpass.session.clipboard import Clipboard
from dockpass.session.session import Session
from dockpass.settings import LoadedSettings, Settings
from dockpass.ui.screens.dialogs import Confirm
from dockpass.ui.screens.overview import Overview
from scenes import JOB, session, with_project

TOKEN = JOB["CI_JOB_TOKEN"]


def told(pilot: Pilot[int]) -> str:
    return [notice.message for notice in pilot.app._notifications][-1]


class Held:
    """A desktop whose clipboard is in this process."""

    def __init__(self) -> None:
        self.text = b""

    def run(self, words: Sequence[str], _: Mapping[str, str], given: bytes | None) -> bytes:
        if given is not None:
            self.text = given
        return self.text


def with_desktop(made: Session) -> Held:
    held = Held()
    made.clipboard = Clipboard(find=lambda *_: Path("/bin/xclip"), run=held.run, platform="linux")
    made.services = replace(made.services, environ={"DISPLAY": ":9"})
    return held


async def select(pilot: Pilot[int], name: str) -> None:
    overview = pilot.app.screen
    assert isinstance(overview, Overview)
    from dockpass.variables.catalogue import entry_of

    overview.show_variable(entry_of(name))
    await pilot.pause()


async def test_a_value_is_copied_at_once_and_by_the_terminal_where_there_is_no_desktop() -> None:
    async with shown(session(JOB)) as pilot:
        await select(pilot, "CI_REGISTRY")
        await press(pilot, "Y")
        assert pilot.app.clipboard == "registry.myhost.com"
        assert told(pilot) == "sent to the terminal's clipboard: CI_REGISTRY"


async def test_a_secret_is_copied_after_a_yes_only_and_never_named_with_its_value() -> None:
    async with shown(session(JOB)) as pilot:
        await select(pilot, "CI_JOB_TOKEN")
        await press(pilot, "Y")
        assert isinstance(pilot.app.screen, Confirm)
        await press(pilot, "n")
        assert pilot.app.clipboard == ""
        await press(pilot, "Y", "y")
        assert pilot.app.clipboard == TOKEN
        assert told(pilot) == "sent to the terminal's clipboard: CI_JOB_TOKEN"
        assert TOKEN not in painted(pilot.app)


async def test_a_desktop_keeps_a_secret_for_a_while_only() -> None:
    made = session(JOB)
    held = with_desktop(made)
    async with shown(made) as pilot:
        await select(pilot, "CI_JOB_TOKEN")
        await press(pilot, "Y", "y")
        assert held.text == TOKEN.encode()
        assert told(pilot) == "copied with xclip: CI_JOB_TOKEN; the clipboard is emptied after 45 seconds"
        assert pilot.app.clipboard == ""
        pilot.app.take_back()  # type: ignore[attr-defined]
        assert held.text == b""
        await press(pilot, "Y", "y")
        held.text = b"of another program"
        pilot.app.take_back()  # type: ignore[attr-defined]
        assert held.text == b"of another program"


async def test_a_command_is_copied_with_the_desktop_too() -> None:
    made = session(JOB)
    held = with_desktop(made)
    async with shown(made) as pilot:
        await press(pilot, "2", "y")
        assert held.text == b"dockpass push"
        assert told(pilot) == "copied with xclip: dockpass push"


async def test_what_is_selected_with_the_mouse_goes_the_same_way() -> None:
    made = session(JOB)
    held = with_desktop(made)
    async with shown(made) as pilot:
        pilot.app.copy_to_clipboard("a part of Why")
        assert held.text == b"a part of Why"


async def test_a_secret_that_is_typed_is_not_copied() -> None:
    made = session(JOB)
    held = with_desktop(made)
    async with shown(made) as pilot:
        await select(pilot, "CI_JOB_TOKEN")
        await press(pilot, "e", *"canary-typed", "shift+home")
        for key in ("ctrl+c", "ctrl+x"):
            await press(pilot, key)
            assert held.text == b""
            assert pilot.app.clipboard == ""
            assert told(pilot) == "What is typed for a secret is not copied."
        assert pilot.app.screen.query_one(Input).value == "canary-typed"
        await press(pilot, "escape")
        await select(pilot, "CI_REGISTRY")
        await press(pilot, "e", "shift+home", "ctrl+c")
        assert held.text == b"registry.myhost.com"


async def test_a_secret_within_another_value_is_asked_about() -> None:
    made = session({**JOB, "CI_REGISTRY_IMAGE": f"registry.myhost.com/{TOKEN}"})
    held = with_desktop(made)
    async with shown(made) as pilot:
        await select(pilot, "CI_REGISTRY_IMAGE")
        await press(pilot, "Y")
        assert isinstance(pilot.app.screen, Confirm)
        assert held.text == b""
        await press(pilot, "y")
        assert TOKEN.encode() in held.text
        pilot.app.take_back()  # type: ignore[attr-defined]
        assert held.text == b""


async def test_a_desktop_that_does_not_answer_any_more_is_told() -> None:
    made = session(JOB)
    held = with_desktop(made)
    async with shown(made) as pilot:
        await select(pilot, "CI_JOB_TOKEN")
        await press(pilot, "Y", "y")

        def fails(*_: object) -> bytes:
            raise TimeoutExpired("xclip", 1)

        made.clipboard.run = fails
        await select(pilot, "CI_REGISTRY")
        await press(pilot, "Y")
        assert told(pilot).startswith("xclip did not answer; sent to the terminal's clipboard")
        pilot.app.take_back()  # type: ignore[attr-defined]
        await pilot.pause()
        assert "could not be emptied" in told(pilot)
        assert held.text == TOKEN.encode()


@pytest.mark.parametrize("name", ["WERF_DOCKER_CONFIG"])
async def test_what_has_no_value_is_not_copied(name: str) -> None:
    async with shown(session(JOB)) as pilot:
        await select(pilot, name)
        await press(pilot, "Y")
        assert told(pilot) == f"{name} was not copied: it has no value"
        assert pilot.app.clipboard == ""


async def test_no_secret_is_copied_where_none_may_be_shown() -> None:
    made = session(JOB)
    made.loaded = LoadedSettings(Settings(reveal=False), {}, (), Path("/proc/none"))
    for each in (made, session(JOB, read_only=True)):
        async with shown(each) as pilot:
            await select(pilot, "CI_JOB_TOKEN")
            await press(pilot, "Y")
            assert isinstance(pilot.app.screen, Overview)
            assert pilot.app.clipboard == ""
            await select(pilot, "CI_REGISTRY")
            await press(pilot, "Y")
            assert pilot.app.clipboard == "registry.myhost.com"


async def test_a_value_of_a_job_is_copied_on_its_screen() -> None:
    async with shown(with_project(job="publish")) as pilot:
        await press(pilot, "v", "Y")
        if isinstance(pilot.app.screen, Confirm):
            await press(pilot, "y")
        assert "clipboard" in told(pilot) or "was not copied" in told(pilot)


async def test_a_command_as_a_job_names_the_job_and_its_pipeline() -> None:
    edits = (Edit(EditKind.SET, "CI_JOB_TOKEN", Secret(TOKEN)), Edit(EditKind.UNSET, "BASE_IMAGE"))
    made = with_project(job="publish", settings=(), edits=edits)
    made.look_as_job(True)
    async with shown(made) as pilot:
        await press(pilot, "2", "y")
        assert pilot.app.clipboard == (
            'CI_JOB_TOKEN="${CI_JOB_TOKEN:?}" dockpass push --job publish --ref feature/login --unprotected'
            " --set CI_JOB_TOKEN --unset BASE_IMAGE"
        )
        await press(pilot, "v", "y")
        assert pilot.app.clipboard == (
            'CI_JOB_TOKEN="${CI_JOB_TOKEN:?}" dockpass vars explain CI_REGISTRY --job publish --ref feature/login'
            " --unprotected --set CI_JOB_TOKEN --unset BASE_IMAGE"
        )
