"""Where a definition comes from, its flags, and why it did not win, in the words of a person. Pure."""

from __future__ import annotations

from dockpass.text import clean
from dockpass.variables.gitlab.model import Absent, Definition, Level, Loser, Reason, Ref, RefType

_LEVELS = {
    Level.RUNNER: "runner",
    Level.RUNNER_OWN: "runner",
    Level.PERSISTED: "job",
    Level.JOB: "GitLab",
    Level.PREDEFINED: "GitLab",
    Level.YAML: "YAML",
    Level.USER: "GitLab",
    Level.DOTENV: "dotenv report",
    Level.INSTANCE: "instance",
    Level.GROUP: "group",
    Level.PROJECT: "project",
    Level.PIPELINE: "pipeline",
    Level.SCHEDULE: "schedule",
    Level.ENVIRONMENT: "GitLab",
    Level.RUNNER_LAST: "runner",
    Level.WHAT_IF: "edit",
}


def source_words(definition: Definition) -> str:
    """Return where it comes from, such as `group web`, `.gitlab-ci.yml:12` or `GitLab`."""
    place = clean(str(definition.place), 200)
    if definition.level is Level.YAML and place:
        return place
    word = _LEVELS[definition.level]
    origin = "" if definition.level is Level.YAML else clean(definition.origin, 100)
    return f"{word} {origin}".rstrip()


def level_words(definition: Definition) -> str:
    """Return the level for the middle of a sentence, such as `the project's variable`."""
    match definition.level:
        case Level.YAML:
            return f"the value in {source_words(definition)}"
        case Level.WHAT_IF:
            return "your edit"
        case Level.GROUP:
            return f"the variable of {source_words(definition)}"
        case Level.PERSISTED | Level.JOB | Level.PREDEFINED | Level.USER | Level.ENVIRONMENT:
            return "GitLab's own value"
        case Level.RUNNER | Level.RUNNER_OWN | Level.RUNNER_LAST:
            return "the runner's value"
        case Level.DOTENV:
            return "the value of a dotenv report"
    return f"the {source_words(definition)}'s variable"


def flag_letters(definition: Definition) -> str:
    """Return the flags as letters: P(rotected), M(asked), H(idden), R(aw), F(ile)."""
    letters = (
        ("P", definition.protected),
        ("M", definition.masked),
        ("H", definition.hidden),
        ("R", definition.raw and definition.level is not Level.WHAT_IF),
        ("F", definition.file),
    )
    return " ".join(letter for letter, holds in letters if holds)


def flag_words(definition: Definition) -> str:
    """Return the flags and the scope in words: `protected, masked, environments prod/*`."""
    words = [
        word
        for word, holds in (
            ("protected", definition.protected),
            ("masked", definition.masked and not definition.hidden),
            ("hidden", definition.hidden),
            ("not expanded", definition.raw and definition.level is not Level.WHAT_IF),
            ("a file", definition.file),
        )
        if holds
    ]
    if definition.scope != "*":
        words.append(f"environment {clean(definition.scope, 80)}")
    return ", ".join(words)


def reason_words(loser: Loser) -> str:
    """Return why a definition does not count, in a few words."""
    match loser.reason:
        case Reason.PROTECTED:
            return f"protected, and {clean(loser.detail, 100)} is not"
        case Reason.SCOPE:
            detail = clean(loser.detail, 80)
            other = f"environment {detail}" if detail else "a job without environment"
            return f"its scope {clean(loser.definition.scope, 80)} does not match {other}"
        case Reason.WEAKER:
            return "overridden by a stronger level"
        case Reason.LATER:
            return "overridden by a later definition of the same level"
        case Reason.SCOPE_RANK:
            return "overridden by a closer environment scope"
        case Reason.NOT_INHERITED:
            return "not inherited: the job's inherit:variables leaves it out"
        case Reason.JOB_ONLY:
            return "exists only while the job runs"
        case Reason.UNSET:
            return "unset by your edit"
    return str(loser.reason)


def placed_source(definition: Definition) -> str:
    """Return the level with its origin and place, such as `project settings.json:1`."""
    return f"{clean(definition.source, 100)} {clean(str(definition.place), 200)}".rstrip()


def absent_in_words(absent: Absent) -> str:
    """Return why a job does not get a variable, with the source of the definition that counts for nothing."""
    loser = absent.losers[0]
    return f"{placed_source(loser.definition)}: {because(loser)}"


def because(loser: Loser) -> str:
    """Return why a definition does not count, with the source of the one that does."""
    words = reason_words(loser)
    overridden = loser.reason in {Reason.WEAKER, Reason.LATER, Reason.SCOPE_RANK}
    return f"{words} ({clean(loser.detail, 100)})" if overridden and loser.detail else words


def ref_words(ref: Ref) -> str:
    """Return the ref with its kind: `branch main`, `tag v1.4`, `merge request from feature/login`."""
    name = clean(ref.name, 200)
    return {
        RefType.BRANCH: f"branch {name}",
        RefType.TAG: f"tag {name}",
        RefType.MERGE_REQUEST: f"merge request from {name}",
    }[ref.type]


def protection_words(ref: Ref) -> str:
    """Return whether a ref is protected."""
    return {True: "protected", False: "not protected", None: "protection not known"}[ref.protected]


SOURCES = {
    "push": "a push",
    "merge_request_event": "a merge request",
    "web": "Run pipeline in the web interface",
    "api": "the pipelines API",
    "trigger": "a trigger token",
    "schedule": "a schedule",
    "pipeline": "a pipeline of another project",
    "parent_pipeline": "a parent pipeline",
    "chat": "a ChatOps command",
    "external": "an external CI service",
    "external_pull_request_event": "a pull request on GitHub",
    "webide": "the Web IDE",
    "ondemand_dast_scan": "an on-demand DAST scan",
    "ondemand_dast_validation": "an on-demand DAST validation",
    "security_orchestration_policy": "a scheduled scan policy",
    "container_registry_push": "a push to the container registry",
}
"""What can start a pipeline, by the value of CI_PIPELINE_SOURCE."""


def source_of_pipeline(source: str) -> str:
    """Return what starts the pipeline, in words."""
    return SOURCES.get(source, clean(source, 60))
