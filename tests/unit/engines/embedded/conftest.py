"""A sandbox and a store for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sandboxclient import Client
from transfers import Place

from dockpass.references.credential import Credential
from dockpass.sandbox.server import SandboxServer


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "here")


@pytest.fixture
def other(tmp_path: Path) -> Place:
    """Another machine."""
    return Place(tmp_path / "there")


@pytest.fixture
def start() -> Iterator[Callable[..., SandboxServer]]:
    """Start sandboxes that end with the test."""
    with ExitStack() as stack:
        yield lambda *given, **named: stack.enter_context(SandboxServer(*given, **named))


@pytest.fixture
def sandbox(start: Callable[..., SandboxServer]) -> SandboxServer:
    return start()


@pytest.fixture
def owner(sandbox: SandboxServer) -> Credential:
    """A login that may do anything."""
    return sandbox.accounts.personal.credential


@pytest.fixture
def client(sandbox: SandboxServer) -> Client:
    """A client that may do anything, and puts there whatever it likes."""
    return Client(sandbox, sandbox.accounts.personal)
