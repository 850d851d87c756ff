"""Every screen and every dialog, with a secret in every input: none shows one, and none copies one."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from canaries import Aviary, all_spelled, strings_of
from fakeregistry import CONFIG, IMAGE, digest_of
from plainserver import Give, Got, PlainServer
from planted import Planted, planted
from screens import painted, press
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

import dockpass.ui
import stores
from dockpass.actions import ACTIONS, PLACES
from dockpass.auth.command import Command
from dockpass.cli.context import Given, assembled
from dockpass.cli.world import this_process
from dockpass.engines.choice import EngineChoice, Engines
from dockpass.runs.request import BuildOptions
from dockpass.secrets import Secret
from dockpass.session.session import Sandbox
from dockpass.session.start import Start, make_session
from dockpass.ui.app import DockpassApp
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.dialogs import Confirm, Dialog
from dockpass.ui.screens.importing import ImportDialog
from dockpass.ui.screens.plan import PlanDialog
from dockpass.ui.screens.program import AskProgram, Choose
from dockpass.ui.screens.revealed import Revealed
from dockpass.ui.screens.run import RunScreen
from dockpass.ui.views.words import plain
from dockpass.ui.widgets.lines import Lines

ELSEWHERE = {"quit", "help", "reveal", "back", "leave", "clear", "switch", "panel"}
"""Actions that every place has alike, and the one that shows a secret, which has lines of its own."""


def every_screen() -> set[type[Screen[Any]]]:
    """Return the screens and the dialogs of the program, those that nobody has opened yet too."""
    for found in pkgutil.walk_packages(dockpass.ui.__path__, "dockpass.ui."):
        importlib.import_module(found.name)

    def below(kind: type) -> Iterator[type]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    found = {each for kind in (PanelScreen, Dialog) for each in below(kind)}
    return {each for each in found if not each.__subclasses__() or each is Confirm}


class Watch:
    """Keeps each line that an app showed, with what it was first shown after; looks for secrets at the end."""

    def __init__(self, app: App[Any], aviary: Aviary) -> None:
        self.app = app
        self.aviary = aviary
        self.seen: set[type] = set()
        self._lines: dict[str, str] = {}

    def look(self, after: str) -> None:
        """Keep what is shown now; each screen is read as a whole once."""
        texts = [self.app.clipboard, *map(str, self.app._notifications)]
        for screen in self.app.screen_stack:
            texts += [text for widget in screen.walk_children(Widget) for text in texts_of(widget)]
        if type(self.app.screen) not in self.seen:
            texts.append(painted(self.app))
        self.seen |= {type(screen) for screen in self.app.screen_stack}
        for text in texts:
            for line in text.splitlines():
                self._lines.setdefault(line, f"{type(self.app.screen).__name__} after {after}")

    def leaks(self) -> list[str]:
        """Return which secrets were shown, and where; and forget what was shown."""
        lines, self._lines = self._lines, {}
        if not self.aviary.find("\n".join(lines)):
            return []
        return [f"{where}: {leak}" for line, where in lines.items() for leak in self.aviary.find(line)]


def texts_of(widget: Widget) -> Iterator[str]:
    """Yield what a widget can show: its frame, and its whole content, also where it is scrolled out of sight."""
    yield f"{widget.border_title}\n{widget.border_subtitle}\n{widget.tooltip}"
    yield f"{getattr(widget, 'placeholder', '')}"
    if not getattr(widget, "password", False):
        yield f"{getattr(widget, 'value', '')}"
    yield from (str(option.prompt) for option in getattr(widget, "options", ()))
    if isinstance(widget, Lines):
        yield from ("".join(text for text, _ in line) for line in widget._lines)
    elif hasattr(widget, "visual"):
        yield str(widget.visual)


def answer(aviary: Aviary) -> Callable[[PlainServer, Got], Give]:
    """Answer as a registry that has old images, and that repeats what it was sent where it refuses."""
    said = all_spelled(aviary("variable CI_JOB_TOKEN").value)
    tags = ["main", *(f"old-{number}" for number in range(12))]
    held = {name: raw for tag in tags for name, raw in image_of(tag).items()}

    def answered(_: PlainServer, got: Got) -> Give:
        name = got.path.rpartition("/")[2]
        if not got.authorization:
            return Give(401, {}, {"WWW-Authenticate": 'Basic realm="mirror"'})
        if got.path == "/v2/":
            return Give(200, b"{}", {"Docker-Distribution-Api-Version": "registry/2.0"})
        if name == "list":
            return Give(200, {"name": "web/app", "tags": tags})
        if name in held and got.method != "DELETE":
            return Give(200, held[name], {"Content-Type": IMAGE})
        return Give(403, {"errors": [{"code": "DENIED", "message": said, "detail": said}]})

    return answered


def image_of(tag: str) -> dict[str, bytes]:
    """Return an old image's manifest by its tag and by its digest, and its config by its digest."""
    config = json.dumps({"created": "2020-01-01T00:00:00Z", "author": tag}).encode()
    described = {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)}
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": IMAGE, "config": described, "layers": []}
    ).encode()
    return {tag: manifest, digest_of(manifest): manifest, digest_of(config): config}


async def do(pilot: Pilot[int], watch: Watch, *keys: str) -> None:
    """Press keys, "" for none, have every screen take what came meanwhile, and look."""
    for key in keys:
        await press(pilot, *filter(None, [key]))
        for screen in pilot.app.screen_stack:
            if pump := getattr(screen, "pump", None):
                pump()
        await pilot.pause()
        watch.look(" ".join(keys))


