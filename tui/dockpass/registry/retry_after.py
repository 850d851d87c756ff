"""How long a registry that has had too many requests is waited for, and who is told of it meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dockpass.registry.clock import date_in, span_in_words
from dockpass.text import clean

if TYPE_CHECKING:
    from dockpass.registry.transport import Response, Stream

LONGEST_WAIT = 60.0
"""In seconds. A server that asks for more is not waited for: the person can come back then."""
MOST_WAITS = 2

_LONGEST_SPAN = 1e10
_HEADER = "Retry-After"

Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait that begins now: for `host`, so many seconds, the `number`th of at most two."""

    host: str
    seconds: float
    number: int

    @property
    def in_words(self) -> str:
        """Say who asks to wait, how long, and what comes then."""
        return (
            f"{self.host} has had too many requests (429): waiting {span_in_words(self.seconds)}, then asking"
            f" again ({self.number} of {MOST_WAITS})"
        )


_listener: ContextVar[Callable[[Wait], None]] = ContextVar("waiting", default=lambda _: None)


@contextmanager
def telling(tell: Callable[[Wait], None]) -> Iterator[None]:
    """Have `tell` called as soon as a wait begins, whoever of the work within waits."""
    before = _listener.set(tell)
    try:
        yield
    finally:
        _listener.reset(before)


async def patiently(ask: Callable[[], Awaitable[Response]], sleep: Sleep) -> Response:
    """Send a request that may be sent again; a 429 is waited for twice at most."""
    response = await ask()
    for number in range(1, MOST_WAITS + 1):
        pause = pause_after(response)
        if pause is None:
            break
        await wait(response, pause, number, sleep)
        response = await ask()
    return response


def pause_after(response: Response | Stream) -> float | None:
    """Return the seconds to wait before asking again; None where that is not called for or would not help."""
    if response.status != 429:
        return None
    asked = asked_to_wait(response.headers)
    return max(asked or 0.0, 1.0) if asked is None or asked <= LONGEST_WAIT else None


async def wait(response: Response | Stream, seconds: float, number: int, sleep: Sleep) -> None:
    """Wait, and tell that before."""
    _listener.get()(Wait(clean(urlsplit(response.url).netloc, 200), seconds, number))
    await sleep(seconds)


def asked_to_wait(
    headers: Mapping[str, str], now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> float | None:
    """Return for how many seconds a server asks to be left alone (RFC 9110: seconds or a date).

    None where it does not say, or says what nobody understands; never less than 0, nor an odd number.
    """
    header = headers.get(_HEADER, "").strip()
    if header.isdecimal():
        return min(float(header[:20]), _LONGEST_SPAN)
    date = date_in(header)
    return None if date is None else min(max((date - now()).total_seconds(), 0.0), _LONGEST_SPAN)
