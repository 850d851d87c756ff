"""The work of `dockpass scenario new`: scenarios of a project's jobs, with what is found now."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dockpass.cli.output import Output
from dockpass.cli.readonly import refuse_if_read_only
from dockpass.cli.usual import usual_version
from dockpass.cli.variables import OPTIONS, Looked, look
from dockpass.cli.world import World
from dockpass.errors import UsageError
from dockpass.marks import GLYPH_DONE, GLYPH_LOOK, GLYPH_NOT_REACHED
from dockpass.newfile import create
from dockpass.readonly import Act
from dockpass.scenario.checking import Found
from dockpass.scenario.model import (
    CI_YAML,
    SUFFIX,
    Context,
    Given,
    Reference,
    ReferenceKind,
    Scenario,
    Source,
    kind_of_format,
)
from dockpass.scenario.opening import open_scenario
from dockpass.scenario.proposing import Task, expectations, pipelines_for, task_of, tasks_of
from dockpass.scenario.references import Reach
from dockpass.scenario.writing import scenario_text, secret_at, secret_refused
from dockpass.session.scenario_check import found_of
from dockpass.session.scenarios import try_scenario
from dockpass.system import reason
from dockpass.text import clean, plural
from dockpass.variables.clone import Clone, find_clone
from dockpass.variables.formats.detect import propose
from dockpass.variables.formats.reading import decode
from dockpass.variables.gitlab.model import Definition, Level, Ref
from dockpass.variables.gitlab.predefined import project_variables, slug
from dockpass.variables.pipeline import PUSH

DIRECTORY = "scenarios"
EXAMPLE_REF = "main"
"""What the configuration is read for at first; each scenario has a ref of its own."""
_KNOWN_OF_PROJECT = ("CI_DEFAULT_BRANCH", "CI_REGISTRY", "CI_REGISTRY_IMAGE")
"""What is known here of the project and may not be known elsewhere, as in a shallow clone."""
_OF_SETTINGS = (Level.INSTANCE, Level.GROUP, Level.PROJECT)


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
    _make(into)
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
        output.data([_line(world, each)])
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
            "No job of this project logs in to a registry or pushes, as far as its scripts tell.",
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
    refs = tuple(looked.settings.protected(each) for each in looked.clone.refs())
    default = looked.clone.project.default_branch or "main"
    for ref, source in pipelines_for(looked.loaded, task.job, refs, default):
        kind = "protected" if ref.protected else "unprotected"
        path = begin.with_name(f"{begin.name}-{kind}{SUFFIX}")
        if path.exists() or path.is_symlink():
            yield Written(path, task, ref, is_new=False)
            continue
        pipeline_source = None if source == PUSH else source
        scenario = Scenario(
            name=f"{task.job} on {ref.name}, {'protected' if ref.protected else 'not protected'}",
            command=task.commands[0],
            job=task.job,
            context=Context(
                ref_type=ref.type, ref=ref.name, protected=ref.protected, pipeline_source=pipeline_source
            ),
            sources=tuple(_sources(world, looked, into, given)),
            variables=tuple(_variables(looked, given)),
        )
        found = _found(world, scenario, into, clone)
        scenario = replace(scenario, expected=expectations(found, task))
        if key := secret_at(scenario, world.redactor):
            yield Written(path, task, ref, is_new=False, secret_at=key)
            continue
        about = f"Written by `dockpass scenario new` for the job {task.job}, because {task.because}."
        _create(path, scenario_text(scenario, world.redactor, about))
        yield Written(path, task, ref, is_new=True)


def _found(world: World, scenario: Scenario, into: Path, clone: Clone) -> Found:
    """Return what a check of the file that is about to be written will find."""
    reach = Reach(environ=world.environ, home=world.home, directory=into)
    opened = open_scenario(scenario, "the new scenario", into, reach, world.redactor)
    return found_of(try_scenario(opened, world, usual_version(world), clone))


def _sources(world: World, looked: Looked, into: Path, given: Mapping[str, Any]) -> Iterator[Source]:
    yield Source(kind=CI_YAML, path=_relative(looked.clone.root / looked.clone.own_file, into))
    for option, level in OPTIONS:
        for name in given[option]:
            path = world.cwd / name
            text, _ = decode(path.read_bytes())
            kind = kind_of_format(propose(text, str(path)).format)
            yield Source(kind=kind, path=_relative(path, into), level=level)


def _relative(path: Path, into: Path) -> str:
    return os.path.relpath(path.resolve(), into.resolve())


def _variables(looked: Looked, given: Mapping[str, Any]) -> Iterator[Given]:
    """Yield what is known here of project and settings, so that a check knows it elsewhere too."""
    values = project_variables(looked.clone.project)
    for key in _KNOWN_OF_PROJECT:
        if isinstance(value := values.get(key), str):
            yield Given(key=key, value=value, level=Level.PREDEFINED)
    snapshot = looked.settings.snapshot
    replaced = {level for option, level in OPTIONS if given[option]}
    for each in snapshot.definitions if snapshot else ():
        if each.level in _OF_SETTINGS and each.level not in replaced:
            yield _of_settings(each, snapshot.project if snapshot else "")


def _of_settings(each: Definition, project: str) -> Given:
    flags = {"protected": each.protected, "masked": each.masked, "hidden": each.hidden}
    flags |= {"raw": each.raw, "file": each.file}
    value: str | Reference = Reference(ReferenceKind.GITLAB, (project, each.key, each.scope))
    return Given(
        key=each.key,
        value="" if each.value == "" else value,
        level=each.level,
        group=each.origin if each.level is Level.GROUP else "",
        flags=frozenset(flag for flag, is_set in flags.items() if is_set),
        scope=each.scope,
    )


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> UsageError:
    return UsageError(
        "scenario-unwritable", f"The scenario cannot be written: {reason(error)}.", "Give --output DIR."
    )


def _create(path: Path, text: str) -> None:
    """Write a new file, for everybody who works on the project; one that is there by now stays."""
    try:
        create(path, text, private=False)
    except OSError as error:
        raise _unwritable(error) from error


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
        return f"{GLYPH_NOT_REACHED} {shown} is there already and was not changed"
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
