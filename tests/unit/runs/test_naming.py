"""Pushes of one image and tag at once all succeed, and the engine has its names afterwards."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from dockpass import turns
from dockpass.auth.command import Command
from dockpass.engines.base import Sink
from dockpass.errors import DockpassError, ExitCode
from dockpass.references.credential import Logins
from dockpass.runs import naming
from dockpass.runs.events import Ended, Event, Log
from dockpass.runs.run import start_run
from dockpass.turns import turn

from .conftest import JOB, REPO, Bench, Fault, make_facts, make_request

IMAGE = "sha256:" + "1" * 64
OTHER = "sha256:" + "2" * 64
NAME = f"{REPO}:1.0"
DIGEST = "sha256:" + "b" * 64


def ended(events: Sequence[Event]) -> Ended:
    assert isinstance(events[-1], Ended)
    return events[-1]


def said(events: Sequence[Event]) -> str:
    return "\n".join(event.text for event in events if isinstance(event, Log))


def push(bench: Bench, tag: str = "1.0") -> list[Event]:
    facts = make_facts(bench.services.home, **JOB)
    return bench.run(Command.PUSH, facts, tags=(tag,), image="local:1")[1]


def left(bench: Bench) -> list[str]:
    return sorted(path.name for path in (bench.directory / "shared").iterdir())


@pytest.mark.parametrize("before", [{}, {NAME: IMAGE}, {NAME: OTHER, "local:2": OTHER}])
def test_pushes_of_one_name_at_once_all_succeed_and_leave_the_names_as_they_were(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, before: dict[str, str]
) -> None:
    bench.engine.images = {"local:1": IMAGE, **before}
    under_way, most = [0], [0]
    guard = threading.Lock()

    def pushed(reference: str, logins: Logins, sink: Sink) -> str:
        with guard:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        if bench.engine.images.get(reference) != IMAGE:
            raise DockpassError("failed", "tag does not exist", "")
        with guard:
            under_way[0] -= 1
        return DIGEST

    monkeypatch.setattr(bench.engine, "push", pushed)
    request = make_request(
        Command.PUSH, make_facts(bench.services.home, **JOB), tags=("1.0",), image="local:1"
    )
    runs = [start_run(request, bench.services) for _ in range(10)]
    assert all(run.wait(30) for run in runs)
    assert [ended(run.feed.since(0).events).exit_code for run in runs] == [ExitCode.DONE] * 10
    assert bench.engine.images == {"local:1": IMAGE, **before}
    assert most == [1]
    assert left(bench) == []


def test_a_name_that_vanishes_during_the_push_is_given_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by another machine, or a container, that uses the same engine."""
    bench.engine.images = {"local:1": IMAGE, NAME: IMAGE}
    tries = []

    def pushed(reference: str, logins: Logins, sink: Sink) -> str:
        tries.append(reference)
        if len(tries) == 1:
            bench.engine.images.pop(reference)
            raise DockpassError("failed", "tag does not exist", "")
        assert bench.engine.images[reference] == IMAGE
        return DIGEST

    monkeypatch.setattr(bench.engine, "push", pushed)
    events = push(bench)
    assert ended(events).exit_code is ExitCode.DONE
    assert "was removed during the push" in said(events)
    assert bench.engine.images == {"local:1": IMAGE}


