"""Which jobs of a project log in or push, and on which refs to look at them. Pure; nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dockpass.auth.command import Command
from dockpass.auth.decision import Decision
from dockpass.dockerconfig.keys import host_of_key
from dockpass.findings import Severity
from dockpass.scenario.checking import Found
from dockpass.scenario.model import Expectation, Kind
from dockpass.text import clean
from dockpass.variables.bring_job import EXAMPLE_TAG
from dockpass.variables.gitlab.config import Job
from dockpass.variables.gitlab.model import Ref, RefType
from dockpass.variables.jobscript import read_job
from dockpass.variables.pipeline import MERGE_REQUEST, PUSH, Loaded

EXAMPLE_BRANCH = "feature/example"
SCHEDULE = "schedule"
_MOST_LISTED = 50

_ENGINE = r"(?:docker|podman|nerdctl|buildah)"
_SIGNS: tuple[tuple[Command, re.Pattern[str]], ...] = tuple(
    (command, re.compile(pattern))
    for command, pattern in (
        (
            Command.CLEANUP,
            r"\b(?:werf|dockpass)\s+cleanup\b|\b(?:crane|skopeo)\s+delete\b"
            r"|\bregctl\s+tag\s+(?:rm|delete)\b",
        ),
        (Command.DEPLOY, r"\b(?:werf\s+(?:converge|deploy)|dockpass\s+deploy)\b"),
        (
            Command.PUSH,
            rf"\b{_ENGINE}\b[^\n;&|]*\spush\b|\s--push\b|/kaniko/executor|\bcrane\s+(?:push|copy|cp)\b"
            r"|\bskopeo\s+(?:copy|sync)\b|\b(?:oras|helm|dockpass|regctl\s+image)\s+(?:push|copy)\b|\bko\s+(?:build|publish)\b",
        ),
        (Command.PULL, rf"\b{_ENGINE}\b[^\n;&|]*\spull\b|\bdockpass\s+pull\b"),
        (Command.BUILD, rf"\b{_ENGINE}\b[^\n;&|]*\s(?:build|bud)\b|\b(?:werf|dockpass)\s+build\b"),
    )
)
"""What a line of a script does, the strongest first."""


@dataclass(frozen=True, slots=True)
class Task:
    """A job that logs in or pushes: its commands, the strongest first, and why it is one, in clean words."""

    job: str
    commands: tuple[Command, ...]
    because: str


def tasks_of(jobs: Iterable[Job]) -> Iterator[Task]:
    """Yield the jobs whose scripts log in, push, clean up or deploy."""
    for job in jobs:
        seen: dict[Command, str] = {}
        for line in (each.text for each in job.script()):
            for command, sign in _SIGNS:
                if found := sign.search(line):
                    seen.setdefault(command, clean(found[0].strip(), 60))
        commands = tuple(command for command, _ in _SIGNS if command in seen)
        logins = [each.program for each in read_job(job).logins if not each.is_file]
        if logins or seen.keys() - {Command.PULL, Command.BUILD}:
            because = seen[commands[0]] if commands else logins[0]
            yield Task(job.name, commands or (Command.PUSH,), f"its script has `{because}`")


def task_of(job: Job) -> Task:
    """Return the task of a job that a person names, whatever its script does."""
    return next(tasks_of([job]), Task(job.name, (Command.PUSH,), "you named it"))


def pipelines_for(loaded: Loaded, job: str, refs: Sequence[Ref], default: str) -> Iterator[tuple[Ref, str]]:
    """Yield a protected and an unprotected ref, each with the source of its pipeline, where the job is in it.

    A push is tried first, then a tag, a schedule, and a merge request. Refs of the clone come before
    examples; where none has the job, a push to the branch is taken.
    """
    for protected in (True, False):
        branch = _branch(refs, default, protected=protected)
        example = Ref(type=RefType.TAG, name=EXAMPLE_TAG)
        tag = next((each for each in refs if each.type is RefType.TAG), example)
        tried = [(branch, PUSH), (replace(tag, protected=protected), PUSH), (branch, SCHEDULE)]
        if not protected:
            tried.append((replace(branch, type=RefType.MERGE_REQUEST), MERGE_REQUEST))
        states = [(each, loaded.at(*each).view(job).included) for each in tried]
        likely = [each for wanted in (True, None) for each, included in states if included is wanted]
        yield likely[0] if likely else tried[0]


def _branch(refs: Sequence[Ref], default: str, *, protected: bool) -> Ref:
    """Return the default branch, or another one that is not known to be protected."""
    if protected:
        return Ref(name=default, protected=True)
    others = (
        each
        for each in refs
        if each.type is RefType.BRANCH and each.name != default and each.protected is not True
    )
    return replace(next(others, Ref(name=EXAMPLE_BRANCH)), protected=False)


def expectations(found: Found, task: Task) -> tuple[Expectation, ...]:
    """Return everything that holds now and is worth a test."""
    included = found.included(task.job)
    if included is False and task.job:
        return (Expectation(kind=Kind.NO_JOB, wanted=task.job),)
    return (
        *(each for command in task.commands for each in _login(found, command)),
        *([Expectation(kind=Kind.JOB, wanted=task.job)] if included and task.job else []),
        *(Expectation(kind=kind, wanted=name) for kind, name in _variables(found, task.commands)),
        Expectation(kind=Kind.FINDINGS, wanted=" ".join(_ids(found))),
    )


def _login(found: Found, command: Command) -> Iterator[Expectation]:
    decided = found.decided[command]
    if not isinstance(decided, Decision):
        yield Expectation(kind=Kind.ERROR, wanted=decided.id, command=command)
        return
    yield Expectation(kind=Kind.METHOD, wanted=str(decided.method), command=command)
    if decided.username is not None:
        yield Expectation(kind=Kind.USERNAME, wanted=decided.username, command=command)
    if len(decided.login) == 1:
        yield Expectation(kind=Kind.REGISTRY, wanted=host_of_key(decided.login[0]), command=command)


def _variables(found: Found, commands: Iterable[Command]) -> Iterator[tuple[Kind, str]]:
    """Yield the variables that the logins read and that are set, then those that the job does not get."""
    logins = (found.decided[command] for command in commands)
    decided = [each for each in logins if isinstance(each, Decision)]
    read = {name for each in decided for step in each.trace for name in step.looked_at}
    facts = found.facts
    for name in sorted(read & facts.variables.keys()):
        value = facts.unknown(name)
        if facts.is_set(name) and not (value is not None and value.may_be_missing):
            yield Kind.VARIABLE, name
    for name in sorted(found.absent)[:_MOST_LISTED]:
        yield Kind.NO_VARIABLE, name


def _ids(found: Found) -> list[str]:
    seen = (each.finding for each in found.findings() if not each.muted)
    return sorted({str(each.id) for each in seen if each.severity is not Severity.NOTE})
