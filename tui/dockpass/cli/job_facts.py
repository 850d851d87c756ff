"""The variables of a GitLab job in place of the environment, for `explain`, `probe`, `config` and runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from dockpass.auth.facts import Variable
from dockpass.cli.world import World
from dockpass.findings import Finding, Severity
from dockpass.text import clean

if TYPE_CHECKING:
    from dockpass.cli.variables import Looked

NOT_OFFERED: Mapping[str, object] = {
    "tag": None,
    "from_gitlab": False,
    "project": None,
    "sets": (),
    "unsets": (),
}
"""The options of `dockpass vars` that these commands do not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGiven:
    """The options that name a job and its pipeline, as they were typed."""

    job: str | None = None
    ref: str | None = None
    merge_request: bool = False
    protected: bool | None = None
    environment: str | None = None
    pipeline_source: str | None = None
    gitlab_version: str | None = None
    project_variables: Sequence[str] = ()
    group_variables: Sequence[str] = ()
    instance_variables: Sequence[str] = ()
    no_snapshot: bool = False
    scenario: str | None = None
    asks: bool = False
    """Whether the command needs the values of secrets, and so may ask for them what a scenario names."""

    @property
    def asked(self) -> bool:
        """Whether any of them was given."""
        return replace(self, asks=False) != NO_JOB

    def words(self) -> tuple[tuple[str, str | bool], ...]:
        """Return the options again, each with its value."""
        return tuple(self._words())

    def _words(self) -> Iterator[tuple[str, str | bool]]:
        for each in fields(self):
            value = getattr(self, each.name) if each.name != "asks" else False
            option = f"--{each.name.replace('_', '-')}"
            if each.name == "protected" and value is not None:
                yield ("--protected" if value else "--unprotected"), True
            elif isinstance(value, str | bool) and value:
                yield option, value
            elif isinstance(value, tuple):
                yield from ((option, one) for one in value)


NO_JOB = JobGiven()
"""No job: the environment counts."""


def options_of(given: JobGiven) -> dict[str, object]:
    """Return every option that `dockpass vars` knows, as far as these say something."""
    return {**{each.name: getattr(given, each.name) for each in fields(given)}, **NOT_OFFERED}


def job_facts(world: World, given: JobGiven) -> tuple[dict[str, Variable], tuple[Finding, ...]]:
    """Return the variables that the job would get, and what there is to say of it.

    Raises `UsageError` where GitLab would refuse the configuration: then no job gets any variables.
    """
    from dockpass.cli import variables as work
    from dockpass.variables.logins import facts_of
    from dockpass.variables.refusals import configuration_refused

    asked = options_of(given)
    if given.scenario is not None:
        from dockpass.cli.scenario_given import open_given
        from dockpass.session.scenarios import without_jobs

        opened = open_given(world, asked)
        if without_jobs(opened):
            return opened.plain_variables(), opened.notes
        asked["opened"] = opened
    looked = work.look(world, asked)
    for problem in looked.view.refusals:
        raise configuration_refused(problem.message, problem.place)
    facts = facts_of(looked.view, looked.home, looked.cwd)
    return dict(facts.variables), tuple(_notes(looked))


def _notes(looked: Looked) -> Iterator[Finding]:
    from dockpass.cli.variables import notes
    from dockpass.variables.jobscript import own_logins_in_words

    ref = looked.pipeline.ref
    job = f"the job {clean(looked.view.title, 80)}" if looked.view.name else "every job"
    state = {True: ", protected", False: ", not protected", None: ""}[ref.protected]
    missing = "" if looked.view.included is not False else "; it is not in that pipeline (dockpass vars why)"
    yield Finding(
        "as-job",
        "",
        f"These are the variables of {job} on {clean(ref.name, 80)}{state}, not of this"
        f" environment{missing}.",
        severity=Severity.NOTE,
    )
    if own := own_logins_in_words(looked.script.logins):
        yield Finding("own-login", "", own, severity=Severity.NOTE)
    for severity, words in notes(looked):
        yield Finding(
            "as-job-note",
            "",
            f"{words[:1].upper()}{words[1:]}.",
            severity=severity,
        )
