"""A feed never repeats an event, never loses one uncounted, and never lets a secret in."""

from __future__ import annotations

import threading
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dockpass.errors import ExitCode
from dockpass.runs.events import ConfigCreated, Ended, Log, LogKind, Status
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
    assert batch.events == [line(number) for number in range(6, 10)]
    assert (batch.cursor, batch.lost) == (10, 6)


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


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 8))
def test_kept_and_lost_events_add_up(steps: list[int], capacity: int) -> None:
    of, cursor, put, seen, lost = feed(capacity), 0, 0, 0, 0
    for step in steps:
        if step:
            of.put(line(put))
            put += 1
        else:
            batch = of.since(cursor)
            assert all(b.at - a.at == 1 for a, b in pairwise(batch.events))
            cursor, seen, lost = batch.cursor, seen + len(batch.events), lost + batch.lost
    batch = of.since(cursor)
    assert seen + len(batch.events) + lost + batch.lost == put
