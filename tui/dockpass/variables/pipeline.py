"""A pipeline as a person describes it: the clone's ref and project, settings, and edits on top.

Turns them into a `Situation` with every definition that does not stand in the YAML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dockpass.variables.clone import CI_FILE, Clone
from dockpass.variables.gitlab.config import Config, Job, read_config
from dockpass.variables.gitlab.includes import load
from dockpass.variables.gitlab.model import NOWHERE, Definition, Level, Ref, Value, YamlPart
from dockpass.variables.gitlab.predefined import (
    job_only_definitions,
    project_variables,
    ref_variables,
)
from dockpass.variables.gitlab.resolve import JobView, Situation, view_job
from dockpass.variables.gitlab.rules import Surroundings, judge
from dockpass.variables.gitlab.tree import Tree

PUSH = "push"
MERGE_REQUEST = "merge_request_event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """What a person says of the pipeline: each None takes what the clone says."""

    ref: Ref
    source: str = PUSH
    environment: str | None = None
    settings: tuple[Definition, ...] = ()
    edits: tuple[Definition, ...] = ()
    unset: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Loaded:
    """The configuration with the situation that it is looked at in."""

    config: Config
    situation: Situation

    def view(self, name: str, instance: Mapping[str, str] | None = None) -> JobView:
        """Resolve a job; the empty name stands for what every job gets."""
        job = self.config.job(name) if name else None
        return view_job(
            self.config, self.situation, job or Job(name=name, tree=Tree(), place=NOWHERE), instance
        )


def load_pipeline(clone: Clone, pipeline: Pipeline) -> Loaded:
    """Read the clone's configuration for a pipeline; raises `YamlError` where it cannot be read."""
    situation = _situation(clone, pipeline)
    before = {
        each.key: each.value
        for each in situation.definitions
        if each.level not in {Level.PERSISTED, Level.DOTENV}
        and not (each.protected and not pipeline.ref.protected)
    }
    around = Surroundings(values=before, expand=lambda: before, paths=situation.paths)

    def include_holds(rules: object) -> bool | None:
        trees = [each for each in rules if isinstance(each, Tree)] if isinstance(rules, list) else []
        return judge(trees, "always", around, YamlPart.RULES).included

    return Loaded(read_config(load(CI_FILE, clone, before, include_holds)), situation)


def _situation(clone: Clone, pipeline: Pipeline) -> Situation:
    predefined = {
        **project_variables(clone.project),
        **ref_variables(pipeline.ref, pipeline.source),
    }
    return Situation(
        ref=pipeline.ref,
        definitions=(
            *job_only_definitions(),
            *_definitions(predefined, Level.PREDEFINED),
            *pipeline.settings,
            *pipeline.edits,
        ),
        environment=pipeline.environment,
        paths=clone.paths(),
        unset=pipeline.unset,
    )


def _definitions(values: Mapping[str, Value], level: Level) -> Iterator[Definition]:
    for key, value in values.items():
        yield Definition(key=key, value=value, level=level)
