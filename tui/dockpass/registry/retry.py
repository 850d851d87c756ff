"""The one policy for sending a request again: after a 429, after a server error, after a broken connection.

A host that answers 429 is left alone by every request of this process, not only by the one that was answered.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from dockpass.errors import DockpassError
from dockpass.registry.clock import date_in
from dockpass.text import clean
from dockpass.units import about

LONGEST_WAIT = 60.0
"""In seconds. If a server asks for more, the request fails and the message says how long to wait."""
MOST_WAITS = 2
"""How often one request is sent again after a 429."""
MOST_TRIES = 5
"""How often an idempotent request is sent if the server fails or the connection breaks."""
SERVER_ERRORS = frozenset({500, 502, 503, 504})
_MAY_PASS = frozenset({"connection-refused", "timeout", "registry-unreadable", "registry-failed"})

_LONGEST_SPAN = 1e10
_HEADER = "Retry-After"

Sleep = Callable[[float], Awaitable[object]]


async def _sleep(seconds: float) -> None:
    import asyncio  # who only reads what an answer says has no loop, and need not load one

    await asyncio.sleep(seconds)


class Reply(Protocol):
    """What is read of an answer here."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, their names in any case."""
        ...

    @property
    def url(self) -> str:
        """The address that answered."""
        ...


AnyReply = TypeVar("AnyReply", bound=Reply)


class Retry(Enum):
    """What a request does about 429."""

    NEVER = "never"  # is sent at once, and once: a probe shows each answer as it came
    ONCE = "once"  # waits while the host has to be left alone, then is sent once: a deletion
    WHEN_BUSY = "when busy"  # is also sent again after a 429, `MOST_WAITS` times at most


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait that begins now: for `host`, so many seconds, the `number`th of at most `MOST_WAITS`."""

    host: str
    seconds: float
    number: int

    @property
    def in_words(self) -> str:
        """Return the line for people: which host, how long, and what happens then."""
        return (
            f"{self.host} answered 429 (too many requests): waiting {about(self.seconds)}, then asking"
            f" again ({self.number} of {MOST_WAITS})"
        )


_listener: ContextVar[Callable[[Wait], None]] = ContextVar("waiting", default=lambda _: None)


@contextmanager
def telling(tell: Callable[[Wait], None]) -> Iterator[None]:
    """Call `tell` at the start of each wait within this block."""
    before = _listener.set(tell)
    try:
        yield
    finally:
        _listener.reset(before)


class Retries:
    """Which hosts have to be left alone, and until when; shared by all requests of one transport.

    `sleep` and `clock` (a steady one, in seconds) are handed in by tests.
    """

    def __init__(self, sleep: Sleep = _sleep, clock: Callable[[], float] = time.monotonic) -> None:
        self._sleep = sleep
        self._clock = clock
        self._until: dict[str, float] = {}

    async def turn(self, url: str) -> None:
        """Wait until the host of `url` may be asked again."""
        if not self._until:
            return
        host = urlsplit(url).netloc
        while (until := self._until.get(host, 0.0)) > (now := self._clock()):
            await self._sleep(until - now)
            self._release(host, until)

    async def wait(self, url: str, seconds: float, number: int) -> None:
        """Leave the host of `url` alone for `seconds`: this request waits, and so does every other one."""
        host, now = urlsplit(url).netloc, self._clock()
        until = max(self._until.get(host, 0.0), now + seconds)
        if self._until.get(host, 0.0) <= now:  # the first of several answers; the others join its wait
            _listener.get()(Wait(clean(host, 200), seconds, number))
        self._until[host] = until
        await self._sleep(seconds)
        self._release(host, until)
        await self.turn(url)

    async def again(self, ask: Callable[[], Awaitable[AnyReply]]) -> AnyReply:
        """Send an idempotent request, after a server error or a broken connection `MOST_TRIES` times."""
        for attempt in range(1, MOST_TRIES):
            try:
                response = await ask()
            except DockpassError as error:
                if not may_pass(error):
                    raise
            else:
                if response.status not in SERVER_ERRORS:
                    return response
            await self.pause(attempt)
        return await ask()

    async def pause(self, attempt: int) -> None:
        """Wait before the next attempt of one request: half a second, doubled each time."""
        await self._sleep(0.25 * 2**attempt)

    def _release(self, host: str, until: float) -> None:
        """End a wait that has been slept through, unless another answer has extended it meanwhile."""
        if self._until.get(host) == until:
            del self._until[host]


def may_pass(error: DockpassError) -> bool:
    """Tell whether trying again may help: the connection broke, or the server failed."""
    return error.id in _MAY_PASS


def pause_after(response: Reply) -> float | None:
    """Return the seconds to wait after a 429; None for other answers, and where waiting takes too long."""
    if response.status != 429:
        return None
    asked = asked_to_wait(response.headers)
    return max(asked or 0.0, 1.0) if asked is None or asked <= LONGEST_WAIT else None


async def wait(response: Reply, seconds: float, number: int, sleep: Sleep) -> None:
    """Wait for the host of an answer, and tell the listener before."""
    _listener.get()(Wait(clean(urlsplit(response.url).netloc, 200), seconds, number))
    await sleep(seconds)


def asked_to_wait(
    headers: Mapping[str, str], now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> float | None:
    """Return the seconds that `Retry-After` asks for (RFC 9110: seconds or a date).

    None without a usable header; never less than 0, and never infinite.
    """
    header = headers.get(_HEADER, "").strip()
    if header.isdecimal():
        return min(float(header[:20]), _LONGEST_SPAN)
    date = date_in(header)
    return None if date is None else min(max((date - now()).total_seconds(), 0.0), _LONGEST_SPAN)
