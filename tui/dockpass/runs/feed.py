"""An append-only feed of events: one writer, any number of readers with their own cursor.

Only output and progress are bounded. What a run decided, planned and did is kept to the last row.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import fields, replace
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple, get_args

from dockpass.runs.events import Count, Ended, Event, Layer, Log, Skipped, Step
from dockpass.runs.record import Record
from dockpass.secrets import Redactor

CAPACITY = 50_000
"""So many events of output and progress are kept: the youngest."""

_NO_TEXT = frozenset({"at", "colours"})
_TEXT_FIELDS = {
    kind.__name__: tuple(field.name for field in fields(kind) if field.name not in _NO_TEXT)
    for kind in get_args(Event)
}


class Batch(NamedTuple):
    """Fresh events and the next cursor. Where the reader came too late, a `Skipped` stands in the gap."""

    events: list[Event]
    cursor: int


_Numbered = tuple[int, Event]
_number = itemgetter(0)


class Feed:
    """Events of one run. Every text in them is redacted as it enters; `record` gets each as it is taken."""

    def __init__(self, redact: Redactor, capacity: int = CAPACITY, record: Record | None = None) -> None:
        self._redact = redact
        self._record = record
        self._bounded: deque[_Numbered] = deque(maxlen=capacity)
        self._kept: list[_Numbered] = []
        self._count = 0
        self._changed = threading.Condition()
        self._closed = False

    def put(self, event: Event) -> None:
        """Append an event; after `Ended` nothing is taken any more."""
        redacted = self._redacted(event)
        with self._changed:
            if self._closed:
                return
            numbered = (self._count, redacted)
            if isinstance(event, Log | Layer | Count | Step):
                self._bounded.append(numbered)
            else:
                self._kept.append(numbered)
            self._count += 1
            self._closed = isinstance(event, Ended)
            if self._record is not None:
                self._record(redacted)  # before anybody hears of the end, and the process may be over
            self._changed.notify_all()

    def since(self, cursor: int, most: int | None = None) -> Batch:
        """Return what came after `cursor` (0 at first) without waiting: at most `most` events, the oldest."""
        with self._changed:
            return self._batch(cursor, most)

    def follow(self) -> Iterator[Event]:
        """Yield every event until the run has ended, waiting for each, and a `Skipped` for those dropped."""
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

    def _batch(self, cursor: int, most: int | None = None) -> Batch:
        kept = self._kept[bisect_left(self._kept, cursor, key=_number) :]
        bounded = self._bounded_since(cursor, most)
        found = list(merge(kept, bounded, key=_number)) if kept and bounded else kept or bounded
        end = self._count
        if most is not None and len(found) >= most:
            found = found[:most]
            end = found[-1][0] + 1
        events = [event for _, event in found]
        if skipped := end - cursor - len(found):
            gap = next(place for place, (number, _) in enumerate(found) if number != cursor + place)
            events.insert(gap, Skipped(found[gap][1].at, skipped))
        return Batch(events, end)

    def _bounded_since(self, cursor: int, most: int | None) -> list[_Numbered]:
        """Return the events of output from a number on, walking from the end of the deque that is nearer."""
        start, total = bisect_left(self._bounded, cursor, key=_number), len(self._bounded)
        stop = total if most is None else min(start + most, total)
        if stop < total - start:
            return list(islice(self._bounded, start, stop))
        found = list(islice(reversed(self._bounded), total - stop, total - start))
        found.reverse()
        return found

    def _redacted(self, event: Event) -> Event:
        changed: dict[str, Any] = {}
        for name in _TEXT_FIELDS[type(event).__name__]:
            value = getattr(event, name)
            shown = _redacted(value, self._redact)
            if shown is not value and shown != value:
                changed[name] = shown
        if changed and isinstance(event, Log):
            changed["colours"] = ()  # nobody can say any more what stands where
        return replace(event, **changed) if changed else event


def _redacted(value: object, redact: Redactor) -> object:
    if type(value) is str:  # an enumeration is ours, not text
        return redact(value)
    if type(value) is tuple:
        return tuple(_redacted(item, redact) for item in value)
    return value
