"""The engine's streams: one JSON object a line, bounded, cleaned, and turned into reports."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dockpass.engines.base import Sink
from dockpass.text import clean, clean_lines

LONGEST_LINE = 1 << 20
SECONDS_BETWEEN_REPORTS = 0.05

_STATES = {
    "preparing": "waiting",
    "waiting": "waiting",
    "pulling fs layer": "waiting",
    "downloading": "pulling",
    "verifying checksum": "extracting",
    "download complete": "extracting",
    "extracting": "extracting",
    "pull complete": "pulled",
    "pushing": "pushing",
    "pushed": "pushed",
    "layer already exists": "exists",
    "already exists": "exists",
}
_FINAL = frozenset({"pulled", "pushed", "exists", "mounted", "waiting"})
_DIGEST = re.compile(r"digest: (sha256:[0-9a-f]{64})", re.IGNORECASE)


class StreamError(Exception):
    """The engine reports a failure inside a stream whose status was 200."""


def objects(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the stream's objects; a line that is none becomes `{"stream": line}`."""
    for line in _lines(chunks):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = {"stream": line.decode("utf-8", "replace")}
        yield found if isinstance(found, dict) else {"stream": str(found)}


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line.strip())
        if len(rest) > LONGEST_LINE:  # what is longer is no event of an engine
            yield rest[:LONGEST_LINE]
            rest = b""
    if rest.strip():
        yield rest


class Reporter:
    """Passes events on to a sink: layers at most 20 times a second each, output line by line."""

    def __init__(self, sink: Sink, clock: Callable[[], float] = time.monotonic) -> None:
        self._sink = sink
        self._clock = clock
        self._reported: dict[str, tuple[float, str]] = {}
        self._totals: dict[str, int] = {}
        self._partial = ""
        self.digest = ""
        self.image_id = ""

    def take(self, event: dict[str, Any]) -> None:
        """Report one event; raises `StreamError` if it is a failure."""
        self._sink.check()
        if "error" in event or "errorDetail" in event:
            detail = event.get("errorDetail")
            words = detail.get("message") if isinstance(detail, dict) else None
            raise StreamError(clean(str(words or event.get("error") or ""), 600))
        self._aux(event.get("aux"))
        if isinstance(event.get("stream"), str):
            self._output(event["stream"])
        elif isinstance(event.get("status"), str):
            self._status(event)

    def finish(self) -> None:
        """Report what came last without a line end."""
        if self._partial:
            self._output("\n")

    def _aux(self, aux: object) -> None:
        if isinstance(aux, dict):
            self.digest = str(aux.get("Digest") or self.digest)
            self.image_id = str(aux.get("ID") or self.image_id)

    def _output(self, text: str) -> None:
        *whole, self._partial = (self._partial + text).split("\n")
        for line in whole:
            for shown in clean_lines(line.rstrip("\r").rpartition("\r")[2]) or [""]:
                if shown.strip():
                    self._sink.log(shown)
        if len(self._partial) > LONGEST_LINE:
            self._partial = ""

    def _status(self, event: dict[str, Any]) -> None:
        status, layer = clean(event["status"]), event.get("id")
        if found := _DIGEST.search(status):
            self.digest = self.digest or found[1]
        state = _state(status)
        if not isinstance(layer, str) or not state:
            self._sink.log(f"{clean(layer)}: {status}" if isinstance(layer, str) else status)
            return
        detail = event.get("progressDetail")
        current, total = _numbers(detail if isinstance(detail, dict) else {})
        self._layer(clean(layer, 64), state, current, total)

    def _layer(self, layer: str, state: str, current: int, total: int) -> None:
        now = self._clock()
        at, before = self._reported.get(layer, (-1.0, ""))
        if state == before and (state in _FINAL or now - at < SECONDS_BETWEEN_REPORTS):
            return
        self._reported[layer] = (now, state)
        if state in {"pulling", "pushing"} and total:
            self._totals[layer] = total
        known = self._totals.get(layer, 0)
        if state in {"pulled", "pushed", "extracting"}:
            current = total = known
        self._sink.layer(layer, state, current, total or known)
        if state != before and state not in {"waiting", "extracting"}:
            self._sink.log(f"{layer}: {state}")


def _state(status: str) -> str:
    lowered = status.lower()
    if lowered.startswith("mounted from"):
        return "mounted"
    if lowered.startswith("retrying"):
        return "retrying"
    return _STATES.get(lowered, "")


def _numbers(detail: dict[str, Any]) -> tuple[int, int]:
    current, total = detail.get("current"), detail.get("total")
    return (
        current if isinstance(current, int) and current > 0 else 0,
        total if isinstance(total, int) and total > 0 else 0,
    )
