"""Whatever happens, a run ends with one `Ended`, and its temporary config is gone."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from dockpass.auth.command import Command
from dockpass.auth.facts import Source, SourceKind, Variable
from dockpass.errors import ExitCode, LoginRefused
from dockpass.runs.events import (
    ConfigCreated,
    ConfigRemoved,
    Ended,
    Event,
    Log,
    LoginSkipped,
    LoginSucceeded,
    Phase,
    PhaseEnded,
    PhaseStarted,
    Status,
)
from dockpass.runs.events import LoginRefused as LoginWasRefused
from dockpass.runs.run import start_run
from dockpass.unknown import Unknown

from .conftest import JOB, JOB_TOKEN, REPO, Bench, Fault, make_facts, make_request

IMAGE = "sha256:" + "1" * 64
NAME = f"{REPO}:1.0"


def only(events: Sequence[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def ended(events: Sequence[Event]) -> Ended:
    assert isinstance(events[-1], Ended)
    assert len(only(events, Ended)) == 1
    return events[-1]


def test_a_push_creates_logs_in_tags_pushes_untags_and_removes(bench: Bench) -> None:
    bench.engine.images = {"local:1": IMAGE}
    facts = make_facts(bench.services.home, **JOB)
    _, events = bench.run(Command.PUSH, facts, tags=("1.0",), image="local:1")
    assert ended(events).exit_code is ExitCode.DONE
    assert [event.phase for event in only(events, PhaseStarted)] == [
        Phase.CREATE_CONFIG,
        Phase.LOGIN,
        Phase.TAG,
        Phase.PUSH,
        Phase.UNTAG,
        Phase.REMOVE_CONFIG,
    ]
    created, removed = only(events, ConfigCreated)[0], only(events, ConfigRemoved)[0]
    assert created.path == removed.path
    assert removed.gone
    assert created.hosts == ("registry.example",)
    assert bench.left == []
    assert bench.engine.images == {"local:1": IMAGE}
    assert [sent.username for sent in bench.engine.sent] == ["gitlab-ci-token", "gitlab-ci-token"]


def test_no_secret_is_in_any_event(bench: Bench) -> None:
    bench.engine.images = {NAME: IMAGE}
    _, events = bench.run(Command.PUSH, make_facts(bench.services.home, **JOB), tags=("1.0",))
    assert any("pushing with" in event.text for event in only(events, Log))
    assert JOB_TOKEN not in repr(events)


@pytest.mark.parametrize("step", ["connect", "login", "image_id", "tag", "push", "untag"])
def test_a_failure_at_any_step_ends_the_run_in_words_and_leaves_nothing(bench: Bench, step: str) -> None:
    bench.engine.images = {"local:1": IMAGE}
    bench.engine.faults[step] = Fault()
    facts = make_facts(bench.services.home, **JOB)
    _, events = bench.run(Command.PUSH, facts, tags=("1.0",), image="local:1")
    assert ended(events).exit_code is ExitCode.FAILED
    assert ended(events).message == "It failed as asked."
    created = step not in {"connect", "image_id"}  # these come before anything is created
    assert [event.gone for event in only(events, ConfigRemoved)] == [True] * created
    assert bool(only(events, ConfigCreated)) is created
    assert bench.left == []


def test_nothing_is_created_or_sent_for_a_login_whose_value_is_not_known(bench: Bench) -> None:
    facts = make_facts(bench.services.home, **JOB)
    masked = Variable("CI_JOB_TOKEN", Unknown("masked in the log", is_set=True), Source(SourceKind.ENV_FILE))
    facts = replace(facts, variables={**facts.variables, "CI_JOB_TOKEN": masked})
    _, events = bench.run(Command.PUSH, facts, tags=("1.0",))
    assert (ended(events).id, ended(events).exit_code) == ("value-unknown", ExitCode.USAGE)
    assert only(events, ConfigCreated) == []
    assert (bench.engine.calls, bench.left) == ([], [])


def test_a_fault_of_our_own_is_said_without_a_traceback(bench: Bench) -> None:
    bench.engine.faults["pull"] = ZeroDivisionError(f"with {JOB_TOKEN}")
    _, events = bench.run(Command.PULL, make_facts(bench.services.home, **JOB), tags=("1.0",))
    assert ended(events).id == "fault"
    assert "ZeroDivisionError" in ended(events).message
    assert JOB_TOKEN not in repr(events)
    assert bench.left == []


def test_a_refused_login_ends_the_run_before_the_work(bench: Bench) -> None:
    bench.engine.faults["login"] = LoginRefused(
        "login-refused", "It was refused.", "Ask for another.", words="denied", meaning="Wrong."
    )
    _, events = bench.run(Command.PULL, make_facts(bench.services.home, **JOB), tags=("1.0",))
    assert ended(events).exit_code is ExitCode.LOGIN_REFUSED
    assert [(event.words, event.meaning) for event in only(events, LoginWasRefused)] == [("denied", "Wrong.")]
    assert "pull" not in [call[0] for call in bench.engine.calls]
    assert bench.left == []


def test_a_cancel_cuts_the_engine_and_gives_the_name_back(bench: Bench) -> None:
    bench.engine.images = {"local:1": IMAGE}
    bench.engine.blocked = True
    request = make_request(
        Command.PUSH, make_facts(bench.services.home, **JOB), tags=("1.0",), image="local:1"
    )
    run = start_run(request, bench.services)
    assert bench.engine.reached.wait(10)
    run.cancel()
    assert run.wait(10)
    events = run.feed.since(0).events
    assert ended(events).exit_code is ExitCode.CANCELLED
    assert bench.engine.images == {"local:1": IMAGE}
    assert bench.left == []


def test_stopping_removes_the_config_even_if_the_engine_never_answers(bench: Bench) -> None:
    released = threading.Event()
    bench.engine.stubborn = released
    run = start_run(
        make_request(Command.PULL, make_facts(bench.services.home, **JOB), tags=("1.0",)), bench.services
    )
    assert bench.engine.reached.wait(10)
    assert run.stop(0.05) is False
    assert ended(run.feed.since(0).events).status is Status.CANCELLED
    assert bench.left == []
    released.set()
    assert run.wait(10)
    ended(run.feed.since(0).events)


def test_a_name_that_was_there_before_names_the_same_image_afterwards(bench: Bench) -> None:
    bench.engine.images = {"local:1": IMAGE, NAME: "sha256:" + "2" * 64}
    facts = make_facts(bench.services.home, **JOB)
    bench.run(Command.PUSH, facts, tags=("1.0",), image="local:1")
    assert bench.engine.images == {"local:1": IMAGE, NAME: "sha256:" + "2" * 64}


def test_the_last_name_of_an_image_is_kept_because_its_removal_would_delete_it(bench: Bench) -> None:
    facts = make_facts(bench.services.home, **JOB)
    bench.engine.untagged = IMAGE
    _, events = bench.run(Command.PUSH, facts, tags=("1.0",), image=IMAGE)
    assert ended(events).exit_code is ExitCode.DONE
    assert bench.engine.images == {NAME: IMAGE}


def test_docker_own_config_gives_its_entry_and_no_login_is_made(bench: Bench) -> None:
    docker = bench.services.home / ".docker"
    docker.mkdir()
    config = {"auths": {"registry.example": {"auth": "YWxpY2U6Y2FuYXJ5LXBhc3N3b3Jk"}}}
    (docker / "config.json").write_text(json.dumps(config))
    before = (docker / "config.json").read_bytes()
    _, events = bench.run(Command.PULL, make_facts(bench.services.home), tags=("1.0",))
    assert ended(events).exit_code is ExitCode.DONE
    assert only(events, LoginSkipped)
    assert not only(events, LoginSucceeded)
    assert [sent.username for sent in bench.engine.sent] == ["alice"]
    assert (docker / "config.json").read_bytes() == before
    assert "canary" not in repr(events)


def test_a_token_goes_to_a_foreign_registry_only_with_the_persons_word(bench: Bench) -> None:
    facts = make_facts(bench.services.home, repo="other.example/app", **JOB)
    _, events = bench.run(Command.PULL, facts, tags=("1.0",))
    assert ended(events).exit_code is ExitCode.NOT_ALLOWED
    assert not only(events, ConfigCreated)
    assert bench.engine.calls == []
    _, events = bench.run(Command.PULL, facts, tags=("1.0",), foreign_allowed=True)
    assert ended(events).exit_code is ExitCode.DONE


@pytest.mark.parametrize("tag", ["no spaces", "-leading", "x" * 129, "a/b", "a@b", ""])
def test_an_invalid_tag_is_refused_before_anything_is_created(bench: Bench, tag: str) -> None:
    _, events = bench.run(Command.PULL, make_facts(bench.services.home, **JOB), tags=(tag,))
    assert ended(events).exit_code is ExitCode.USAGE
    assert not only(events, ConfigCreated)


def test_a_build_without_a_build_file_is_refused_before_anything_is_created(bench: Bench) -> None:
    _, events = bench.run(Command.BUILD, make_facts(bench.services.home))
    assert ended(events).exit_code is ExitCode.USAGE
    assert not only(events, ConfigCreated)


def test_a_push_without_an_image_names_the_tag_and_the_last_build(bench: Bench) -> None:
    _, events = bench.run(Command.PUSH, make_facts(bench.services.home, **JOB), tags=("1.0",))
    assert NAME in ended(events).message
    assert "nothing was built" in ended(events).message


def test_a_push_takes_what_was_last_built_here(bench: Bench) -> None:
    (bench.services.cwd / "Dockerfile").write_text("FROM scratch\n")
    _, built = bench.run(Command.BUILD, make_facts(bench.services.home, base=()))
    assert ended(built).exit_code is ExitCode.DONE
    bench.engine.images = {"": "sha256:" + "c" * 64}
    _, events = bench.run(Command.PUSH, make_facts(bench.services.home, **JOB), tags=("1.0",))
    assert ended(events).exit_code is ExitCode.DONE
    assert ("tag", "sha256:" + "c" * 64, NAME) in bench.engine.calls


def test_each_phase_that_began_ended(bench: Bench) -> None:
    bench.engine.faults["pull"] = Fault()
    _, events = bench.run(Command.PULL, make_facts(bench.services.home, **JOB), tags=("1.0",))
    began = [event.phase for event in only(events, PhaseStarted)]
    assert sorted(began) == sorted(event.phase for event in only(events, PhaseEnded))
