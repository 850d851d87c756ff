"""New scenarios: what is known of a project, what is looked at, and what is found now. Never a secret."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dockpass.auth.facts import Edit, EditKind
from dockpass.errors import UsageError
from dockpass.keeping import keep
from dockpass.newfile import create
from dockpass.scenario.model import (
    CI_YAML,
    Context,
    Given,
    Reference,
    ReferenceKind,
    Scenario,
    Source,
    kind_of_format,
)
from dockpass.scenario.opening import open_scenario
from dockpass.scenario.proposing import Task, expectations, task_of
from dockpass.scenario.references import Reach
from dockpass.scenario.schema import check
from dockpass.scenario.writing import scenario_text
from dockpass.secrets import Secret
from dockpass.session.assemble import Process
from dockpass.session.desk import Desk, Seen
from dockpass.session.scenario_check import found_of
from dockpass.session.scenario_context import OpenScenario
from dockpass.session.scenarios import try_scenario
from dockpass.system import reason
from dockpass.tomllines import lines_of
from dockpass.typedpath import is_there
from dockpass.unknown import Unknown
from dockpass.variables.clone import Clone
from dockpass.variables.formats.detect import propose
from dockpass.variables.formats.reading import decode
from dockpass.variables.gitlab.model import Definition, Level, Ref
from dockpass.variables.gitlab.predefined import Project, project_variables
from dockpass.variables.gitlab.versions import Version
from dockpass.variables.inwords import protection_words
from dockpass.variables.pipeline import MERGE_REQUEST, PUSH
from dockpass.variables.snapshot import Snapshot

_KNOWN_OF_PROJECT = ("CI_DEFAULT_BRANCH", "CI_REGISTRY", "CI_REGISTRY_IMAGE")
"""What is known here of the project and may not be known elsewhere, as in a shallow clone."""
_OF_SETTINGS = (Level.INSTANCE, Level.GROUP, Level.PROJECT)


def scenario_name(job: str, ref: Ref) -> str:
    """Return the name of a scenario, such as `publish on main, protected`."""
    return f"{job or 'every job'} on {ref.name}, {protection_words(ref)}"


def expected_now(
    scenario: Scenario,
    into: Path,
    task: Task,
    process: Process,
    usual: Version | None = None,
    clone: Clone | None = None,
) -> Scenario:
    """Return a scenario that expects what a check of it will find, once it is written.

    `into` is the directory that it is written into, which is there: its paths lead from there.
    """
    reach = Reach(environ=process.environ, home=process.home, directory=into)
    opened = open_scenario(scenario, "the new scenario", into, reach, process.redactor)
    found = found_of(try_scenario(opened, process, usual, clone))
    return replace(scenario, expected=expectations(found, task))


def configuration_of(clone: Clone, into: Path) -> Source:
    """Return the project's configuration as a source."""
    return Source(kind=CI_YAML, path=_relative(clone.root / clone.own_file, into))


def source_of(path: Path, level: Level, into: Path, format_: str = "") -> Source:
    """Return a file of variables as a source; without a format, in the one that its text has."""
    if not format_:
        text, _ = decode(path.read_bytes())
        format_ = propose(text, str(path)).format
    return Source(kind=kind_of_format(format_), path=_relative(path, into), level=level)


def _relative(path: Path, into: Path) -> str:
    return os.path.relpath(path.resolve(), into.resolve())


def known_variables(
    project: Project, snapshot: Snapshot | None, replaced: Collection[Level]
) -> Iterator[Given]:
    """Yield what is known here of project and settings, so that a check knows it elsewhere too.

    The levels that are `replaced` come from somewhere else.
    """
    values = project_variables(project)
    for key in _KNOWN_OF_PROJECT:
        if isinstance(value := values.get(key), str):
            yield Given(key=key, value=value, level=Level.PREDEFINED)
    for each in snapshot.definitions if snapshot else ():
        if each.level in _OF_SETTINGS and each.level not in replaced:
            yield _of_settings(each, snapshot.project if snapshot else "")


def _of_settings(each: Definition, project: str) -> Given:
    reference = Reference(ReferenceKind.GITLAB, (project, each.key, each.scope))
    return _given(each, "" if each.value == "" else reference)


def _given(each: Definition, value: str | Secret | Reference) -> Given:
    flags = {"protected": each.protected, "masked": each.masked, "hidden": each.hidden}
    flags |= {"raw": each.raw and each.level is not Level.WHAT_IF, "file": each.file}
    return Given(
        key=each.key,
        value=value,
        level=each.level,
        group=each.origin if each.level is Level.GROUP else "",
        flags=frozenset(flag for flag, is_set in flags.items() if is_set),
        scope=each.scope,
    )


