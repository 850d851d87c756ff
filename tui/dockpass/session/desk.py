"""The pipeline and the job that a person looks at, and what its variables come to under edits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dockpass.auth.facts import Edit, EditKind
from dockpass.secret_names import is_secret_name
from dockpass.secrets import Redactor, Secret
from dockpass.variables.clone import Clone
from dockpass.variables.gitlab.model import MERGE_REQUEST, PUSH, Definition, Level, Ref, RefType, Resolved
from dockpass.variables.gitlab.predefined import Project
from dockpass.variables.gitlab.versions import Version, version_of
from dockpass.variables.projectsettings import NO_SETTINGS, ProjectSettings

# What reads and resolves a configuration is loaded with the first one: a screen begins without.
if TYPE_CHECKING:
    from dockpass.variables.gitlab.resolve import JobView
    from dockpass.variables.jobscript import JobScript
    from dockpass.variables.pipeline import Loaded
    from dockpass.variables.undefined import Undefined

Kept = TypeVar("Kept")

_OPTIONS = {
    Level.PROJECT: "--project-variables",
    Level.GROUP: "--group-variables",
    Level.INSTANCE: "--instance-variables",
}
MOST_KEPT = 32
"""How many resolutions are kept, so that going back to one costs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What is looked at: the job (empty: what every job gets), its matrix instance, and the pipeline.

    `environment` replaces the job's own where it is not None; the empty one stands for none.
    """

    job: str = ""
    instance: int = 0
    ref: Ref = field(default_factory=lambda: Ref(name="main", protected=None))
    source: str = PUSH
    environment: str | None = None

    def on(self, ref: Ref) -> Looking:
        """Return the same for another ref; what starts the pipeline follows a merge request."""
        was, now = self.ref.type is RefType.MERGE_REQUEST, ref.type is RefType.MERGE_REQUEST
        source = MERGE_REQUEST if now else PUSH if was else self.source
        return replace(self, ref=ref, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """Variables that were read from a file or a paste; `label` names where from.

    `path` is the file, in the `format` that was chosen, or, if that is empty, found out.
    """

    label: str
    definitions: tuple[Definition, ...] = field(repr=False)
    path: Path | None = None
    format: str = ""

    @property
    def option(self) -> str:
        """The option of a command line that reads the same file; empty where there is none."""
        levels = {each.level for each in self.definitions}
        if self.path is None or self.format or len(levels) != 1:
            return ""
        return _OPTIONS.get(levels.pop(), "")


def _no_script() -> JobScript:
    from dockpass.variables.jobscript import JobScript

    return JobScript()


@dataclass(frozen=True, slots=True)
class Seen:
    """A configuration and a job of it, resolved.

    `script` is what its scripts do, `undefined` what it uses and nothing that is loaded defines.
    """

    loaded: Loaded
    view: JobView
    script: JobScript = field(default_factory=_no_script)
    undefined: tuple[Undefined, ...] = ()


@dataclass
class Desk:
    """What a person has before them: the clone, what was imported, and what is looked at.

    Without a clone the imported variables are all that there is.
    """

    clone: Clone | None = None
    looking: Looking = field(default_factory=Looking)
    imported: tuple[Imported, ...] = ()
    redactor: Redactor = field(default_factory=Redactor)
    clock: Callable[[], float] = time.perf_counter
    took: float = 0.0
    """Seconds that the last resolution took."""
    known_refs: tuple[Ref, ...] = ()
    """The branches and tags of the clone."""
    kept: ProjectSettings = NO_SETTINGS
    """What an earlier import keeps of the project's settings: names and flags, and no values."""
    given_version: Version | None = None
    """The version of GitLab that an option gives."""
    usual_version: Version | None = None
    """The version of GitLab that the person's settings give."""
    unset: frozenset[str] = frozenset()
    """The variables that a scenario leaves out; an edit may bring one back."""
    scenario: str = ""
    """The scenario whose desk this is, as a command line names it; its variables are imported first."""
    of_scenario: Looking | None = None
    """What the scenario looks at."""
    _seen: dict[object, Seen] = field(default_factory=dict)
    _loaded: dict[object, Loaded] = field(default_factory=dict)

    @property
    def version(self) -> Version | None:
        """The version of GitLab: as given, else as the server said; None for the current one."""
        told = version_of(self.kept.snapshot.version) if self.kept.snapshot else None
        return self.given_version or told or self.usual_version

    @property
    def has_something(self) -> bool:
        """Whether there is a configuration or an import: anything that a job could be resolved from."""
        return self.clone is not None or bool(self.imported)

    def seen(self, edits: Sequence[Edit] = (), looking: Looking | None = None) -> Seen:
        """Resolve the job under edits; raises `YamlError` where the configuration cannot be read."""
        looking = looking or self.looking
        key = (looking, self._sources_key(), _key(edits))
        if key not in self._seen:
            began = self.clock()
            _keep(self._seen, key, self._resolve(looking, edits))
            self.took = self.clock() - began
        return self._seen[key]

    def is_seen(self, edits: Sequence[Edit], looking: Looking) -> bool:
        """Tell whether a resolution is at hand."""
        return (looking, self._sources_key(), _key(edits)) in self._seen

    def loaded(self, edits: Sequence[Edit] = (), looking: Looking | None = None) -> Loaded:
        """Return the configuration in a pipeline under edits; raises `YamlError`."""
        looking = replace(looking or self.looking, job="", instance=0)
        key = (looking, self._sources_key(), _key(edits))
        if key not in self._loaded:
            from dockpass.variables.pipeline import Pipeline, load_pipeline, what_if

            definitions, unset = what_if(edits)
            pipeline = Pipeline(
                ref=looking.ref,
                source=looking.source,
                environment=looking.environment,
                settings=self.settings(looking.ref),
                edits=definitions,
                unset=unset | (self.unset - {each.key for each in definitions}),
                version=self.version,
            )
            clone = self.clone or NO_CLONE
            _keep(self._loaded, key, load_pipeline(clone, pipeline))
        return self._loaded[key]

    def settings(self, ref: Ref) -> tuple[Definition, ...]:
        """Return what was imported; a level that was read with its values replaces the snapshot's."""
        given = tuple(each for found in self.imported for each in found.definitions)
        levels = frozenset(each.level for each in given)
        return (*self.kept.definitions(ref, levels), *given)

    def is_whole(self, loaded: Loaded) -> bool:
        """Tell whether every source of a job's variables is known: all includes, and every level."""
        from dockpass.variables.snapshot import gaps

        snapshot = self.kept.snapshot
        return not loaded.config.not_loaded and snapshot is not None and not gaps(snapshot.levels)

    def protected(self, ref: Ref) -> bool | None:
        """Tell whether a ref is protected; None where that is not known."""
        told = self.kept.protected(replace(ref, protected=None)).protected
        if told is not None:
            return told
        known = {(each.type, each.name): each.protected for each in self.known_refs}
        return known.get((ref.type, ref.name))

    def refs(self) -> tuple[Ref, ...]:
        """Return the branches and tags of the clone, each with its protection where that is known."""
        return tuple(replace(each, protected=self.protected(each)) for each in self.known_refs)

    def choose(self, job: str) -> None:
        """Look at a job, in the same pipeline."""
        if job != self.looking.job:
            self.looking = replace(self.looking, job=job, instance=0)

    @property
    def is_as_in_scenario(self) -> bool:
        """Whether the scenario's job in its pipeline is looked at."""
        return bool(self.scenario) and self.looking == self.of_scenario

    def options(self, *, with_job: bool = True, with_ref: bool = True) -> Iterator[tuple[str, str | bool]]:
        """Yield the options of a command line that looks at the same.

        A command that names the job or the ref itself has no option for it.
        """
        yield from self._of_sources()
        if self.is_as_in_scenario:
            return
        if with_job and (name := self.job_name()):
            yield "--job", name
        if with_ref:
            yield from self._of_ref()
        yield from self._of_pipeline()

    @property
    def own_imports(self) -> tuple[Imported, ...]:
        """What a person imported here; the variables of a scenario are in its file."""
        return self.imported[1:] if self.scenario else self.imported

    def _of_sources(self) -> Iterator[tuple[str, str | bool]]:
        if self.scenario:
            yield "--scenario", self.scenario
        for each in self.own_imports:
            if option := each.option:
                yield option, str(each.path)

    def job_name(self) -> str:
        """Return the name of the job, or of the instance of its matrix; empty for every job."""
        job = self.loaded().job(self.looking.job) if self.looking.job and self.looking.instance else None
        if job is None or self.looking.instance >= len(job.instances):
            return self.looking.job
        return job.instance_name(self.looking.instance)

    def _of_ref(self) -> Iterator[tuple[str, str | bool]]:
        ref = self.looking.ref
        yield "--ref", f"refs/tags/{ref.name}" if ref.type is RefType.TAG else ref.name
        yield "--merge-request", ref.type is RefType.MERGE_REQUEST
        if ref.protected is not None:
            yield ("--protected" if ref.protected else "--unprotected"), True

    def _of_pipeline(self) -> Iterator[tuple[str, str | bool]]:
        """Yield the options for what is looked at beside the ref."""
        environment, source = self.looking.environment, self.looking.source
        if environment is not None:
            yield "--environment", environment
        if self.given_version and not self.scenario:
            yield "--gitlab-version", str(self.given_version)
        if source not in {PUSH, MERGE_REQUEST}:
            yield "--pipeline-source", source

    def forget(self) -> None:
        """Read everything anew the next time: files have changed."""
        self._seen.clear()
        self._loaded.clear()

    def _sources_key(self) -> tuple[int, ...]:
        return tuple(id(each) for each in self.imported)

    def _resolve(self, looking: Looking, edits: Sequence[Edit]) -> Seen:
        from dockpass.variables.jobscript import read_job
        from dockpass.variables.undefined import undefined_in

        loaded = self.loaded(edits, looking)
        job = loaded.config.job(looking.job)
        instances = job.instances if job is not None else ()
        instance = dict(instances[looking.instance]) if looking.instance < len(instances) else None
        view = loaded.view(looking.job if job is not None else "", instance)
        learn_secrets(view, self.redactor)
        named = loaded.job(looking.job)
        script = read_job(named)
        for password in script.passwords:
            self.redactor.learn(password)
        undefined = undefined_in(loaded.config, named, view, script, loaded.situation.version)
        return Seen(loaded, view, script, undefined)


