"""Messages as bytes, and what is no message."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.builders.session.trace import read_status
from dockpass.builders.session.wire import (
    WireError,
    all_bytes,
    decode,
    encode,
    number,
    raw_bytes,
    repeated,
    text,
)

NUMBERS = st.integers(min_value=-(1 << 63), max_value=(1 << 63) - 1)


@given(NUMBERS, st.binary(max_size=300), st.text(max_size=80).filter(lambda each: each.isprintable()))
def test_what_is_written_is_read_again(value: int, raw: bytes, words: str) -> None:
    fields = decode(encode((1, value), (2, raw), (300, words)))
    assert (number(fields, 1), raw_bytes(fields, 2), text(fields, 300)) == (value, raw, words)


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_repeated_values_keep_their_order_and_their_empty_ones(values: list[bytes]) -> None:
    assert all_bytes(decode(repeated(5, values)), 5) == values


def outcome(read: Callable[[bytes], object], raw: bytes) -> str | None:
    """What is read, or why it is no message; any other error is a fault."""
    try:
        found = read(raw)
    except WireError as error:
        return str(error)
    return None if found is None else repr(found)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_no_message(raw: bytes) -> None:
    for read in (decode, read_status):
        assert outcome(read, raw) not in {None, ""}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\x08", "without an end"),
        (b"\x08" + b"\xff" * 11, "too long"),
        (b"\x0a\x05abc", "longer than its message"),
        (b"\x0b", "unknown kind 3"),
        (b"\x09\x01\x02", "longer than its message"),
    ],
)
def test_what_is_no_message_is_said(raw: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        decode(raw)


def test_a_field_of_another_kind_is_no_value() -> None:
    fields = decode(encode((1, 5), (2, b"x")))
    for read, place in ((raw_bytes, 1), (number, 2), (all_bytes, 1)):
        with pytest.raises(WireError):
            read(fields, place)


def test_the_progress_is_read_into_the_objects_of_rawjson() -> None:
    began = encode((1, 1_700_000_000), (2, 500_000_000))
    vertex = encode((1, "sha256:a"), (3, "[1/2] RUN x"), (4, 1), (5, began), (7, "broken"))
    status = encode((1, "sha256:b"), (2, "sha256:a"), (3, "downloading"), (4, 3), (5, 9))
    log = encode((1, "sha256:a"), (3, 2), (4, b"said\n"))
    warning = encode((1, "sha256:a"), (3, b"beware"))
    found = read_status(encode((1, vertex), (2, status), (3, log), (4, warning)))
    assert found["vertexes"] == [
        {
            "digest": "sha256:a",
            "name": "[1/2] RUN x",
            "cached": True,
            "started": 1_700_000_000.5,
            "completed": None,
            "error": "broken",
        }
    ]
    assert found["statuses"][0]["current"] == 3
    assert found["logs"] == [{"vertex": "sha256:a", "stream": 2, "data": b"said\n"}]
    assert found["warnings"] == [{"short": b"beware"}]
