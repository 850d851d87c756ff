"""A paste comes as one text, whatever is in it and however it is cut; what is typed goes Textual's way."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key, Paste
from textual.message import Message

from dockpass.ui import pasting
from dockpass.ui.driver import TerminalDriver
from dockpass.ui.pasting import END, SECONDS_WITHOUT_END, START, WholePastes


def told(messages: Iterable[Message]) -> list[str]:
    return [
        each.text if isinstance(each, Paste) else each.key
        for each in messages
        if isinstance(each, Key | Paste)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "A=b",
        "\x1b[0Ksection_start:1:x\r\x1b[0K\x1b[36;1mrun\x1b[0;m\r\nexport A=b\n",
        "\x1b",
        "\x1b[A\x1b[B\r",
        "\x1b]0;title\x07q",
        "\x1b[20",
        START,
        "",
        "Größe\u2028",
    ],
)
@pytest.mark.parametrize("size", [4, 5, 6, 7, 4096])
def test_a_paste_is_one_text_and_presses_no_key(text: str, size: int) -> None:
    parser = WholePastes()
    sent = f"x{START}{text}{END}y"
    found = [each for at in range(0, len(sent), size) for each in told(parser.feed(sent[at : at + size]))]
    assert found == ["x", text, "y"]


@given(st.text("\x1b[]20~1mA\n;", max_size=30), st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_however_it_is_cut(text: str, sizes: list[int]) -> None:
    parser, rest, found = WholePastes(), f"{text}{END}", told(WholePastes().feed(""))
    found += told(parser.feed(START))
    for number in range(len(rest)):
        size = sizes[number % len(sizes)]
        found += told(parser.feed(rest[:size]))
        rest = rest[size:]
    before, _, after = text.partition(END)
    assert found[:1] == [before]
    assert bool(found[1:]) <= bool(after or END in text)


@pytest.mark.parametrize("typed", ["q", "\r", "\x1b[A", "\x1bOP", "ctrl"])
def test_what_is_typed_is_what_it_was(typed: str) -> None:
    from textual._xterm_parser import XTermParser

    assert told(WholePastes().feed(typed)) == told(XTermParser().feed(typed)) != []


def test_the_escape_key_and_a_key_that_begins_like_a_paste() -> None:
    parser = WholePastes()
    assert told(parser.feed("\x1b[2")) == []
    assert told(parser.feed("~")) == ["insert"]


def test_a_paste_that_never_ends_is_over_when_nothing_more_comes() -> None:
    now = 0.0
    parser = WholePastes(now=lambda: now)
    assert told(parser.feed(f"{START}A=b")) == []
    now = SECONDS_WITHOUT_END
    assert told(parser.tick()) == []
    now += 0.1
    assert told(parser.tick()) == ["A=b"]
    assert told(parser.feed("q")) == ["q"]


def test_a_paste_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pasting, "MOST_CHARACTERS", 5)
    parser = WholePastes()
    assert told(parser.feed(START + "abc")) + told(parser.feed("def")) + told(parser.feed("ghi" + END)) == [
        "abcde"
    ]
    assert told(parser.feed(f"{START}next{END}")) == ["next"]


class Recorded(TerminalDriver):
    """The reading half of the driver, from a pipe."""

    def __init__(self, fileno: int) -> None:
        self.fileno, self._debug, self.exit_event = fileno, False, threading.Event()
        self.heard: list[Message] = []

    def process_message(self, message: Message) -> None:
        self.heard.append(message)
        if isinstance(message, Key) and message.key == "q":
            self.exit_event.set()


def test_bytes_that_are_no_text_end_no_reading() -> None:
    read, write = os.pipe()
    os.write(write, b"\xff" + f"{START}\x1b[31mGr".encode() + b"\xf6\xdfe" + f"\x1b[0m{END}q".encode())
    driver = Recorded(read)
    driver.run_input_thread()
    os.close(write)
    os.close(read)
    assert told(driver.heard)[-2:] == ["\x1b[31mGr\ufffd\ufffde\x1b[0m", "q"]
