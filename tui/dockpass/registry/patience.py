"""How long a registry that has had too many requests is waited for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from dockpass.registry.transport import Response

LONGEST_WAIT = 60.0
MOST_WAITS = 2

Sleep = Callable[[float], Awaitable[object]]


async def patiently(ask: Callable[[], Awaitable[Response]], sleep: Sleep) -> Response:
    """Send a request that may be sent again; a 429 is waited for twice at most."""
    response = await ask()
    for _ in range(MOST_WAITS):
        if response.status != 429:
            break
        await sleep(retry_after(response.headers.get("Retry-After", "")))
        response = await ask()
    return response


def retry_after(header: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> float:
    """Return the seconds to wait (RFC 9110: seconds or a date), at least 1 and at most 60."""
    seconds, header = 0.0, header.strip()
    if header.isdecimal():
        seconds = float(header[:20])
    elif header:
        try:
            seconds = (parsedate_to_datetime(header) - now()).total_seconds()
        except (TypeError, ValueError, OverflowError, IndexError):
            seconds = 0.0  # not understood, so no word on how long
    return min(max(seconds, 1.0), LONGEST_WAIT)
