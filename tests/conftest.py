"""Tests see nothing of the machine's own environment, and no network but loopback."""

from __future__ import annotations

import gc
import ipaddress
import itertools
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import guard
import pytest
from hypothesis import settings
from needed import reads_everything
from thorough import THOROUGH, examples

from dockpass.cli import world
from dockpass.secrets import Redactor
from dockpass.text import mask_before_cutting

settings.register_profile("dockpass", deadline=None, max_examples=examples(100), derandomize=not THOROUGH)
settings.load_profile("dockpass")
os.environ["TEXTUAL_ANIMATIONS"] = "none"

# What was started by nohup, or in the background of a script, hands ignored signals on to what the tests start.
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    """Let no worker outlive a controller that is killed."""
    if hasattr(config, "workerinput"):
        guard.end_with_parent()


_WAIT = ("tests/engine/", "tests/e2e/")
_WORK = ("tests/ui/", "tests/unit/canary/", "tests/unit/cli/test_docs")


def _begins(items: list[pytest.Item]) -> dict[str, tuple[int, float]]:
    """Return where the tests of each file stand in the order.

    Those that start engines or programs begin before those that do not, and half of the time they wait: files of
    screens, which leave the processor no rest, stand between them.
    """
    files = list(dict.fromkeys(item.nodeid.partition("::")[0] for item in items))
    first = [[file for file in files if file.startswith(places)] for places in (_WAIT, _WORK)]
    begins = dict.fromkeys(files, (1, 0.0))
    return begins | {file: (0, at / len(part)) for part in first for at, file in enumerate(part)}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file on one worker, and skip as root what tests the modes of files.

    Groups of few tests that take long begin first (`--no-loadscope-reorder`): one that begins last is waited for alone.
    """
    unbound = reads_everything()
    begins = _begins(items)
    items.sort(key=lambda item: begins[item.nodeid.partition("::")[0]])
    for item in items:
        if unbound and item.get_closest_marker("bound_by_modes"):
            item.add_marker(pytest.mark.skip(reason="root may read everything"))
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def pytest_collection_finish() -> None:
    """Keep what is imported out of the garbage collector's way: looking through it again and again costs a tenth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


_FOREIGN = ("DOCKER_", "CONTAINERS_", "CI_", "WERF_", "GITHUB_", "GITLAB_", "REGISTRY_", "XDG_", "DOCKPASS_")


_NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An empty home, and no variable that bears on a login.

    Homes are counted here and lie in a directory of their own: `mktemp` reads all names beside a new one, and takes
    longer with each test.
    """
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)
    home = tmp_path_factory.getbasetemp() / "homes" / str(next(_NUMBERS))
    home.mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("DOCKPASS_STATE", str(Path(home) / "state"))


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anything but loopback fails the test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if (
            isinstance(address, tuple)
            and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback
        ):
            raise AssertionError(f"a connection to {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What one test learned is masked in no other."""
    monkeypatch.setattr(world._Process, "redactor", Redactor())
    mask_before_cutting(None)
    yield
    mask_before_cutting(None)
