"""A fault of the screen ends in words: no traceback, and nothing of what the variables hold."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from screens import shown
from textual.pilot import Pilot

from dockpass.logfile import start_log
from dockpass.secrets import Redactor
from dockpass.ui.app import DockpassApp
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.overview import Overview
from scenes import JOB, session


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    start_log(tmp_path / "log", Redactor())
    yield tmp_path / "log"
    logging.getLogger("dockpass").handlers[:] = []


class Richly(ValueError):
    """An exception that Textual would print by itself."""

    def __rich__(self) -> str:
        return "canary-rich"


@pytest.mark.parametrize("kind", [ValueError, Richly])
def test_a_fault_in_a_key_is_left_to_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], kind: type[Exception]
) -> None:
    def fail(_: Overview) -> None:
        held = "canary-local"
        raise kind(f"no {len(held)}")

    monkeypatch.setattr(Overview, "action_run", fail)
    app = DockpassApp(session(JOB))

    async def press(pilot: Pilot[int]) -> None:
        await pilot.press("enter")

    with pytest.raises(kind):
        app.run(headless=True, auto_pilot=press)
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err
    assert "canary" not in out + err


def test_a_fault_while_the_screen_ends_changes_nothing(log: Path) -> None:
    app = DockpassApp(session(JOB))

    async def end(pilot: Pilot[int]) -> None:
        await pilot.pause()
        pilot.app.exit(3)
        pilot.app._handle_exception(ValueError("too late"))

    assert app.run(headless=True, auto_pilot=end) == 3
    assert "too late" in log.read_text()


async def test_a_fault_of_work_beside_the_screen_names_the_log(log: Path) -> None:
    async with shown(session(JOB)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, PanelScreen)
        screen.failed(ValueError("what was expected by nobody"))
        await asyncio.sleep(0)
        (told,) = [each.message for each in pilot.app._notifications]
    assert told == f"Internal error in dockpass (ValueError). Details are in {log}."
    assert "what was expected by nobody" in log.read_text()
