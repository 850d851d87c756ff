"""Single changes of a project, its settings or a pipeline, and the project after them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.config import Config, Job
from dockpass.variables.gitlab.model import OF_GITLAB, Definition, Level, Ref, RefType, YamlPart
from dockpass.variables.inwords import ref_words
from dockpass.variables.pipeline import Loaded

YOURS = Unknown("you choose it", is_set=True)

_IN_SETTINGS = frozenset({Level.INSTANCE, Level.GROUP, Level.PROJECT})
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
            with_file = (*(situation.paths() or ()), change.value)
            return loaded.within(replace(situation, paths=lambda: with_file))
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
        jobs[found.name] = replace(found, variables=tuple(_replaced(found.variables, old, new)))
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
    jobs: Mapping[str, Job] = {**(config.jobs or {}), found.name: replace(found, inherit=inherit)}
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
        **dict.fromkeys(OF_GITLAB, "GitLab itself"),
    }
    if definition.level is Level.YAML:
        part = {YamlPart.DEFAULT: "the global variables", YamlPart.JOB: "the job's variables"}
        return f"{part.get(YamlPart(definition.origin), 'the rules')} ({clean(str(definition.place), 200)})"
    scope = "" if definition.scope == "*" else f", scope {clean(definition.scope, 80)}"
    return f"{words.get(definition.level, definition.source)}{scope}"


def protect_words(ref: Ref) -> str:
    """Return how a ref becomes one whose pipelines get protected variables."""
    if ref.type is RefType.MERGE_REQUEST:
        return (
            "protect the source and the target branch, and allow merge request pipelines to use protected"
            " variables (GitLab 18.1)"
        )
    return f"protect the {ref_words(ref)}"


_WORDS: Mapping[ChangeKind, str] = {
    ChangeKind.KEEP: "leave out --unset {name}",
    ChangeKind.REF: "run it for {ref}",
    ChangeKind.SOURCE: "start the pipeline by {value} (CI_PIPELINE_SOURCE)",
    ChangeKind.ENVIRONMENT: "run the job in the environment {value}",
    ChangeKind.UNPROTECT: "take off the flag Protected in {place}",
    ChangeKind.SCOPE: "set its environment scope to {value} in {place}",
    ChangeKind.INHERIT: "let the job inherit it: inherit:variables: [{name}]",
    ChangeKind.RAW: "switch off “Expand variable reference” in {place}",
    ChangeKind.ESCAPE: "write $$ for each $ in {place}",
    ChangeKind.REMOVE: "remove {key} from {place}",
    ChangeKind.MOVE: "put the value of {place} into the project's settings",
    ChangeKind.RENAME: "rename {key} to {value} in {place}",
    ChangeKind.DEFINE: "define {name} in the project's settings",
    ChangeKind.RUN_WITH: f"start the pipeline by hand with {{name}} = {{value}}, {_BY_ROLE}",
    ChangeKind.CHANGE_FILE: "change {value}",
    ChangeKind.ADD_FILE: "add the file {value}",
}


def _words(change: Change) -> str:
    definition, ref = change.definition, change.ref or Ref()
    if change.kind is ChangeKind.PROTECT_REF:
        return protect_words(ref)
    article = "a" if ref.type is RefType.MERGE_REQUEST else "the"
    return _template(change).format(
        name=clean(change.name, 255),
        value=clean(change.value, 200),
        key="" if definition is None else clean(definition.key, 255),
        place="" if definition is None else where(definition),
        ref=f"{article} {ref_words(ref)}",
    )


def _template(change: Change) -> str:
    level = change.definition.level if change.definition is not None else None
    match change.kind:
        case ChangeKind.RAW if level is Level.YAML:
            return "set expand: false in {place}"
        case ChangeKind.REMOVE if level is Level.WHAT_IF:
            return "leave out --set {key}"
        case ChangeKind.MOVE if change.value == Level.PIPELINE.name:
            return f"give {{key}} when the pipeline is started by hand, {_BY_ROLE}"
        case ChangeKind.RUN_WITH if not change.value:
            return f"start the pipeline by hand with an empty {{name}}, {_BY_ROLE}"
    return _WORDS[change.kind]
