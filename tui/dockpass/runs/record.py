"""Writes what happens in a run to the log: one line an event, and none for output and progress.

The log redacts each line; what is on a feed was redacted before.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from itertools import count
from typing import Any

_log = logging.getLogger("dockpass.run")
_numbers = count(1)
_KEBAB = re.compile(r"(?<!^)(?=[A-Z])")
_BARE = re.compile(r"[\w.:/@+-]+")

OUTPUT = frozenset({"log", "layer", "step", "count", "skipped"})
PLANNED = frozenset({"tag-planned"})
"""Of these there may be thousands, and nothing happened yet: they are written at the level `debug` only."""
LEFT_OUT = frozenset({"at", "argv", "labels"})
"""The words of a program may hold a secret, and labels belong to the image."""

Record = Callable[[object], None]


def kind_of(event: object) -> str:
    """Return the kind of an event in kebab case: `phase-ended`."""
    return _KEBAB.sub("-", type(event).__name__).lower()


def recorder(name: str) -> Record:
    """Return what writes the events of one run; its lines begin with the process and the run's number."""
    run = f"{os.getpid()}.{next(_numbers)} {name}"

    def record(event: object) -> None:
        kind = kind_of(event)
        level = logging.DEBUG if kind in PLANNED else logging.INFO
        if kind not in OUTPUT and _log.isEnabledFor(level):
            _log.log(level, "%s", f"{run} {line_of(event)}")

    return record


def line_of(event: Any) -> str:
    """Return an event as a line: `12.345 s phase-ended phase=push status=done detail="…"`."""
    return " ".join([f"{event.at:.3f} s", kind_of(event), *_values(event)])


def _values(event: Any) -> Iterator[str]:
    for each in fields(event):
        value = getattr(event, each.name)
        if each.name not in LEFT_OUT and value not in ("", ()):
            shown = json.dumps(value, ensure_ascii=False) if isinstance(value, tuple) else str(value)
            yield f"{each.name}={shown if _BARE.fullmatch(shown) else json.dumps(shown, ensure_ascii=False)}"
