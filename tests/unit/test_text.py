"""Nothing that comes through the door for outside text can steer a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.secrets import MASK, Redactor, Secret
from dockpass.text import clean, clean_bytes, clean_lines, cut, mask_before_cutting, one_line, plural

HOSTILE = {
    "a title": "\x1b]0;owned\x07done",
    "the clipboard": "\x1b]52;c;aGk=\x1b\\done",
    "a cleared screen": "\x1b[2J\x1b[Hdone",
    "a link": "\x1b]8;;http://evil.example\x1b\\done\x1b]8;;\x1b\\",
    "a C1 sequence": "\x9b31mdone",
    "a C1 string": "\x9d0;owned\x9cdone",
    "a device string": "\x1bP1;2qabc\x1b\\done",
    "a reset": "\x1bcdone",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_sequence_is_dropped_and_the_text_around_it_stays(text: str) -> None:
    assert clean(text) == "done"


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200b", "\ud800", "\x00", "\x7f", "\x85", "\n"])
def test_a_character_that_cannot_be_seen_is_shown_as_replaced(character: str) -> None:
    assert clean(f"a{character}b") == "a\N{REPLACEMENT CHARACTER}b"


def test_an_unfinished_sequence_eats_its_own_line_only() -> None:
    assert clean_lines("one\n\x1b]0;never closed\ntwo\r\nthree\n") == ["one", "", "two", "three"]


def test_markup_is_left_alone_because_it_is_never_read_as_markup() -> None:
    assert clean("[@click=app.quit]x[/]") == "[@click=app.quit]x[/]"


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    assert clean_bytes(b"a\xff\x1b[31mb") == "a\N{REPLACEMENT CHARACTER}b"


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    assert clean("x" * 100_000, limit=10) == "x" * 9 + "…"
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"


def test_counts_are_said_in_words() -> None:
    assert [plural(0, "tag"), plural(1, "tag"), plural(5000, "entry", "entries")] == [
        "0 tags",
        "1 tag",
        "5,000 entries",
    ]


@given(st.text(st.characters(), max_size=200))
def test_what_was_cleaned_holds_no_control_and_stays_as_it_is(text: str) -> None:
    shown = clean(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cs"}]
    assert clean(shown) == shown


@given(st.text(st.characters() | st.sampled_from(" \r\n\t"), max_size=60))
def test_the_lines_of_a_text_become_one(text: str) -> None:
    shown = one_line(text)
    assert not {"\r", "\n"} & set(shown)
    assert "".join(shown.split()) == "".join(text.split())


def test_a_secret_over_the_end_of_a_line_is_masked_before_the_lines_are_joined() -> None:
    mask_before_cutting(Redactor([Secret("canary-0123456789")]))
    assert one_line("refused: canary-0123\r\n456789\r\n") == f"refused: {MASK}"
    assert "canary" not in one_line("x" * 100 + "\ncanary-0123456789", 112)
