"""BuildKit's progress as reports, however it is printed and cut into pieces."""

from __future__ import annotations

import base64
import itertools
import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from notes import Notes

from dockpass.builders.base import LONGEST_LINE
from dockpass.builders.rawjson import LARGEST_OBJECT, Progress
from dockpass.text import clean

BASE = "127.0.0.1:5000/team/base:1"


def vertex(digest: str, name: str, **more: Any) -> dict[str, Any]:
    return {"vertexes": [{"digest": f"sha256:{digest}", "name": name, **more}]}


def log(digest: str, data: bytes, stream: int = 1) -> dict[str, Any]:
    return {
        "logs": [{"vertex": f"sha256:{digest}", "stream": stream, "data": base64.b64encode(data).decode()}]
    }


STARTED, ENDED = "2026-11-27T13:15:37.481818319Z", "2026-11-27T13:15:38.731818319Z"
OBJECTS = [
    vertex("a", "[internal] load build definition from Dockerfile"),
    vertex("a", "[internal] load build definition from Dockerfile", started=STARTED, completed=ENDED),
    vertex("a", "[internal] load build definition from Dockerfile", started=STARTED),
    vertex("a", "[internal] load build definition from Dockerfile", started=STARTED, completed=ENDED),
    {
        "vertexes": [
            {"digest": "sha256:c", "name": "[2/2] RUN make"},
            {"digest": "sha256:b", "name": "[1/2] COPY a /"},
        ]
    },
    vertex("b", "[1/2] COPY a /", started=STARTED, completed=STARTED, cached=True),
    vertex("c", "[2/2] RUN make", started=STARTED),
    log("c", b"hello\nwor"),
    log("c", "ld é\r\n10%\r20%\n\x1b[31mred\x1b[0m".encode()),
    log("c", b"to stderr\n", 2),
    {
        "statuses": [
            {"id": f"sha256:{'d' * 64}", "vertex": "sha256:b", "name": "", "current": 5, "total": 10},
            {"id": "transferring context:", "vertex": "sha256:a", "name": "transferring", "current": 5},
        ]
    },
    {"warnings": [{"vertex": "sha256:a", "short": base64.b64encode(b"FROM is odd").decode()}]},
    vertex("c", "[2/2] RUN make", started=STARTED, completed=ENDED),
]
WANTED_STEPS = [
    ("1", "[internal] load build definition from Dockerfile", "done", 1.25),
    ("2", "[1/2] COPY a /", "cached", 0.0),
    ("3", "[2/2] RUN make", "running", 0.0),
    ("3", "[2/2] RUN make", "done", 1.25),
]
WANTED_LINES = [
    "#3 hello",
    "#3 world é",
    "#3 20%",
    "#3 to stderr",
    "warning: FROM is odd",
    "#3 red",
]


def told(chunks: list[bytes]) -> tuple[Progress, Notes]:
    notes = Notes()
    progress = Progress(notes, clock=lambda: 0.0)
    for chunk in chunks:
        progress.take(chunk)
    progress.finish()
    return progress, notes


def printed(objects: list[dict[str, Any]], *, pretty: bool) -> bytes:
    return "".join(f"{json.dumps(each, indent=2 if pretty else None)}\n" for each in objects).encode()


@given(st.booleans(), st.lists(st.integers(0, 3000), max_size=6))
def test_both_ways_of_printing_give_the_same_in_whatever_pieces(pretty: bool, cuts: list[int]) -> None:
    raw = printed(OBJECTS, pretty=pretty)
    places = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    _, notes = told([raw[begin:end] for begin, end in itertools.pairwise(places)])
    assert notes.steps == WANTED_STEPS
    assert notes.lines == WANTED_LINES
    assert notes.colours == {"#3 red": ((3, 6, "red"),)}
    assert notes.layers == [("d" * 12, "pulling", 5, 10)]


def test_the_error_is_the_last_error_line_and_the_base_image_that_of_the_failed_step() -> None:
    name = f"[internal] load metadata for {BASE}"
    objects = [
        vertex("b", "[1/2] RUN make", started=STARTED, completed=ENDED, error="context canceled"),
        vertex("a", name, started=STARTED, completed=ENDED, error="401 Unauthorized"),
    ]
    progress, notes = told(
        [printed(objects, pretty=True), b"------\n > x:\n------\nERROR: failed to solve: it is so\n"]
    )
    assert (progress.failure, progress.base, progress.is_frontend) == ("it is so", BASE, False)
    assert [step[2] for step in notes.steps] == ["cancelled", "failed"]
    assert "ERROR" not in "".join(notes.lines)


def test_an_error_without_a_line_of_its_own_is_that_of_the_step() -> None:
    name = "resolve image config for docker-image://docker.io/docker/dockerfile:1"
    progress, _ = told(
        [printed([vertex("a", name, started=STARTED, error="no route to host")], pretty=False)]
    )
    assert (progress.failure, progress.base) == ("no route to host", "docker.io/docker/dockerfile:1")
    assert progress.is_frontend


