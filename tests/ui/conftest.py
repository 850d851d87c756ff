"""What holds for the tests of every screen."""

from __future__ import annotations

import pytest
from textual.notifications import Notification


@pytest.fixture(autouse=True)
def notes_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A note stays until it is looked at: on a busy machine its time is over before."""
    monkeypatch.setattr(Notification, "time_left", property(lambda self: 600.0))
