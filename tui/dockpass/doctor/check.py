"""A row of the doctor's table, and what its checks look at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.decision import Decision, Refusal
from dockpass.auth.facts import Edit, Facts
from dockpass.findings import Finding, Severity
from dockpass.variables.here import Here

if TYPE_CHECKING:
    from dockpass.dockerconfig.configfile import ConfigFile
    from dockpass.probe.model import Probe
    from dockpass.variables.changes import Change
    from dockpass.variables.gitlab.includes import Files
    from dockpass.variables.gitlab.resolve import JobView
    from dockpass.variables.pipeline import Loaded


class Need(StrEnum):
    """What a check looks at."""

    VARIABLES = "variables"
    JOB = "a job"
    FILES = "the CI file"
    CONFIG = "docker's config"
    BUILD = "a build file"
    REGISTRY = "the registry"
    ANSWER = "the registry's answer"
    JUDGED = "an answer to the login"
    LOGIN = "an accepted login"

    def first_lacking(self, there: Collection[Need]) -> Need:
        """Return what is missing first: without a registry there is no answer, and without that no login."""
        before = {Need.ANSWER: Need.REGISTRY, Need.JUDGED: Need.ANSWER, Need.LOGIN: Need.ANSWER}.get(self)
        return self if before is None or before in there else before.first_lacking(there)


@dataclass(frozen=True, kw_only=True, eq=False)
class Patient:
    """Everything there is to look at: the variables of this machine or of one job, and what belongs to them.

    `here` is None where the variables are used on another machine. `notes` are what the readers of env files
    and build files found. `view`, `loaded` and `files` are None where no job of a CI file is looked at,
    `config` where no docker config of this machine counts, and `probe` before a registry was asked.
    """

    facts: Facts
    here: Here | None = None
    notes: tuple[Finding, ...] = ()
    view: JobView | None = None
    loaded: Loaded | None = None
    files: Files | None = None
    config: ConfigFile | None = None
    probe: Probe | None = None

    @cached_property
    def has(self) -> frozenset[Need]:
        """What there is to look at."""
        there = {
            Need.VARIABLES: True,
            Need.JOB: self.view is not None,
            Need.FILES: self.files is not None,
            Need.CONFIG: self.config is not None,
            Need.BUILD: self.facts.base_images is not None or bool(self.notes),
            Need.REGISTRY: self.probe is not None,
            Need.ANSWER: self.probe is not None and self.probe.reached,
            Need.JUDGED: self.probe is not None and self.probe.was_judged,
            Need.LOGIN: self.probe is not None and self.probe.was_asked,
        }
        return frozenset(need for need, is_there in there.items() if is_there)

    @property
    def job(self) -> str:
        """The name under which the job is resolved again: of a matrix that of the instance."""
        if self.view is None or self.loaded is None:
            return ""
        named = self.view.variables.get("CI_JOB_NAME")
        name = named.winner.value if named is not None else ""
        return name if isinstance(name, str) and self.loaded.config.instance(name) else self.view.name

    @cached_property
    def decisions(self) -> Mapping[Command, Decision | Refusal]:
        """The login of each command."""
        return {command: decide(command, self.facts) for command in Command}

    @property
    def decided(self) -> Iterator[Decision]:
        """The logins of the commands that have one."""
        return (found for found in self.decisions.values() if isinstance(found, Decision))


Look: TypeAlias = Callable[[Patient], Iterable[Finding]]
"""Finds what is wrong. Pure but for `Patient.here`; several checks may share one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One way to mend what was found: edits of variables and options, or changes of the project.

    `words` say it as an instruction where the edits alone would not.
    """

    words: str = ""
    edits: tuple[Edit, ...] = field(default=(), repr=False)
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check.

    `names` are the ids of its findings, the stable words of `--json`; the first one is its own. `level` is
    how bad it is at worst. `title` says what is wrong, `matters` why that matters, and `fix` what to do, all
    without naming a case. `symptoms` are regular expressions of error messages that it explains.

    `many` is what it says of several, behind their names or a number of `nouns`: `are empty`; where it is
    empty, its findings are never told as one. `mend_all` mends several at once where asking `mend` for each
    would take too long.
    """

    id: str
    names: tuple[str, ...]
    level: Severity
    look: Look
    title: str
    matters: str
    fix: str
    source: str
    need: Need = Need.VARIABLES
    symptoms: tuple[str, ...] = ()
    many: str = ""
    nouns: str = "variables"
    mend: Callable[[Patient, Finding], Iterable[Fix]] | None = None
    mend_all: Callable[[Patient, Sequence[Finding]], Iterable[Fix]] | None = None

    @property
    def name(self) -> str:
        """The word for it."""
        return self.names[0]
