"""The plan on the screen: its options change it, its command line follows, and what cannot work is said."""

from __future__ import annotations

import pytest
from screens import painted, press, shown
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static

from dockpass.auth.command import Command
from dockpass.auth.facts import BaseImage
from dockpass.buildfiles.find import BuildSources
from dockpass.errors import DockpassError
from dockpass.runs import events as ev
from dockpass.runs.events import Status
from dockpass.runs.request import BuildOptions, RunRequest
from dockpass.secrets import MASK
from dockpass.session.session import Session
from dockpass.ui.screens.overview import Overview
from dockpass.ui.screens.plan import OptionRows, PlanDialog
from dockpass.ui.screens.run import RunScreen
from dockpass.ui.views.words import plain
from scenes import JOB, ScriptedRun, session


def started(made: Session) -> list[RunRequest]:
    """The requests of runs that are started from now on."""
    requests: list[RunRequest] = []
    before = made.start

    def start(request: RunRequest, services: object) -> ScriptedRun:
        requests.append(request)
        return before(request, services)  # type: ignore[arg-type, return-value]

    made.start = start  # type: ignore[assignment]
    return requests


def body(pilot: Pilot[int]) -> str:
    return " ".join(str(pilot.app.screen.query_one("#body Static", Static).render()).split())


def rows(pilot: Pilot[int]) -> list[str]:
    found = pilot.app.screen.query_one("#options", OptionRows)
    return [" ".join(str(found.get_option_at_index(at).prompt).split()) for at in range(found.option_count)]


async def typed(pilot: Pilot[int], text: str) -> None:
    """Change the selected option to a text."""
    await press(pilot, "enter")
    pilot.app.screen.query_one("#value", Input).value = text
    await press(pilot, "enter")


async def test_tags_change_the_plan_the_command_line_and_the_run() -> None:
    made = session(JOB)
    requests = started(made)
    async with shown(made) as pilot:
        await press(pilot, "2", "enter")
        assert isinstance(pilot.app.screen, PlanDialog)
        assert rows(pilot)[0] == "tags main, from CI_COMMIT_REF_NAME"
        await typed(pilot, "1.0 latest")
        assert rows(pilot)[0] == "tags 1.0 latest"
        assert "dockpass push --tag 1.0 --tag latest" in body(pilot)
        await press(pilot, "y")
        assert pilot.app.clipboard == "dockpass push --tag 1.0 --tag latest"
        await press(pilot, "r")
        assert isinstance(pilot.app.screen, RunScreen)
    assert requests[0].tags == ("1.0", "latest")


async def test_what_was_chosen_stays_for_the_next_plan_and_for_copy() -> None:
    async with shown(session(JOB)) as pilot:
        await press(pilot, "2", "enter", "down")
        await typed(pilot, "app:dev")
        await press(pilot, "n", "y")
        assert pilot.app.clipboard == "dockpass push --image app:dev"
        await press(pilot, "3", "y")
        assert pilot.app.clipboard == "dockpass pull"
        await press(pilot, "2", "enter")
        assert rows(pilot)[1] == "image app:dev"
        await press(pilot, "down", "u", "y")
        assert pilot.app.clipboard == "dockpass push"


async def test_a_tag_that_is_none_is_told_while_it_is_typed_and_stops_the_run() -> None:
    made = session(JOB)
    requests = started(made)
    async with shown(made) as pilot:
        await press(pilot, "2", "enter", "enter")
        await press(pilot, "a", "exclamation_mark", "b")
        assert "is not a valid tag" in body(pilot)
        await press(pilot, "enter")
        dialog = pilot.app.screen
        assert isinstance(dialog, PlanDialog)
        assert not dialog.query_one("#yes", Button).display
        await press(pilot, "r")
        assert pilot.app.screen is dialog
        assert any("is not a valid tag" in notice.message for notice in pilot.app._notifications)
        await press(pilot, "u")
        assert dialog.query_one("#yes", Button).display
        await press(pilot, "r")
    assert len(requests) == 1


