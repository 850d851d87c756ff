"""A feed never repeats an event, never loses one uncounted, and never lets a secret in."""

from __future__ import annotations

import threading
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dockpass.errors import ExitCode
from dockpass.runs.events import (
    ConfigCreated,
    Count,
    Ended,
    Event,
    Layer,
    Log,
    LogKind,
    Skipped,
    Status,
    TagPlanned,
)
from dockpass.runs.feed import Feed
from dockpass.secrets import Redactor, Secret

END = Ended(9.0, Status.DONE, ExitCode.DONE, "", "done", "")


def line(number: int) -> Log:
    return Log(float(number), LogKind.ENGINE, f"line {number}")


def feed(capacity: int = 100) -> Feed:
    return Feed(Redactor([Secret("canary-secret")]), capacity)


def test_every_reader_sees_every_event_once() -> None:
    of = feed()
    one = other = 0
    seen: list[object] = []
    for number in range(10):
        of.put(line(number))
        if number % 3 == 0:
            batch = of.since(one)
            seen += batch.events
            one = batch.cursor
    seen += of.since(one).events
    assert seen == of.since(other).events == [line(number) for number in range(10)]


def test_a_reader_that_comes_late_learns_how_much_it_lost() -> None:
    of = feed(capacity=4)
    for number in range(10):
        of.put(line(number))
    batch = of.since(0)
    assert batch.events == [Skipped(6.0, 6), *(line(number) for number in range(6, 10))]
    assert batch.cursor == 10


def test_what_a_run_planned_and_did_is_never_dropped() -> None:
    of = feed(capacity=3)
    rows = [TagPlanned(float(number), f"t{number}", "", "", 0, "keep", "") for number in range(20_000)]
    for number, row in enumerate(rows):
        of.put(row)
        if number % 1000 == 0:
            of.put(Count(row.at, number, 20_000, "tags"))
            of.put(Layer(row.at, "aa", "pushing", number, 20_000))
            of.put(line(number))
    of.put(END)
    seen = list(of.follow())
    assert [event for event in seen if isinstance(event, TagPlanned)] == rows
    assert [event for event in seen if isinstance(event, Skipped)] == [Skipped(1.0, 3 * 19)]
    assert seen[-1] == END


def test_a_follower_that_stops_reading_learns_how_much_it_missed() -> None:
    of, seen = feed(capacity=5), []
    of.put(line(0))
    for event in of.follow():
        seen.append(event)
        if event == line(0):  # the reader is away while a hundred lines come
            for number in range(1, 101):
                of.put(line(number))
            of.put(END)
    assert seen == [line(0), Skipped(96.0, 95), *(line(number) for number in range(96, 101)), END]


def test_nothing_comes_after_the_end() -> None:
    of = feed()
    of.put(END)
    of.put(line(1))
    of.put(END)
    assert of.since(0).events == [END]
    assert of.ended


def test_every_text_of_an_event_is_redacted() -> None:
    of = feed()
    of.put(ConfigCreated(0.0, "/canary-secret", "0700", "0600", True, "in", ("a", "canary-secret")))
    assert "canary" not in repr(of.since(0).events)


def test_a_follower_waits_for_each_event_and_ends_with_the_last() -> None:
    of = feed()
    seen: list[object] = []
    follower = threading.Thread(target=lambda: seen.extend(of.follow()))
    follower.start()
    for number in range(50):
        of.put(line(number))
    of.put(END)
    follower.join(10)
    assert seen == [*(line(number) for number in range(50)), END]


@given(st.lists(st.sampled_from(["line", "row", "read"]), max_size=60), st.integers(1, 8))
def test_kept_and_skipped_events_add_up(steps: list[str], capacity: int) -> None:
    of, cursor, put, rows = feed(capacity), 0, 0, 0
    seen: list[Event] = []
    for step in [*steps, "read"]:
        if step == "read":
            batch = of.since(cursor)
            cursor = batch.cursor
            seen += batch.events
        else:
            row = TagPlanned(float(put), "t", "", "", 0, "keep", "")
            of.put(row if step == "row" else line(put))
            put, rows = put + 1, rows + (step == "row")
    skipped = [event.count for event in seen if isinstance(event, Skipped)]
    read = [event for event in seen if not isinstance(event, Skipped)]
    assert len(read) + sum(skipped) == put
    assert sum(isinstance(event, TagPlanned) for event in read) == rows
    assert all(a.at < b.at for a, b in pairwise(read))
    assert all(a.at <= b.at for a, b in pairwise(seen))


@given(st.lists(st.sampled_from(["line", "row", "read"]), max_size=60), st.integers(1, 8), st.integers(1, 5))
def test_slices_amount_to_the_whole(steps: list[str], capacity: int, most: int) -> None:
    of, cursor, put, seen, lost = feed(capacity), 0, 0, 0, 0
    for step in [*steps, "read"]:
        if step != "read":
            row = TagPlanned(float(put), "t", "", "", 0, "keep", "")
            of.put(row if step == "row" else line(put))
            put += 1
            continue
        whole = of.since(cursor)
        slices: list[Event] = []
        while (batch := of.since(cursor, most)).events:
            kept = [event for event in batch.events if not isinstance(event, Skipped)]
            assert 0 < len(kept) <= most
            slices += kept
            lost += sum(event.count for event in batch.events if isinstance(event, Skipped))
            cursor = batch.cursor
        assert slices == [event for event in whole.events if not isinstance(event, Skipped)]
        assert cursor == whole.cursor
        seen += len(slices)
    assert seen + lost == put
