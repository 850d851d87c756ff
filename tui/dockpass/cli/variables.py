"""The work of `dockpass vars`: read the clone, resolve a job, and put the answers in lines or in JSON."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dockpass.cli.variables_settings import settings_notes, settings_of
from dockpass.cli.world import World
from dockpass.errors import ExitCode, UsageError
from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.textfile import read_text_file
from dockpass.variables.clone import CI_FILE, MERGED, Clone, find_clone
from dockpass.variables.gitlab.model import (
    Definition,
    Level,
    Ref,
    RefType,
    Unknown,
)
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.gitlab.tree import YamlError
from dockpass.variables.gitlabplace import ref_of_job
from dockpass.variables.logins import JobLogin, is_secret, logins_of
from dockpass.variables.pipeline import MERGE_REQUEST, PUSH, Loaded, Pipeline, load_pipeline
from dockpass.variables.projectsettings import ProjectSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A job that was looked at, in which pipeline, and the logins that its variables lead to.

    `is_merged` tells that the configuration is not the clone's own, but as GitLab merges it.
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


def look(world: World, given: Mapping[str, Any]) -> Looked:
    """Resolve the job that the options name; raises `UsageError` with file, line and reason."""
    clone = find_clone(world.cwd, world.environ)
    if clone is None:
        raise UsageError(
            "ci-file-missing",
            f"{CI_FILE} not found here or at the root of this repository.",
            "Run this in a clone of the project.",
        )
    ref = _ref(world, clone, given)
    imported = settings_of(world, ref, given)
    clone = imported.known_of(clone)
    pipeline = _pipeline(world, imported.protected(ref), imported, given)
    try:
        loaded = load_pipeline(clone, pipeline)
        is_merged = imported.merged is not None and bool(loaded.config.not_loaded)
        if is_merged:
            clone = replace(clone, merged=imported.merged)
            loaded = load_pipeline(clone, pipeline)
    except YamlError as error:
        where = f"{error.place}: " if error.place.line else ""
        raise UsageError(
            "ci-file-invalid", f"{where}{error.message}", "Fix the YAML, then try again."
        ) from None
    job = given["job"] or ""
    if job and loaded.config.job(job) is None:
        raise _no_job(job, loaded)
    view = loaded.view(job)
    for name, found in view.variables.items():
        for value in (found.value, found.content, found.gitlab_value, found.winner.value):
            if isinstance(value, str) and value and is_secret(name, found):
                world.redactor.learn(Secret(value))
    return Looked(
        view=view,
        loaded=loaded,
        pipeline=pipeline,
        logins=tuple(logins_of(view, str(world.home), str(world.cwd))),
        known_settings=bool(pipeline.settings or imported.snapshot),
        clone=clone,
        home=str(world.home),
        cwd=str(world.cwd),
        settings=imported,
        is_merged=is_merged,
    )


def _no_job(name: str, loaded: Loaded) -> UsageError:
    names = list(loaded.config.jobs or {})
    close = difflib.get_close_matches(name, names, 1)
    meant = (
        f"Did you mean {clean(close[0], 80)}?"
        if close
        else f"Jobs: {clean(', '.join(names) or 'none', 300)}."
    )
    if loaded.config.not_loaded:
        meant += " It may be in an include that is not loaded: --from-gitlab reads them all."
    return UsageError("no-such-job", f"{CI_FILE} has no job {clean(name, 80)!r}.", meant)


_OPTIONS = (
    ("instance_variables", Level.INSTANCE),
    ("group_variables", Level.GROUP),
    ("project_variables", Level.PROJECT),
)


def _pipeline(world: World, ref: Ref, imported: ProjectSettings, given: Mapping[str, Any]) -> Pipeline:
    source = given["pipeline_source"] or (MERGE_REQUEST if ref.type is RefType.MERGE_REQUEST else PUSH)
    settings = [
        definition
        for option, level in _OPTIONS
        for name in given[option]
        for definition in _settings(world.cwd / name, level)
    ]
    replaced = frozenset(level for option, level in _OPTIONS if given[option])
    edits = tuple(_edit(text) for text in given["sets"])
    return Pipeline(
        ref=ref,
        source=source,
        environment=given["environment"],
        settings=(*imported.definitions(ref, replaced), *settings),
        edits=edits,
        unset=frozenset(given["unsets"]),
    )


def _ref(world: World, clone: Clone, given: Mapping[str, Any]) -> Ref:
    if given["tag"] and (given["ref"] or given["merge_request"]):
        raise UsageError(
            "ref-twice", "--tag cannot be used with --ref or --merge-request.", "Give one of them."
        )
    protected = given["protected"]
    if given["tag"]:
        return Ref(type=RefType.TAG, name=given["tag"], protected=protected)
    if given["ref"]:
        ref = Ref(name=given["ref"], protected=protected)
    elif here := clone.ref or ref_of_job(world.environ):
        ref = Ref(type=here.type, name=here.name, protected=protected)
    else:
        raise UsageError("ref-unknown", "No branch or tag is checked out here.", "Give --ref or --tag.")
    if given["merge_request"]:
        return Ref(type=RefType.MERGE_REQUEST, name=ref.name, protected=bool(protected))
    return ref


def _settings(path: Path, level: Level) -> Iterator[Definition]:
    """Read variables as GitLab's API or `glab variable export` prints them."""
    shown = clean(str(path))
    text = read_text_file(path, "variables-file", "Save the answer of GitLab's variables API to a file.")
    start = text.find("[")
    try:
        rows = json.loads(text[start:]) if start >= 0 else None
    except (ValueError, RecursionError) as error:
        raise UsageError(
            "variables-file-invalid", f"{shown} is not valid JSON: {clean(str(error), 200)}."
        ) from error
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("key"), str) for row in rows
    ):
        raise UsageError(
            "variables-file-invalid",
            f"{shown} is not a JSON list of variables.",
            "Save the answer of GET /projects/ID/variables to a file.",
        )
    origin = path.stem if level is Level.GROUP else ""
    for row in rows:
        value = row.get("value")
        yield Definition(
            key=row["key"],
            value=value if isinstance(value, str) else Unknown("hidden in GitLab", is_set=True),
            level=level,
            origin=origin,
            protected=row.get("protected") is True,
            masked=row.get("masked") is True,
            hidden=row.get("hidden") is True,
            raw=row.get("raw") is True,
            file=row.get("variable_type") == "file",
            scope=row.get("environment_scope") if isinstance(row.get("environment_scope"), str) else "*",
        )


def _edit(text: str) -> Definition:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError("set-invalid", "A --set is not NAME=VALUE.", "Write --set NAME=VALUE.")
    return Definition(key=name, value=value, level=Level.WHAT_IF, raw=True)


def status(looked: Looked) -> int:
    """Return 1 where GitLab would refuse the configuration, else 0."""
    return ExitCode.FAILED if looked.view.problems else ExitCode.DONE


def notes(looked: Looked) -> Iterator[str]:
    """Yield what a person should know about the answer: what was not loaded, and what GitLab would say."""
    for problem in looked.view.problems:
        where = f"{problem.place}: " if problem.place.line else ""
        yield f"✗ {where}{problem.message}"
    for missing in looked.loaded.config.not_loaded:
        yield f"▲ {missing.place}: include {missing.kind} {missing.text} is not loaded; values may differ"
    if looked.is_merged:
        yield f"· the configuration is {MERGED}; what is not pushed is not in it"
    yield from settings_notes(looked.settings, looked.pipeline.ref)
    if not looked.known_settings:
        yield (
            "▲ project and group settings are not loaded: `dockpass vars import gitlab` reads them, and"
            " --project-variables and --group-variables take files"
        )