async def leave(pilot: Pilot[int], watch: Watch) -> None:
    """Go back to the overview, from wherever."""
    while len(pilot.app.screen_stack) > 1:
        over = isinstance(pilot.app.screen, Confirm) and "Cancel" in pilot.app.screen._title
        await do(pilot, watch, "y" if over else "escape")


async def take(pilot: Pilot[int], watch: Watch) -> None:
    """Answer what is asked with yes, or with what is there."""
    match pilot.app.screen:
        case ImportDialog():
            pilot.app.screen.query_one(Input).value = "settings.json"
            await do(pilot, watch, "enter", "enter")
        case Confirm() as question:
            await do(pilot, watch, question._key)
        case AskProgram():
            pilot.app.screen.query_one(
                Input
            ).value = "sh -c 'cat $DOCKER_CONFIG/config.json; env; echo $0' $HOME"
            await do(pilot, watch, "enter")
            await take(pilot, watch)
        case Choose():
            await do(pilot, watch, "c")
            while isinstance(run := pilot.app.screen, RunScreen) and run.state.ended is None:
                await do(pilot, watch, "")
            if isinstance(run, RunScreen):
                log = "\n".join(plain(run.state.log))
                assert "auths" in log
                assert "CI_JOB_TOKEN=" in log
        case Dialog():
            await do(pilot, watch, "enter")


async def every_key_of(pilot: Pilot[int], watch: Watch, place: str) -> None:
    """Open a place and press each of its keys."""
    opening = [action.keys.split(",")[0] for action in ACTIONS if action.opens == place][:1]
    for action in ACTIONS:
        if action.scope not in PLACES[place] or action.id in ELSEWHERE or action.opens:
            continue
        if getattr(pilot.app.screen, "PLACE", "") != place:
            await leave(pilot, watch)
            await do(pilot, watch, "2", *opening)
        await do(pilot, watch, action.keys.split(",")[0])
        await take(pilot, watch)


async def every_run(pilot: Pilot[int], watch: Watch) -> None:
    """Run each command that can be run to its end, and answer what it asks with yes."""
    for number in range(1, 6):
        await leave(pilot, watch)
        await do(pilot, watch, str(number), "enter")
        while not (isinstance(pilot.app.screen, RunScreen) and pilot.app.screen.run_.ended):
            await take(pilot, watch)
            await do(pilot, watch, "")
            if isinstance(plan := pilot.app.screen, PlanDialog) and plan.stop:
                assert number == 2  # nothing was built that could be pushed
                break
        await do(pilot, watch, "y")


@pytest.fixture
def stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[tuple[Planted, DockpassApp]]:
    """A machine on which every input holds a secret, and the program's screen there, in a sandbox."""
    aviary = Aviary()
    with (
        PlainServer(answer(aviary)) as server,
        planted(tmp_path, monkeypatch, capfd, server.host, aviary) as made,
    ):
        for name, value in made.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(made.work)
        world = this_process()
        found = assembled(world, None, Given(), BuildOptions())
        token = Secret(aviary("the sandbox's cleanup token").value)
        start = Start(
            environ=world.environ,
            assembled=found,
            paths=world.paths,
            redactor=world.redactor,
            engine=EngineChoice(Engines.EMBEDDED, "the test asks for it", world.paths.store),
            sandbox=Sandbox(server.host, f"{server.host}/web/app", token, str(made.root)),
            no_proxy=True,
        )
        session = make_session(start)
        decided = map(session.decide, Command)
        for thing in (start, found, session, session.facts, world, *decided, *session.findings):
            assert not [leak for text in strings_of(thing) for leak in aviary.find(text)], type(thing)
        store = stores.store_in(stores.home_with(images=True))
        session.open_store = lambda: store
        yield made, DockpassApp(session)


@pytest.mark.timeout(300)
async def test_no_screen_and_no_dialog_shows_a_secret(stage: tuple[Planted, DockpassApp]) -> None:
    """Reveal alone does, after a question. A new screen is opened by its key, or has to be opened here."""
    machine, app = stage
    async with app.run_test(size=(120, 36), notifications=True, tooltips=True) as pilot:
        watch = Watch(app, machine.aviary)
        await do(pilot, watch, "question_mark", "escape", "ctrl+p", "escape")
        await do(pilot, watch, "1", "enter")
        assert isinstance(app.screen, PlanDialog)
        assert app.screen.stop  # the embedded builder fetches no address
        await do(pilot, watch, "escape")
        file = machine.work / "Dockerfile"
        whole = file.read_text()
        file.write_text((machine.work / "Dockerfile.base").read_text())
        await every_run(pilot, watch)
        file.write_text(whole)
        for place in PLACES:
            if place != "run":
                await every_key_of(pilot, watch, place)
        await leave(pilot, watch)
        assert watch.leaks() == []
        await do(pilot, watch, "1", "tab", "slash", *"job_token", "enter", "r")
        assert isinstance(app.screen, Confirm)
        assert watch.leaks() == []
        await do(pilot, watch, "y")
        assert isinstance(app.screen, Revealed)
        assert any("variable CI_JOB_TOKEN" in leak for leak in watch.leaks())
        await do(pilot, watch, "escape")
        assert watch.leaks() == []
        assert every_screen() - watch.seen == set()
    assert [leak for leak in machine.leaks_elsewhere() if not leak.startswith("left behind")] == []
