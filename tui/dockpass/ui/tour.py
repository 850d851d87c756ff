"""The sandbox's guided tour: what each step shows, what does it, and how it is seen to be done. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dockpass.auth.ci import GITLAB
from dockpass.auth.command import Command, Method
from dockpass.auth.decision import Decision
from dockpass.auth.facts import Edit, EditKind
from dockpass.keymap import key_for
from dockpass.runs.events import Status
from dockpass.session.session import Sandbox, Session


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `command` is the one to look at; `runs` tells whether its plan is opened, `program` whether
    a program is asked for, which runs with its login.

    `edits` are those that hold in the step; None leaves them as they are.
    """

    title: str
    text: str
    command: Command
    is_done: Callable[[Session], bool]
    edits: tuple[Edit, ...] | None = None
    runs: bool = False
    program: bool = False


def steps(sandbox: Sandbox, keys: Mapping[str, str]) -> tuple[Step, ...]:
    """Return the steps of the tour; `keys` are the person's own, by the ids of actions."""
    cleanup = Edit(EditKind.SET, "WERF_IMAGES_CLEANUP_PASSWORD", sandbox.cleanup_token)
    external = Edit(EditKind.SET, "WERF_DOCKER_CONFIG", sandbox.external_config)
    return (
        *_logins(sandbox.host),
        _program(keys),
        *_cleanups(cleanup, keys),
        *_configs(cleanup, external, keys),
    )


def _logins(host: str) -> tuple[Step, ...]:
    elsewhere = Edit(EditKind.SET, GITLAB.registry, "registry.elsewhere.example")
    return (
        Step(
            "See the login",
            f"This is a GitLab job, and its registry is {host}. push logs in there as {GITLAB.user},"
            f" because {GITLAB.registry} and {GITLAB.token} are set. Why shows each rule that was tried.",
            Command.PUSH,
            lambda _: True,
        ),
        Step(
            "Break it with a wrong registry",
            f"{GITLAB.registry} now names another registry. build no longer pulls from it, so it does"
            " not log in; push would send the job token to a foreign registry.",
            Command.BUILD,
            lambda session: session.facts.text(GITLAB.registry) != host,
            edits=(elsewhere,),
        ),
        Step(
            "Build, then push",
            f"{GITLAB.registry} is right again. Build the project, which pulls its private base image, then"
            " push it. Each run uses a temporary docker config, and verifies at the end that it is removed.",
            Command.PUSH,
            lambda session: _ended(session, Command.PUSH, Status.DONE),
            edits=(),
            runs=True,
        ),
    )


def _program(keys: Mapping[str, str]) -> Step:
    return Step(
        "Run a program of your choice",
        f"{key_for('program', keys)} runs any program with the login of the selected command: docker, helm,"
        " skopeo, or an example from the list. r gives it the terminal, c captures its output. Its config is"
        " temporary too.",
        Command.PUSH,
        lambda session: bool(session.programs),
        edits=(),
        program=True,
    )


def _cleanups(cleanup: Edit, keys: Mapping[str, str]) -> tuple[Step, ...]:
    return (
        Step(
            "See cleanup refused",
            "cleanup logs in with the job token too, but this registry does not let it delete. The rules keep"
            " every tag that matches keep=v.*; confirm the plan, and read what the registry refused.",
            Command.CLEANUP,
            _cleanup_failed,
            edits=(),
            runs=True,
        ),
        Step(
            "Set the cleanup token",
            "WERF_IMAGES_CLEANUP_PASSWORD is set now. It affects only cleanup, which logs in as werf-cleanup."
            f" The mark ~ shows what an edit changed; {key_for('undo', keys)} undoes it.",
            Command.CLEANUP,
            lambda session: _method(session, Command.CLEANUP) is Method.CLEANUP_TOKEN,
            edits=(cleanup,),
        ),
        Step(
            "Run the cleanup",
            "The same rules, another login. Tags that share their image with a tag that is kept are not"
            " deleted, and nothing is deleted before you have seen the plan.",
            Command.CLEANUP,
            lambda session: _ended(session, Command.CLEANUP, Status.DONE),
            edits=(cleanup,),
            runs=True,
        ),
    )


def _configs(cleanup: Edit, external: Edit, keys: Mapping[str, str]) -> tuple[Step, ...]:
    return (
        Step(
            "Use an external config",
            "WERF_DOCKER_CONFIG names a directory with a deploy token's login. It takes precedence over"
            " everything else: no command logs in any more, and cleanup does not use its token.",
            Command.PUSH,
            lambda session: _method(session, Command.PUSH) is Method.EXTERNAL,
            edits=(cleanup, external),
        ),
        Step(
            "Compare",
            "Instead, under Why, lists the fewest changes that lead to each other method. Try them: your"
            f" changes affect this sandbox only. {key_for('tour', keys)} leaves the tour,"
            f" {key_for('quit', keys)} the sandbox.",
            Command.PUSH,
            lambda _: True,
            edits=(),
        ),
    )


def _method(session: Session, command: Command) -> Method | None:
    decided = session.decide(command)
    return decided.method if isinstance(decided, Decision) else None


def _ended(session: Session, command: Command, status: Status) -> bool:
    return (command, status) in session.ended


def _cleanup_failed(session: Session) -> bool:
    refused = {Status.FAILED, Status.REFUSED}  # a person's no is none
    return any(command is Command.CLEANUP and status in refused for command, status in session.ended)
