from collections.abc import AsyncIterator

import pytest
from fakeregistry import fake as fake
from hostile import Authority, World


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def world(authority: Authority) -> AsyncIterator[World]:
    async with World(authority) as made:
        yield made
