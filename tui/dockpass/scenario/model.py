"""What a scenario is: a pipeline, where its variables come from, and what is expected of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dockpass.auth.command import Command
from dockpass.findings import Finding
from dockpass.secrets import Secret
from dockpass.settings import Mute
from dockpass.variables.gitlab.model import Level, RefType

SCHEMA = 1
"""The newest form of the file that is written; a newer one is only read."""

SUFFIX = ".toml"


class Platform(StrEnum):
    """Whose jobs the variables are: only GitLab's have levels, protection and rules here."""

    GITLAB = "gitlab"
    GITHUB = "github"
    GENERIC = "generic"


class ReferenceKind(StrEnum):
    """Where a secret is in place of its value."""

    ENV = "env"
    FILE = "file"
    COMMAND = "command"
    KEYRING = "keyring"
    PROMPT = "prompt"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret is.

    `words` are the variable, the path, the argument list, service and user, or a project of GitLab's with key
    and scope; none for a prompt.
    """

    kind: ReferenceKind
    words: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file with variables, or with the configuration. `path` is relative to the scenario's directory."""

    kind: str
    path: str
    level: Level | None = None
    dialect: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One variable of the scenario itself: a text, a secret in the file, or a reference to a secret.

    `group` is the path of the group for the level of groups, whose order is that in the file, the outermost
    group first. `flags` are among `protected`, `masked`, `hidden`, `raw` and `file`.
    """

    key: str
    value: str | Secret | Reference
    level: Level = Level.WHAT_IF
    group: str = ""
    flags: frozenset[str] = frozenset()
    scope: str = "*"
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The pipeline; each None takes what the clone says. The empty environment stands for none.

    `docker_cli` is the version of docker's command line in the job, `gitlab_version` that of the server; both
    are empty where they do not matter.
    """

    ref_type: RefType = RefType.BRANCH
    ref: str | None = None
    protected: bool | None = None
    pipeline_source: str | None = None
    environment: str | None = None
    docker_cli: str = ""
    gitlab_version: str = ""
    unset: tuple[str, ...] = ()


class Kind(StrEnum):
    """What an expectation is about."""

    METHOD = "method"
    USERNAME = "username"
    REGISTRY = "registry"
    ERROR = "error"
    JOB = "job"
    NO_JOB = "job-absent"
    VARIABLE = "variable"
    NO_VARIABLE = "variable-absent"
    FINDINGS = "findings"


LISTS: Mapping[str, Kind] = {
    "jobs": Kind.JOB,
    "jobs_absent": Kind.NO_JOB,
    "variables": Kind.VARIABLE,
    "variables_absent": Kind.NO_VARIABLE,
}
"""The keys of `[expect]` that hold a list of names."""

_NOUNS = {Kind.JOB: "job", Kind.NO_JOB: "job", Kind.VARIABLE: "variable", Kind.NO_VARIABLE: "variable"}
_WANTED = {
    Kind.JOB: "in the pipeline",
    Kind.NO_JOB: "not in the pipeline",
    Kind.VARIABLE: "present",
    Kind.NO_VARIABLE: "absent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One thing that has to hold.

    `command` is there for what a login is expected to be. `wanted` is the value, the name of the job or
    variable, or the ids of all findings or checks that are allowed, separated by spaces.
    """

    kind: Kind
    wanted: str
    command: Command | None = None
    line: int = 0

    @property
    def about(self) -> str:
        """What is looked at, in a few words."""
        if self.command is not None:
            return f"{self.command} {self.kind}"
        return str(self.kind) if self.kind is Kind.FINDINGS else f"{_NOUNS[self.kind]} {self.wanted}"

    @property
    def wanted_in_words(self) -> str:
        """What is expected, in a few words."""
        if self.kind is Kind.FINDINGS and self.wanted:
            return f"none but {self.wanted}"
        return _WANTED.get(self.kind) or self.wanted or "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that a file says.

    `muted` are findings that count for nothing here. `notes` tell what of a newer form is not known here.
    """

    name: str = ""
    platform: Platform = Platform.GITLAB
    command: Command | None = None
    job: str = ""
    context: Context = field(default_factory=Context)
    sources: tuple[Source, ...] = ()
    variables: tuple[Given, ...] = ()
    expected: tuple[Expectation, ...] = ()
    muted: tuple[Mute, ...] = ()
    schema: int = SCHEMA
    notes: tuple[Finding, ...] = ()


CI_YAML = "gitlab-yaml"
"""The kind of the one source that is no list of variables but the project's configuration."""

FORMAT_OF_KIND: Mapping[str, str] = {
    "gitlab-api-json": "gitlab-json",
    "shell-export": "shell",
    "env0": "env0",
    "job-log": "job-log",
    "gcl-project": "gitlab-ci-local",
    "gcl-home": "gitlab-ci-local-home",
    "act": "",
    "glab": "",
    "env-file": "",
}
"""The reader of each kind; empty where the text itself tells it."""


def kind_of_format(name: str) -> str:
    """Return the kind of source that is read in a format."""
    return next((kind for kind, format_ in FORMAT_OF_KIND.items() if format_ == name), name)


FORMAT_OF_DIALECT: Mapping[str, str] = {
    "docker": "docker",
    "compose": "compose",
    "python": "python-dotenv",
    "node": "node-dotenv",
    "go": "godotenv",
    "gitlab": "gitlab-report",
    "shell-literal": "shell",
}

LEVEL_OF_KIND: Mapping[str, Level] = {
    "gitlab-api-json": Level.PROJECT,
    "glab": Level.PROJECT,
    "gcl-project": Level.PROJECT,
    "gcl-home": Level.PROJECT,
}
"""The level of a kind that does not name one; the others are variables of the pipeline."""

LEVELS: Mapping[str, Level] = {
    "runner": Level.RUNNER,
    "persisted": Level.PERSISTED,
    "predefined": Level.PREDEFINED,
    "dotenv": Level.DOTENV,
    "instance": Level.INSTANCE,
    "group": Level.GROUP,
    "project": Level.PROJECT,
    "pipeline": Level.PIPELINE,
    "schedule": Level.SCHEDULE,
    "what-if": Level.WHAT_IF,
}
LEVEL_WORDS: Mapping[Level, str] = {level: word for word, level in LEVELS.items()}
FLAGS = ("protected", "masked", "hidden", "raw", "file")
