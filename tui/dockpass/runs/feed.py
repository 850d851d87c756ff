"""An append-only, bounded feed of events: one writer, any number of readers with their own cursor."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import islice
from typing import NamedTuple

from dockpass.runs.events import Ended, Event
from dockpass.secrets import Redactor

CAPACITY = 50_000


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
                self._changed.wait_for(lambda seen=cursor: self._count > seen or self._closed)  # type: ignore[misc]
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
        changed = {}
        for field in fields(event):
            value = getattr(event, field.name)
            if type(value) is str and (shown := self._redact(value)) != value:
                changed[field.name] = shown
            elif type(value) is tuple:
                redacted = _redacted_tuple(value, self._redact)
                if redacted != value:
                    changed[field.name] = redacted
        return replace(event, **changed) if changed else event


def _redacted_tuple(values: tuple[object, ...], redact: Redactor) -> tuple[object, ...]:
    return tuple(
        redact(value)
        if isinstance(value, str)
        else _redacted_tuple(value, redact)
        if isinstance(value, tuple)
        else value
        for value in values
    )