def open_desk(clone: Clone | None, kept: ProjectSettings, redactor: Redactor, before: Desk) -> Desk:
    """Return a desk with a clone as it is now; what was looked at and imported before stays."""
    if clone is None:
        return replace(
            before, clone=None, redactor=redactor, known_refs=(), kept=NO_SETTINGS, _seen={}, _loaded={}
        )
    refs, clone = clone.refs(), kept.known_of(clone)
    desk = replace(before, clone=clone, redactor=redactor, known_refs=refs, kept=kept, _seen={}, _loaded={})
    if before.clone is None and clone.ref is not None:
        ref = replace(clone.ref, protected=desk.protected(clone.ref))
        desk.looking = replace(before.looking, ref=ref)
    return desk


def find_kept(
    cwd: Path, environ: Mapping[str, str], state: Path, now: Callable[[], float] = time.time
) -> ProjectSettings:
    """Return what an earlier import keeps of the project that the git remote names; sends nothing."""
    from dockpass.variables.gitlabplace import known_place, origin_of
    from dockpass.variables.projectsettings import kept_settings

    return kept_settings(state, known_place(None, origin_of(cwd, environ), environ), now())


class _NoClone(Clone):
    """Stands for a clone where there is none: its configuration is empty."""

    def read(self, path: str) -> str | None:  # noqa: ARG002 - every file is empty
        """Return an empty file."""
        return ""

    def paths(self) -> tuple[str, ...] | None:
        """Return that the files are not known."""
        return None


