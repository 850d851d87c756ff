"""What holds for the tests of every screen."""

from __future__ import annotations

from asyncio import sleep

import pytest
from textual.notifications import Notification


@pytest.fixture(autouse=True)
def notes_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A note stays until it is looked at: on a busy machine its time is over before."""
    monkeypatch.setattr(Notification, "time_left", property(lambda self: 600.0))


@pytest.fixture(autouse=True)
def one_wait_for_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pilot.press` waits twice until the process is idle, 40 ms and more: `press` of `screens` waits once, behind it."""

    async def given_way(_seconds: float) -> None:
        await sleep(0)

    monkeypatch.setattr("textual.app.wait_for_idle", given_way)
