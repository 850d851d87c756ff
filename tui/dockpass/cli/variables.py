"""The work of `dockpass vars`: read the clone, resolve a job, and put the answers in lines or in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dockpass.cli.facts_options import require_one_ref
from dockpass.cli.usual import usual_version
from dockpass.cli.variables_settings import settings_notes, settings_of
from dockpass.cli.world import World
from dockpass.errors import ExitCode
from dockpass.findings import Severity
from dockpass.marks import OF_SEVERITY
from dockpass.secrets import Secret
from dockpass.variables.clone import MERGED, Clone, find_clone
from dockpass.variables.gitlab.model import Definition, Level, Ref, RefType
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.gitlab.tree import YamlError
from dockpass.variables.gitlab.versions import Version, ref_in, version_of
from dockpass.variables.gitlabplace import ref_of_job
from dockpass.variables.jobscript import JobScript, read_job
from dockpass.variables.logins import JobLogin, is_secret, logins_of
from dockpass.variables.pipeline import MERGE_REQUEST, PUSH, Loaded, Pipeline, load_pipeline
from dockpass.variables.projectsettings import ProjectSettings
from dockpass.variables.refusals import (
    configuration_missing,
    configuration_refused,
    job_missing,
    ref_unknown,
)
from dockpass.variables.settingsfile import read_settings
from dockpass.variables.snapshot import gaps
from dockpass.variables.undefined import Undefined, undefined_in
from dockpass.variables.variable import assigned

if TYPE_CHECKING:
    from dockpass.scenario.opening import Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A job that was looked at, in which pipeline, and the logins that its variables lead to.

    `is_merged` tells that the configuration is not the clone's own, but as GitLab merges it. `script` is
    what the job's scripts do, `undefined` what the job uses and nothing that is loaded defines.
    """

    view: JobView
    loaded: Loaded
    pipeline: Pipeline
    logins: tuple[JobLogin, ...]
    known_settings: bool
    clone: Clone
    home: str
    cwd: str
    settings: ProjectSettings
    is_merged: bool
    script: JobScript
    undefined: tuple[Undefined, ...]
    opened: Opened | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every source of the job's variables is loaded."""
        snapshot = self.settings.snapshot
        return not self.loaded.config.not_loaded and snapshot is not None and not gaps(snapshot.levels)


def look(world: World, given: Mapping[str, Any]) -> Looked:
    """Resolve the job that the options name; raises `UsageError` with file, line and reason.

    `given` may have, beside the options, a scenario that was opened already (`opened`), and its project
    (`clone`).
    """
    opened: Opened | None = given.get("opened")
    if opened is not None or given["scenario"] is not None:
        from dockpass.cli.scenario_given import on_top, open_given  # only a scenario needs TOML

        opened = opened or open_given(world, given)
        given = on_top(opened, given)
    clone = given.get("clone") or _clone(world, opened)
    ref = _ref(world, clone, given)
    imported = settings_of(world, clone.remote, ref, given)
    clone = imported.known_of(clone)
    version = _version(world, given, imported)
    ref = ref_in(imported.protected(ref), version)
    pipeline = _pipeline(world, ref, version, imported, given, opened)
    try:
        loaded = load_pipeline(clone, pipeline)
        is_merged = imported.merged is not None and bool(loaded.config.not_loaded)
        if is_merged:
            clone = replace(clone, merged=imported.merged)
            loaded = load_pipeline(clone, pipeline)
    except YamlError as error:
        raise configuration_refused(error.message, error.place) from None
    job = given["job"] or ""
    if job and loaded.config.job(job) is None:
        raise job_missing(job, loaded.config)
    view = loaded.view(job)
    secret = (found for name, found in view.variables.items() if is_secret(name, found))
    world.redactor.learn_all(
        Secret(value)
        for found in secret
        for value in (found.value, found.content, found.gitlab_value, found.winner.value)
        if isinstance(value, str) and value
    )
    named = loaded.job(job)
    script = read_job(named)
    for password in script.passwords:
        world.redactor.learn(password)
    return Looked(
        view=view,
        loaded=loaded,
        pipeline=pipeline,
        logins=tuple(logins_of(view, str(world.home), str(world.cwd))),
        known_settings=bool(pipeline.settings or imported.snapshot or opened),
        clone=clone,
        home=str(world.home),
        cwd=str(world.cwd),
        settings=imported,
        is_merged=is_merged,
        script=script,
        undefined=undefined_in(loaded.config, named, view, script, loaded.situation.version),
        opened=opened,
    )


