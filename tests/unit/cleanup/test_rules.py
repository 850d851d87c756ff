import shlex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.rules import check_patterns, parse_rules, parse_span, span_text
from dockpass.errors import UsageError

SPANS = st.integers(0, 10**9).map(float) | st.floats(0, 1e9)
PATTERNS = st.text(st.characters(codec="utf-8"), min_size=1)


@given(SPANS)
@example(30 * 86400.0)
@example(0.1)
@example(1e-7)
def test_a_span_is_read_back_as_it_was_written(seconds: float) -> None:
    assert parse_span(span_text(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (30 * 86400, "30d"),
        (14 * 86400, "2w"),
        (5400, "90m"),
        (7200, "2h"),
        (90, "90s"),
        (0, "0s"),
        (0.5, "0.5s"),
    ],
)
def test_a_span_is_written_in_its_largest_whole_unit(seconds: float, text: str) -> None:
    assert span_text(float(seconds)) == text


@pytest.mark.parametrize(
    "text",
    [
        f"older-than={'9' * 400}d",
        f"older-than={'9' * 5000}s",
        "older-than=5300w",
        f"keep-last={'9' * 5000}",
        "keep-last=1000000000",
        "keep=a{99999999999999999999}",
        f"match={'(' * 5000}{')' * 5000}",
        "keep=(?P<a>x)(?P<a>y)",
    ],
    ids=range(8),
)
def test_what_is_too_much_is_told(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        check_patterns(parse_rules(text))
    assert len(raised.value.message) < 400


@given(
    st.builds(
        CleanupOptions,
        keep_last=st.none() | st.integers(0, 10**6),
        older_than=st.none() | SPANS,
        match=st.none() | PATTERNS,
        keep=st.lists(PATTERNS, max_size=3).map(tuple),
    )
)
def test_rules_are_read_as_they_are_written(options: CleanupOptions) -> None:
    words = [f"keep={pattern}" for pattern in options.keep]
    if options.keep_last is not None:
        words.append(f"keep-last={options.keep_last}")
    if options.older_than is not None:
        words.append(f"older-than={span_text(options.older_than)}")
    if options.match is not None:
        words.append(f"match={options.match}")
    assert parse_rules(shlex.join(words)) == options
