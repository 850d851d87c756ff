"""When a build happens, as BuildKit has it: now, or the time of `SOURCE_DATE_EPOCH`.

docker buildx hands the variable on as a build argument of that name, unless there is one already; an empty
one counts as none (buildx `build.go`, BuildKit `frontend/dockerui` and `util/epoch`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dockpass.errors import UsageError
from dockpass.text import clean

EPOCH = "SOURCE_DATE_EPOCH"
EARLIEST = -62135596800  # the first second of the year 1
LATEST = 253402300799  # the end of the year 9999; RFC 3339 names nothing beyond either

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}")


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds since 1970; `is_fixed` where the person named them and not the clock."""

    seconds: int
    is_fixed: bool

    def __str__(self) -> str:
        """In the form of RFC 3339."""
        return (_BEGIN + timedelta(seconds=self.seconds)).strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)


def with_epoch(arguments: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the build arguments with the variable among them, as buildx hands them on."""
    named = {EPOCH: environ[EPOCH]} if environ.get(EPOCH) else {}
    return named | dict(arguments)


def moment_of(arguments: Mapping[str, str], clock: Callable[[], float]) -> Moment:
    """Return when the build happens; raises `UsageError` for an argument that is no such time."""
    text = arguments.get(EPOCH, "")
    if not text:
        return Moment(int(clock()), is_fixed=False)
    seconds = int(text) if _NUMBER.fullmatch(text) else None
    if seconds is None or not EARLIEST <= seconds <= LATEST:
        raise UsageError(
            "epoch-invalid",
            f"{EPOCH} is {clean(text, 40)}, not a number of seconds since 1970.",
            "Give a whole number, or unset it.",
        )
    return Moment(seconds, is_fixed=True)


def whole_seconds(found: float) -> int:
    """Return a file's time as a layer can hold it; archives from elsewhere say NaN and worse."""
    return math.floor(min(max(found, EARLIEST), LATEST)) if math.isfinite(found) else 0