def test_a_push_whose_name_vanishes_again_and_again_fails(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.engine.images = {"local:1": IMAGE}

    def pushed(reference: str, logins: Logins, sink: Sink) -> str:
        bench.engine.images.pop(reference)
        raise DockpassError("failed", "tag does not exist", "")

    def untag(reference: str) -> bool:
        return bench.engine.images.pop(reference, None) is not None

    monkeypatch.setattr(bench.engine, "push", pushed)
    monkeypatch.setattr(bench.engine, "untag", untag)
    assert ended(push(bench)).message == "tag does not exist"
    assert bench.engine.images == {"local:1": IMAGE}


@pytest.mark.parametrize("before", [{}, {NAME: OTHER, "local:2": OTHER}])
def test_the_next_push_puts_right_what_a_killed_one_left(bench: Bench, before: dict[str, str]) -> None:
    bench.engine.images = {"local:1": IMAGE, **before}
    note = naming._Note(NAME, IMAGE, before.get(NAME), naming_engine(bench))
    bench.engine.images[NAME] = IMAGE
    write(bench, note)
    events = push(bench, "2.0")
    assert ended(events).exit_code is ExitCode.DONE
    assert f"a killed push had left the name {NAME}" in said(events)
    assert bench.engine.images == {"local:1": IMAGE, **before}
    assert left(bench) == []


def test_a_name_that_moved_since_or_belongs_to_a_push_under_way_stays(bench: Bench) -> None:
    note = naming._Note(NAME, IMAGE, None, naming_engine(bench))
    bench.engine.images = {"local:1": IMAGE, "local:2": OTHER, NAME: OTHER}
    write(bench, note)
    push(bench, "2.0")
    assert bench.engine.images[NAME] == OTHER
    assert left(bench) == []
    bench.engine.images[NAME] = IMAGE
    write(bench, note)

    def never(_path: Path) -> None:
        raise AssertionError

    with turn(NAME, never):
        push(bench, "2.0")
    assert bench.engine.images[NAME] == IMAGE


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"name": 1, "image": 2, "before": 3, "engine": 4}',
        '{"name": "UPPER", "image": "", "before": null, "engine": ""}',
        "[" * 5000,
    ],
)
def test_a_note_that_is_none_changes_nothing(bench: Bench, content: str) -> None:
    bench.engine.images = {"local:1": IMAGE, NAME: IMAGE}
    path = naming._note_path(NAME)
    path.write_text(content)
    path.chmod(0o600)
    assert ended(push(bench, "2.0")).exit_code is ExitCode.DONE
    assert bench.engine.images == {"local:1": IMAGE, NAME: IMAGE}


def test_a_note_that_others_may_write_is_not_believed(bench: Bench) -> None:
    bench.engine.images = {"local:1": IMAGE, NAME: IMAGE}
    write(bench, naming._Note(NAME, IMAGE, None, naming_engine(bench))).chmod(0o666)
    push(bench, "2.0")
    assert bench.engine.images == {"local:1": IMAGE, NAME: IMAGE}


def test_a_push_that_fails_to_give_back_leaves_that_to_the_next(bench: Bench) -> None:
    bench.engine.images = {"local:1": IMAGE}
    bench.engine.faults["untag"] = Fault()
    assert ended(push(bench)).exit_code is ExitCode.FAILED
    assert bench.engine.images == {"local:1": IMAGE, NAME: IMAGE}
    bench.engine.faults.clear()
    assert ended(push(bench, "2.0")).exit_code is ExitCode.DONE
    assert bench.engine.images == {"local:1": IMAGE}


def test_without_any_shared_place_the_push_is_done_and_the_name_is_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "SHARED", ())
    bench.engine.images = {"local:1": IMAGE}
    events = push(bench)
    assert ended(events).exit_code is ExitCode.DONE
    assert "was kept" in said(events)
    assert bench.engine.images == {"local:1": IMAGE, NAME: IMAGE}


def test_a_push_that_waits_for_another_says_so_and_can_be_cancelled(bench: Bench) -> None:
    bench.engine.images = {"local:1": IMAGE}
    request = make_request(
        Command.PUSH, make_facts(bench.services.home, **JOB), tags=("1.0",), image="local:1"
    )
    with turn(NAME, lambda _path: None):
        run = start_run(request, bench.services)
        told = next(
            event.text for event in run.feed.follow() if isinstance(event, Log) and "waiting" in event.text
        )
        assert NAME in told
        run.cancel()
        assert run.wait(10)
    assert ended(run.feed.since(0).events).exit_code is ExitCode.CANCELLED
    assert bench.engine.images == {"local:1": IMAGE}


def test_a_home_in_which_nothing_can_be_written_is_not_needed(bench: Bench) -> None:
    bench.engine.images = {"local:1": IMAGE}
    bench.services.state.rmdir()
    bench.services.state.write_text("no directory")
    assert ended(push(bench)).exit_code is ExitCode.DONE
    assert bench.engine.images == {"local:1": IMAGE}


def naming_engine(bench: Bench) -> str:
    import hashlib

    return hashlib.sha256(bench.engine.info().endpoint.encode()).hexdigest()[:32]


def write(bench: Bench, note: naming._Note) -> Path:
    path = naming._note_path(note.name)
    fields = {"name": note.name, "image": note.image, "before": note.before, "engine": note.engine}
    path.write_text(json.dumps(fields))
    path.chmod(0o600)
    assert path.parent == bench.directory / "shared"
    assert path.stat().st_uid == os.getuid()
    return path