def _clone(world: World, opened: Opened | None) -> Clone:
    clone = find_clone(world.cwd, world.environ) if opened is None else opened.find_clone(world.environ)
    if clone is not None:
        return clone
    raise configuration_missing(opened.file if opened is not None else "")


OPTIONS = (
    ("instance_variables", Level.INSTANCE),
    ("group_variables", Level.GROUP),
    ("project_variables", Level.PROJECT),
)


def _version(world: World, given: Mapping[str, Any], imported: ProjectSettings) -> Version | None:
    """Return GitLab's version: as given, else as the server said, else as set; None for the current one."""
    if given["gitlab_version"]:
        return version_of(given["gitlab_version"])
    if imported.snapshot is not None and (told := version_of(imported.snapshot.version)):
        return told
    return usual_version(world)


def _pipeline(
    world: World,
    ref: Ref,
    version: Version | None,
    imported: ProjectSettings,
    given: Mapping[str, Any],
    opened: Opened | None,
) -> Pipeline:
    source = given["pipeline_source"] or (MERGE_REQUEST if ref.type is RefType.MERGE_REQUEST else PUSH)
    settings = [
        definition
        for option, level in OPTIONS
        for name in given[option]
        for definition in read_settings(world.cwd / name, level)
    ]
    typed = frozenset(level for option, level in OPTIONS if given[option])
    edits = tuple(_edit(text, world.environ) for text in given["sets"])
    if opened is not None:
        taken = {*(each.key for each in edits), *given["unsets"]}
        settings = [*(each for each in opened.settings if each.level not in typed), *settings]
        edits = (*(each for each in opened.own if each.key not in taken), *edits)
    replaced = typed | {each.level for each in settings}
    return Pipeline(
        ref=ref,
        source=source,
        environment=given["environment"],
        settings=(*imported.definitions(ref, replaced), *settings),
        edits=edits,
        unset=frozenset(given["unsets"]),
        version=version,
    )


def _ref(world: World, clone: Clone, given: Mapping[str, Any]) -> Ref:
    require_one_ref(given)
    protected = given["protected"]
    if given["tag"]:
        return Ref(type=RefType.TAG, name=given["tag"], protected=protected)
    if given["ref"]:
        ref = _named_ref(given["ref"], protected)
    elif here := clone.ref or ref_of_job(world.environ):
        ref = Ref(type=here.type, name=here.name, protected=protected)
    else:
        raise ref_unknown()
    if given["merge_request"]:
        return Ref(type=RefType.MERGE_REQUEST, name=ref.name, protected=bool(protected))
    return ref


def _named_ref(name: str, protected: bool | None) -> Ref:
    """Return a branch, or what `refs/heads/…` and `refs/tags/…` name."""
    if name.startswith("refs/tags/"):
        return Ref(type=RefType.TAG, name=name.removeprefix("refs/tags/"), protected=protected)
    return Ref(name=name.removeprefix("refs/heads/"), protected=protected)


def _edit(text: str, environ: Mapping[str, str]) -> Definition:
    """Return an edit. What is taken from the environment is not shown: that is how secrets are given."""
    name, value = assigned(text, environ)
    return Definition(key=name, value=value, level=Level.WHAT_IF, raw=True, masked="=" not in text)


def status(looked: Looked) -> int:
    """Return 1 where GitLab would refuse the configuration, else 0."""
    return ExitCode.FAILED if looked.view.problems else ExitCode.DONE


def note_lines(looked: Looked) -> Iterator[str]:
    """Yield the notes as lines."""
    return (f"{OF_SEVERITY[severity]} {words}" for severity, words in notes(looked))


def notes(looked: Looked) -> Iterator[tuple[Severity, str]]:
    """Yield what a person should know about the answer: what was not loaded, and what GitLab would say."""
    for problem in looked.view.problems:
        where = f"{problem.place}: " if problem.place.line else ""
        yield Severity.ERROR, f"{where}{problem.message}"
    for missing in looked.loaded.config.not_loaded:
        yield (
            Severity.WARNING,
            f"{missing.place}: include {missing.kind} {missing.text} is not loaded; values may differ",
        )
    if looked.is_merged:
        yield Severity.NOTE, f"the configuration is {MERGED}; what is not pushed is not in it"
    yield from settings_notes(looked.settings, looked.pipeline.ref)
    if looked.opened is not None:
        yield from ((each.severity, each.in_words) for each in looked.opened.notes)
    if not looked.known_settings:
        yield (
            Severity.WARNING,
            "project and group settings are not loaded: `dockpass vars import gitlab` reads them, and"
            " --project-variables and --group-variables take files",
        )
