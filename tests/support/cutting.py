"""Cuts an engine in the middle of its work, and measures how long it goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from notes import Notes

from dockpass.errors import Cancelled


class Cutting(Notes):
    """Cuts an engine as soon as a layer is in a state."""

    def __init__(self, state: str) -> None:
        super().__init__()
        self.state = state
        self.reached = threading.Event()

    def layer(self, layer_id: str, state: str, current: int, total: int) -> None:
        super().layer(layer_id, state, current, total)
        if state == self.state:
            self.reached.set()


def ends_when_cut(engine: object, work: Callable[[Cutting], object], notes: Cutting) -> float:
    """Do the work in a thread, cut it, and return how many seconds it went on."""
    caught: list[Cancelled] = []

    def run() -> None:
        try:
            work(notes)
        except Cancelled as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert notes.reached.wait(20)
    began = time.monotonic()
    engine.cut()  # type: ignore[attr-defined]
    thread.join(20)
    assert len(caught) == 1
    return time.monotonic() - began
