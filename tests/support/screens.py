"""The screen in a test: a session on it, and keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import zip_longest
from typing import Any

from textual.app import App
from textual.events import Key
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

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
    """Press keys one after the other, and let each take effect; letters of one word in a field do so together."""
    for key, following in zip_longest(keys, keys[1:], fillvalue=""):
        before = pilot.app.screen
        await pilot.press(key)
        within = len(key) == len(following) == 1 and isinstance(pilot.app.focused, Input)
        if not within:
            await settled(pilot, before)


async def settled(pilot: Pilot[int], before: Screen[Any] | None) -> None:
    """Wait until nothing moves, and once more for each screen that opened or closed meanwhile."""
    await pilot.pause()
    while pilot.app.screen is not before:
        before = pilot.app.screen
        await pilot.pause()


def painted(app: App[Any]) -> str:
    """Return the text on the screen, a line for each row: what an SVG shows, without the time that it takes to write one."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def type_fast(pilot: Pilot[int], text: str) -> None:
    """Type a text as a slow line delivers it: all of it is there before the first key takes effect."""
    for character in text:
        pilot.app.post_message(Key(_key_of(character), character))
    await pilot.pause()
    await pilot.pause()


def _key_of(character: str) -> str:
    return {"/": "slash", " ": "space"}.get(character, character)


def method(made: Session, command: Command) -> Method:
    """The method that the session decides for a command."""
    decided = made.decide(command)
    assert isinstance(decided, Decision)
    return decided.method
