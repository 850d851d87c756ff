"""A paste of the terminal as one text, whatever is in it.

Textual's parser takes an escape sequence inside a paste for one that the terminal sent: the colours of a log
would be pressed as keys.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from textual._xterm_parser import XTermParser
from textual.events import Paste
from textual.message import Message

START, END = "\x1b[200~", "\x1b[201~"
MOST_CHARACTERS = 17 << 20
"""Of a longer paste the rest is dropped; who reads it says where it stops reading."""
SECONDS_WITHOUT_END = 2.0
"""A paste of which nothing more comes for so long is over, though its end never came."""


class WholePastes(XTermParser):
    """Textual's parser for all that is typed, and pastes as they are; `now` is a clock in seconds."""

    def __init__(self, debug: bool = False, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(debug)
        self._now = now
        self._held = ""
        self._pasted: list[str] | None = None
        self._length = 0
        self._last = 0.0

    def feed(self, data: str) -> Iterable[Message]:
        """Yield what some characters of the terminal say."""
        self._last = self._now()
        data, self._held = self._held + data, ""
        while data:
            if self._pasted is None:
                typed, start, data = data.partition(START)
                if not start:
                    typed = self._without_begun(typed, START, shortest=3)
                if typed:
                    yield from super().feed(typed)
                if start:
                    self._pasted = []
                continue
            text, end, data = data.partition(END)
            self._take(text if end else self._without_begun(text, END))
            if end:
                yield from self._ended()

    def tick(self) -> Iterable[Message]:
        """Yield what time alone says: an escape key, or a paste that does not end."""
        if self._pasted is not None and self._now() - self._last > SECONDS_WITHOUT_END:
            yield from self._ended()
        yield from super().tick()

    def _without_begun(self, text: str, mark: str, shortest: int = 1) -> str:
        """Return a text without the beginning of a mark at its end, which is kept for what comes next.

        The escape key alone, and `ESC [`, are not held back from Textual's parser, which waits for the rest.
        """
        for length in range(len(mark) - 1, shortest - 1, -1):
            if text.endswith(mark[:length]):
                self._held = mark[:length]
                return text[:-length]
        return text

    def _take(self, text: str) -> None:
        room = MOST_CHARACTERS - self._length
        if self._pasted is not None and room > 0:
            self._pasted.append(text[:room])
            self._length += len(text)

    def _ended(self) -> Iterator[Message]:
        text = "".join(self._pasted or ()).replace("\0", "")
        self._pasted, self._length = None, 0
        yield Paste(text)