def scenario_of_desk(
    desk: Desk, seen: Seen, edits: Sequence[Edit], opened: OpenScenario | None, into: Path, process: Process
) -> str:
    """Return the text of a scenario of what is looked at, with the edits, for a file in a directory.

    What an open scenario says stays in it. Raises `UsageError` where a text of it would hold a secret.
    """
    looking = desk.looking
    job = seen.loaded.job(looking.job)
    name = job.instance_name(looking.instance) if job.instances else looking.job
    base = opened.tried.opened.scenario if opened is not None and desk.scenario else Scenario()
    is_same = opened is not None and looking == opened.looking
    task = task_of(job)
    if base.command is not None:
        task = replace(task, commands=tuple(dict.fromkeys((base.command, *task.commands))))
    changed = _last(edits)
    kept = (each for each in base.variables if not (each.level is Level.WHAT_IF and each.key in changed))
    scenario = replace(
        base,
        name=base.name if is_same and base.name else scenario_name(name, looking.ref),
        command=task.commands[0],
        job=name,
        context=_context(desk, base.context, changed),
        sources=tuple(_sources(desk, opened, into)),
        variables=(*kept, *_variables(desk, changed)),
        expected=(),
        notes=(),
    )
    # What is tested is what the file will say: a secret is a reference by then.
    text = scenario_text(scenario, process.redactor)
    written = check(tomllib.loads(text), lines_of(text)).scenario
    whole = expected_now(written, into, task, process, desk.usual_version)
    return scenario_text(whole, process.redactor, "Saved by dockpass.")


def _last(edits: Sequence[Edit]) -> dict[str, Edit]:
    """Return the edits of variables by name, the last one of each; options are not part of a scenario."""
    return {each.name: each for each in edits if each.kind in {EditKind.SET, EditKind.UNSET}}


def _is_set(edit: Edit) -> bool:
    return edit.kind is EditKind.SET and edit.value is not None


def _context(desk: Desk, base: Context, changed: Mapping[str, Edit]) -> Context:
    looking = desk.looking
    is_usual = looking.source in {PUSH, MERGE_REQUEST}
    unset = {*base.unset} - {name for name, edit in changed.items() if _is_set(edit)}
    unset |= {name for name, edit in changed.items() if not _is_set(edit)}
    return replace(
        base,
        ref_type=looking.ref.type,
        ref=looking.ref.name,
        protected=looking.ref.protected,
        pipeline_source=None if is_usual else looking.source,
        environment=looking.environment,
        gitlab_version=str(desk.given_version) if desk.given_version else "",
        unset=tuple(sorted(unset)),
    )


def _sources(desk: Desk, opened: OpenScenario | None, into: Path) -> Iterator[Source]:
    if desk.clone is not None:
        yield configuration_of(desk.clone, into)
    if opened is not None and desk.scenario:
        directory = opened.tried.opened.directory
        for each in opened.tried.opened.scenario.sources:
            if each.kind != CI_YAML:
                yield replace(each, path=_relative(directory / each.path, into))
    for found in desk.own_imports:
        if found.path is not None and found.definitions:
            yield source_of(found.path, found.definitions[0].level, into, found.format)


def _variables(desk: Desk, changed: Mapping[str, Edit]) -> Iterator[Given]:
    """Yield what is known beside the files: of the project, of pastes, and by edits."""
    imported = desk.own_imports
    replaced = {each.level for found in imported for each in found.definitions}
    if not desk.scenario and desk.clone is not None:
        yield from known_variables(desk.clone.project, desk.kept.snapshot, replaced)
    for found in imported:
        if found.path is None:
            yield from (_given(each, _kept(each)) for each in found.definitions)
    for name, edit in changed.items():
        if edit.kind is EditKind.SET and edit.value is not None:
            yield Given(key=name, value=edit.value)


def _kept(each: Definition) -> str | Secret | Reference:
    """Return the value of a pasted variable: one that a log masks or that is a secret is a reference."""
    if isinstance(each.value, Unknown) or each.masked or each.hidden:
        return Reference(ReferenceKind.ENV, (each.key,))
    return each.value


def make_directory(path: Path) -> None:
    """Make a directory for scenarios, where there is none; raises `UsageError`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(error) from error


def create_scenario(path: Path, text: str, *, replaces: bool = False) -> None:
    """Write a scenario for everybody who works on the project; raises `UsageError`.

    One that is there already stays, unless it may be replaced; it keeps its mode then.
    """
    try:
        whole = Path(os.path.realpath(path))  # a link that leads in a circle is none
        if replaces and is_there(whole):
            mode = whole.stat().st_mode & 0o7777
            keep(whole, text.encode("utf-8", "surrogateescape"))
            whole.chmod(mode)
        else:
            create(path, text, private=False)
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> UsageError:
    return UsageError(
        "scenario-unwritable",
        f"The scenario cannot be written: {reason(error)}.",
        "Choose another directory.",
    )
