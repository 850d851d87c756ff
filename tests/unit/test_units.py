"""Sizes and spans in words."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.cleanup.options import CleanupOptions
from dockpass.runs.planning import rules_in_words
from dockpass.units import duration, exact_span, size


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (0.25, "0.25 s"),
        (5400, "1 h 30 min"),
        (3600, "1 h"),
        (86400, "1 day"),
        (30 * 86400, "30 days"),
        (36 * 3600, "1 day 12 h"),
        (2 * 7 * 86400, "14 days"),
        (3661.5, "1 h 1 min 1.5 s"),
        (129600000, "1,500 days"),
    ],
)
def test_a_span_is_said_without_rounding(seconds: float, words: str) -> None:
    assert exact_span(seconds) == exact_span(timedelta(seconds=seconds)) == words


@given(st.integers(0, 10**10))
def test_a_span_in_words_adds_up(milliseconds: int) -> None:
    units = {"day": 86400, "days": 86400, "h": 3600, "min": 60, "s": 1}
    words = exact_span(milliseconds / 1000).replace(",", "").split()
    total = sum(float(count) * units[unit] for count, unit in zip(words[::2], words[1::2], strict=True))
    assert total == pytest.approx(milliseconds / 1000, abs=0.0005)


def test_the_rules_of_a_cleanup_are_said_with_their_exact_age() -> None:
    assert rules_in_words(CleanupOptions(older_than=5400)).startswith("tags that are older than 1 h 30 min;")
    assert rules_in_words(CleanupOptions()) == "nothing: no rule selects any tag"


def test_sizes_and_durations() -> None:
    assert [size(count) for count in (0, 999, 1500, 12_100_000, 5e12)] == [
        "0 B", "999 B", "1.5 kB", "12.1 MB", "5000.0 GB"
    ]  # fmt: skip
    assert [duration(count) for count in (0.084, 6.9, 125)] == ["84 ms", "6.9 s", "2 min 05 s"]
