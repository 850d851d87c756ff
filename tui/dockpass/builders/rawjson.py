"""BuildKit's progress, as `--progress=rawjson` prints it, turned into reports.

The objects are BuildKit's `SolveStatus`: vertexes (steps), statuses (their progress), logs and warnings. Some
releases print one a line, others over several; words stand between them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dockpass.builders.base import LONGEST_LINE, MOST_WORDS, BuildSink
from dockpass.colours import ColourReader, moved
from dockpass.text import Lines, clean, clean_bytes

LARGEST_OBJECT = 4 << 20
MOST_STEPS = 4096
SECONDS_BETWEEN_REPORTS = 0.05

_METADATA = re.compile(r"\[(?:(?:\S+ )?internal|context [^\]]+)\] load metadata for (\S+)$")
_AUTH = re.compile(r"\[auth\] (?:\S+ token for|sharing credentials for) (\S+)$")
_FRONTEND = re.compile(r"resolve image config for (?:docker-image://)?(\S+)$")
_LAYER = re.compile(r"sha256:([0-9a-f]{12})[0-9a-f]*$")
_ERROR = re.compile(r"ERROR: (?:failed to solve: )?(.+)$", re.DOTALL)
_STATES = {
    "extract": "extracting",
    "extracting": "extracting",
    "pushing": "pushing",
    "downloading": "pulling",
}


class Stream:
    """Splits a stream into objects and lines of words; memory stays bounded."""

    def __init__(self) -> None:
        self._rest = b""
        self._object: list[bytes] = []
        self._size = 0
        self._skipping = False

    def take(self, chunk: bytes) -> Iterator[dict[str, Any] | str]:
        """Yield what is whole by now: an object, or a clean line."""
        *lines, rest = (self._rest + chunk).split(b"\n")
        if lines and self._skipping:
            del lines[0]
            self._skipping = False
        self._rest = b"" if self._skipping else rest
        for line in lines:
            yield from self._line(line)
        if len(self._rest) > LARGEST_OBJECT:
            yield from self._words(self._rest[:LONGEST_LINE])
            self._rest, self._skipping = b"", True

    def finish(self) -> Iterator[dict[str, Any] | str]:
        """Yield what came last without a line end; a part of an object is told as words."""
        rest, self._rest = self._rest, b""
        if rest:
            yield from self._line(rest)
        begun, self._object = self._object, []
        for line in begun:
            yield from self._words(line)

    def _line(self, line: bytes) -> Iterator[dict[str, Any] | str]:
        if self._object:
            self._object.append(line)
            self._size += len(line)
            if line == b"}":
                whole, self._object = self._object, []
                found = _object(b"\n".join(whole))
                if found is not None:
                    yield found
                else:
                    yield from (words for each in whole for words in self._words(each))
            elif self._size > LARGEST_OBJECT:
                self._object = []
        elif line.startswith(b"{"):
            if (found := _object(line)) is not None:
                yield found
            else:
                self._object, self._size = [line], len(line)
        else:
            yield from self._words(line)

    @staticmethod
    def _words(line: bytes) -> Iterator[str]:
        if shown := clean_bytes(line.rstrip(b"\r")).rstrip():
            yield shown


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


@dataclass
class _Step:
    """What was told of a step last. `began` is when its present run began, in seconds of BuildKit's clock."""

    name: str
    number: int = 0
    """In the order in which steps begin; 0 for one that has not."""
    state: str = ""
    began: float | None = None
    streams: dict[int, Lines] = field(default_factory=dict)
    colours: dict[int, ColourReader] = field(default_factory=dict)


