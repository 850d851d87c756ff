"""The full references of a run: its repository with each tag, or the default one."""

from __future__ import annotations

from dockpass.errors import UsageError
from dockpass.references.reference import Reference, parse_reference
from dockpass.runs.events import LogKind
from dockpass.runs.job import Job
from dockpass.runs.tags import default_tag
from dockpass.text import clean


def references_of_run(job: Job) -> tuple[Reference, ...]:
    """Return one reference for each tag asked for; raises `UsageError` for an invalid tag."""
    if job.request.tags:
        return tuple(tagged(job, tag) for tag in dict.fromkeys(job.request.tags))
    services = job.services
    found = default_tag(services.cwd, job.facts, services.environ)
    job.log(f"no tag given: {found.tag}, from {found.origin}", LogKind.NOTE)
    return (tagged(job, found.tag),)


def tagged(job: Job, tag: str) -> Reference:
    """Return the run's repository with `tag`."""
    repository = job.repository
    reference = parse_reference(f"{repository.host}/{repository.path}:{tag}")
    if reference.tag != tag:
        raise UsageError(
            "tag-invalid", f"“{clean(tag, 80)}” is not a valid tag.", "Give a name such as 1.2.0."
        )
    return reference
