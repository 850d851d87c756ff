"""Definitions of variables with level, flags and scope, and what becomes of them in one job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TypeAlias

from dockpass.unknown import Unknown

Value: TypeAlias = str | Unknown


class Level(IntEnum):
    """The levels of GitLab's precedence, weakest first (`lib/gitlab/ci/variables/builder.rb`)."""

    RUNNER = 0
    RUNNER_OWN = 1
    PERSISTED = 2
    JOB = 3
    PREDEFINED = 4
    YAML = 5
    USER = 6
    DOTENV = 7
    INSTANCE = 8
    GROUP = 9
    PROJECT = 10
    PIPELINE = 11
    SCHEDULE = 12
    ENVIRONMENT = 13
    RUNNER_LAST = 14
    WHAT_IF = 15


OF_GITLAB = frozenset(
    {
        *(Level.RUNNER_OWN, Level.PERSISTED, Level.JOB, Level.PREDEFINED, Level.USER),
        *(Level.ENVIRONMENT, Level.RUNNER_LAST),
    }
)
"""What GitLab and its runner set themselves: the predefined variables."""


class YamlPart(StrEnum):
    """Which `variables:` of the YAML a definition stands in, weakest first."""

    DEFAULT = "default"
    WORKFLOW = "workflow"
    JOB = "job"
    MATRIX = "matrix"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class Place:
    """A file and a line of it, counted from 1; line 0 where it is not known."""

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


NOWHERE = Place()

PUSH = "push"
MERGE_REQUEST = "merge_request_event"
"""Two of the things that start a pipeline, by `CI_PIPELINE_SOURCE`."""


class YamlError(ValueError):
    """The text is no YAML that GitLab reads; `place` says where."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One definition of a variable, as one source gives it.

    `origin` names the part of a level: the group's path, or the part of the YAML. `scope` is the
    environment scope (`*` for every job).
    """

    key: str
    value: Value = field(repr=False)
    level: Level
    origin: str = ""
    place: Place = NOWHERE
    protected: bool = False
    masked: bool = False
    hidden: bool = False
    raw: bool = False
    file: bool = False
    scope: str = "*"

    @property
    def source(self) -> str:
        """Return where it comes from in one word, such as `project`, `group:acme` or `yaml:job`."""
        word = _SOURCES[self.level]
        return f"{word}:{self.origin}" if self.origin else word


_SOURCES: Mapping[Level, str] = {
    Level.RUNNER: "runner:config.toml",
    Level.RUNNER_OWN: "runner",
    Level.PERSISTED: "persisted",
    Level.JOB: "predefined",
    Level.PREDEFINED: "predefined",
    Level.YAML: "yaml",
    Level.USER: "predefined",
    Level.DOTENV: "dotenv",
    Level.INSTANCE: "instance",
    Level.GROUP: "group",
    Level.PROJECT: "project",
    Level.PIPELINE: "pipeline",
    Level.SCHEDULE: "schedule",
    Level.ENVIRONMENT: "predefined",
    Level.RUNNER_LAST: "runner",
    Level.WHAT_IF: "what-if",
}


class RefType(StrEnum):
    """What a pipeline runs for."""

    BRANCH = "branch"
    TAG = "tag"
    MERGE_REQUEST = "merge_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """The ref of a pipeline; `protected` is None where that is not known."""

    type: RefType = RefType.BRANCH
    name: str = "main"
    protected: bool | None = True


MAIN = Ref()


class Reason(StrEnum):
    """Why a definition did not win, or is missing altogether."""

    WEAKER = "weaker level"
    LATER = "a later definition of the same level wins"
    PROTECTED = "protected, and the ref is not"
    PROTECTED_UNKNOWN = "protected, and whether the ref is protected is not known"
    SCOPE = "its environment scope does not match"
    SCOPE_UNKNOWN = "it has an environment scope, and the job's environment is not known"
    SCOPE_RANK = "another environment scope matches more exactly"
    NOT_INHERITED = "the job does not inherit it"
    JOB_ONLY = "exists only while the job runs"
    UNSET = "unset by you"


@dataclass(frozen=True, slots=True)
class Loser:
    """A definition that does not count in this job, and why."""

    definition: Definition
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One reference that was replaced: by GitLab or the runner, and with which definition's value."""

    by: str
    reference: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """One variable of a job.

    `gitlab_value` is what GitLab sends to the runner, `value` what the script sees: the path for a variable
    of type File, whose content is `content`.
    """

    winner: Definition
    losers: tuple[Loser, ...] = ()
    gitlab_value: Value = field(repr=False)
    value: Value = field(repr=False)
    content: Value | None = field(default=None, repr=False)
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Absent:
    """A variable that some source defines and the job does not get."""

    key: str
    losers: tuple[Loser, ...]
