"""How slowly an answer may come. Silence on the wire ends a connection; this ends one that only seems busy.

Interim answers, extensions of chunks and single bytes now and then keep a line from being silent, and none of
them brings the answer nearer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

Body = Callable[[], AsyncIterator[bytes]]
"""Makes the bytes of a request, once for each time that it is sent."""


@dataclass(frozen=True, slots=True)
class Pace:
    """In seconds: `answer` until the headers, from the last bytes that a server took; `silence` in a body.

    After `grace` of waiting, a body has to have come with `slowest` bytes a second. `clock` is steady.
    """

    answer: float = 300.0
    silence: float = 120.0
    grace: float = 120.0
    slowest: int = 1 << 10
    clock: Callable[[], float] = time.monotonic

    def is_trickle(self, received: int, waited: float) -> bool:
        """Tell whether so many bytes in so many seconds of waiting are too few."""
        return waited > self.grace and received < waited * self.slowest

    @asynccontextmanager
    async def until_answered(self, body: Body | None) -> AsyncIterator[AsyncIterator[bytes] | None]:
        """Bound the wait for the headers, and give the bytes to send; raises `TimeoutError`.

        Each piece that the server takes begins the time anew.
        """
        loop, answered = asyncio.get_running_loop(), False
        async with asyncio.timeout(self.answer) as limit:

            async def watched(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
                async for piece in pieces:
                    yield piece
                    if not answered:
                        limit.reschedule(loop.time() + self.answer)

            yield watched(body()) if body else None
            answered = True
