"""Work beside the screen: whoever does it writes answers, and the screen takes them at its next look."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from typing import TypeVar

Result = TypeVar("Result")


class Background:
    """Any number of jobs and their answers. Widgets are touched in the screen's thread only.

    `start` runs a function beside the screen: in a thread, except in tests.
    """

    def __init__(self, start: Callable[[Callable[[], None]], None]) -> None:
        self._start = start
        self._answers: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def begin(
        self,
        work: Callable[[], Result],
        take: Callable[[Result], None],
        fail: Callable[[Exception], None],
    ) -> None:
        """Start `work`; its result goes to `take`, its exception to `fail`, both in the screen's thread."""

        def job() -> None:
            try:
                answer = partial(take, work())
            except Exception as error:  # noqa: BLE001 - a job without an answer would look as if it went on
                answer = partial(fail, error)
            self.post(answer)

        self._start(job)

    def post(self, answer: Callable[[], None]) -> None:
        """Leave an answer for the screen; it is called in the screen's thread."""
        self._answers.put(answer)

    def take(self) -> bool:
        """Take the answers that have come; tell whether there were any."""
        taken = False
        while True:
            try:
                answer = self._answers.get_nowait()
            except Empty:
                return taken
            taken = True
            answer()
