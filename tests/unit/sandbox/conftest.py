"""Sandboxes for tests. One is shared by the tests of the routes, which use a repository each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from operator import attrgetter

import pytest
from sandboxclient import Client, Clock

from dockpass.sandbox.flavours import Flavour
from dockpass.sandbox.server import SandboxServer

Start = Callable[..., SandboxServer]

JUDGED = (Flavour.GITLAB, Flavour.DISTRIBUTION, Flavour.ANONYMOUS)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start() -> Iterator[Start]:
    """Start sandboxes that end with the test."""
    with ExitStack() as stack:
        yield lambda *given, **named: stack.enter_context(SandboxServer(*given, **named))


@pytest.fixture(scope="module")
def shared() -> Iterator[SandboxServer]:
    with SandboxServer() as sandbox:
        yield sandbox


@pytest.fixture
def owner(shared: SandboxServer) -> Client:
    """A client that may do anything in the shared sandbox."""
    return Client(shared, shared.accounts.personal)


@pytest.fixture
def path(request: pytest.FixtureRequest) -> str:
    """A repository of the test's own in the shared sandbox."""
    return f"tests/r{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]}"


@pytest.fixture(scope="module", params=JUDGED, ids=attrgetter("value"))
def judged(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client of a sandbox that is held against the specification: with tokens, with Basic, and open."""
    with SandboxServer(None, request.param) as sandbox:
        yield Client(sandbox, sandbox.accounts.personal)
