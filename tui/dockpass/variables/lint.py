"""Everything that looks wrong about the variables of a project's jobs, each finding once with its jobs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.decision import Decision, WarningId
from dockpass.findings import Finding, Severity
from dockpass.text import clean
from dockpass.variables.findings import find_findings
from dockpass.variables.gitlab.includes import Files
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.gitlab.tree import YamlError
from dockpass.variables.job_findings import find_in_config, find_in_view
from dockpass.variables.logins import facts_of
from dockpass.variables.pipeline import Loaded
from dockpass.variables.yaml_findings import find_in_yaml

_OF_A_RUN = frozenset({WarningId.NO_BUILD_FILE, WarningId.MAY_NOT_DELETE})
"""Warnings that say nothing about the variables."""

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True, slots=True)
class JobFinding:
    """A finding, and the jobs that it is about; none where it is about the files or about every job."""

    finding: Finding
    jobs: tuple[str, ...] = ()


def lint(loaded: Loaded, files: Files, jobs: Iterable[str], home: str, cwd: str) -> tuple[JobFinding, ...]:
    """Look at jobs, and at the files of the configuration; errors come first."""
    names = tuple(jobs)
    found: dict[Finding, list[str]] = {}
    for finding in _about_files(loaded, files):
        found.setdefault(finding, [])
    for name in names:
        job = loaded.job(name)
        view = loaded.view(name)
        for finding in (
            *find_in_view(view),
            *find_in_config(loaded.config, job, loaded.situation.definitions),
            *_about_facts(view, home, cwd),
        ):
            found.setdefault(finding, []).append(name)
    everywhere = len(names)
    listed = [
        JobFinding(finding, () if len(jobs) == everywhere > 1 else tuple(filter(None, dict.fromkeys(jobs))))
        for finding, jobs in found.items()
    ]
    return tuple(sorted(listed, key=lambda each: (_ORDER[each.finding.severity], each.finding.about)))


def _about_files(loaded: Loaded, files: Files) -> Iterator[Finding]:
    for path in dict.fromkeys(loaded.config.files):
        try:
            text = files.read(path)
        except YamlError:
            continue
        yield from find_in_yaml(text or "", path)
    for each in loaded.config.not_loaded:
        yield Finding(
            "not-loaded",
            clean(str(each.place), 200),
            f"includes {each.kind} {each.text}, which is not loaded here: values may differ",
            hint="dockpass vars import gitlab can fetch the merged configuration.",
            severity=Severity.NOTE,
        )


def _about_facts(view: JobView, home: str, cwd: str) -> Iterator[Finding]:
    """Yield what the values look like to a login, and what the decisions warn of."""
    facts = facts_of(view, home, cwd)
    yield from find_findings(facts)
    for command in Command:
        decided = decide(command, facts)
        for notice in decided.warnings if isinstance(decided, Decision) else ():
            if notice.id not in _OF_A_RUN:
                yield Finding(str(notice.id), "", notice.message)
