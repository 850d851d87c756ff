"""A pipeline as a person describes it: the clone's ref and project, settings, and edits on top.

Turns them into a `Situation` with every definition that does not stand in the YAML.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from dockpass.auth.facts import Edit, EditKind
from dockpass.secrets import Secret
from dockpass.variables.clone import Clone
from dockpass.variables.gitlab.config import Config, Job, read_config
from dockpass.variables.gitlab.includes import Problem, load, trees_in
from dockpass.variables.gitlab.model import MERGE_REQUEST as MERGE_REQUEST
from dockpass.variables.gitlab.model import NOWHERE, OF_GITLAB, Definition, Level, Ref, YamlPart
from dockpass.variables.gitlab.model import PUSH as PUSH
from dockpass.variables.gitlab.needs import job_of, missing_words, needs_of
from dockpass.variables.gitlab.predefined import (
    REF_NAMES,
    predefined,
    predefined_of_ref,
)
from dockpass.variables.gitlab.resolve import JobView, Situation, view_job
from dockpass.variables.gitlab.rules import Surroundings, judge
from dockpass.variables.gitlab.tree import Tree
from dockpass.variables.gitlab.versions import BOOLEANS_AND_FLOATS, Version, ref_in

_NOT_BEFORE = frozenset(
    {Level.RUNNER, Level.RUNNER_OWN, Level.PERSISTED, Level.USER, Level.DOTENV, Level.RUNNER_LAST}
)
"""What does not exist yet when the files are included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """What a person says of the pipeline: each None takes what the clone says.

    `version` is the server's; None is the current one. Before 18.1 a merge request is never protected.
    """

    ref: Ref
    source: str = PUSH
    environment: str | None = None
    settings: tuple[Definition, ...] = ()
    edits: tuple[Definition, ...] = ()
    unset: frozenset[str] = frozenset()
    version: Version | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """The configuration with the situation that it is looked at in.

    `again` reads the configuration anew for another situation, as other files may be included there.
    """

    config: Config
    situation: Situation
    source: str = PUSH
    again: Callable[[Situation], Config] | None = field(default=None, repr=False, compare=False)

    def job(self, name: str) -> Job:
        """Return a job; the empty name, and one that does not exist, stand for what every job gets."""
        found = self.config.job(name) if name else None
        return found or Job(name=name, tree=Tree(), place=NOWHERE)

    def view(self, name: str, instance: Mapping[str, str] | None = None) -> JobView:
        """Resolve a job, of a matrix one instance; the empty name stands for what every job gets."""
        if instance is None and (named := self.config.instance(name)):
            job, number = named
            instance = dict(job.instances[number])
        job = self.job(name)
        view = view_job(self.config, self.situation, job, instance)
        problems = tuple(self._unmet_needs(job)) if view.included else ()
        return replace(view, included=False, problems=problems) if problems else view

    def _unmet_needs(self, job: Job) -> Iterator[Problem]:
        """Yield what GitLab says where a job that this one needs is not in the pipeline: it creates none."""
        jobs = self.config.jobs or {}
        if any("needs" in rule for rule in job.rules or ()):
            return  # a rule that matches may say what is needed instead
        for need in needs_of(job.tree):
            needed = None if need.optional else job_of(need.name, jobs)
            if needed is not None and view_job(self.config, self.situation, jobs[needed]).included is False:
                yield Problem(missing_words(job.name, need.name), need.place)

    def within(self, situation: Situation) -> Loaded:
        """Return the same project in another situation."""
        reads = self.again is not None and self.config.conditional
        config = self.again(situation) if reads and self.again is not None else self.config
        return replace(self, config=config, situation=situation)

    def at(self, ref: Ref, source: str) -> Loaded:
        """Return the pipeline of another ref or source, with the same settings and edits."""
        ref = ref_in(ref, self.situation.version)
        kept = [
            each
            for each in self.situation.definitions
            if not (each.level in OF_GITLAB and each.key in REF_NAMES)
        ]
        ours = predefined_of_ref(ref, source, self.situation.version)
        situation = replace(self.situation, ref=ref, definitions=(*kept, *ours))
        return replace(self.within(situation), source=source)


def load_pipeline(clone: Clone, pipeline: Pipeline) -> Loaded:
    """Read the clone's configuration for a pipeline; raises `YamlError` where it cannot be read."""
    situation = _situation(clone, pipeline)

    def read(around: Situation) -> Config:
        return _read(clone, around)

    return Loaded(read(situation), situation, pipeline.source, read)


def _read(clone: Clone, situation: Situation) -> Config:
    before = {
        each.key: each.value
        for each in situation.definitions
        if each.level not in _NOT_BEFORE and not (each.protected and not situation.ref.protected)
    }
    around = Surroundings(values=before, expand=lambda: before, paths=situation.paths)

    def include_holds(rules: object) -> bool | None:
        return judge(trees_in(rules), "always", around, YamlPart.RULES).included

    loaded = load(clone.ci_file, clone, before, include_holds)
    return read_config(loaded, typed=BOOLEANS_AND_FLOATS.holds(situation.version))


def _situation(clone: Clone, pipeline: Pipeline) -> Situation:
    ref = ref_in(pipeline.ref, pipeline.version)
    given = (*pipeline.settings, *pipeline.edits)
    return Situation(
        ref=ref,
        definitions=tuple(predefined(clone.project, ref, pipeline.source, pipeline.version, given)),
        environment=pipeline.environment,
        paths=clone.paths,
        unset=pipeline.unset,
        version=pipeline.version,
    )


def what_if(edits: Iterable[Edit]) -> tuple[tuple[Definition, ...], frozenset[str]]:
    """Return edits as the top layer: definitions, and the names that are taken away. The last edit counts."""
    last = {each.name: each for each in edits if each.kind in {EditKind.SET, EditKind.UNSET}}
    definitions = []
    for name, edit in last.items():
        if edit.kind is EditKind.SET and edit.value is not None:
            value = edit.value.reveal() if isinstance(edit.value, Secret) else edit.value
            definitions.append(Definition(key=name, value=value, level=Level.WHAT_IF, raw=True))
    unset = {name for name, edit in last.items() if edit.kind is EditKind.UNSET or edit.value is None}
    return tuple(definitions), frozenset(unset)
