"""Requests of a probe: each bounded in time, each written down without its secrets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from dockpass.errors import DockpassError
from dockpass.registry.failures import Answer, read_answer
from dockpass.registry.probe import Level, ProbeFinding, ProbeRequest
from dockpass.registry.transport import Response, Transport, origin
from dockpass.text import clean

LARGEST_ANSWER = 256 << 10
MOST_SKEW = 60.0
"""Seconds by which clocks may differ: as much as Distribution allows a token."""

_SHOWN_QUERY = frozenset({"n"})


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer: the raw body, and what it says as an error. `in_form` tells whether it is a JSON object."""

    status: int
    challenges: tuple[str, ...]
    body: bytes
    answer: Answer
    in_form: bool

    @property
    def in_words(self) -> str:
        """Return `401 UNAUTHORIZED: authentication required`."""
        return self.answer.in_words


class Asker:
    """Sends requests and keeps the list of them."""

    def __init__(
        self,
        transport: Transport,
        clock: Callable[[], float],
        now: Callable[[], float],
        seconds: float,
    ) -> None:
        self.requests: list[ProbeRequest] = []
        self.findings: list[ProbeFinding] = []
        self._transport = transport
        self._clock = clock
        self.now = now
        self._seconds = seconds

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        scope: str = "",
        carried: str = "nothing",
    ) -> Heard:
        """Send one request; raises `DockpassError` where no answer comes, which is written down too."""
        began = self._clock()
        sent = ProbeRequest(method, shown_address(url), 0, 0.0, "", scope, carried)
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._transport.request(
                    method, url, headers=headers, data=data, limit=LARGEST_ANSWER
                )
        except TimeoutError:
            words = f"no answer within {self._seconds:g} s"
            self.requests.append(replace(sent, took=self._clock() - began, words=words))
            host = clean(urlsplit(url).netloc, 200)
            raise DockpassError(
                "timeout", f"{host} gave {words}.", "Try again, and look at the network to it."
            ) from None
        except DockpassError as error:
            self.requests.append(replace(sent, took=self._clock() - began, words=error.message))
            raise
        answer = read_answer("registry", response.status, response.body, response.reason)
        heard = Heard(response.status, response.challenges, response.body, answer, _is_object(response.body))
        words = "" if response.status < 400 else answer.in_words.partition(" ")[2] or response.reason
        self.requests.append(replace(sent, status=response.status, took=self._clock() - began, words=words))
        if origin(response.url) != origin(url) or urlsplit(response.url).path != urlsplit(url).path:
            self.note(f"redirected to {shown_address(response.url)}")
        self._look_at_clock(response)
        return heard

    def note(self, words: str) -> None:
        """Say of the last request what came of it."""
        self.requests[-1] = replace(self.requests[-1], words=words)

    def _look_at_clock(self, response: Response) -> None:
        try:
            theirs = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
        except (TypeError, ValueError, OverflowError):
            return
        skew = theirs - self.now()
        host = clean(urlsplit(response.url).netloc, 200)
        if abs(skew) > MOST_SKEW and not any(host in found.message for found in self.findings):
            side = "ahead of" if skew > 0 else "behind"
            self.findings.append(
                ProbeFinding(
                    "clock-skew",
                    Level.LOOK,
                    f"The clock of {host} is {_span(abs(skew))} {side} this machine's; tokens may count as"
                    " not yet or no longer valid.",
                    "Set the clock that is wrong.",
                )
            )


def shown_address(url: str) -> str:
    """Return an address as it is shown: without user, fragment and query, but for the page size."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = [pair for pair in parse_qsl(parts.query) if pair[0] in _SHOWN_QUERY]
    return clean(urlunsplit((parts.scheme, host, parts.path, urlencode(query), "")), 300)


def _span(seconds: float) -> str:
    if seconds >= 7200:
        return f"{seconds / 3600:,.0f} hours"
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False