def test_the_hosts_that_got_a_login_are_known() -> None:
    names = ["[auth] team/base:pull token for 127.0.0.1:5000", "[auth] sharing credentials for other.example"]
    objects = [vertex(name[-3:], name, started=STARTED, completed=ENDED) for name in names]
    progress, _ = told([printed(objects, pretty=True)])
    assert progress.given_logins == {"127.0.0.1:5000", "other.example"}


def test_words_behind_an_error_do_not_hide_it() -> None:
    progress, _ = told([b"ERROR: Cache export is not supported for the docker driver.\nSwitch to another.\n"])
    assert progress.failure == "Cache export is not supported for the docker driver."


def test_no_error_at_all_is_the_last_words() -> None:
    assert told([b"docker: unknown command\n"])[0].failure == "docker: unknown command"
    assert told([b""])[0].failure == ""


@given(st.binary(max_size=400), st.integers(0, 400))
def test_any_bytes_are_told_without_a_fault(raw: bytes, at: int) -> None:
    _, notes = told([raw[:at], raw[at:]])
    assert all("\n" not in line and "\x1b" not in line for line in notes.lines)


NASTY = "\x1b[31mred\x1b]0;title\x07\r\n\u202e"
WORDS = st.sampled_from(["x" * 5000, NASTY, f"[1/2] RUN {NASTY}", "extracting", "pushing", "a"])
DATA = (st.binary(max_size=20) | WORDS.map(str.encode)).map(lambda raw: base64.b64encode(raw).decode())
LIKELY = st.fixed_dictionaries(
    {
        "digest": st.sampled_from(["a", "b"]),
        "vertex": st.sampled_from(["a", "b"]),
        "name": WORDS,
        "started": st.sampled_from([STARTED, ENDED, "never"]),
        "id": st.sampled_from([f"sha256:{'d' * 64}", f"extracting sha256:{'e' * 64}", NASTY]),
        "current": st.integers(-5, 20),
        "total": st.integers(-5, 20),
        "stream": st.integers(0, 2),
        "data": DATA,
        "short": DATA,
    },
    optional={
        "completed": st.sampled_from([STARTED, ENDED, "never"]),
        "cached": st.booleans(),
        "error": WORDS,
    },
)
"""What BuildKit sends, with what nobody should see."""
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["digest", "name", "started", "error", "data", "vertex", "stream", "current", "id", "short"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def check_told(notes: Notes) -> None:
    """Only known states come, with numbers that make sense and texts that are clean and bounded."""
    for number, name, state, seconds in notes.steps:
        assert int(number) >= 1
        assert state in {"running", "done", "cached", "failed", "cancelled"}
        assert 0 < len(name) <= 400
        assert seconds >= 0
    for name, state, current, total in notes.layers:
        assert re.fullmatch("[0-9a-f]{12}", name)
        assert state in {"pulling", "pulled", "pushing", "pushed", "extracting"}
        assert 0 <= current <= (total or current)
    texts = [*notes.lines, *(step[1] for step in notes.steps)]
    assert [clean(text, 4096 + len("#4096 ")) for text in texts] == texts


@given(
    st.dictionaries(
        st.sampled_from(["vertexes", "logs", "statuses", "warnings"]), st.lists(LIKELY | ANY, max_size=4)
    )
)
def test_any_object_tells_only_what_is_known_clean_and_bounded(found: dict[str, Any]) -> None:
    progress, notes = told([json.dumps(found).encode() + b"\n"])
    check_told(notes)
    assert progress.words == [], "an object is no line of words"
    assert clean(progress.failure) == progress.failure


def test_of_an_endless_line_of_a_step_no_second_part_is_told() -> None:
    notes = Notes()
    progress = Progress(notes)
    progress.take_status(vertex("a", "[1/1] RUN make", started=STARTED))
    for piece in (b"x" * LONGEST_LINE, b"two halves", b" of a secret", b"\nnext\nlast"):
        progress.take_status(log("a", piece))
    progress.take_status(vertex("a", "[1/1] RUN make", started=STARTED, completed=ENDED))
    assert [line[:7] for line in notes.lines] == ["#1 xxxx", "#1 next", "#1 last"]


def test_memory_is_bounded_whatever_has_no_end() -> None:
    notes = Notes()
    progress = Progress(notes)
    for _ in range(3 * LARGEST_OBJECT // 65536):
        progress.take(b"x" * 65536)
    progress.take(b"\n")
    progress.take(b"{\n" + b'"a": 1,\n' * (LARGEST_OBJECT // 8) + b"}\n")
    progress.take(printed(OBJECTS[:2], pretty=True))
    progress.finish()
    assert notes.steps == WANTED_STEPS[:1]
