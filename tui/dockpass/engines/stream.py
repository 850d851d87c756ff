"""The engine's streams: one JSON object a line, bounded, cleaned, and turned into reports."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dockpass.colours import ColourReader
from dockpass.engines.base import Sink
from dockpass.references.reference import is_digest
from dockpass.text import clean, clean_bytes

LONGEST_LINE = 1 << 20
LONGEST_SHOWN = 16 << 10
MOST_LAYERS = 4096
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
_MOVING = frozenset({"pulling", "pushing"})
_STEADY = frozenset({"pulled", "pushed", "exists", "mounted", "waiting"})
_WITH_TOTAL = frozenset({"pulled", "pushed", "extracting"})
_UNTOLD = frozenset({"waiting", "extracting"})
_DIGEST = re.compile(r"\bdigest: (sha256:[0-9a-f]{64})\b", re.IGNORECASE)
_FROM = re.compile(r"step \d+/\d+ ?: from (?:--\S+ )*([^\s$]+)(?: as \S+)?$", re.IGNORECASE)
_BUILT = re.compile(r"Successfully built ([0-9a-f]{12,64})$")
_LIKE_AN_ERROR = re.compile(rb'\s*\{\s*"error(Detail)?"')


class StreamError(Exception):
    """The engine reports a failure inside a stream whose status was 200."""


def objects(chunks: Iterable[bytes], longest: int = LONGEST_LINE) -> Iterator[dict[str, Any]]:
    """Yield the stream's objects; a line that is none becomes `{"stream": line}`.

    Of a line with more than `longest` bytes only the beginning is kept. If it looks like an error it stays
    one, for a failure must never pass as a success.
    """
    for line, is_whole in _lines(chunks, longest):
        if not is_whole:
            begun = clean_bytes(line, is_cut=True) + "\n"
            yield {"error" if _LIKE_AN_ERROR.match(line) else "stream": begun}
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = {"stream": clean_bytes(line) + "\n"}
        yield found if isinstance(found, dict) else {"stream": f"{found}\n"}


def _lines(chunks: Iterable[bytes], longest: int) -> Iterator[tuple[bytes, bool]]:
    """Yield each line and whether it is whole; memory stays below twice the longest line."""
    rest = b""
    skipping = False
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        if whole and skipping:
            del whole[0]
            skipping = False
        for line in whole:
            if line.strip():
                yield line[:longest], len(line) <= longest
        if skipping:
            rest = b""
        elif len(rest) > longest:
            yield rest[:longest], False
            rest, skipping = b"", True
    if rest.strip() and not skipping:
        yield rest, True


class Reporter:
    """Passes events on to a sink: layers at most 20 times a second each, output line by line.

    `digest`, `image_id` and `base` (the base image that is being looked for) are what the engine said
    last; empty where it said nothing.
    """

    def __init__(self, sink: Sink, clock: Callable[[], float] = time.monotonic) -> None:
        self._sink = sink
        self._clock = clock
        self._layers: dict[str, _Layer] = {}
        self._partial = ""
        self._skipping = False
        self._colours = ColourReader()
        self.digest = ""
        self.image_id = ""
        self.base = ""

    def take(self, event: Mapping[str, Any]) -> None:
        """Report one event; raises `StreamError` if it is a failure."""
        self._sink.check()
        if event.get("error") or event.get("errorDetail"):
            self.finish()
            detail = event.get("errorDetail")
            words = detail.get("message") if isinstance(detail, dict) else None
            raise StreamError(clean(str(words or event.get("error") or detail), 600))
        self._aux(event.get("aux"))
        if isinstance(event.get("stream"), str):
            self._output(event["stream"])
        elif isinstance(event.get("status"), str):
            self._status(event)

    def layer(self, layer: str, state: str, current: int, total: int) -> None:
        """Report a layer's progress, unless the last report is too young; a fresh state goes at once."""
        if layer not in self._layers and len(self._layers) >= MOST_LAYERS:
            return
        before = self._layers.setdefault(layer, _Layer())
        is_fresh = state not in before.seen
        is_told = (is_fresh and state not in _UNTOLD) or (state == "retrying" != before.state)
        now = self._clock()
        if not is_fresh and (state in _STEADY or now - before.at < SECONDS_BETWEEN_REPORTS):
            return
        if state in _MOVING and total:
            before.total = total
        total = total or before.total
        if state in _WITH_TOTAL:
            current = total = before.total
        before.at, before.state = now, state
        before.seen.add(state)
        self._sink.layer(layer, state, min(current, total) if total else current, total)
        if is_told:
            self._sink.log(f"{layer}: {state}")

    def finish(self) -> None:
        """Report what came last without a line end."""
        if self._partial:
            self._output("\n")

    def _aux(self, aux: object) -> None:
        if not isinstance(aux, dict):
            return
        if is_digest(str(aux.get("Digest"))):
            self.digest = str(aux["Digest"])
        if is_digest(str(aux.get("ID"))):
            self.image_id = str(aux["ID"])

    def _output(self, text: str) -> None:
        *whole, partial = (self._partial + text).split("\n")
        if whole and self._skipping:
            del whole[0]
            self._skipping = False
        for line in whole:
            self._line(line)
        if "\r" in partial and (self._skipping or len(partial) > LONGEST_SHOWN):
            partial, self._skipping = partial.rpartition("\r")[2], False
        if len(partial) > LONGEST_SHOWN and not self._skipping:
            # Only its beginning is told: in pieces, a secret's two halves would be told one by one.
            self._line(partial, is_cut=True)
            self._skipping = True
        self._partial = "" if self._skipping else partial

    def _line(self, line: str, *, is_cut: bool = False) -> None:
        shown, colours = self._colours.line(line, is_cut=is_cut)
        if not shown.strip():
            return
        self._sink.output(shown, colours)
        if found := _FROM.match(shown):
            self.base = found[1]
        if not self.image_id and (found := _BUILT.match(shown)):
            self.image_id = found[1]

    def _status(self, event: Mapping[str, Any]) -> None:
        status, layer = clean(event["status"]), event.get("id")
        if found := _DIGEST.search(status):
            self.digest = found[1]
        state = _state(status)
        if not isinstance(layer, str) or not state:
            self._sink.log(f"{clean(layer)}: {status}" if isinstance(layer, str) else status)
            return
        detail = event.get("progressDetail")
        current, total = _numbers(detail if isinstance(detail, dict) else {})
        self.layer(clean(layer, 64), state, current, total)


@dataclass
class _Layer:
    """What was reported of a layer last."""

    at: float = 0.0
    state: str = ""
    total: int = 0
    seen: set[str] = field(default_factory=set)


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
