"""Every option of `dockpass sandbox`, with every other: the sandbox starts, is filled, and then does as asked."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from sandboxclient import Client

from dockpass.cli import sandbox as command
from dockpass.sandbox.flavours import Flavour
from dockpass.sandbox.sample import PROJECT, history
from dockpass.sandbox.server import SandboxServer
from dockpass.sandbox.workshop import Workshop

VALUES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "flavour": tuple(("--flavour", each.value) for each in Flavour),
    "port": ((), ("--port", "0")),
    "address": ((), ("--address", "localhost"), ("--address", "127.0.0.2"), ("--address", "::1")),
    "keep": ((), ("--keep", "kept")),
    "job_token_may_delete": ((), ("--job-token-may-delete",)),
    "protected": ((), ("--protect", "^v.*"), ("--protect", "main"), ("--protect", "", "--protect", ".*")),
    "latency": ((), ("--latency", "60")),
    "too_many": ((), ("--too-many", "3")),
    "retry_after": ((), ("--retry-after", "0"), ("--retry-after", "99999")),
    "server_errors": ((), ("--server-errors", "3")),
    "hang": ((), ("--hang", "3")),
    "cut_blob_after": ((), ("--cut-blobs-after", "0"), ("--cut-blobs-after", "100")),
    "cut_times": ((), ("--cut-times", "9")),
    "wrong_digest": ((), ("--wrong-digests", "9")),
    "expired_tokens": ((), ("--expired-tokens", "9")),
    "path": ((), ("--fault-path", ""), ("--fault-path", "^/v2/"), ("--fault-path", "/none$")),
    "form": ((), ("--shell",), ("--json",)),
    "env_file": ((), ("--env-file", "job.env")),
}
"""By the name of an option's parameter: what is given for it on a command line, in turn."""

TAGS = {tag for past in history() for tag in past.tags} | {"multi"}


def rows() -> Iterator[tuple[str, ...]]:
    """Yield command lines in which every two values of two options stand together at least once."""
    names = list(VALUES)
    pairs = {
        ((one, a), (other, b))
        for one, other in itertools.combinations(names, 2)
        for a in range(len(VALUES[one]))
        for b in range(len(VALUES[other]))
    }
    while pairs:
        chosen: dict[str, int] = dict(min(pairs))
        for name in names:
            if name not in chosen:
                chosen[name] = max(
                    range(len(VALUES[name])), key=lambda at: len(_met({**chosen, name: at}, pairs))
                )
        pairs -= _met(chosen, pairs)
        yield tuple(word for name in names for word in VALUES[name][chosen[name]])


def _met(chosen: Mapping[str, int], pairs: set[Any]) -> set[Any]:
    return {pair for pair in pairs if all(chosen.get(name) == at for name, at in pair)}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


def start(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Run the command until it would wait; return the tags that the sandbox had then."""
    found: list[set[str]] = []
    entered = Workshop.__enter__

    def enter(self: Workshop) -> Workshop:
        workshop = entered(self)
        found.append(tags_of(workshop.server))
        return workshop

    monkeypatch.setattr(Workshop, "__enter__", enter)
    monkeypatch.setattr(command, "_waiting", lambda: lambda: None)
    monkeypatch.setattr(command, "_let_go_of_stdout", lambda: None)
    result = CliRunner().invoke(command.sandbox, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return found[0]


def tags_of(server: SandboxServer) -> set[str]:
    """Return the tags that are there, whatever the rules and faults are."""
    with server.without_rules():
        return set(Client(server, server.accounts.personal).tags(PROJECT))


def test_no_option_is_left_out() -> None:
    assert {each.name for each in command.sandbox.params if isinstance(each, click.Option)} == set(VALUES)


@pytest.mark.parametrize(
    "value", [each for values in VALUES.values() for each in values if each], ids=" ".join
)
def test_it_starts_with_each_option_alone(value: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    assert start(value, monkeypatch) == TAGS


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: " ".join(row)[:60])
def test_it_starts_with_every_two_together(row: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    assert start(row, monkeypatch) == TAGS