async def test_an_image_that_is_missing_is_told_before_run_is_offered() -> None:
    made = session(JOB)
    asked: list[RunRequest] = []

    def stops(request: RunRequest, _: object) -> DockpassError | None:
        asked.append(request)
        if request.image:
            return None
        return DockpassError("image-missing", "There is nothing to push.", "Name the image.")

    made.what_stops = stops
    async with shown(made) as pilot:
        await press(pilot, "2", "enter")
        overview = next(screen for screen in pilot.app.screen_stack if isinstance(screen, Overview))
        overview.pump()
        await pilot.pause()
        dialog = pilot.app.screen
        assert isinstance(dialog, PlanDialog)
        assert "There is nothing to push. Name the image." in body(pilot)
        assert not dialog.query_one("#yes", Button).display
        await press(pilot, "down")
        await typed(pilot, "app")
        overview.pump()
        await pilot.pause()
        assert "nothing to push" not in body(pilot)
        assert dialog.query_one("#yes", Button).display
    assert [request.image for request in asked] == [None, "app"]


async def test_an_old_answer_says_nothing_of_a_changed_plan() -> None:
    made = session(JOB)
    later = []
    made.in_background = later.append
    made.what_stops = lambda request, _: (
        None if request.image else DockpassError("image-missing", "There is nothing to push.", "")
    )
    async with shown(made) as pilot:
        await press(pilot, "2", "enter", "down")
        await typed(pilot, "app")
        for work in reversed(later):
            work()
        overview = next(screen for screen in pilot.app.screen_stack if isinstance(screen, Overview))
        overview.pump()
        await pilot.pause()
        assert "nothing to push" not in body(pilot)


async def test_another_dockerfile_pulls_other_images_and_may_log_in_otherwise() -> None:
    made = session(JOB)

    def sources(_: object, build: BuildOptions) -> BuildSources:
        base = "alpine:3" if build.file else "registry.myhost.com/web/base:3"
        where = made.services.cwd
        return BuildSources(
            base_images=(BaseImage(base, "Dockerfile:1"),), dockerfile=where / "Dockerfile", context=where
        )

    made.sources = sources
    async with shown(made) as pilot:
        await press(pilot, "1", "enter")
        assert "as gitlab-ci-token" in body(pilot)
        await press(pilot, "down")
        await typed(pilot, "Dockerfile.other")
        assert "alpine:3" in body(pilot)
        assert "as gitlab-ci-token" not in body(pilot)
        await press(pilot, "u", "n")
        request = made.request(Command.BUILD)
        assert isinstance(request, RunRequest)
        assert request.decision.username == "gitlab-ci-token"


async def test_a_secret_argument_is_nowhere_on_the_screen() -> None:
    made = session(JOB)
    async with shown(made) as pilot:
        await press(pilot, "1", "enter", *["down"] * 5)
        await typed(pilot, "API_TOKEN=canary-argument A=1")
        assert rows(pilot)[5] == f"build arguments API_TOKEN={MASK} A=1"
        assert "canary" not in painted(pilot.app)
        await press(pilot, "y")
        assert "canary" not in pilot.app.clipboard
        await press(pilot, "enter")
        assert "canary" not in painted(pilot.app)
        await press(pilot, "end", "space", *"B=2", "enter")
    assert made.chosen[Command.BUILD].build.args["API_TOKEN"] == "canary-argument"


async def test_a_deployment_with_values_ends_with_them() -> None:
    digest = "sha256:" + "1" * 64
    described = ev.ImageDescribed(
        0.1, "registry.myhost.com/web/backend:main", digest, "type", "", "", ("linux/amd64",), 1, ()
    )
    end = ev.Ended(0.2, Status.DONE, 0, "", "found it", "")  # type: ignore[arg-type]
    made = session(JOB, script=(described, end))
    async with shown(made) as pilot:
        await press(pilot, "5", "enter", "down", "enter")
        assert rows(pilot)[1] == "Helm values yes"
        assert "dockpass deploy --values" in body(pilot)
        await press(pilot, "r")
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        screen.pump()
        screen.pump()
        log = plain(screen.state.log)
        assert log.count(f"image: registry.myhost.com/web/backend@{digest}") == 1


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36), (200, 60)])
async def test_options_and_answers_are_in_sight_at_every_size(size: tuple[int, int]) -> None:
    async with shown(session(JOB), size) as pilot:
        await press(pilot, "1", "enter")
        screen = pilot.app.screen
        for selector in ("#options", "#body", "#yes", "#no"):
            widget = screen.query_one(selector)
            assert widget.region.height >= 1, selector
            assert widget.region.bottom <= size[1], selector
        await press(pilot, *["down"] * 16)
        assert screen.query_one("#options", OptionRows).highlighted == 16
