"""A decision: which login a command uses, and every rule that was looked at on the way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dockpass.auth.command import Command, Method
from dockpass.findings import Finding
from dockpass.marks import GLYPH_FAILED, GLYPH_LOOK, GLYPH_NOT_REACHED, GLYPH_NOW
from dockpass.secrets import Secret
from dockpass.unknown import Unknown


class RuleId(StrEnum):
    """The rules of the table, in order."""

    EXTERNAL_CONFIG = "external-config"
    OPTIONS = "options"
    GOOGLE = "google"
    IGNORE = "ignore"
    CLEANUP_TOKEN = "cleanup-token"  # noqa: S105
    AUTOLOGIN = "autologin"
    AMBIENT = "ambient"


class Outcome(StrEnum):
    """What became of a rule."""

    CHOSEN = "chosen"
    NOT_MET = "not-met"
    HOLDS = "holds"  # google and ignore, which switch others off
    OFF = "off"  # switched off by google or ignore
    NOT_REACHED = "not-reached"


_MARKS = {
    Outcome.CHOSEN: GLYPH_NOW,
    Outcome.NOT_MET: GLYPH_FAILED,
    Outcome.HOLDS: GLYPH_LOOK,
    Outcome.OFF: GLYPH_FAILED,
    Outcome.NOT_REACHED: GLYPH_NOT_REACHED,
}


class WarningId(StrEnum):
    """What a person should know about a decision."""

    HALF_CREDENTIALS = "half-credentials"
    OPTIONS_IGNORED = "options-ignored"
    OPTIONS_UNUSED = "options-unused"
    IGNORE_LOOKS_FALSE = "ignore-value-looks-false"
    FOREIGN_REGISTRY = "token-to-foreign-registry"
    MAY_NOT_DELETE = "job-token-may-not-delete"
    OLD_VARIABLE = "old-variable-name"
    OTHERS_ANONYMOUS = "other-registries-anonymous"
    SENT_TO_MANY = "credentials-sent-to-many"
    NO_BUILD_FILE = "no-build-file"


@dataclass(frozen=True, slots=True)
class Step:
    """One rule: what became of it, why, and the variables and options it looked at.

    A rule that is not met may still hold in truth where `known` is False: a value is not known here.
    """

    rule: RuleId
    outcome: Outcome
    because: str
    looked_at: tuple[str, ...] = ()
    known: bool = True

    @property
    def mark(self) -> str:
        """The mark in front of the rule."""
        return _MARKS[self.outcome] if self.known else GLYPH_LOOK


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which login `command` uses.

    `login` holds docker's config keys (`https://index.docker.io/v1/` for Docker Hub), `secret_from` is
    `option` or the variable's name, `config_dir` is None where a login is made. `sentence` says it all
    in plain words. Every text is clean and free of secrets.

    `warnings` are sentences by themselves, with a `WarningId` each.

    `unknown` names the variables that the command needs and whose value is not known here (`value-unknown`):
    the decision holds as far as it goes, and nothing can be run or asked with it. `repo` and `login` are
    then empty if the repository is among them.

    `config` says whose docker config is used; it is empty where a login is made. `elsewhere` tells that the
    command runs in a job: `config_dir` is then a directory of that job, and `config_of_runner` that docker's
    config is the one of its runner or image, which is not known here.
    """

    command: Command
    repo: str
    method: Method
    username: str | None
    secret: Secret | Unknown | None
    secret_from: str | None
    config_dir: str | None
    login: tuple[str, ...]
    warnings: tuple[Finding, ...]
    trace: tuple[Step, ...]
    sentence: str
    unknown: tuple[str, ...] = ()
    config: str = ""
    elsewhere: bool = False
    config_of_runner: bool = False

    def warns(self, warning: WarningId) -> bool:
        """Tell whether the warning is among the decision's."""
        return any(notice.id is warning for notice in self.warnings)

    @property
    def chosen(self) -> Step:
        """The one rule that was chosen."""
        return next(step for step in self.trace if step.outcome is Outcome.CHOSEN)


VALUE_UNKNOWN = "value-unknown"
"""The id of a refusal because a value is needed that is not known here."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No decision (`repo-required`, `repo-invalid`), or none that can be used yet (`value-unknown`).

    `about` is the option or variable that a person has to give. Nothing is created before that.
    """

    command: Command
    id: str
    message: str
    hint: str
    about: str = "repo"
