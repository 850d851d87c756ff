"""The engine's streams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notes import Notes

from dockpass.engines.stream import (
    LONGEST_LINE,
    LONGEST_SHOWN,
    MOST_LAYERS,
    Reporter,
    StreamError,
    objects,
)
from dockpass.errors import Cancelled
from dockpass.secrets import Redactor, Secret
from dockpass.text import clean, mask_before_cutting

DIGEST = "sha256:" + "a" * 64


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def reported(notes: Notes, *events: dict[str, Any]) -> Reporter:
    reporter = Reporter(notes, Clock())
    for event in events:
        reporter.take(event)
    reporter.finish()
    return reporter


def layer(status: str, current: int = 0, total: int = 0, name: str = "aa") -> dict[str, Any]:
    detail = {"current": current, "total": total} if total else {}
    return {"status": status, "progressDetail": detail, "id": name}


def test_objects_come_whole_however_the_bytes_are_cut() -> None:
    raw = b'{"a": 1}\r\n\n{"b": 2}\r\n{"c": 3}'
    for size in range(1, len(raw) + 1):
        chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
        assert list(objects(chunks)) == [{"a": 1}, {"b": 2}, {"c": 3}]


def test_what_is_not_json_becomes_output(notes: Notes) -> None:
    for event in objects([b"<html>\xff\n", b"[1]\n", b"7\n", b"[" * 100_000 + b"\n"]):
        reported(notes, event)
    assert notes.lines[:3] == ["<html>\ufffd", "[1]", "7"]
    assert all(line.isprintable() for line in notes.lines)


def test_a_line_of_50_mib_is_bounded_and_the_next_one_is_read() -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"stream": "'
        for _ in range(50):
            yield b"x" * (1 << 20)
        yield b'"}\n{"stream": "next"}\n'

    found = list(objects(chunks()))
    assert len(found) == 2
    assert len(found[0]["stream"]) < LONGEST_LINE
    assert found[1] == {"stream": "next"}


def test_an_error_stays_one_however_long_it_is(notes: Notes) -> None:
    raw = b'{"errorDetail": {"message": "' + b"x" * (LONGEST_LINE + 10) + b'"}}\n'
    [event] = objects([raw])
    with pytest.raises(StreamError):
        reported(notes, event)


@pytest.mark.parametrize(
    "event",
    [
        {"error": "denied"},
        {"errorDetail": {"message": "denied"}, "error": "denied"},
        {"errorDetail": {"message": "denied"}},
        {"errorDetail": "denied"},
        {"stream": "fine", "error": "denied"},
    ],
)
def test_an_error_in_a_stream_of_status_200_is_raised(notes: Notes, event: dict[str, Any]) -> None:
    with pytest.raises(StreamError, match="denied"):
        reported(notes, event)


def test_output_comes_line_by_line_and_clean(notes: Notes) -> None:
    reported(
        notes,
        {"stream": "Step 1/2 : FR"},
        {"stream": "OM scratch\n"},
        {"stream": "\n"},
        {"stream": "10%\r20%\r100%\n"},
        {"stream": "\x1b]0;title\x07red \x1b[31mtext\x1b[0m"},
    )
    assert notes.lines == ["Step 1/2 : FROM scratch", "100%", "red text"]


def test_output_without_a_line_end_is_told_in_pieces(notes: Notes) -> None:
    reporter = Reporter(notes)
    for _ in range(100):
        reporter.take({"stream": "x" * 1000})
    assert notes.lines
    assert all(len(line) <= 4096 for line in notes.lines)


def test_a_pushs_layers_go_from_waiting_to_pushed(notes: Notes) -> None:
    reported(
        notes,
        {"status": "The push refers to repository [h/team/base]"},
        layer("Preparing"),
        layer("Waiting"),
        layer("Pushing", 512, 1000),
        layer("Pushed"),
        layer("Layer already exists", name="bb"),
        layer("Mounted from team/other", name="cc"),
    )
    assert notes.layers == [
        ("aa", "waiting", 0, 0),
        ("aa", "pushing", 512, 1000),
        ("aa", "pushed", 1000, 1000),
        ("bb", "exists", 0, 0),
        ("cc", "mounted", 0, 0),
    ]


def test_a_pulls_layers_go_from_waiting_to_pulled(notes: Notes) -> None:
    reported(
        notes,
        {"status": "Pulling from team/base", "id": "1"},
        layer("Pulling fs layer"),
        layer("Downloading", 10, 1000),
        layer("Retrying in 3 seconds"),
        layer("Verifying Checksum"),
        layer("Download complete"),
        layer("Extracting", 900, 1000),
        layer("Pull complete"),
        {"status": f"Digest: {DIGEST}"},
    )
    states = [state for _, state, _, _ in notes.layers]
    assert states == ["waiting", "pulling", "retrying", "extracting", "pulled"]
    assert notes.layers[-1] == ("aa", "pulled", 1000, 1000)
    assert "1: Pulling from team/base" in notes.lines


def test_a_layer_reaches_the_sink_at_most_twenty_times_a_second(notes: Notes) -> None:
    clock = Clock()
    reporter = Reporter(notes, clock)
    for step in range(10_000):
        clock.now = step / 10_000  # ten thousand events within one second
        state = "Pushing" if step % 2 else "Retrying in 3 seconds"
        reporter.take(layer(state, step, 10_000))
        reporter.take(layer("Pushing", step, 10_000, "bb"))
    for name in ("aa", "bb"):
        assert len([each for each in notes.layers if each[0] == name]) <= 22


def test_layers_without_end_are_bounded(notes: Notes) -> None:
    reporter = Reporter(notes)
    for number in range(MOST_LAYERS + 100):
        reporter.take(layer("Pushing", 1, 2, str(number)))
    assert len(notes.layers) == MOST_LAYERS


@pytest.mark.parametrize(
    "event",
    [
        {"progressDetail": {}, "aux": {"Tag": "1", "Digest": DIGEST, "Size": 736}},
        {"status": f"1: digest: {DIGEST} size: 736"},
        {"status": f"Digest: {DIGEST}"},
    ],
)
def test_the_digest_comes_from_the_object_or_the_text(notes: Notes, event: dict[str, Any]) -> None:
    assert reported(notes, event).digest == DIGEST


@pytest.mark.parametrize("aux", [{"Digest": "sha256:../../x"}, {"ID": 7}, [], "x", None])
def test_a_digest_that_is_none_is_not_taken(notes: Notes, aux: object) -> None:
    reporter = reported(notes, {"aux": aux})
    assert (reporter.digest, reporter.image_id) == ("", "")


@pytest.mark.parametrize(
    ("line", "base"),
    [
        ("Step 1/3 : FROM h:1/team/base:2 AS first", "h:1/team/base:2"),
        ("STEP 1/2: FROM h/base", "h/base"),
        ("Step 1/3 : FROM --platform=linux/amd64 h/base", "h/base"),
        ("Step 1/3 : FROM $BASE", ""),
    ],
)
def test_the_base_image_that_is_looked_for_is_known(notes: Notes, line: str, base: str) -> None:
    assert reported(notes, {"stream": line + "\n"}).base == base


def test_a_cancel_is_seen_at_the_next_event(notes: Notes) -> None:
    notes.cancelled.set()
    with pytest.raises(Cancelled):
        reported(notes, {"stream": "x\n"})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
keys = st.sampled_from(["status", "stream", "id", "progressDetail", "aux", "current", "total", "Digest"])


@given(st.lists(st.dictionaries(keys, json_values)))
def test_no_event_makes_it_fail_and_all_texts_are_clean(events: list[dict[str, Any]]) -> None:
    notes = Notes()
    raw = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    reporter = Reporter(notes)
    for event in objects([raw]):
        reporter.take(event)
    reporter.finish()
    assert notes.lines == [clean(line) for line in notes.lines]
    assert [each[0] for each in notes.layers] == [clean(each[0]) for each in notes.layers]


SECRET = "Kq7f-engine-secret-Zw41"


@given(
    at=st.integers(-len(SECRET) - 1, 1),
    bound=st.sampled_from([300, 600, 4096, LONGEST_SHOWN, LONGEST_LINE]),
    chunk=st.sampled_from([1 << 10, LONGEST_SHOWN, LONGEST_SHOWN + 7, 1 << 20]),
    form=st.sampled_from(["text", "stream", "status", "error", "pieces"]),
)
def test_a_secret_at_a_limit_is_masked_before_the_cut(at: int, bound: int, chunk: int, form: str) -> None:
    """Wherever a text is cut, no more than a few letters of a secret are left."""
    text = "x" * (bound + at - 1) + " " + SECRET + " and more" * 20
    raw = json.dumps({"stream" if form == "pieces" else form: text}).encode() + b"\n"
    if form == "text":
        raw = text.encode() + b"\n"
    if form == "pieces":
        room = min(chunk, LONGEST_LINE // 2)  # a longer event is a line of its own
        parts = [text[start : start + room] for start in range(0, len(text), room)]
        raw = b"".join(json.dumps({"stream": part}).encode() + b"\n" for part in parts)
    notes = Notes()
    mask_before_cutting(Redactor([Secret(SECRET)]))
    try:
        reporter = Reporter(notes, Clock())
        for event in objects(raw[start : start + chunk] for start in range(0, len(raw), chunk)):
            reporter.take(event)
        reporter.finish()
    except StreamError as error:
        notes.lines.append(str(error))
    finally:
        mask_before_cutting(None)
    told = "\n".join(notes.lines)
    pieces = [SECRET[start : start + 9] for start in range(len(SECRET) - 8)]
    # What is short enough stands whole, and is masked where it is printed.
    assert not any(piece in told.replace(SECRET, "") for piece in pieces)


def test_what_overwrites_itself_without_a_line_end_is_told_to_its_end(notes: Notes) -> None:
    steps = [f"\r{number}% {'.' * 5000}" for number in range(101)]
    reported(notes, *({"stream": step} for step in steps), {"stream": "\rdone\nnext\n"})
    assert notes.lines[-2:] == ["done", "next"]
    assert len(notes.lines) == 2
