"""The screen in a test: a session on it, and keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from dockpass.auth.command import Command, Method
from dockpass.auth.decision import Decision
from dockpass.session.session import Session
from dockpass.ui.app import DockpassApp


@asynccontextmanager
async def shown(made: Session, size: tuple[int, int] = (120, 36)) -> AsyncIterator[Pilot[int]]:
    """The session on a screen of a size."""
    async with DockpassApp(made).run_test(size=size, notifications=True, tooltips=True) as pilot:
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
        yield pilot


async def press(pilot: Pilot[int], *keys: str) -> None:
    """Press keys one after the other, and let each take effect."""
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


def method(made: Session, command: Command) -> Method:
    """The method that the session decides for a command."""
    decided = made.decide(command)
    assert isinstance(decided, Decision)
    return decided.method
