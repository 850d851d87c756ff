"""One policy for each host: a 429 slows every request to it, also those that were not answered by one."""

from __future__ import annotations

import asyncio

import pytest
from fakeregistry import FakeRegistry, Said

from dockpass.registry.retry import MOST_TRIES, Retries, Retry, Wait, telling
from dockpass.registry.session import Session
from dockpass.registry.transport import Transport

BUSY = Said(429, b"", (("Retry-After", "7"),))


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)

    def retries(self) -> Retries:
        return Retries(self.sleep, lambda: self.now)


async def test_a_request_waits_for_what_another_was_told() -> None:
    clock = Clock()
    retries = clock.retries()
    await asyncio.gather(
        retries.wait("https://registry.example/v2/a", 7.0, 1), retries.turn("https://registry.example/v2/b")
    )
    assert clock.slept == [7.0, 7.0]
    assert clock.now == 107.0


async def test_another_host_is_not_slowed() -> None:
    clock = Clock()
    retries = clock.retries()
    waiting = asyncio.create_task(retries.wait("https://registry.example/v2/a", 7.0, 1))
    await asyncio.sleep(0)
    await retries.turn("https://registry.example:8443/v2/b")
    await retries.turn("https://other.example/v2/b")
    assert clock.slept == [7.0]
    await waiting


async def test_many_answers_at_once_are_told_as_one_wait() -> None:
    clock, told = Clock(), list[Wait]()
    retries = clock.retries()
    with telling(told.append):
        await asyncio.gather(*(retries.wait("https://registry.example/", 7.0, 1) for _ in range(64)))
    assert [(wait.host, wait.seconds) for wait in told] == [("registry.example", 7.0)]
    assert clock.now < 115.0


async def test_a_429_holds_back_requests_that_come_later(fake: FakeRegistry) -> None:
    going, asked = asyncio.Event(), list[float]()

    async def sleep(seconds: float) -> None:
        asked.append(round(seconds))
        await going.wait()

    fake.say("GET", "/x", BUSY, Said(200))
    fake.say("GET", "/y", Said(200))
    async with Transport(sleep=sleep) as transport:
        session = Session(fake.host, None, transport)
        await session.connect()
        first = asyncio.create_task(session.send("GET", "/x", "", limit=100))
        while not asked:
            await asyncio.sleep(0.001)
        second = asyncio.create_task(session.send("GET", "/y", "", limit=100))
        third = asyncio.create_task(session.send("GET", "/y", "", limit=100, retry=Retry.ONCE))
        while len(asked) < 3:
            await asyncio.sleep(0.001)
        assert not fake.requests("GET", "/y")
        at_once = await session.send("GET", "/y", "", limit=100, retry=Retry.NEVER)
        going.set()
        assert [answer.status for answer in await asyncio.gather(first, second, third)] == [200, 200, 200]
    assert at_once.status == 200
    assert set(asked) == {7}


@pytest.mark.parametrize(("retry", "requests"), [(Retry.NEVER, 1), (Retry.ONCE, 1), (Retry.WHEN_BUSY, 3)])
async def test_what_is_sent_once_is_never_sent_again(fake: FakeRegistry, retry: Retry, requests: int) -> None:
    fake.say("GET", "/x", BUSY)
    async with Transport(sleep=Clock().sleep) as transport:
        session = Session(fake.host, None, transport)
        assert (await session.send("GET", "/x", "", limit=100, retry=retry)).status == 429
    assert len(fake.requests("GET", "/x")) == requests


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_failing_server_is_asked_a_few_times_with_longer_pauses(
    fake: FakeRegistry, status: int
) -> None:
    clock = Clock()
    fake.say("GET", "/x", Said(status))
    async with Transport(sleep=clock.sleep) as transport:
        session = Session(fake.host, None, transport)
        response = await session.retries.again(lambda: session.send("GET", "/x", "", limit=100))
    assert response.status == status
    assert len(fake.requests("GET", "/x")) == MOST_TRIES
    assert clock.slept == [0.5, 1.0, 2.0, 4.0]
