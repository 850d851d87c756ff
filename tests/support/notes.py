"""A sink that remembers what an engine reports."""

from __future__ import annotations

import threading

from dockpass.colours import Colours
from dockpass.errors import Cancelled


class Notes:
    """A sink that remembers what it was told, and can be cancelled."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.colours: dict[str, Colours] = {}
        self.layers: list[tuple[str, str, int, int]] = []
        self.steps: list[tuple[str, str, str, float]] = []
        self.cancelled = threading.Event()

    def log(self, text: str) -> None:
        self.lines.append(text)

    def output(self, text: str, colours: Colours) -> None:
        self.lines.append(text)
        if colours:
            self.colours[text] = colours

    def layer(self, layer_id: str, state: str, current: int, total: int) -> None:
        self.layers.append((layer_id, state, current, total))

    def check(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled

    def step(self, step_id: str, name: str, state: str, seconds: float) -> None:
        self.steps.append((step_id, name, state, seconds))
