"""Single changes of a project, its settings or a pipeline, and the project after them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.config import Config, Job
from dockpass.variables.gitlab.model import Definition, Level, Ref, RefType, YamlPart
from dockpass.variables.pipeline import Loaded

YOURS = Unknown("you choose it", is_set=True)

_IN_SETTINGS = frozenset({Level.INSTANCE, Level.GROUP, Level.PROJECT})
_GITLABS = (Level.PERSISTED, Level.JOB, Level.PREDEFINED, Level.USER, Level.ENVIRONMENT)
_BY_ROLE = "if the project lets you set variables there"


class ChangeKind(StrEnum):
    """What a change does, those first that a person would rather make."""

    KEEP = "keep"
    PROTECT_REF = "protect-ref"
    REF = "ref"
    SOURCE = "source"
    ENVIRONMENT = "environment"
    UNPROTECT = "unprotect"
    SCOPE = "scope"
    INHERIT = "inherit"
    RAW = "raw"
    ESCAPE = "escape"
    REMOVE = "remove"
    MOVE = "move"
    RENAME = "rename"
    DEFINE = "define"
    RUN_WITH = "run-with"
    CHANGE_FILE = "change-file"
    ADD_FILE = "add-file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change. `definition` is what it changes, `value` the new scope, name, environment, source or path.

    `ref` is the ref to run for. `RUN_WITH` starts the pipeline by hand with the variable `name`.
    """

    kind: ChangeKind
    definition: Definition | None = None
    value: str = ""
    name: str = ""
    ref: Ref | None = None

    def in_words(self) -> str:
        """Return it as an instruction, such as `protect the branch main`; no value of a variable is in it."""
        return _words(self)

    def applied_to(self, definition: Definition) -> Definition:
        """Return a definition as it is after the change: the same one where it is another that changes."""
        if definition != self.definition:
            return definition
        match self.kind:
            case ChangeKind.UNPROTECT:
                return replace(definition, protected=False)
            case ChangeKind.SCOPE:
                return replace(definition, scope=self.value)
            case ChangeKind.RAW:
                return replace(definition, raw=True)
            case ChangeKind.ESCAPE if isinstance(definition.value, str):
                return replace(definition, value=definition.value.replace("$", "$$"))
            case ChangeKind.RENAME:
                return replace(definition, key=self.value)
            case ChangeKind.MOVE:
                return replace(definition, level=Level[self.value], origin="", file=False, scope="*")
        return definition


def after(loaded: Loaded, job: str, changes: Iterable[Change]) -> Loaded:
    """Return the project after changes, for a job."""
    for change in changes:
        loaded = _after(loaded, job, change)
    return loaded


def _after(loaded: Loaded, job: str, change: Change) -> Loaded:
    situation = loaded.situation
    match change.kind:
        case ChangeKind.KEEP:
            return loaded.within(replace(situation, unset=situation.unset - {change.name}))
        case ChangeKind.PROTECT_REF:
            return loaded.at(replace(situation.ref, protected=True), loaded.source)
        case ChangeKind.REF:
            return loaded.at(change.ref or situation.ref, change.value or loaded.source)
        case ChangeKind.SOURCE:
            return loaded.at(situation.ref, change.value)
        case ChangeKind.ENVIRONMENT:
            return loaded.within(replace(situation, environment=change.value))
        case ChangeKind.CHANGE_FILE:
            return loaded.within(replace(situation, changes=(*(situation.changes or ()), change.value)))
        case ChangeKind.ADD_FILE:
            return loaded.within(replace(situation, paths=(*(situation.paths or ()), change.value)))
        case ChangeKind.INHERIT:
            return replace(loaded, config=_inheriting(loaded.config, job, change.name))
        case ChangeKind.DEFINE:
            return _with(loaded, Definition(key=change.name, value=YOURS, level=Level.PROJECT))
        case ChangeKind.RUN_WITH:
            return _with(loaded, Definition(key=change.name, value=change.value, level=Level.PIPELINE))
    return _edited(loaded, job, change)


def _with(loaded: Loaded, definition: Definition) -> Loaded:
    situation = loaded.situation
    return loaded.within(replace(situation, definitions=(*situation.definitions, definition)))


def _edited(loaded: Loaded, job: str, change: Change) -> Loaded:
    """Change or remove one definition, wherever it stands."""
    old = change.definition
    new = None if old is None or change.kind is ChangeKind.REMOVE else change.applied_to(old)
    situation = loaded.situation
    if change.kind is ChangeKind.MOVE and new is not None:
        return _with(loaded, new)
    if old in situation.definitions:
        return loaded.within(
            replace(situation, definitions=tuple(_replaced(situation.definitions, old, new)))
        )
    config = loaded.config
    found = config.job(job)
    jobs = dict(config.jobs or {})
    if found is not None:
        jobs[job] = replace(found, variables=tuple(_replaced(found.variables, old, new)))
    variables = tuple(_replaced(config.variables, old, new))
    return replace(loaded, config=replace(config, variables=variables, jobs=jobs))


