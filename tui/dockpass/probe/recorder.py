"""Requests of a probe: each bounded in time, each written down without its secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from dockpass.errors import DockpassError
from dockpass.findings import Finding
from dockpass.probe.model import ProbeRequest
from dockpass.registry.answer import Answer, Where, read_answer
from dockpass.registry.clock import skew_of
from dockpass.registry.connection_errors import timed_out
from dockpass.registry.flavour import Flavour
from dockpass.registry.forms import why_no_tag_list
from dockpass.registry.judgement import Judgement
from dockpass.registry.meanings import judge
from dockpass.registry.request_log import shown_address
from dockpass.registry.transport import Response, Transport, origin
from dockpass.text import clean

LARGEST_ANSWER = 256 << 10
LARGEST_LIST = 4 << 20
"""Of tags: some registries list them all, whatever number is asked for."""

_READ_BY_PEOPLE = 64 << 10


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer: the raw body, and what it says as an error. `shown` is the body with secrets masked."""

    status: int
    headers: Mapping[str, str]
    challenges: tuple[str, ...]
    body: bytes
    shown: bytes
    answer: Answer

    @property
    def in_words(self) -> str:
        """Return `401 UNAUTHORIZED: authentication required`."""
        return self.answer.in_words

    def judged(self, where: Where, flavour: Flavour) -> Judgement:
        """Return what it means as the answer to that request."""
        return judge(replace(self.answer, where=where), flavour)

    def why_no_tag_list(self, path: str) -> str:
        """Return why this is no list of the tags of `path`; empty where it is one."""
        if not why_no_tag_list(self.body, path, self.headers):
            return ""
        return why_no_tag_list(self.shown, path, self.headers) or "JSON that is not a tag list"


class RecordingClient:
    """Sends requests and keeps the list of them."""

    def __init__(
        self,
        transport: Transport,
        clock: Callable[[], float],
        now: Callable[[], float],
        seconds: float,
        redact: Callable[[str], str],
    ) -> None:
        self.requests: list[ProbeRequest] = []
        self.findings: list[Finding] = []
        self._transport = transport
        self._clock = clock
        self.now = now
        self._seconds = seconds
        self._redact = redact

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        scope: str = "",
        carried: str = "nothing",
        limit: int = LARGEST_ANSWER,
        foreign: bool = False,
    ) -> Answered:
        """Send one request; raises `DockpassError` where no answer comes, which is written down too.

        `foreign` says that a server named the address, as in `Transport.stream`.
        """
        began = self._clock()
        sent = ProbeRequest(method, shown_address(url), 0, 0.0, "", scope, carried)
        left = asyncio.Event()
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._transport.request(
                    method, url, headers=headers, data=data, limit=limit, foreign=foreign, on_sent=left.set
                )
        except TimeoutError:
            what = "answer" if left.is_set() else "connection"
            words = f"no {what} within {self._seconds:g} s"
            sent = replace(sent, carried=carried if left.is_set() else "nothing")
            self.requests.append(replace(sent, took=self._clock() - began, words=words))
            host = clean(urlsplit(url).netloc, 200)
            raise timed_out(f"{host} gave {words}.") from None
        except DockpassError as error:
            sent = replace(sent, carried=carried if left.is_set() else "nothing")
            self.requests.append(replace(sent, took=self._clock() - began, words=error.message))
            raise
        shown = self._masked(response)
        answer = read_answer(Where.LIST, response.status, shown, response.reason, headers=response.headers)
        answered = Answered(
            response.status, response.headers, response.challenges, response.body, shown, answer
        )
        words = "" if response.status < 400 else answer.in_words.partition(" ")[2] or response.reason
        self.requests.append(replace(sent, status=response.status, took=self._clock() - began, words=words))
        if origin(response.url) != origin(url) or urlsplit(response.url).path != urlsplit(url).path:
            self.note(f"redirected to {shown_address(response.url)}")
        self._look_at_clock(response)
        return answered

    def note(self, words: str) -> None:
        """Say of the last request what came of it."""
        self.requests[-1] = replace(self.requests[-1], words=words)

    @property
    def sent(self) -> bool:
        """Whether the last request left with what it carried."""
        return bool(self.requests) and self.requests[-1].carried != "nothing"

    def _masked(self, response: Response) -> bytes:
        """Return the beginning of a body for people, masked before anything is cut out of it."""
        text = response.body[:_READ_BY_PEOPLE].decode("utf-8", "surrogateescape")
        return self._redact(response.redact(text)).encode("utf-8", "surrogateescape")

    def _look_at_clock(self, response: Response) -> None:
        host = clean(urlsplit(response.url).netloc, 200)
        skew = skew_of(response.headers.get("Date", ""), datetime.fromtimestamp(self.now(), UTC))
        if skew and not any(host in finding.message for finding in self.findings):
            self.findings.append(
                Finding(
                    "clock-skew",
                    "",
                    f"The clock of {host} is {skew} this machine's, so tokens may be refused as expired or"
                    " not valid yet.",
                    hint="Correct the clock that is wrong.",
                )
            )
