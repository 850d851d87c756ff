"""The colours of output: kept for the eye, while the text stays what `clean` makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.colours import HUES, MANNERS, ColourReader, parts
from dockpass.runs.events import Log, LogKind
from dockpass.runs.feed import Feed
from dockpass.secrets import Redactor, Secret
from dockpass.text import clean, mask_before_cutting
from dockpass.ui.text import content
from dockpass.ui.views.run import RunState
from dockpass.ui.views.words import wrapped


def read(*lines: str) -> list[list[tuple[str, str]]]:
    reader = ColourReader()
    return [[part for part in parts(*reader.line(line)) if part[0]] for line in lines]


@pytest.mark.parametrize(
    ("raw", "look"),
    [
        ("31", "red"),
        ("1;31", "bold red"),
        ("01;38;5;196", "bold red"),
        ("38;2;20;200;30", "green"),
        ("38:2::20:200:30", "green"),
        ("38:2:20:200:30", "green"),
        ("38;5;4", "blue"),
        ("38;5;250", ""),
        ("38;5;240", "grey"),
        ("38;5;999", ""),
        ("90", "grey"),
        ("95", "magenta"),
        ("4:3;58;5;1", "underline"),
        ("4:3;4:0", ""),
        ("30;42", "reverse green"),
        ("7;42", "green"),
        ("30;47", ""),
        ("5;8", ""),
        ("31;39", ""),
        ("1;22;3", "italic"),
        ("31;", ""),
        ("38", ""),
        ("38;5", ""),
        ("38;2;1", ""),
        ("99999999999;31", "red"),
    ],
)
def test_a_look_is_what_a_terminal_would_show(raw: str, look: str) -> None:
    assert read(f"\x1b[{raw}mtext") == [[("text", look)]]
    assert read(f"\x9b{raw}mtext") == [[("text", look)]]


def test_a_look_lasts_until_it_is_ended() -> None:
    assert read("a\x1b[32mb", "c", "\x1b[31mold\r\x1b[Kd\x1b[me") == [
        [("a", ""), ("b", "green")],
        [("c", "green")],
        [("d", "red"), ("e", "")],
    ]


PIECES = (
    "\x1b[31m",
    "\x1b[0m",
    "\x1b[2K",
    "\x1b]0;",
    "\x07",
    "\x1b\\",
    "\x9b1m",
    "\x1b",
    "[3",
    "\t",
    "ab",
    "\u202e",
    "é",
)


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), max_size=4))
def test_the_text_is_what_clean_makes_of_it_and_looks_are_known_words(lines: list[str]) -> None:
    reader = ColourReader()
    for line in lines:
        text, colours = reader.line(line, 20)
        assert text == clean(line, 20)
        assert "".join(part for part, _ in parts(text, colours)) == text
        assert all(word in (*HUES, *MANNERS) for _, look in parts(text, colours) for word in look.split())
        assert all(0 <= start < end for start, end, _ in colours)


def test_a_secret_whose_parts_have_colours_is_masked_in_the_feed_and_where_it_is_drawn() -> None:
    secret = "canary-red-and-green"
    redact = Redactor()
    text, colours = ColourReader().line("got \x1b[31mcanary-red\x1b[32m-and-green\x1b[0m")
    assert colours
    feed = Feed(redact)
    feed.put(Log(0.0, LogKind.ENGINE, text, colours))  # before the secret is known
    redact.learn(Secret(secret))
    feed.put(Log(0.0, LogKind.ENGINE, text, colours))
    early, late = feed.since(0).events
    assert isinstance(late, Log)
    assert (secret in late.text, late.colours) == (False, ())
    mask_before_cutting(redact)
    try:
        lines = RunState().fold([early, late])
        drawn = [
            content(line).plain for line in (*lines, *(row for line in lines for row in wrapped(line, 18)))
        ]
    finally:
        mask_before_cutting(None)
    assert not [line for line in drawn if "canary" in line or "green" in line]