def _replaced(
    definitions: Iterable[Definition], old: Definition | None, new: Definition | None
) -> Iterable[Definition]:
    for each in definitions:
        if each != old:
            yield each
        elif new is not None:
            yield new


def _inheriting(config: Config, job: str, name: str) -> Config:
    found = config.job(job)
    if found is None:
        return config
    inherit = (*found.inherit, name) if isinstance(found.inherit, tuple) else (name,)
    jobs: Mapping[str, Job] = {**(config.jobs or {}), job: replace(found, inherit=inherit)}
    return replace(config, jobs=jobs)


def can_be_raw(definition: Definition) -> bool:
    """Tell whether its expansion can be switched off: not in `rules`, a matrix or a dotenv report."""
    if definition.level is Level.YAML:
        return definition.origin in {YamlPart.DEFAULT, YamlPart.JOB}
    return definition.level in _IN_SETTINGS


def can_be_written(definition: Definition) -> bool:
    """Tell whether somebody wrote it, so that it can be removed or renamed."""
    if definition.level is Level.YAML:
        return definition.origin in {YamlPart.DEFAULT, YamlPart.JOB}
    return definition.level in {*_IN_SETTINGS, Level.PIPELINE, Level.SCHEDULE, Level.WHAT_IF}


def where(definition: Definition) -> str:
    """Return where a definition stands, for the middle of a sentence."""
    words = {
        Level.INSTANCE: "the instance's settings",
        Level.GROUP: f"the settings of the group {clean(definition.origin, 100)}",
        Level.PROJECT: "the project's settings",
        Level.PIPELINE: "the variables of this pipeline",
        Level.SCHEDULE: "the variables of the schedule",
        Level.WHAT_IF: "--set",
        **dict.fromkeys(_GITLABS, "GitLab itself"),
    }
    if definition.level is Level.YAML:
        part = {YamlPart.DEFAULT: "the global variables", YamlPart.JOB: "the job's variables"}
        return f"{part.get(YamlPart(definition.origin), 'the rules')} ({clean(str(definition.place), 200)})"
    scope = "" if definition.scope == "*" else f", scope {clean(definition.scope, 80)}"
    return f"{words.get(definition.level, definition.source)}{scope}"


def _ref_words(ref: Ref) -> str:
    match ref.type:
        case RefType.TAG:
            return f"the tag {clean(ref.name, 100)}"
        case RefType.MERGE_REQUEST:
            return f"a merge request of {clean(ref.name, 100)}"
    return f"the branch {clean(ref.name, 100)}"


def protect_words(ref: Ref) -> str:
    """Return how a ref becomes one whose pipelines get protected variables."""
    if ref.type is RefType.MERGE_REQUEST:
        return (
            "protect the source and the target branch, and allow merge request pipelines to use protected"
            " variables (GitLab 18.1)"
        )
    return f"protect {_ref_words(ref)}"


def _words(change: Change) -> str:  # noqa: C901 - one sentence each
    definition, value, name = change.definition, clean(change.value, 200), clean(change.name, 255)
    key = clean(definition.key, 255) if definition is not None else name
    place = where(definition) if definition is not None else ""
    match change.kind:
        case ChangeKind.KEEP:
            return f"leave out --unset {name}"
        case ChangeKind.PROTECT_REF:
            return protect_words(change.ref or Ref())
        case ChangeKind.REF:
            return f"run it for {_ref_words(change.ref or Ref())}"
        case ChangeKind.SOURCE:
            return f"start the pipeline by {value} (CI_PIPELINE_SOURCE)"
        case ChangeKind.ENVIRONMENT:
            return f"run the job in the environment {value}"
        case ChangeKind.UNPROTECT:
            return f"take off the flag Protected in {place}"
        case ChangeKind.SCOPE:
            return f"set its environment scope to {value} in {place}"
        case ChangeKind.INHERIT:
            return f"let the job inherit it: inherit:variables: [{name}]"
        case ChangeKind.RAW if definition is not None and definition.level is Level.YAML:
            return f"set expand: false in {place}"
        case ChangeKind.RAW:
            return f"switch off “Expand variable reference” in {place}"
        case ChangeKind.ESCAPE:
            return f"write $$ for each $ in {place}"
        case ChangeKind.REMOVE if definition is not None and definition.level is Level.WHAT_IF:
            return f"leave out --set {key}"
        case ChangeKind.REMOVE:
            return f"remove {key} from {place}"
        case ChangeKind.MOVE if value == Level.PIPELINE.name:
            return f"give {key} when the pipeline is started by hand, {_BY_ROLE}"
        case ChangeKind.MOVE:
            return f"put the value of {place} into the project's settings"
        case ChangeKind.RENAME:
            return f"rename {key} to {value} in {place}"
        case ChangeKind.DEFINE:
            return f"define {name} in the project's settings"
        case ChangeKind.RUN_WITH if change.value:
            return f"start the pipeline by hand with {name} = {value}, {_BY_ROLE}"
        case ChangeKind.RUN_WITH:
            return f"start the pipeline by hand with an empty {name}, {_BY_ROLE}"
        case ChangeKind.CHANGE_FILE:
            return f"change {value}"
    return f"add the file {value}"
