"""The work of `dockpass scenario new`: scenarios of a project's jobs, with what is found now."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockpass.cli.output import Output
from dockpass.cli.readonly import refuse_if_read_only
from dockpass.cli.usual import usual_version
from dockpass.cli.variables import OPTIONS, Looked, look
from dockpass.cli.world import World
from dockpass.errors import UsageError
from dockpass.marks import GLYPH_DONE, GLYPH_LOOK, GLYPH_NOT_REACHED
from dockpass.readonly import Act
from dockpass.scenario.model import SUFFIX, Context, Scenario, Source
from dockpass.scenario.proposing import Task, pipelines_for, task_of, tasks_of
from dockpass.scenario.writing import scenario_text, secret_at, secret_refused
from dockpass.session.scenario_files import DIRECTORY
from dockpass.session.scenario_new import (
    configuration_of,
    create_scenario,
    expected_now,
    known_variables,
    make_directory,
    scenario_name,
    source_of,
)
from dockpass.text import clean, plural
from dockpass.typedpath import is_there
from dockpass.variables.clone import Clone, find_clone
from dockpass.variables.gitlab.model import Ref
from dockpass.variables.gitlab.predefined import slug
from dockpass.variables.pipeline import PUSH

EXAMPLE_REF = "main"
"""What the configuration is read for at first; each scenario has a ref of its own."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written, or that was there already.

    `secret_at` says which key would hold a secret; the file was not written then, and its path is not shown.
    """

    path: Path
    task: Task
    ref: Ref
    is_new: bool
    secret_at: str = ""


def write_new(world: World, given: Mapping[str, Any], directory: str | None, *, as_json: bool) -> int:
    """Write the scenarios of the project around this directory, and tell of each; return the exit status."""
    refuse_if_read_only(world, Act.WRITE)
    output = Output(world.redactor)
    looked = look(world, {**given, "ref": EXAMPLE_REF})
    tasks = _tasks(looked, given["job"])
    into = _directory(world, looked, directory)
    make_directory(into)
    names = _names(tasks)
    # Without what was imported here: a check elsewhere has the scenario alone.
    clone = find_clone(looked.clone.root, world.environ) or looked.clone
    written = [
        each for task in tasks for each in _write_task(world, looked, clone, task, into / names[task], given)
    ]
    skipped = [each.secret_at for each in written if each.secret_at]
    if skipped and len(skipped) == len(written):
        raise secret_refused(skipped[0])
    if as_json:
        output.json({"files": [_json(world, each) for each in written]})
        return 0
    for each in written:
        output.words([_line(world, each)])
    count = sum(each.is_new for each in written)
    files = f"{shlex.quote(_shown(world, into))}/*{SUFFIX}"
    output.say([f"{plural(count, 'new scenario')}; `dockpass scenario check {files}` tests them"])
    return 0


def _tasks(looked: Looked, job: str | None) -> tuple[Task, ...]:
    config = looked.loaded.config
    if job:
        return (task_of(looked.loaded.job(job)),)
    found = tuple(tasks_of((config.jobs or {}).values()))
    if not found:
        raise UsageError(
            "scenario-no-jobs",
            "No job of this project logs in to a registry or pushes, as far as its scripts show.",
            "Name one with --job JOB.",
        )
    return found


def _names(tasks: tuple[Task, ...]) -> dict[Task, str]:
    """Return how the files of each job begin: two jobs may have the same slug."""
    names: dict[Task, str] = {}
    for task in tasks:
        base = name = slug(task.job) or "job"
        number = 1
        while name in names.values():
            number += 1
            name = f"{base}-{number}"
        names[task] = name
    return names


def _directory(world: World, looked: Looked, named: str | None) -> Path:
    if named is not None:
        return world.cwd / named
    into = looked.clone.root / DIRECTORY
    if not into.resolve().is_relative_to(looked.clone.root.resolve()):
        raise UsageError(
            "scenario-directory",
            f"{DIRECTORY} leads out of the repository.",
            "Name another place with --output DIR.",
        )
    return into


def _write_task(
    world: World, looked: Looked, clone: Clone, task: Task, begin: Path, given: Mapping[str, Any]
) -> Iterator[Written]:
    into = begin.parent
    replaced = {level for option, level in OPTIONS if given[option]}
    refs = tuple(looked.settings.protected(each) for each in looked.clone.refs())
    default = looked.clone.project.default_branch or "main"
    for ref, source in pipelines_for(looked.loaded, task.job, refs, default):
        kind = "protected" if ref.protected else "unprotected"
        path = begin.with_name(f"{begin.name}-{kind}{SUFFIX}")
        if is_there(path):
            yield Written(path, task, ref, is_new=False)
            continue
        pipeline_source = None if source == PUSH else source
        scenario = Scenario(
            name=scenario_name(task.job, ref),
            command=task.commands[0],
            job=task.job,
            context=Context(
                ref_type=ref.type, ref=ref.name, protected=ref.protected, pipeline_source=pipeline_source
            ),
            sources=tuple(_sources(world, looked, into, given)),
            variables=tuple(known_variables(looked.clone.project, looked.settings.snapshot, replaced)),
        )
        scenario = expected_now(scenario, into, task, world, usual_version(world), clone)
        if key := secret_at(scenario, world.redactor):
            yield Written(path, task, ref, is_new=False, secret_at=key)
            continue
        about = f"Written by `dockpass scenario new` for the job {task.job}, because {task.because}."
        create_scenario(path, scenario_text(scenario, world.redactor, about))
        yield Written(path, task, ref, is_new=True)


def _sources(world: World, looked: Looked, into: Path, given: Mapping[str, Any]) -> Iterator[Source]:
    yield configuration_of(looked.clone, into)
    for option, level in OPTIONS:
        for name in given[option]:
            yield source_of(world.cwd / name, level, into)


def _shown(world: World, path: Path) -> str:
    return clean(os.path.relpath(path, world.cwd), 300)


def _line(world: World, written: Written) -> str:
    ref = written.ref
    kind = str(ref.type).replace("_", " ")
    pipeline = f"{kind} {clean(ref.name, 80)}, {'protected' if ref.protected else 'not protected'}"
    if written.secret_at:
        job = clean(written.task.job, 80)
        return f"{GLYPH_LOOK} {job} on {pipeline} was skipped: {written.secret_at} holds a secret"
    shown = _shown(world, written.path)
    if not written.is_new:
        return f"{GLYPH_NOT_REACHED} {shown} already exists and was not changed"
    return (
        f"{GLYPH_DONE} {shown}: {clean(written.task.job, 80)} on {pipeline}, because {written.task.because}"
    )


def _json(world: World, written: Written) -> dict[str, Any]:
    return {
        "file": None if written.secret_at else clean(os.path.relpath(written.path, world.cwd), 1024),
        "written": written.is_new,
        "secret_at": written.secret_at or None,
        "job": clean(written.task.job, 255),
        "commands": list(written.task.commands),
        "ref": {"type": written.ref.type, "name": clean(written.ref.name, 255)},
        "protected": written.ref.protected,
        "because": written.task.because,
    }
