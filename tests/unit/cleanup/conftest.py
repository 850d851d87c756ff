from collections.abc import AsyncIterator

import pytest
from fakeregistry import FakeRegistry


@pytest.fixture
async def fake() -> AsyncIterator[FakeRegistry]:
    async with FakeRegistry() as registry:
        yield registry
