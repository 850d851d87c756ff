"""An append-only, bounded feed of events: one writer, any number of readers with their own cursor."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import islice
from typing import Any, NamedTuple, get_args

from dockpass.runs.events import Ended, Event
from dockpass.secrets import Redactor

CAPACITY = 50_000

_TEXT_FIELDS = {
    kind.__name__: tuple(field.name for field in fields(kind) if field.name != "at")
    for kind in get_args(Event)
}


class Batch(NamedTuple):
    """Fresh events, the next cursor, and how many events the reader came too late for."""

    events: list[Event]
    cursor: int
    lost: int


class Feed:
    """Events of one run. Every text in them is redacted as it enters."""

    def __init__(self, redact: Redactor, capacity: int = CAPACITY) -> None:
        self._redact = redact
        self._events: deque[Event] = deque(maxlen=capacity)
        self._count = 0
        self._changed = threading.Condition()
        self._closed = False

    def put(self, event: Event) -> None:
        """Append an event; after `Ended` nothing is taken any more."""
        redacted = self._redacted(event)
        with self._changed:
            if self._closed:
                return
            self._events.append(redacted)
            self._count += 1
            self._closed = isinstance(event, Ended)
            self._changed.notify_all()

    def since(self, cursor: int) -> Batch:
        """Return what came after `cursor` (0 at first) without waiting."""
        with self._changed:
            return self._batch(cursor)

    def follow(self) -> Iterator[Event]:
        """Yield every event from the first one kept until the run has ended, waiting for each."""
        cursor = 0
        while True:
            with self._changed:
                while self._count <= cursor and not self._closed:
                    self._changed.wait()
                batch, closed = self._batch(cursor), self._closed
            yield from batch.events
            cursor = batch.cursor
            if closed and not batch.events:
                return

    @property
    def ended(self) -> bool:
        """Whether the last event was put."""
        with self._changed:
            return self._closed

    def _batch(self, cursor: int) -> Batch:
        first = self._count - len(self._events)
        start = max(cursor, first)
        fresh = list(islice(self._events, start - first, None))
        return Batch(fresh, self._count, start - cursor)

    def _redacted(self, event: Event) -> Event:
        changed: dict[str, Any] = {}
        for name in _TEXT_FIELDS[type(event).__name__]:
            value = getattr(event, name)
            shown = _redacted(value, self._redact)
            if shown is not value and shown != value:
                changed[name] = shown
        return replace(event, **changed) if changed else event


def _redacted(value: object, redact: Redactor) -> object:
    if type(value) is str:  # an enumeration is ours, not text
        return redact(value)
    if type(value) is tuple:
        return tuple(_redacted(item, redact) for item in value)
    return value
