"""Real servers for tests. Where a program is missing the tests are skipped, but never in CI."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import pytest
from servers import Missing, Registry, engine, registry

StartRegistry = Callable[..., Registry]


@pytest.fixture
def start() -> Iterator[Callable[[AbstractContextManager[object]], object]]:
    """Start servers that end with the test."""
    with ExitStack() as stack:
        yield lambda server: _entered(stack, server)


def _entered(stack: ExitStack, server: AbstractContextManager[object]) -> object:
    try:
        return stack.enter_context(server)
    except Missing as missing:
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(f"CI has to have it: {missing}")
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def docker_host() -> Iterator[str]:
    """The address of a Docker Engine of the tests' own."""
    with ExitStack() as stack:
        yield str(_entered(stack, engine()))


@pytest.fixture
def start_registry(start: Callable[[AbstractContextManager[object]], Registry]) -> StartRegistry:
    """Start a docker-registry: `start_registry("token", delete=False)`."""
    return lambda auth="none", *, delete=True: start(registry(auth, delete=delete))