class Progress:
    """Passes the stream on to a sink.

    `words` are the lines that are no objects, at the end the error. `error` is that of the first step that
    failed, `base` the image whose manifest it wanted; both are empty where there is none. `is_frontend`
    tells that this image is the one of a `# syntax=` line. `given_logins` are the hosts that got a login or
    a token.
    """

    def __init__(self, sink: BuildSink, clock: Callable[[], float] = time.monotonic) -> None:
        self._sink = sink
        self._clock = clock
        self._stream = Stream()
        self._steps: dict[str, _Step] = {}
        self._told: dict[str, tuple[float, str]] = {}
        self._begun = 0
        self.words: list[str] = []
        self.error = ""
        self.base = ""
        self.is_frontend = False
        self.given_logins: set[str] = set()

    def take(self, chunk: bytes) -> None:
        """Take a piece of the stream."""
        self._report(self._stream.take(chunk))

    def take_status(self, found: Mapping[str, Any]) -> None:
        """Take a `SolveStatus`, for which moments may be seconds too, and data bytes."""
        for vertex in _list(found, "vertexes"):
            self._vertex(vertex)
        for log in _list(found, "logs"):
            self._log(log)
        for status in _list(found, "statuses"):
            self._status(status)
        for warning in _list(found, "warnings"):
            self._warning(warning)

    def finish(self) -> None:
        """Take what is left at the end."""
        self._report(self._stream.finish())
        for step in self._steps.values():
            self._flush(step)

    @property
    def failure(self) -> str:
        """The error in BuildKit's words: the last `ERROR` line, else a step's error, else the last words."""
        for line in reversed(self.words):
            if found := _ERROR.match(line):
                return found[1]
        return self.error or (self.words[-1] if self.words else "")

    def _report(self, found: Iterator[dict[str, Any] | str]) -> None:
        for each in found:
            if isinstance(each, str):
                self.words.append(each)
                del self.words[:-MOST_WORDS]
                if not each.startswith("ERROR"):  # the run's own end says it
                    self._sink.log(each)
                continue
            self.take_status(each)

    def _step(self, digest: object, name: object = "") -> _Step | None:
        key = clean(str(digest), 100)
        step = self._steps.get(key)
        if step is None and len(self._steps) < MOST_STEPS and isinstance(name, str) and name:
            step = self._steps[key] = _Step(clean(name, 400))
        return step

    def _vertex(self, vertex: Mapping[str, Any]) -> None:
        step = self._step(vertex.get("digest"), vertex.get("name"))
        if step is None:
            return
        began, ended = _moment(vertex.get("started")), _moment(vertex.get("completed"))
        error = vertex.get("error")
        if began is not None:
            step.began = began
        if isinstance(error, str) and error:
            state = "cancelled" if error.endswith("context canceled") or error == "CANCELED" else "failed"
            if state == "failed" and not self.error:
                self.error = clean(error, 2000)
                frontend = _FRONTEND.match(step.name)
                wanted = frontend or _METADATA.match(step.name)
                self.base, self.is_frontend = wanted[1] if wanted else "", frontend is not None
        elif vertex.get("cached"):
            state = "cached"
        elif ended is not None:
            state = "done"
        else:
            state = "running" if began is not None else ""
        if not state or state == step.state or step.state in {"failed", "cached"}:
            return
        if state == "running" and step.state == "done":
            return  # BuildKit does some of its own steps in several goes
        if state != "running":
            self._flush(step)
        self._begin(step)
        step.state = state
        if found := _AUTH.match(step.name):
            self.given_logins.add(found[1])
        spent = max((ended or 0.0) - step.began, 0.0) if ended is not None and step.began is not None else 0.0
        self._sink.step(str(step.number), step.name, state, spent)

    def _begin(self, step: _Step) -> None:
        if not step.number:
            self._begun += 1
            step.number = self._begun

    def _log(self, log: Mapping[str, Any]) -> None:
        step = self._step(log.get("vertex"))
        raw = _bytes(log.get("data"))
        if step is None or not raw:
            return
        self._begin(step)
        number = log.get("stream")
        stream = number if isinstance(number, int) else 1
        lines = step.streams.setdefault(stream, Lines(LONGEST_LINE))
        self._lines(step, stream, lines.take(raw))

    def _flush(self, step: _Step) -> None:
        for stream, lines in step.streams.items():
            self._lines(step, stream, lines.finish())

    def _lines(self, step: _Step, stream: int, lines: Iterator[tuple[bytes, bool]]) -> None:
        head, reader = f"#{step.number} ", step.colours.setdefault(stream, ColourReader())
        for line, is_cut in lines:
            shown, colours = reader.line(line.decode("utf-8", "replace"), is_cut=is_cut)
            if shown.strip():
                self._sink.output(head + shown, moved(colours, len(head)))

    def _status(self, status: Mapping[str, Any]) -> None:
        found = _LAYER.search(clean(str(status.get("id")), 200))
        words = clean(str(status.get("name") or status.get("id")), 40).split(" ")[0].lower()
        state = _STATES.get(words, "pulling")
        if found is None or words in {"transferring", "exporting", "writing", "naming", "resolve"}:
            return
        current, total = _count(status.get("current")), _count(status.get("total"))
        if status.get("completed"):
            state = "pushed" if state == "pushing" else "pulled"
        name, now = found[1], self._clock()
        before, told = self._told.get(name, (0.0, ""))
        if told == state and now - before < SECONDS_BETWEEN_REPORTS:
            return
        if name in self._told or len(self._told) < MOST_STEPS:
            self._told[name] = (now, state)
            self._sink.layer(name, state, min(current, total) if total else current, total)

    def _warning(self, warning: Mapping[str, Any]) -> None:
        if short := _bytes(warning.get("short")):
            self._sink.log(f"warning: {clean_bytes(short, 400)}")


def _list(found: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    listed = found.get(name)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _bytes(text: object) -> bytes:
    if isinstance(text, bytes):
        return text
    try:
        return base64.b64decode(text) if isinstance(text, str) else b""
    except (ValueError, binascii.Error):
        return b""


def _moment(text: object) -> float | None:
    if not isinstance(text, str):
        return text if isinstance(text, float) else None
    try:
        # BuildKit tells nanoseconds, of which Python reads six digits.
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text).replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