NO_CLONE = _NoClone(Path("/nonexistent"), {}, None, Project())


def _key(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    return tuple(each for each in edits if each.kind in {EditKind.SET, EditKind.UNSET})


def _keep(kept: dict[object, Kept], key: object, value: Kept) -> None:
    while len(kept) >= MOST_KEPT:
        del kept[next(iter(kept))]
    kept[key] = value


def learn_secrets(view: JobView, redactor: Redactor) -> None:
    """Mask every secret of a job from now on, in each form that it takes on its way."""
    from dockpass.variables.logins import is_secret

    secret = (found for name, found in view.variables.items() if is_secret(name, found))
    redactor.learn_all(Secret(value) for found in secret for value in values_of(found))


def learn_imported(imported: Imported, redactor: Redactor) -> None:
    """Mask every secret of an import from now on, also where a stronger level wins."""
    from dockpass.variables.token_kind import looks_secret

    def secrets() -> Iterator[Secret]:
        for each in imported.definitions:
            value = each.value
            if isinstance(value, str) and value:
                named = each.masked or each.hidden or is_secret_name(each.key)
                if named or looks_secret(value):
                    yield Secret(value)

    redactor.learn_all(secrets())


def values_of(found: Resolved) -> tuple[str, ...]:
    """Return the values that a variable takes on its way, as far as they are known and not empty."""
    seen = found.content if found.winner.file else found.value  # else the value is a path
    values = (seen, found.gitlab_value, found.winner.value)
    return tuple(each for each in values if isinstance(each, str) and each)
