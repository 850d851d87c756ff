"""A row of `ci_variables.jsonl` as the program's own values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dockpass.unknown import Unknown
from dockpass.variables.gitlab.config import Config, Job, read_config
from dockpass.variables.gitlab.includes import load
from dockpass.variables.gitlab.model import Definition, Level, Place, Ref, RefType
from dockpass.variables.gitlab.predefined import Project, predefined
from dockpass.variables.gitlab.resolve import JobView, Situation, view_job
from dockpass.variables.gitlab.tree import Tree

MAIN = ".gitlab-ci.yml"
CONTEXT = frozenset(
    {
        *("ref", "pipeline_source", "instance_variables", "group_variables", "project_variables"),
        *("pipeline_variables", "schedule_variables", "dotenv", "predefined", "persisted"),
        *("persisted_after_creation", "runner_environment"),
    }
)
"""Everything of a row's context that `definitions` and `ref_of` look at."""


class Files:
    """A work tree in memory."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files

    def read(self, path: str) -> str | None:
        return self.files.get(path)

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self.files))


def config_of(files: Mapping[str, str]) -> Config:
    return read_config(load(MAIN, Files(files), {}, lambda _: None))


def definitions(context: Mapping[str, Any], ref: Ref) -> tuple[Definition, ...]:
    """All definitions of a row's context, weakest first."""
    source = context.get("pipeline_source", "push")
    persisted = {**context.get("persisted", {}), **context.get("persisted_after_creation", {})}
    groups = (
        definition
        for group in context.get("group_variables", ())
        for definition in settings(group["variables"], Level.GROUP, group["group"])
    )
    given = (
        *_plain(context.get("runner_environment", {}), Level.RUNNER),
        *_plain(persisted, Level.PERSISTED),
        *_plain(context.get("predefined", {}), Level.PREDEFINED),
        *_plain(context.get("dotenv", {}), Level.DOTENV),
        *settings(context.get("instance_variables", ()), Level.INSTANCE),
        *groups,
        *settings(context.get("project_variables", ()), Level.PROJECT),
        *_pipeline(context.get("pipeline_variables", {})),
        *_pipeline(context.get("schedule_variables", {}), Level.SCHEDULE),
    )
    return tuple(predefined(Project(), ref, source, given=given))


def settings(rows: Iterable[Mapping[str, Any]], level: Level, origin: str = "") -> Iterable[Definition]:
    """Rows as GitLab's API gives them."""
    for row in rows:
        value = row.get("value")
        yield Definition(
            key=row["key"],
            value=Unknown("hidden", is_set=True) if value is None else value,
            level=level,
            origin=origin,
            protected=row.get("protected", False),
            masked=row.get("masked", False),
            hidden=row.get("hidden", False),
            raw=row.get("raw", False),
            file=row.get("variable_type") == "file",
            scope=row.get("environment_scope", "*"),
        )


def ref_of(context: Mapping[str, Any]) -> Ref:
    given = context.get("ref", {})
    return Ref(
        type=RefType(given.get("type", "branch")),
        name=given.get("name", "main"),
        protected=given.get("protected", True),
    )


def view(row: Mapping[str, Any]) -> JobView:
    """Resolve the job of a row."""
    config = config_of(row["files"])
    ref = ref_of(row["context"])
    job = config.job(row["job"]) or Job(name=row["job"], tree=Tree(), place=Place())
    situation = Situation(
        ref=ref, definitions=definitions(row["context"], ref), paths=Files(row["files"]).paths
    )
    return view_job(config, situation, job, row.get("matrix"))


def _plain(values: Mapping[str, Any], level: Level) -> Iterable[Definition]:
    for key, value in values.items():
        yield Definition(key=key, value=value, level=level)


def _pipeline(given: Any, level: Level = Level.PIPELINE) -> Iterable[Definition]:
    return _plain(given, level) if isinstance(given, Mapping) else settings(given, level)
