"""The sandbox's guided tour: what each step shows, what does it, and how it is seen to be done. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dockpass.auth.command import Command, Method
from dockpass.auth.decision import Decision
from dockpass.auth.facts import Edit, EditKind
from dockpass.runs.events import Status
from dockpass.ui.session import Sandbox, Session


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `command` is the one to look at; `runs` tells whether its plan is opened.

    `edits` are those that hold in the step; None leaves them as they are.
    """

    title: str
    text: str
    command: Command
    is_done: Callable[[Session], bool]
    edits: tuple[Edit, ...] | None = None
    runs: bool = False
    opens: str = ""


def steps(sandbox: Sandbox) -> tuple[Step, ...]:
    """Return the eight steps of the tour."""
    cleanup = Edit(EditKind.SET, "WERF_IMAGES_CLEANUP_PASSWORD", sandbox.cleanup_token)
    external = Edit(EditKind.SET, "WERF_DOCKER_CONFIG", sandbox.external_config)
    return (*_logins(sandbox.host), *_cleanups(cleanup), *_configs(cleanup, external))


def _logins(host: str) -> tuple[Step, ...]:
    elsewhere = Edit(EditKind.SET, "CI_REGISTRY", "registry.elsewhere.example")
    return (
        Step(
            "See the login",
            f"This is a job of a GitLab whose registry is {host}. push logs in there as gitlab-ci-token,"
            " because CI_REGISTRY and CI_JOB_TOKEN are set. Why shows each rule that was tried.",
            Command.PUSH,
            lambda _: True,
        ),
        Step(
            "Break it with a wrong registry",
            "CI_REGISTRY names another registry now. build pulls from a host that is not CI_REGISTRY any"
            " more, so it logs in nowhere; push would hand the job's token to a foreign registry.",
            Command.BUILD,
            lambda session: session.facts.text("CI_REGISTRY") != host,
            edits=(elsewhere,),
        ),
        Step(
            "Build, then push",
            "CI_REGISTRY is right again. Build the project, which pulls its private base image, then push"
            " it. Each run has a docker config of its own, and looks that it is gone in the end.",
            Command.PUSH,
            lambda session: _ended(session, Command.PUSH, Status.DONE),
            edits=(),
            runs=True,
        ),
    )


def _cleanups(cleanup: Edit) -> tuple[Step, ...]:
    return (
        Step(
            "See cleanup refused",
            "cleanup logs in with the job's token too, and this registry does not let it delete. Look at the"
            " plan, say yes, and read who refused what.",
            Command.CLEANUP,
            _cleanup_failed,
            edits=(),
            runs=True,
        ),
        Step(
            "Set the cleanup token",
            "WERF_IMAGES_CLEANUP_PASSWORD is set now, and nothing else changes: only cleanup logs in as"
            " werf-cleanup. The mark ~ shows what an edit changed; backspace takes it back.",
            Command.CLEANUP,
            lambda session: _method(session, Command.CLEANUP) is Method.CLEANUP_TOKEN,
            edits=(cleanup,),
        ),
        Step(
            "Run the cleanup",
            "The same rules, another login. Tags that share their image with one that stays are not touched,"
            " and nothing goes before you have seen the plan.",
            Command.CLEANUP,
            lambda session: _ended(session, Command.CLEANUP, Status.DONE),
            edits=(cleanup,),
            runs=True,
        ),
    )


def _configs(cleanup: Edit, external: Edit) -> tuple[Step, ...]:
    return (
        Step(
            "Use an external config",
            "WERF_DOCKER_CONFIG names a directory with a deploy token's login. It wins over everything:"
            " no login is made any more, for any command, and cleanup is left without its token.",
            Command.PUSH,
            lambda session: _method(session, Command.PUSH) is Method.EXTERNAL,
            edits=(cleanup, external),
        ),
        Step(
            "Compare",
            "Instead, under Why, names the fewest changes that lead to each other method. Try them: what you"
            " change holds for this sandbox only. t leaves the tour, q the sandbox.",
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
